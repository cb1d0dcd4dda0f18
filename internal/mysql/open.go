package mysql

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"database/sql"
	"database/sql/driver"
	"errors"
	"fmt"
	"net"
	"strconv"
	"time"

	gomysql "github.com/go-sql-driver/mysql"
)

// A Config says which database to open.
type Config struct {
	Host string
	Port int
	Name string

	// Credentials returns the user and the password. The pool calls it for each new connection,
	// with try 0. If the server refuses them, the pool calls it with try 1 for those that are in
	// force now: the password was rotated. If the server refuses these too, the pool calls it with
	// try 2 for the previous ones: RDS Proxy has not noticed the rotation yet.
	Credentials func(ctx context.Context, try int) (user, password string, err error)

	// RootCAs are the authorities that sign the server's certificate. Nil: those of Amazon RDS and
	// RDS Proxy.
	RootCAs *x509.CertPool

	// MaxConnections is the largest number of open connections.
	MaxConnections int

	// Wrap, if not nil, wraps what makes the connections, for example to record their statements.
	Wrap func(driver.Connector) driver.Connector
}

// ErrCredentials wraps an error of Config.Credentials. Nothing was sent to the database.
var ErrCredentials = errors.New("reading the database's credentials")

const (
	dialTimeout = 3 * time.Second
	// maxLifetime is the age at which the pool replaces a connection. It is less than the 350 s
	// after which AWS's network drops an idle connection. It is an age and not an idle time:
	// database/sql checks the age when it takes a connection, but the idle time in the background,
	// where nothing runs while Lambda has frozen the instance.
	maxLifetime = 5 * time.Minute
)

// Open opens a database. It connects at the first use.
//
// Connections are encrypted and the server's certificate is verified, except over the loopback
// interface, where nobody else can listen.
func Open(c Config) (*sql.DB, error) {
	config, err := driverConfig(c)
	if err != nil {
		return nil, fmt.Errorf("opening the database: %w", err)
	}
	var connections driver.Connector = &connector{config: config, credentials: c.Credentials}
	if c.Wrap != nil {
		connections = c.Wrap(connections)
	}
	db := sql.OpenDB(connections)
	db.SetMaxOpenConns(c.MaxConnections)
	db.SetMaxIdleConns(c.MaxConnections)
	db.SetConnMaxLifetime(maxLifetime)
	return db, nil
}

func driverConfig(c Config) (*gomysql.Config, error) {
	d := gomysql.NewConfig()
	d.Net = "tcp"
	d.Addr = net.JoinHostPort(c.Host, strconv.Itoa(c.Port))
	d.DBName = c.Name
	d.Timeout = dialTimeout
	d.Loc = time.UTC
	d.ParseTime = true
	d.InterpolateParams = true // one round trip for a statement with arguments; a prepared one takes three
	d.Collation = "utf8mb4_unicode_ci"
	d.Logger = &gomysql.NopLogger{} // the driver also returns each error, and the handler logs it once
	if isLoopback(c.Host) {
		return d, nil
	}
	signers := c.RootCAs
	if signers == nil {
		var err error
		if signers, err = authoritiesOf(c.Host); err != nil {
			return nil, err
		}
	}
	d.TLS = &tls.Config{RootCAs: signers, ServerName: c.Host, MinVersion: tls.VersionTLS12}
	return d, nil
}

func isLoopback(host string) bool {
	ip := net.ParseIP(host)
	return host == "localhost" || ip != nil && ip.IsLoopback()
}

// A connector makes connections with the current credentials.
type connector struct {
	config      *gomysql.Config
	credentials func(ctx context.Context, try int) (user, password string, err error)
}

// Driver implements driver.Connector.
func (c *connector) Driver() driver.Driver { return gomysql.MySQLDriver{} }

// Connect implements driver.Connector. If the server refuses the credentials, Connect tries others:
// see Config.Credentials.
func (c *connector) Connect(ctx context.Context) (conn driver.Conn, err error) {
	for try := range 3 {
		if conn, err = c.connect(ctx, try); serverError(err) != errAccessDenied {
			break
		}
	}
	return conn, err
}

func (c *connector) connect(ctx context.Context, try int) (driver.Conn, error) {
	config := c.config.Clone()
	var err error
	if config.User, config.Passwd, err = c.credentials(ctx, try); err != nil {
		return nil, fmt.Errorf("%w: %w", ErrCredentials, err)
	}
	connector, err := gomysql.NewConnector(config)
	if err != nil {
		return nil, fmt.Errorf("connecting to the database at %s: %w", config.Addr, err)
	}
	return connector.Connect(ctx)
}
