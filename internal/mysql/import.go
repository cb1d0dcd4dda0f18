package mysql

import (
	"context"
	"crypto/sha256"
	"database/sql"
	"encoding/hex"
	"time"

	"restock/internal/shop"
)

// importKey returns the idempotency key of an import's first opening stock. It tells a repeated
// import. Clients cannot send tabs.
func importKey(key string) string {
	if key == "" {
		return ""
	}
	sum := sha256.Sum256([]byte(key))
	return "import\t" + hex.EncodeToString(sum[:])
}

// IsImported reports whether an import with this key put stock on sale. An import without stock
// leaves no trace, and can be repeated: it sets the same values again.
func (s *Store) IsImported(ctx context.Context, key string) (is bool, err error) {
	const doing = "looking for an earlier import"
	err = s.db.QueryRowContext(ctx, `SELECT COUNT(*) FROM movement WHERE idempotency_key = ?`, orNull(importKey(key))).
		Scan(&is)
	if err != nil {
		return false, failed(doing, err)
	}
	return is, nil
}

// Import makes a batch. It locks all products that change before it changes the first one: the
// first change takes the snapshot of all later reads, see withStock. It locks them in the order of
// their SKUs, so that two imports do not wait for each other in a circle.
func (s *Store) Import(ctx context.Context, b shop.Batch, at time.Time) error {
	return s.transaction(ctx, "importing products", func(conn *sql.Conn) error {
		for _, c := range b.Change {
			if _, err := lockStock(ctx, conn, c.Product.ID); err != nil {
				return err
			}
		}
		for _, c := range b.Change {
			if err := changeProduct(ctx, conn, c.Product.ID, c.Product.SKU, c.ProductChange, at); err != nil {
				return err
			}
		}
		key := importKey(b.IdempotencyKey)
		for _, p := range b.Create {
			opening := ""
			if p.Stock > 0 {
				opening, key = key, ""
			}
			if err := createProduct(ctx, conn, p, opening, at); err != nil {
				return err
			}
		}
		return nil
	})
}
