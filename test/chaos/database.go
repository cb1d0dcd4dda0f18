package main

import (
	"context"
	"crypto/rand"
	"database/sql"
	"errors"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"time"

	toxiproxy "github.com/Shopify/toxiproxy/v2"
	"github.com/go-sql-driver/mysql"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/rs/zerolog"

	"restock/local/mariadb"
)

// A database is a server that can be killed, behind a proxy that can cut and slow its connections.
// It comes back with its data, on its port, as a database in RDS does.
type database struct {
	config mariadb.Config
	root   string // the directory of its data
	proxy  *toxiproxy.Proxy

	mu     sync.Mutex // one restart at a time
	server *mariadb.Server
}

// startDatabase starts a database. After an error it leaves nothing behind.
func startDatabase(ctx context.Context) (*database, error) {
	d := &database{}
	if err := d.start(ctx); err != nil {
		return nil, errors.Join(err, d.close())
	}
	return d, nil
}

func (d *database) start(ctx context.Context) (err error) {
	if d.root, err = os.MkdirTemp("", "restock-chaos-"); err != nil {
		return fmt.Errorf("making a directory for the database: %w", err)
	}
	d.config = mariadb.Config{
		Dir: filepath.Join(d.root, "data"), Password: rand.Text(), Args: []string{"--max-connections=200"},
	}
	if d.server, err = mariadb.Start(ctx, d.config); err != nil {
		return err
	}
	address := d.server.Admin().Addr
	_, port, err := net.SplitHostPort(address)
	if err != nil {
		return err
	}
	if d.config.Port, err = strconv.Atoi(port); err != nil {
		return err
	}
	metrics := toxiproxy.NewMetricsContainer(prometheus.NewRegistry())
	d.proxy = toxiproxy.NewProxy(toxiproxy.NewServer(metrics, zerolog.Nop()), "database", "127.0.0.1:0", address)
	return d.proxy.Start()
}

// proxied returns the administrator's DSN through the proxy.
func (d *database) proxied() string {
	c := d.server.Admin()
	c.Addr = d.proxy.Listen
	return c.FormatDSN()
}

// admin opens the database of a DSN as the administrator, without the proxy.
func (d *database) admin(dsn string) (*sql.DB, error) {
	shops, err := mysql.ParseDSN(dsn)
	if err != nil {
		return nil, err
	}
	c := d.server.Admin()
	c.DBName, c.ParseTime = shops.DBName, true
	connector, err := mysql.NewConnector(c)
	if err != nil {
		return nil, err
	}
	return sql.OpenDB(connector), nil
}

// killAndRestart kills the server, as a failure of its machine would, calls meanwhile, and starts
// the server again.
func (d *database) killAndRestart(meanwhile func()) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.server.Kill()
	_ = d.server.Stop() // releases the resources of the killed server
	meanwhile()
	ctx, cancel := context.WithTimeout(context.Background(), 5*time.Minute)
	defer cancel()
	server, err := mariadb.Start(ctx, d.config)
	if err != nil {
		return fmt.Errorf("restarting the database: %w", err)
	}
	d.server = server
	return nil
}

// wait waits until a restart has ended. It returns an error if the database is down.
func (d *database) wait(ctx context.Context) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	select {
	case <-d.server.Done():
		return errors.New("the database is down, and was not restarted")
	default:
		return ctx.Err()
	}
}

// poison adds a toxic to the connections, and returns the function that removes it.
func (d *database) poison(kind, stream, attributes string) (heal func(), err error) {
	const name = "fault"
	toxic := fmt.Sprintf(`{"name": %q, "type": %q, "stream": %q, "attributes": %s}`, name, kind, stream, attributes)
	if _, err = d.proxy.Toxics.AddToxicJson(strings.NewReader(toxic)); err != nil {
		return nil, fmt.Errorf("poisoning the connections to the database: %w", err)
	}
	return func() { _ = d.proxy.Toxics.RemoveToxic(context.Background(), name) }, nil // it fails only without the toxic
}

// cut closes all connections, and refuses new ones until heal is called.
func (d *database) cut() (heal func() error) {
	d.proxy.Stop()
	return func() error {
		// Another injector may have started the proxy already.
		if err := d.proxy.Start(); err != nil && !errors.Is(err, toxiproxy.ErrProxyAlreadyStarted) {
			return fmt.Errorf("accepting connections to the database again: %w", err)
		}
		return nil
	}
}

func (d *database) close() error {
	var errs []error
	if d.proxy != nil {
		d.proxy.Stop()
	}
	if d.server != nil {
		errs = append(errs, d.server.Stop())
	}
	return errors.Join(append(errs, os.RemoveAll(d.root))...)
}
