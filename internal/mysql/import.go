package mysql

import (
	"context"
	"crypto/sha256"
	"database/sql"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/google/uuid"

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

// IsImported reports whether an import with this key and content put stock on sale. The reference
// of an import's opening stock is the content. An import without stock leaves no trace, and can be
// repeated: it sets the same values again.
//
// The version before stored no content. A client that repeats such an import during the deployment
// sends the same file, as a rule, so NULL counts as the same content.
func (s *Store) IsImported(ctx context.Context, key string, content uuid.UUID) (bool, error) {
	var same bool
	err := s.db.QueryRowContext(ctx, `SELECT COALESCE(reference = ?, TRUE) FROM movement WHERE idempotency_key = ?`,
		content[:], orNull(importKey(key))).Scan(&same)
	switch {
	case errors.Is(err, sql.ErrNoRows):
		return false, nil
	case err != nil:
		return false, failed("looking for an earlier import", err)
	case !same:
		return false, importKeyReused()
	}
	return true, nil
}

func importKeyReused() error {
	return &shop.Error{Code: shop.CodeIdempotencyKeyReused, Detail: "an import of another file has this " +
		"idempotency key, and nothing is imported: send a new UUID for each file"}
}

// NameKeys returns the sort key of each name, by which the server compares names. Its collation
// takes "Café" and "CAFE" for equal, see migration 00008.
func (s *Store) NameKeys(ctx context.Context, names []string) (map[string]string, error) {
	const doing = "comparing names"
	text, err := json.Marshal(names)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", doing, err)
	}
	byPosition, err := mapOf[int, string](ctx, s.db, doing, `
		SELECT n.at, WEIGHT_STRING(n.name COLLATE utf8mb4_unicode_520_ci)
		  FROM JSON_TABLE(?, '$[*]' COLUMNS (at FOR ORDINALITY, name LONGTEXT PATH '$')) n`, string(text))
	if err != nil {
		return nil, err
	}
	keys := map[string]string{}
	for at, key := range byPosition { // from 1
		keys[names[at-1]] = key
	}
	return keys, nil
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
			err := changeProduct(ctx, conn, c.Product.ID, c.Product.SKU, c.ProductChange, c.Names, at)
			if err != nil {
				return err
			}
		}
		key := importKey(b.IdempotencyKey)
		for _, p := range b.Create {
			opening := movement{reference: b.Content, at: at}
			if p.Stock > 0 {
				opening.key, key = key, ""
			}
			err := createProduct(ctx, conn, p, opening)
			if serverError(err) == errDuplicate {
				return importKeyReused() // by an import at the same time, of other products
			}
			if err != nil {
				return err
			}
		}
		return nil
	})
}
