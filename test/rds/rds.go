// Package rds starts databases that commit like those of Amazon RDS for MariaDB. Benchmarks measure
// them. They are private servers on this machine, so they have the machine's disk and processors.
package rds

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"time"

	"github.com/go-sql-driver/mysql"

	"restock/local/mariadb"
)

// A Kind is a way in which a database commits.
type Kind string

const (
	// SingleAZ writes a binary log and flushes both logs in every commit, as RDS does if the
	// database has backups. See package mariadb.
	SingleAZ Kind = "single-az"
	// MultiAZ also waits in every commit until a standby has the transaction. See multiaz.go.
	MultiAZ Kind = "multi-az"
	// NoLog writes no binary log, so a commit flushes one log. On RDS, such a database has no
	// backups.
	NoLog Kind = "no-log"
)

// Kinds are all kinds.
var Kinds = []Kind{SingleAZ, MultiAZ, NoLog}

// Title describes the kind of database for a report.
func (k Kind) Title() string {
	return map[Kind]string{
		SingleAZ: "like RDS Single-AZ", MultiAZ: "like RDS Multi-AZ", NoLog: "without a binary log",
	}[k]
}

// connections is more than any benchmark needs.
const connections = "--max-connections=500"

// A Database is a running database. The caller must stop it.
type Database struct {
	*mariadb.Server // the primary
	standby         *standby
}

// Start starts a database. args are further arguments of its server, for example
// --binlog-commit-wait-count=16. ctx limits only the start.
func Start(ctx context.Context, kind Kind, args ...string) (*Database, error) {
	args = append([]string{connections}, args...)
	switch kind {
	case SingleAZ:
	case MultiAZ:
		return startMultiAZ(ctx, args)
	case NoLog:
		args = append(args, "--skip-log-bin")
	default:
		return nil, fmt.Errorf("there is no kind of database %q: there are %v", kind, Kinds)
	}
	primary, err := mariadb.Start(ctx, mariadb.Config{Args: args})
	return &Database{Server: primary}, err
}

// Check returns an error if a commit was faster than the kind of database allows. Call it after a
// measurement.
func (d *Database) Check(ctx context.Context) error {
	if d.standby == nil {
		return nil
	}
	return d.checkAcknowledged(ctx)
}

// StandbyTime is how long a commit of one row waited for the standby at the start, a median. It is
// 0 if there is no standby.
func (d *Database) StandbyTime() time.Duration {
	if d.standby == nil {
		return 0
	}
	return d.standby.wait
}

// DSN returns the administrator's data source name, without a database.
func (d *Database) DSN() string { return d.Admin().FormatDSN() }

// Stop stops all servers of the database. It may be called more than once.
func (d *Database) Stop() error {
	err := d.Server.Stop()
	if d.standby != nil {
		err = errors.Join(err, d.standby.stop())
	}
	return err
}

// open opens a server as its administrator.
func open(server *mariadb.Server) (*sql.DB, error) {
	connector, err := mysql.NewConnector(server.Admin())
	if err != nil {
		return nil, err
	}
	return sql.OpenDB(connector), nil
}
