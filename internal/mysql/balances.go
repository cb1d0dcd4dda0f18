package mysql

import (
	"context"
	"database/sql"
	"slices"
	"strings"

	"github.com/google/uuid"

	"restock/internal/shop"
)

// Balances compares every product's stock with its ledger, sorted by SKU. The ledger only grows. If
// both agree in a bin, Balances stores a checkpoint, and the next call adds up only what follows.
func (s *Store) Balances(ctx context.Context) (balances []shop.Balance, err error) {
	const doing = "adding up the stock ledger"
	accounts, err := s.accounts(ctx)
	if err != nil {
		return nil, failed(doing, err)
	}
	var agree []account
	for _, a := range accounts {
		if len(balances) == 0 || balances[len(balances)-1].SKU != a.sku {
			balances = append(balances, shop.Balance{SKU: a.sku})
		}
		b := &balances[len(balances)-1]
		b.Stock, b.Ledger = b.Stock+a.stock, b.Ledger+a.ledger
		if a.last != a.balanced && a.ledger == a.stock && !a.gap {
			agree = append(agree, a)
		}
	}
	for some := range slices.Chunk(agree, 100) { // all calls lock the checkpoints in one order
		if err := s.storeCheckpoints(ctx, some); err != nil {
			return nil, failed("storing the stock ledger's checkpoints", err)
		}
	}
	return balances, nil
}

// storeCheckpoints stores that ledgers agree with their bins up to their last entries. If two calls
// run at once, the checkpoint that includes more entries stays.
func (s *Store) storeCheckpoints(ctx context.Context, agree []account) error {
	var args []any
	for _, a := range agree {
		args = append(args, a.product[:], a.bin, a.last, a.ledger)
	}
	// balanced is set last, because MySQL assigns from left to right and balance compares with the
	// old one.
	_, err := s.exec(ctx, `
		INSERT INTO bin_checkpoint (product_id, bin, balanced, balance)
		VALUES (?, ?, ?, ?)`+strings.Repeat(`, (?, ?, ?, ?)`, len(agree)-1)+`
		ON DUPLICATE KEY UPDATE balance = IF(VALUES(balanced) > balanced, VALUES(balance), balance),
		                        balanced = GREATEST(balanced, VALUES(balanced))`, args...)
	return err
}

// An account is a bin, and the sum of its ledger.
type account struct {
	product  uuid.UUID
	sku      string
	bin      int
	stock    int
	entries  int64 // how many movements the bin counts
	last     int64 // the number of the last one
	balanced int64 // up to which number the checkpoint includes them
	ledger   int
	gap      bool // whether a number is missing after the checkpoint, or was not counted
}

// accounts adds up the movements after the checkpoints. It sees the state of one moment and locks
// nothing: the first read of the transaction takes the snapshot. The numbers of a bin are given
// under its lock and have no gaps, so no movement comes to stand behind a checkpoint later.
//
// It runs one query for each bin that was changed. A join would read all movements.
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
		if a.last == a.balanced {
			continue
		}
		var sum int
		var count int64
		row := tx.QueryRowContext(ctx, `
			SELECT COALESCE(SUM(quantity), 0), COUNT(*) FROM movement
			 WHERE product_id = ? AND bin = ? AND number > ?`, a.product[:], a.bin, a.balanced)
		if err := row.Scan(&sum, &count); err != nil {
			return nil, err
		}
		a.ledger += sum
		a.gap = count != a.last-a.balanced || a.last != a.entries
	}
	return accounts, nil
}

// checkpoints returns the accounts as they were when stock and ledger last agreed.
func checkpoints(ctx context.Context, tx *sql.Tx) ([]account, error) {
	rows, err := tx.QueryContext(ctx, `
		SELECT b.product_id, p.sku, b.bin, b.stock, b.entries, COALESCE(c.balanced, 0), COALESCE(c.balance, 0),
		       COALESCE((SELECT m.number FROM movement m WHERE m.product_id = b.product_id AND m.bin = b.bin
		                  ORDER BY m.number DESC LIMIT 1), 0) -- MAX would read all of them
		  FROM bin b
		  JOIN product p ON p.product_id = b.product_id
		  LEFT JOIN bin_checkpoint c ON c.product_id = b.product_id AND c.bin = b.bin
		 ORDER BY p.sku, b.bin`)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	var accounts []account
	for rows.Next() {
		var a account
		err := rows.Scan(&a.product, &a.sku, &a.bin, &a.stock, &a.entries, &a.balanced, &a.ledger, &a.last)
		if err != nil {
			return nil, err
		}
		accounts = append(accounts, a)
	}
	return accounts, rows.Err()
}
