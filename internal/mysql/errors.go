package mysql

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"
	"fmt"
	"math/rand/v2"
	"net"
	"slices"
	"time"

	gomysql "github.com/go-sql-driver/mysql"

	"restock/internal/shop"
)

// Numbers of the server's errors that the code decides by.
// https://mariadb.com/kb/en/mariadb-error-code-reference/; those below 1900 are the same in MySQL.
const (
	errAccessDenied = 1045 // ER_ACCESS_DENIED_ERROR
	errDuplicate    = 1062 // ER_DUP_ENTRY
	errDeadlock     = 1213 // ER_LOCK_DEADLOCK

	// A CHECK constraint does not hold: https://dev.mysql.com/doc/mysql-errors/8.0/en/server-error-reference.html#error_er_check_constraint_violated
	errCheckViolatedMySQL   = 3819 // ER_CHECK_CONSTRAINT_VIOLATED
	errCheckViolatedMariaDB = 4025 // ER_CONSTRAINT_FAILED
)

// temporary are errors of the server's state, and not of the statement: the same statement works when
// the state is another one.
var temporary = []uint16{
	// Room: the disk, the memory, or a table of locks is full.
	1021, // ER_DISK_FULL
	1026, // ER_ERROR_ON_WRITE
	1030, // ER_GET_ERRNO, for example error 28 of the storage engine: no space left on device
	1037, // ER_OUTOFMEMORY
	1038, // ER_OUT_OF_SORTMEMORY
	1041, // ER_OUT_OF_RESOURCES
	1114, // ER_RECORD_FILE_FULL
	1135, // ER_CANT_CREATE_THREAD
	1206, // ER_LOCK_TABLE_FULL
	1637, // ER_TOO_MANY_CONCURRENT_TRXS
	3675, // ER_DISK_FULL_NOWAIT (MySQL)

	// Connections: there are too many, or this user may have no more.
	1040, // ER_CON_COUNT_ERROR
	1043, // ER_HANDSHAKE_ERROR
	errAccessDenied,
	1129, // ER_HOST_IS_BLOCKED
	1203, // ER_TOO_MANY_USER_CONNECTIONS
	1226, // ER_USER_LIMIT_REACHED
	9501, // RDS Proxy: it has no connection to the database

	// The server may only read: it is a replica, it recovers, or it hands over to another one.
	1036, // ER_OPEN_AS_READONLY
	1290, // ER_OPTION_PREVENTS_STATEMENT, for example --read-only
	1792, // ER_CANT_EXECUTE_IN_READ_ONLY_TRANSACTION
	1836, // ER_READ_ONLY_MODE
	1874, // ER_INNODB_READ_ONLY
	3032, // ER_SERVER_OFFLINE_MODE (MySQL)
	3168, // ER_SERVER_ISNT_AVAILABLE (MySQL)

	// Others at the same time.
	1020, // ER_CHECKREAD: the row has changed since it was read
	1205, // ER_LOCK_WAIT_TIMEOUT
	errDeadlock,
	1412, // ER_TABLE_DEF_CHANGED: a migration changed the table
}

// interrupted are temporary errors that may come after the commit: the server stopped a call anywhere.
var interrupted = []uint16{
	1053, // ER_SERVER_SHUTDOWN
	1158, // ER_NET_READ_ERROR
	1159, // ER_NET_READ_INTERRUPTED
	1160, // ER_NET_ERROR_ON_WRITE
	1161, // ER_NET_WRITE_INTERRUPTED
	1180, // ER_ERROR_DURING_COMMIT
	1317, // ER_QUERY_INTERRUPTED
	1927, // ER_CONNECTION_KILLED (MariaDB)
	1969, // ER_STATEMENT_TIMEOUT (MariaDB): max_statement_time
	3024, // ER_QUERY_TIMEOUT (MySQL): max_execution_time
	4031, // ER_CLIENT_INTERACTION_TIMEOUT (MySQL)
}

func serverError(err error) uint16 {
	var e *gomysql.MySQLError
	if errors.As(err, &e) {
		return e.Number
	}
	return 0
}

// An unknownOutcome is the error of a statement that was sent, and may be done or not.
type unknownOutcome struct{ error }

func (u unknownOutcome) Unwrap() error { return u.error }

// mayBeDone reports whether a statement may be done although it was answered with an error, or not at
// all. The driver's ErrBadConn means that nothing was sent.
func mayBeDone(err error) bool {
	switch number := serverError(err); {
	case err == nil, errors.Is(err, driver.ErrBadConn), errors.Is(err, sql.ErrNoRows):
		return false
	case number != 0:
		return slices.Contains(interrupted, number)
	}
	return true
}

// uncertain marks an error of a statement that was sent, where it may be done.
func uncertain(err error) error {
	if mayBeDone(err) {
		return unknownOutcome{err}
	}
	return err
}

// isTemporary reports whether the database could not be reached, or could not do what it was asked to.
func isTemporary(err error) bool {
	if number := serverError(err); number != 0 {
		return slices.Contains(temporary, number) || slices.Contains(interrupted, number)
	}
	var network net.Error
	if errors.As(err, &network) {
		return true
	}
	for _, cause := range []error{
		driver.ErrBadConn, gomysql.ErrInvalidConn, context.DeadlineExceeded, context.Canceled, ErrCredentials,
	} {
		if errors.Is(err, cause) {
			return true
		}
	}
	return false
}

// failed says what was being done. Where nothing was done and a caller may try again, the error has
// CodeUnavailable. Where nobody knows whether it was done, it has CodeOutcomeUnknown.
func failed(doing string, err error) error {
	err = fmt.Errorf("%s: %w", doing, err)
	var unknown unknownOutcome
	switch {
	case errors.As(err, &unknown):
		return &shop.Error{Code: shop.CodeOutcomeUnknown, Detail: "the database did not say whether it was done", Err: err}
	case isTemporary(err):
		return &shop.Error{Code: shop.CodeUnavailable, Detail: "the database cannot be asked now", Err: err}
	}
	return err
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
		case <-time.After(pause/2 + rand.N(pause/2)): // #nosec G404 -- it spreads retries, and guards nothing
		}
		pause *= 2
	}
	return transaction()
}
