package mysql

import (
	"context"
	"database/sql/driver"
	"errors"
	"fmt"
	"net"
	"testing"

	gomysql "github.com/go-sql-driver/mysql"

	"restock/internal/shop"
)

func TestCodesOfDatabaseErrors(t *testing.T) {
	const (
		unavailable = shop.CodeUnavailable
		unknown     = shop.CodeOutcomeUnknown
		internal    = shop.CodeInternal
	)
	server := func(number uint16) error { return &gomysql.MySQLError{Number: number, Message: "as it says"} }
	for _, c := range []struct {
		name string
		err  error
		read shop.Code // for a statement that changes nothing, or was not sent
		sent shop.Code // for a statement that was sent and changes something
	}{
		{"the disk is full", server(1021), unavailable, unavailable},
		{"a file cannot be written", server(1026), unavailable, unavailable},
		{"the storage engine has no space", server(1030), unavailable, unavailable},
		{"the table is read-only", server(1036), unavailable, unavailable},
		{"no memory", server(1037), unavailable, unavailable},
		{"no memory to sort", server(1038), unavailable, unavailable},
		{"too many connections", server(1040), unavailable, unavailable},
		{"no resources", server(1041), unavailable, unavailable},
		{"access denied", server(1045), unavailable, unavailable},
		{"the server shuts down", server(1053), unavailable, unknown},
		{"the table is full", server(1114), unavailable, unavailable},
		{"the host is blocked", server(1129), unavailable, unavailable},
		{"no thread", server(1135), unavailable, unavailable},
		{"a network error in a read", server(1159), unavailable, unknown},
		{"a network error in a write", server(1161), unavailable, unknown},
		{"the commit failed", server(1180), unavailable, unknown},
		{"too many connections of the user", server(1203), unavailable, unavailable},
		{"a lock wait timeout", server(1205), unavailable, unavailable},
		{"a deadlock", server(1213), unavailable, unavailable},
		{"the user's limit of connections", server(1226), unavailable, unavailable},
		{"the server is read-only", server(1290), unavailable, unavailable},
		{"interrupted", server(1317), unavailable, unknown},
		{"a migration changed the table", server(1412), unavailable, unavailable},
		{"the transaction is read-only", server(1792), unavailable, unavailable},
		{"read-only mode", server(1836), unavailable, unavailable},
		{"InnoDB is read-only", server(1874), unavailable, unavailable},
		{"the connection was killed", server(1927), unavailable, unknown},
		{"a timeout (MariaDB)", server(1969), unavailable, unknown},
		{"a timeout (MySQL)", server(3024), unavailable, unknown},
		{"idle too long (MySQL)", server(4031), unavailable, unknown},
		{"the proxy has no connection", server(9501), unavailable, unavailable},

		{"a duplicate", server(1062), internal, internal},
		{"a syntax error", server(1064), internal, internal},
		{"no such table", server(1146), internal, internal},
		{"no such procedure", server(1305), internal, internal},
		{"no right to call the procedure", server(1370), internal, internal},
		{"a number out of range", server(1264), internal, internal},
		{"a violated check constraint", server(4025), internal, internal},

		{"nothing was sent", driver.ErrBadConn, unavailable, unavailable},
		{"the connection broke", gomysql.ErrInvalidConn, unavailable, unknown},
		{"a network error", &net.OpError{Op: "read", Err: errors.New("reset")}, unavailable, unknown},
		{"the deadline", context.DeadlineExceeded, unavailable, unknown},
		{"the caller cancelled", context.Canceled, unavailable, unknown},
		{"a malformed answer", gomysql.ErrMalformPkt, internal, unknown},
	} {
		if got := shop.CodeOf(failed("doing", c.err)); got != c.read {
			t.Errorf("%s (%v), of a statement that changes nothing: got %s, want %s", c.name, c.err, got, c.read)
		}
		err := failed("doing", uncertain(c.err))
		if got := shop.CodeOf(err); got != c.sent {
			t.Errorf("%s (%v), of a statement that was sent: got %s, want %s", c.name, c.err, got, c.sent)
		}
		if !errors.Is(err, c.err) {
			t.Errorf("%s: the error is %v, want the cause in it", c.name, err)
		}
	}
	if got := shop.CodeOf(failed("doing", fmt.Errorf("%w: denied", ErrCredentials))); got != unavailable {
		t.Errorf("no credentials: got %s, want %s", got, unavailable)
	}
}

func TestASumThatTheServerDidNotFinishIsUnavailable(t *testing.T) {
	for _, c := range []struct {
		value any
		want  string
	}{{int64(3), "<nil>"}, {[]byte("3"), "<nil>"}, {nil, "Error 1317: the server ended the query"}} {
		if got := fmt.Sprint(new(sum).Scan(c.value)); got != c.want {
			t.Errorf("scanning %v: got %s, want %s", c.value, got, c.want)
		}
	}
}
