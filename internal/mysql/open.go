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

	// Credentials gives the user and the password. It is called when a connection is made, and with refresh when
	// the server refused what it gave: the password was rotated.
	Credentials func(ctx context.Context, refresh bool) (user, password string, err error)

	// RootCAs signed the server's certificate. Nil: the authorities of Amazon RDS, and of RDS Proxy.
	RootCAs *x509.CertPool

	// MaxConnections is how many connections are open at most.
	MaxConnections int
}

// ErrCredentials marks an error of [Config].Credentials: nothing was sent to the database.
var ErrCredentials = errors.New("reading the database's credentials")

const (
	dialTimeout = 3 * time.Second
	// maxLifetime is the age at which a connection is replaced, below the 350 s after which AWS's networks may forget one
	// that is silent. It is an age and not an idle time because database/sql looks at the age when a connection is taken, at
	// the idle time in the background, where nothing runs while Lambda has frozen the instance.
	maxLifetime = 5 * time.Minute
)

// Open opens a database; the first connection is made when it is first used.
//
// Connections are encrypted, and the server's certificate is verified, but over loopback, where there is no network to
// listen on.
func Open(c Config) (*sql.DB, error) {
	config, err := driverConfig(c)
	if err != nil {
		return nil, fmt.Errorf("opening the database: %w", err)
	}
	db := sql.OpenDB(&connector{config: config, credentials: c.Credentials})
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
	d.InterpolateParams = true // a statement with arguments is one round trip, not a prepared one's three
	d.Collation = "utf8mb4_unicode_ci"
	d.Logger = &gomysql.NopLogger{} // errors are returned, and logged once, at the edge
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

// A connector makes connections with the credentials of the moment.
type connector struct {
	config      *gomysql.Config
	credentials func(ctx context.Context, refresh bool) (user, password string, err error)
}

func (c *connector) Driver() driver.Driver { return gomysql.MySQLDriver{} }

// Connect reads the credentials again, once, when the server denies access: they were rotated since they were read.
func (c *connector) Connect(ctx context.Context) (driver.Conn, error) {
	conn, err := c.connect(ctx, false)
	if serverError(err) == errAccessDenied {
		conn, err = c.connect(ctx, true)
	}
	return conn, err
}

func (c *connector) connect(ctx context.Context, refresh bool) (driver.Conn, error) {
	config := c.config.Clone()
	var err error
	if config.User, config.Passwd, err = c.credentials(ctx, refresh); err != nil {
		return nil, fmt.Errorf("%w: %w", ErrCredentials, err)
	}
	connector, err := gomysql.NewConnector(config)
	if err != nil {
		return nil, fmt.Errorf("connecting to the database at %s: %w", config.Addr, err)
	}
	return connector.Connect(ctx)
}
