// Package shelf puts products into the database of a run, past the merchant's API, for who storms or measures the shop.
package shelf

import (
	"context"
	"database/sql"
	"fmt"
	"time"
)

// A Product is what is put on the shelf, made by the factory of the seed's first product.
type Product struct {
	SKU   string
	Stock int

	// Automatic products are ordered when they fall to ReorderPoint, up to OrderUpTo, in lots of LotSize.
	Automatic                        bool
	ReorderPoint, OrderUpTo, LotSize int
	LeadTime                         time.Duration // whole seconds
}

// Put puts products on the shelf, each with its opening entry in the ledger.
func Put(ctx context.Context, db *sql.DB, products ...Product) error {
	tx, err := db.BeginTx(ctx, nil)
	if err != nil {
		return fmt.Errorf("putting products on the shelf: %w", err)
	}
	defer tx.Rollback() // does nothing after the commit
	for _, p := range products {
		_, err := tx.ExecContext(ctx, `
			INSERT INTO product (product_id, sku, name, price, stock, factory_id, ad_id, reorder_point, order_up_to, lot_size, minimum_order, lead_time, automatic, max_per_sale)
			SELECT UNHEX(MD5(?)), ?, ?, 100, ?, factory_id, ad_id, ?, ?, ?, 0, ?, ?, 0 FROM product WHERE sku = 'CP-502101'`,
			p.SKU, p.SKU, p.SKU, p.Stock, p.ReorderPoint, p.OrderUpTo, p.LotSize, int(p.LeadTime.Seconds()), p.Automatic)
		if err == nil {
			_, err = tx.ExecContext(ctx, `
				INSERT INTO stock_ledger (product_id, quantity, cause, reference, recorded_at)
				SELECT product_id, stock, 'opening', NULL, UTC_TIMESTAMP(6) FROM product WHERE sku = ?`, p.SKU)
		}
		if err != nil {
			return fmt.Errorf("putting %s on the shelf: %w", p.SKU, err)
		}
	}
	return tx.Commit()
}
