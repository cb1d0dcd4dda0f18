package mysql

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"
	"time"

	gomysql "github.com/go-sql-driver/mysql"

	"restock/internal/shop"
)

// list runs a query, and reads each row of its result.
func list[T any](
	ctx context.Context, db *sql.DB, doing string,
	read func(scan func(...any) error) (T, error), query string, args ...any,
) ([]T, error) {
	all, err := rowsOf(ctx, db, read, query, args...)
	if err != nil {
		return nil, failed(doing, err)
	}
	return all, nil
}

// mapOf runs a query whose rows are keys and values.
func mapOf[K comparable, V any](
	ctx context.Context, db *sql.DB, doing, query string, args ...any,
) (map[K]V, error) {
	all := map[K]V{}
	_, err := list(ctx, db, doing, func(scan func(...any) error) (key K, err error) {
		var value V
		err = scan(&key, &value)
		all[key] = value
		return key, err
	}, query, args...)
	if err != nil {
		return nil, err
	}
	return all, nil
}

// rowsOf is list for a connection or a pool, and returns the server's errors as they are.
func rowsOf[T any](
	ctx context.Context, db interface {
		QueryContext(ctx context.Context, query string, args ...any) (*sql.Rows, error)
	},
	read func(scan func(...any) error) (T, error), query string, args ...any,
) (all []T, err error) {
	rows, err := db.QueryContext(ctx, query, args...)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	for rows.Next() {
		one, err := read(rows.Scan)
		if err != nil {
			return nil, err
		}
		all = append(all, one)
	}
	return all, rows.Err()
}

// onConnection runs do on a connection of the pool. If the pool has none, onConnection returns the
// pool's error, and nothing was sent. If the connection is dead before anything was sent on it
// (driver.ErrBadConn), onConnection runs do again on another connection, as database/sql does for a
// single statement.
func (s *Store) onConnection(ctx context.Context, do func(*sql.Conn) error) error {
	for dead := 0; ; dead++ {
		conn, err := s.db.Conn(ctx)
		if err != nil {
			return err
		}
		err = func() error {
			defer conn.Close() // back to the pool, which drops it if it is dead
			return do(conn)
		}()
		if !errors.Is(err, driver.ErrBadConn) || dead > s.db.Stats().MaxOpenConnections {
			return err
		}
	}
}

// exec runs a statement that changes data.
func (s *Store) exec(ctx context.Context, statement string, args ...any) (result sql.Result, err error) {
	err = retryDeadlocks(ctx, func() error {
		return s.onConnection(ctx, func(conn *sql.Conn) (err error) {
			result, err = conn.ExecContext(ctx, statement, args...)
			return uncertain(err)
		})
	})
	return result, err
}

// changes runs a statement, and reports whether it changed a row.
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

// transaction runs statements on one connection, all or nothing. It returns a *shop.Error as it is.
//
// It sends START TRANSACTION and COMMIT itself, because database/sql's Tx.Commit takes no context:
// it waits for as long as the server does not answer.
func (s *Store) transaction(ctx context.Context, doing string, do func(*sql.Conn) error) error {
	err := retryDeadlocks(ctx, func() error {
		return s.onConnection(ctx, func(conn *sql.Conn) error {
			committed := false
			defer func() {
				if !committed { // also if do panics
					rollBack(ctx, conn)
				}
			}()
			if _, err := conn.ExecContext(ctx, "START TRANSACTION"); err != nil {
				return err
			}
			if err := do(conn); err != nil {
				return err
			}
			if _, err := conn.ExecContext(ctx, "COMMIT"); err != nil {
				return uncertain(err)
			}
			committed = true
			return nil
		})
	})
	var named *shop.Error
	if err == nil || errors.As(err, &named) {
		return err
	}
	return failed(doing, err)
}

// rollBack ends a transaction that failed. If the connection is dead or the context has ended,
// rollBack closes the connection instead: then the server rolls back, and no later statement runs
// inside the transaction.
func rollBack(ctx context.Context, conn *sql.Conn) {
	if _, err := conn.ExecContext(ctx, "ROLLBACK"); err != nil {
		_ = conn.Raw(func(any) error { return driver.ErrBadConn }) // database/sql closes the connection
	}
}

// orNull returns a text, or null for the empty text.
func orNull(s string) any {
	if s == "" {
		return nil
	}
	return s
}

// seconds scans a duration, which the database keeps in whole seconds.
type seconds time.Duration

// Scan implements sql.Scanner. Null is 0.
func (d *seconds) Scan(value any) error {
	var n sql.NullInt64
	if err := n.Scan(value); err != nil {
		return err
	}
	*d = seconds(time.Duration(n.Int64) * time.Second)
	return nil
}

// sum scans a sum that is never null. If the server ends a query (KILL QUERY, max_statement_time)
// while it adds up, it sends a row with null first, and the error afterwards.
type sum int

// Scan implements sql.Scanner.
func (s *sum) Scan(value any) error {
	var n sql.NullInt64
	if err := n.Scan(value); err != nil {
		return err
	}
	if !n.Valid {
		return &gomysql.MySQLError{Number: errInterrupted, Message: "the server ended the query"}
	}
	*s = sum(n.Int64)
	return nil
}

// timeOrZero scans a time. Null is the zero time.
type timeOrZero time.Time

// Scan implements sql.Scanner.
func (t *timeOrZero) Scan(value any) error {
	var n sql.NullTime
	if err := n.Scan(value); err != nil {
		return err
	}
	*t = timeOrZero(n.Time)
	return nil
}
