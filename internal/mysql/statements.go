package mysql

import (
	"context"
	"database/sql"
	"database/sql/driver"
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

// onConnection does something on one connection. Its error is the pool's where there was none to be had:
// then nothing was sent. A connection that turns out to be dead before anything was sent is replaced, as
// database/sql does it.
func (s *Store) onConnection(ctx context.Context, do func(*sql.Conn) error) error {
	for dead := 0; ; dead++ {
		conn, err := s.db.Conn(ctx)
		if err != nil {
			return err
		}
		err = do(conn)
		_ = conn.Close() // it goes back to the pool, which looks itself whether it is of use
		if !errors.Is(err, driver.ErrBadConn) || dead > s.db.Stats().MaxOpenConnections {
			return err
		}
	}
}

// exec runs a statement that changes something.
func (s *Store) exec(ctx context.Context, statement string, args ...any) (result sql.Result, err error) {
	err = retryDeadlocks(ctx, func() error {
		return s.onConnection(ctx, func(conn *sql.Conn) (err error) {
			result, err = conn.ExecContext(ctx, statement, args...)
			return uncertain(err)
		})
	})
	return result, err
}

// changes runs a statement, and says whether it changed anything.
func (s *Store) changes(ctx context.Context, doing, statement string, args ...any) (bool, error) {
	changed, err := changes(s.exec(ctx, statement, args...))
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
		// Not tx.Commit alone, which knows no context: it waits for as long as the server says nothing.
		if _, err := tx.ExecContext(ctx, "COMMIT"); err != nil {
			return uncertain(err)
		}
		_ = tx.Commit() // it has nothing left to commit, and gives the connection back
		return nil
	})
	var named *shop.Error
	if err == nil || errors.As(err, &named) {
		return err
	}
	return failed(doing, err)
}
