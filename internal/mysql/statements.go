package mysql

import (
	"context"
	"database/sql"
	"errors"

	"restock/internal/shop"
)

// list runs a query, and reads each of its rows.
func list[T any](ctx context.Context, db *sql.DB, doing string, read func(scan func(...any) error) (T, error), query string, args ...any) (all []T, err error) {
	rows, err := db.QueryContext(ctx, query, args...)
	if err != nil {
		return nil, failed(doing, err)
	}
	defer rows.Close()
	for rows.Next() {
		one, err := read(rows.Scan)
		if err != nil {
			return nil, failed(doing, err)
		}
		all = append(all, one)
	}
	if err := rows.Err(); err != nil {
		return nil, failed(doing, err)
	}
	return all, nil
}

// changes runs a statement, and says whether it changed anything.
func (s *Store) changes(ctx context.Context, doing, statement string, args ...any) (changed bool, err error) {
	err = retryDeadlocks(ctx, func() error {
		changed, err = changes(s.db.ExecContext(ctx, statement, args...))
		return err
	})
	if err != nil {
		return false, failed(doing, err)
	}
	return changed, nil
}

func changes(result sql.Result, err error) (bool, error) {
	if err != nil {
		return false, err
	}
	n, err := result.RowsAffected()
	return n > 0, err
}

// transaction runs statements that are all done, or none is. What the business has a name for is returned as it is.
func (s *Store) transaction(ctx context.Context, doing string, do func(*sql.Tx) error) error {
	err := retryDeadlocks(ctx, func() error {
		tx, err := s.db.BeginTx(ctx, nil)
		if err != nil {
			return err
		}
		defer tx.Rollback() // after a commit it does nothing
		if err := do(tx); err != nil {
			return err
		}
		return tx.Commit()
	})
	var named *shop.Error
	if err == nil || errors.As(err, &named) {
		return err
	}
	return failed(doing, err)
}
