package mysql

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"database/sql"
	"database/sql/driver"
	_ "embed"
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

// rdsAuthorities are the certificate authorities of Amazon RDS in all regions:
// https://docs.aws.amazon.com/AmazonRDS/latest/UserGuide/UsingWithRDS.SSL.html
//
//go:embed rds-global-bundle.pem
var rdsAuthorities []byte

// amazonAuthorities are Amazon's, as browsers have them, which sign the certificates of RDS Proxy:
// https://docs.aws.amazon.com/AmazonRDS/latest/UserGuide/rds-proxy.howitworks.html#rds-proxy-security.tls
//
//go:embed amazon-root-cas.pem
var amazonAuthorities []byte

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
	authorities := c.RootCAs
	if authorities == nil {
		authorities = x509.NewCertPool()
		if !authorities.AppendCertsFromPEM(rdsAuthorities) || !authorities.AppendCertsFromPEM(amazonAuthorities) {
			return nil, errors.New("the embedded certificate authorities of RDS cannot be read")
		}
	}
	d.TLS = &tls.Config{RootCAs: authorities, ServerName: c.Host, MinVersion: tls.VersionTLS12}
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
