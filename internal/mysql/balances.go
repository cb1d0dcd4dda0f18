package mysql

import (
	"context"

	"github.com/google/uuid"

	"restock/internal/shop"
)

// Balances holds every product's stock against its ledger, by SKU. The ledger only grows: a product whose books are right gets a
// checkpoint, and the next time only the entries after it are added up.
func (s *Store) Balances(ctx context.Context) ([]shop.Balance, error) {
	const doing = "adding up the stock ledger"
	// One statement sees one moment. A product's entries are numbered in the order in which they become visible: who writes one holds
	// the product's row. So none can appear later below a checkpoint.
	rows, err := s.db.QueryContext(ctx, `
		SELECT p.product_id, p.sku, p.stock,
		       COALESCE(MAX(c.balance), 0) + COALESCE(SUM(l.quantity), 0),
		       MAX(l.entry_id)
		  FROM product p
		  LEFT JOIN ledger_checkpoint c ON c.product_id = p.product_id
		  LEFT JOIN stock_ledger l ON l.product_id = p.product_id AND l.entry_id > COALESCE(c.entry_id, 0)
		 GROUP BY p.product_id, p.sku, p.stock
		 ORDER BY p.sku`)
	if err != nil {
		return nil, failed(doing, err)
	}
	defer rows.Close()
	type checkpoint struct {
		product uuid.UUID
		entry   int64
		balance int
	}
	var balances []shop.Balance
	var checkpoints []checkpoint
	for rows.Next() {
		var product uuid.UUID
		var b shop.Balance
		var last *int64 // nil: no entry after the checkpoint
		if err := rows.Scan(&product, &b.SKU, &b.Stock, &b.Ledger, &last); err != nil {
			return nil, failed(doing, err)
		}
		balances = append(balances, b)
		if last != nil && b.Difference() == 0 {
			checkpoints = append(checkpoints, checkpoint{product, *last, b.Ledger})
		}
	}
	if err := rows.Err(); err != nil {
		return nil, failed(doing, err)
	}
	for _, c := range checkpoints {
		// Of two sweeps at once the one that saw more wins. entry_id is set last: MySQL assigns from left to right.
		_, err := s.db.ExecContext(ctx, `
			INSERT INTO ledger_checkpoint (product_id, entry_id, balance) VALUES (?, ?, ?)
			ON DUPLICATE KEY UPDATE balance = IF(VALUES(entry_id) > entry_id, VALUES(balance), balance),
			                        entry_id = GREATEST(entry_id, VALUES(entry_id))`, c.product[:], c.entry, c.balance)
		if err != nil {
			return nil, failed("keeping the stock ledger's checkpoint", err)
		}
	}
	return balances, nil
}
