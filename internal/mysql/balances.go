package mysql

import (
	"context"
	"database/sql"

	"github.com/google/uuid"

	"restock/internal/shop"
)

// Balances compares every product's stock with its ledger, sorted by SKU. The ledger only grows. If
// both agree, Balances stores a checkpoint, and the next call adds up only the entries after it.
func (s *Store) Balances(ctx context.Context) ([]shop.Balance, error) {
	const doing = "adding up the stock ledger"
	accounts, err := s.accounts(ctx)
	if err != nil {
		return nil, failed(doing, err)
	}
	balances := make([]shop.Balance, 0, len(accounts))
	for _, a := range accounts {
		balances = append(balances, a.Balance)
		if !a.moved || a.Difference() != 0 {
			continue
		}
		// If two sweeps run at once, the checkpoint that includes more entries stays. entry_id is
		// set last, because MySQL assigns from left to right and balance compares with the old
		// entry_id.
		_, err := s.db.ExecContext(ctx, `
			INSERT INTO ledger_checkpoint (product_id, entry_id, balance) VALUES (?, ?, ?)
			ON DUPLICATE KEY UPDATE balance = IF(VALUES(entry_id) > entry_id, VALUES(balance), balance),
			                        entry_id = GREATEST(entry_id, VALUES(entry_id))`, a.product[:], a.entry, a.Ledger)
		if err != nil {
			return nil, failed("storing the stock ledger's checkpoint", err)
		}
	}
	return balances, nil
}

// An account is a product's balance, and the last entry of the ledger that it includes.
type account struct {
	shop.Balance
	product uuid.UUID
	entry   int64
	moved   bool // whether there are entries after the checkpoint
}

// accounts adds up the entries after the checkpoints. It sees the state of one moment: the first
// read of the transaction takes the snapshot.
//
// No later entry can get an id below a checkpoint. Every transaction that writes an entry of a
// product locks the product's row first, so the entries get their ids in the order in which they
// are committed.
//
// It runs one query a product. A join would read every product's whole ledger.
func (s *Store) accounts(ctx context.Context) ([]account, error) {
	tx, err := s.db.BeginTx(ctx, &sql.TxOptions{Isolation: sql.LevelRepeatableRead, ReadOnly: true})
	if err != nil {
		return nil, err
	}
	defer tx.Rollback() // it only reads
	accounts, err := checkpoints(ctx, tx)
	if err != nil {
		return nil, err
	}
	for i := range accounts {
		a := &accounts[i]
		var sum int
		var last sql.NullInt64
		row := tx.QueryRowContext(ctx, `
			SELECT COALESCE(SUM(quantity), 0), MAX(entry_id) FROM stock_ledger
			 WHERE product_id = ? AND entry_id > ?`, a.product[:], a.entry)
		if err := row.Scan(&sum, &last); err != nil {
			return nil, err
		}
		a.Ledger += sum
		if a.moved = last.Valid; a.moved {
			a.entry = last.Int64
		}
	}
	return accounts, nil
}

// checkpoints returns the accounts as they were when stock and ledger last agreed.
func checkpoints(ctx context.Context, tx *sql.Tx) ([]account, error) {
	rows, err := tx.QueryContext(ctx, `
		SELECT p.product_id, p.sku, p.stock, COALESCE(c.balance, 0), COALESCE(c.entry_id, 0)
		  FROM product p LEFT JOIN ledger_checkpoint c ON c.product_id = p.product_id
		 ORDER BY p.sku`)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	var accounts []account
	for rows.Next() {
		var a account
		if err := rows.Scan(&a.product, &a.SKU, &a.Stock, &a.Ledger, &a.entry); err != nil {
			return nil, err
		}
		accounts = append(accounts, a)
	}
	return accounts, rows.Err()
}
