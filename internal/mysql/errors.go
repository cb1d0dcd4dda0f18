package mysql

import (
	"context"
	"database/sql/driver"
	"errors"
	"fmt"
	"math/rand/v2"
	"net"
	"time"

	gomysql "github.com/go-sql-driver/mysql"

	"restock/internal/shop"
)

// Numbers of the server's errors: https://mariadb.com/kb/en/mariadb-error-code-reference/, the same in MySQL.
const (
	errTooManyConnections = 1040 // ER_CON_COUNT_ERROR
	errAccessDenied       = 1045 // ER_ACCESS_DENIED_ERROR
	errShutdown           = 1053 // ER_SERVER_SHUTDOWN
	errDuplicate          = 1062 // ER_DUP_ENTRY
	errLockWaitTimeout    = 1205 // ER_LOCK_WAIT_TIMEOUT
	errDeadlock           = 1213 // ER_LOCK_DEADLOCK
	errConnectionKilled   = 1927 // ER_CONNECTION_KILLED (MariaDB)

	// A CHECK constraint does not hold: https://dev.mysql.com/doc/mysql-errors/8.0/en/server-error-reference.html#error_er_check_constraint_violated
	errCheckViolatedMySQL   = 3819 // ER_CHECK_CONSTRAINT_VIOLATED
	errCheckViolatedMariaDB = 4025 // ER_CONSTRAINT_FAILED
)

func serverError(err error) uint16 {
	var e *gomysql.MySQLError
	if errors.As(err, &e) {
		return e.Number
	}
	return 0
}

// failed says what was being done. Where the database could not be reached or asked, which a caller may try again, the
// error has CodeUnavailable.
func failed(doing string, err error) error {
	var network net.Error
	switch serverError(err) {
	case errTooManyConnections, errAccessDenied, errShutdown, errLockWaitTimeout, errDeadlock, errConnectionKilled:
	default:
		if !errors.As(err, &network) && !errors.Is(err, driver.ErrBadConn) && !errors.Is(err, gomysql.ErrInvalidConn) &&
			!errors.Is(err, context.DeadlineExceeded) && !errors.Is(err, ErrCredentials) {
			return fmt.Errorf("%s: %w", doing, err)
		}
	}
	return &shop.Error{Code: shop.CodeUnavailable, Detail: "the database cannot be asked now", Err: fmt.Errorf("%s: %w", doing, err)}
}

// retryDeadlocks runs a transaction again that the server rolled back to end a deadlock, a few times. It
// pauses before each retry, at random, so that the parties of a deadlock do not meet again.
func retryDeadlocks(ctx context.Context, transaction func() error) error {
	const attempts = 5
	pause := 10 * time.Millisecond
	for range attempts - 1 {
		err := transaction()
		if serverError(err) != errDeadlock {
			return err
		}
		select {
		case <-ctx.Done():
			return err
		case <-time.After(pause/2 + rand.N(pause/2)):
		}
		pause *= 2
	}
	return transaction()
}
