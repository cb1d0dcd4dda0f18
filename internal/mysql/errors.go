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

// Error numbers of the server that the code depends on. Numbers below 1900 are the same in MySQL
// and MariaDB.
//
//	https://mariadb.com/kb/en/mariadb-error-code-reference/
const (
	errAccessDenied = 1045 // ER_ACCESS_DENIED_ERROR
	errDuplicate    = 1062 // ER_DUP_ENTRY
	errChanged      = 1020 // ER_CHECKREAD
	errDeadlock     = 1213 // ER_LOCK_DEADLOCK
	errInterrupted  = 1317 // ER_QUERY_INTERRUPTED

	// A CHECK constraint is violated:
	// https://dev.mysql.com/doc/mysql-errors/8.0/en/server-error-reference.html#error_er_check_constraint_violated
	errCheckViolatedMySQL   = 3819 // ER_CHECK_CONSTRAINT_VIOLATED
	errCheckViolatedMariaDB = 4025 // ER_CONSTRAINT_FAILED
)

// temporary lists errors that depend on the state of the server and not on the statement: the same
// statement may succeed later.
var temporary = []uint16{
	// The disk, the memory or the lock table is full.
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

	// There are too many connections, or too many of this user.
	1040, // ER_CON_COUNT_ERROR
	1043, // ER_HANDSHAKE_ERROR
	errAccessDenied,
	1129, // ER_HOST_IS_BLOCKED
	1203, // ER_TOO_MANY_USER_CONNECTIONS
	1226, // ER_USER_LIMIT_REACHED
	9501, // RDS Proxy has no connection to the database

	// The server is read-only: it is a replica, recovers, or hands over to another server.
	1036, // ER_OPEN_AS_READONLY
	1290, // ER_OPTION_PREVENTS_STATEMENT, for example --read-only
	1792, // ER_CANT_EXECUTE_IN_READ_ONLY_TRANSACTION
	1836, // ER_READ_ONLY_MODE
	1874, // ER_INNODB_READ_ONLY
	3032, // ER_SERVER_OFFLINE_MODE (MySQL)
	3168, // ER_SERVER_ISNT_AVAILABLE (MySQL)

	// Another transaction is in conflict.
	errChanged,
	1205, // ER_LOCK_WAIT_TIMEOUT
	errDeadlock,
	1412, // ER_TABLE_DEF_CHANGED: a migration changed the table
}

// interrupted lists temporary errors that may also come after the commit, because the server can
// stop a call at any point.
var interrupted = []uint16{
	1053, // ER_SERVER_SHUTDOWN
	1158, // ER_NET_READ_ERROR
	1159, // ER_NET_READ_INTERRUPTED
	1160, // ER_NET_ERROR_ON_WRITE
	1161, // ER_NET_WRITE_INTERRUPTED
	1180, // ER_ERROR_DURING_COMMIT
	errInterrupted,
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

// An unknownOutcome is the error of a statement that was sent and may have been executed.
type unknownOutcome struct{ error }

func (u unknownOutcome) Unwrap() error { return u.error }

// mayBeDone reports whether a statement may have been executed although it failed or got no answer.
// The driver returns ErrBadConn only if it sent nothing.
func mayBeDone(err error) bool {
	switch number := serverError(err); {
	case err == nil, errors.Is(err, driver.ErrBadConn), errors.Is(err, sql.ErrNoRows):
		return false
	case number != 0:
		return slices.Contains(interrupted, number)
	}
	return true
}

// uncertain marks the error of a statement that may have been executed.
func uncertain(err error) error {
	if mayBeDone(err) {
		return unknownOutcome{err}
	}
	return err
}

// isTemporary reports whether the database could not be reached, or could not execute a statement
// for the moment.
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

// failed wraps an error with what was being done. The error has CodeUnavailable if nothing was
// changed and the caller may try again, and CodeOutcomeUnknown if the change may have been made.
func failed(doing string, err error) error {
	err = fmt.Errorf("%s: %w", doing, err)
	var unknown unknownOutcome
	switch {
	case errors.As(err, &unknown):
		return &shop.Error{
			Code:   shop.CodeOutcomeUnknown,
			Detail: "the database did not confirm the change", Err: err,
		}
	case isTemporary(err):
		return &shop.Error{Code: shop.CodeUnavailable, Detail: "the database is not available now", Err: err}
	}
	return err
}

// retryDeadlocks runs a transaction again, a few times, if the server rolled it back to end a
// deadlock, or because a row that it wants to change has changed since it began to read. (The
// latter happens with innodb_snapshot_isolation, which is on by default since MariaDB 11.6.) It
// waits for a random time before each retry, so that the transactions of the deadlock do not meet
// again. The time grows with that of the transaction, which is long on a busy server.
func retryDeadlocks(ctx context.Context, transaction func() error) error {
	const attempts = 5
	pause := 10 * time.Millisecond
	for range attempts - 1 {
		began := time.Now()
		err := transaction()
		if number := serverError(err); number != errDeadlock && number != errChanged {
			return err
		}
		pause = max(pause, time.Since(began))
		select {
		case <-ctx.Done():
			return err
		case <-time.After(pause/2 + rand.N(pause/2)): // #nosec G404 -- it spreads retries, and guards nothing
		}
		pause *= 2
	}
	return transaction()
}
