package xray

import (
	"context"
	"database/sql/driver"
	"fmt"
)

// Connector returns a connector that records the statements of its connections. name is that of the
// database.
func (r *Recorder) Connector(c driver.Connector, name string) driver.Connector {
	return connector{c, r, name}
}

type connector struct {
	driver.Connector
	recorder *Recorder
	name     string
}

// Connect implements driver.Connector.
func (c connector) Connect(ctx context.Context) (driver.Conn, error) {
	opened, err := c.Connector.Connect(ctx)
	if err != nil {
		return nil, err
	}
	conn, ok := opened.(connection)
	if !ok { // database/sql would lose what it cannot see
		return nil, fmt.Errorf("recording statements: a %T lacks a method of driver's interfaces", opened)
	}
	return recorded{conn, c}, nil
}

// A connection has all that database/sql looks for in a connection.
type connection interface {
	driver.Conn
	driver.ConnBeginTx
	driver.ConnPrepareContext
	driver.ExecerContext
	driver.NamedValueChecker
	driver.Pinger
	driver.QueryerContext
	driver.SessionResetter
	driver.Validator
}

// recorded is a connection that records statements. Values are not a part of their text: the driver
// puts them in later.
type recorded struct {
	connection
	connector connector
}

// QueryContext implements driver.QueryerContext. The subsegment ends with the first row.
func (c recorded) QueryContext(
	ctx context.Context, query string, args []driver.NamedValue,
) (rows driver.Rows, err error) {
	c.record(ctx, query, func() error {
		rows, err = c.connection.QueryContext(ctx, query, args)
		return err
	})
	return rows, err
}

// ExecContext implements driver.ExecerContext.
func (c recorded) ExecContext(
	ctx context.Context, query string, args []driver.NamedValue,
) (result driver.Result, err error) {
	c.record(ctx, query, func() error {
		result, err = c.connection.ExecContext(ctx, query, args)
		return err
	})
	return result, err
}

func (c recorded) record(ctx context.Context, query string, run func() error) {
	ctx, s, ok := begin(ctx, c.connector.name, "remote")
	if !ok {
		_ = run() // the caller has the error
		return
	}
	s.SQL = &statement{Type: "MySQL", Query: query}
	s.Fault = run() != nil
	c.connector.recorder.end(ctx, s)
}
