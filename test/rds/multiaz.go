package rds

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"net"
	"slices"
	"strconv"
	"strings"
	"time"

	toxiproxy "github.com/Shopify/toxiproxy/v2"
	"github.com/go-sql-driver/mysql"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/rs/zerolog"

	"restock/local/mariadb"
)

// RDS replicates the blocks of a Multi-AZ database for MariaDB below the file system: a commit
// returns when both volumes have its blocks. The standby serves no reads.
// https://aws.amazon.com/blogs/database/amazon-rds-under-the-hood-multi-az/
// AWS says only that commits take longer than with Single-AZ, not how much longer:
// https://docs.aws.amazon.com/AmazonRDS/latest/UserGuide/Concepts.MultiAZSingleStandby.html
//
// This is a model of that latency only: a semi-synchronous replica, to which the connection is
// slow. With AFTER_SYNC, a commit writes and flushes the binary log, waits for the replica's
// acknowledgement, and only then ends the transaction and releases its locks. Transactions that the
// server commits in one group wait together.
//
// The assumptions about the standby:
//   - It makes a commit longer by [CommitDelay]. This includes the standby's own flush, so the
//     replica writes its relay log before it acknowledges, and does not flush it.
//   - It only stores blocks, so the replica stores the transactions and does not execute them.
//     Otherwise its work would compete with the primary's for the processors of this machine. The
//     relay log grows until the database stops: about 1 KB for each transaction.
const (
	// CommitDelay is how long a commit waits for the standby. It takes so much longer than on the
	// same server without a standby.
	CommitDelay = 3 * time.Millisecond

	// waitForever, in milliseconds, is how long a commit waits for the standby before the server
	// gives up semi-synchronous replication. A month is longer than any run.
	waitForever = "2592000000"

	samples      = 100
	pollInterval = 5 * time.Millisecond
)

// streams are the directions of the connection from the standby to the primary.
var streams = []string{"upstream", "downstream"}

// A standby is a replica behind a proxy that delays both directions of its connection.
type standby struct {
	server *mariadb.Server
	proxy  *toxiproxy.Proxy
	delay  time.Duration // of both directions together
	wait   time.Duration // of a commit for the standby, measured: the median
}

func startMultiAZ(ctx context.Context, args []string) (_ *Database, err error) {
	primary, err := mariadb.Start(ctx, mariadb.Config{Args: append([]string{
		"--rpl-semi-sync-master-wait-point=AFTER_SYNC",
		"--rpl-semi-sync-master-timeout=" + waitForever,
	}, args...)})
	if err != nil {
		return nil, err
	}
	d := &Database{Server: primary, standby: &standby{}}
	if err := d.addStandby(ctx); err != nil {
		return nil, errors.Join(fmt.Errorf("starting a standby: %w", err), d.Stop())
	}
	return d, nil
}

func (d *Database) addStandby(ctx context.Context) error {
	db, err := open(d.Server)
	if err != nil {
		return err
	}
	defer db.Close()
	s := d.standby
	s.server, err = mariadb.Start(ctx, mariadb.Config{Args: []string{
		"--server-id=2", "--skip-log-bin", "--relay-log=relay", "--rpl-semi-sync-slave-enabled=ON",
		"--innodb-flush-log-at-trx-commit=0", "--sync-relay-log=0", "--sync-master-info=0",
	}})
	if err != nil {
		return err
	}
	metrics := toxiproxy.NewMetricsContainer(prometheus.NewRegistry())
	s.proxy = toxiproxy.NewProxy(toxiproxy.NewServer(metrics, zerolog.Nop()), "standby", "127.0.0.1:0", d.Admin().Addr)
	if err := s.proxy.Start(); err != nil {
		return err
	}
	// Both servers have begun with the same data. The standby gets everything since now. The
	// primary's log begins with its accounts, and the standby has its own.
	var position string
	if err := db.QueryRowContext(ctx, "SELECT @@gtid_binlog_pos").Scan(&position); err != nil {
		return err
	}
	for _, statement := range []string{
		"CREATE DATABASE restock_rds", "CREATE TABLE restock_rds.waits (n INT)",
		"INSERT INTO restock_rds.waits VALUES (0)",
	} {
		if _, err := db.ExecContext(ctx, statement); err != nil {
			return fmt.Errorf("%s: %w", statement, err)
		}
	}
	if err := s.replicate(ctx, d.Admin(), db, position); err != nil {
		return err
	}
	return s.calibrate(ctx, db)
}

// replicate starts the replication from a position of the primary's log, and waits until the
// standby is connected.
func (s *standby) replicate(ctx context.Context, primary *mysql.Config, db *sql.DB, position string) error {
	if _, err := db.ExecContext(ctx, "SET GLOBAL rpl_semi_sync_master_enabled = ON"); err != nil {
		return err
	}
	replica, err := open(s.server)
	if err != nil {
		return err
	}
	defer replica.Close()
	host, port, err := net.SplitHostPort(s.proxy.Listen)
	if err != nil {
		return err
	}
	for _, statement := range []string{
		fmt.Sprintf("SET GLOBAL gtid_slave_pos = '%s'", position),
		fmt.Sprintf(`CHANGE MASTER TO master_host='%s', master_port=%s, master_user='%s', master_password='%s',
			master_use_gtid=slave_pos, master_connect_retry=1`, host, port, primary.User, primary.Passwd),
		"START SLAVE IO_THREAD",
	} {
		if _, err := replica.ExecContext(ctx, statement); err != nil {
			return fmt.Errorf("configuring the replication: %w", err)
		}
	}
	return await(ctx, func() (bool, error) {
		clients, err := status(ctx, db, "Rpl_semi_sync_master_clients")
		return clients == "1", err
	})
}

// calibrate chooses the delay of the connection. The rest of [CommitDelay] is the work of both
// servers and of the proxy, which depends on the machine. A second pass corrects the error of the
// first one.
func (s *standby) calibrate(ctx context.Context, db *sql.DB) error {
	for _, stream := range streams {
		toxic := fmt.Sprintf(`{"name": %q, "type": %q, "stream": %[1]q}`, stream, delayToxic)
		if _, err := s.proxy.Toxics.AddToxicJson(strings.NewReader(toxic)); err != nil {
			return err
		}
	}
	for range 2 {
		if err := s.measure(ctx, db); err != nil {
			return err
		}
		if err := s.setDelay(max(0, s.delay+CommitDelay-s.wait)); err != nil {
			return err
		}
	}
	return s.measure(ctx, db)
}

// setDelay splits the delay evenly between the two directions: the transactions and the
// acknowledgements.
func (s *standby) setDelay(d time.Duration) error {
	s.delay = d
	toxic := fmt.Sprintf(`{"toxicity": 1, "attributes": {"delay": %d}}`, d/time.Duration(len(streams)))
	for _, stream := range streams {
		if _, err := s.proxy.Toxics.UpdateToxicJson(stream, strings.NewReader(toxic)); err != nil {
			return err
		}
	}
	return nil
}

// measure commits one row several times on one connection, and measures how long the commits wait.
// It uses the server's own count: the durations of whole commits vary with the disk by more than
// the difference.
func (s *standby) measure(ctx context.Context, db *sql.DB) error {
	waited := func() (microseconds int64, err error) {
		value, err := status(ctx, db, "Rpl_semi_sync_master_tx_wait_time")
		if err != nil {
			return 0, err
		}
		return strconv.ParseInt(value, 10, 64)
	}
	before, err := waited()
	if err != nil {
		return err
	}
	var waits []int64
	for range samples {
		if _, err := db.ExecContext(ctx, "UPDATE restock_rds.waits SET n = n + 1"); err != nil {
			return fmt.Errorf("measuring a commit: %w", err)
		}
		after, err := waited()
		if err != nil {
			return err
		}
		waits, before = append(waits, after-before), after
	}
	slices.Sort(waits)
	s.wait = time.Duration(waits[len(waits)/2]) * time.Microsecond
	return nil
}

// checkAcknowledged returns an error if a commit did not wait for the standby.
func (d *Database) checkAcknowledged(ctx context.Context) error {
	db, err := open(d.Server)
	if err != nil {
		return err
	}
	defer db.Close()
	for name, want := range map[string]string{
		"Rpl_semi_sync_master_status": "ON", "Rpl_semi_sync_master_clients": "1", "Rpl_semi_sync_master_no_tx": "0",
	} {
		if got, err := status(ctx, db, name); err != nil || got != want {
			return errors.Join(err,
				fmt.Errorf("commits did not wait for the standby: %s is %s, want %s", name, got, want))
		}
	}
	return nil
}

// stop stops the standby. The primary must have ended, because its commits wait for the standby.
func (s *standby) stop() error {
	if s.proxy != nil {
		s.proxy.Stop()
	}
	if s.server == nil {
		return nil
	}
	return s.server.Stop()
}

// status returns a status variable of a server.
func status(ctx context.Context, db *sql.DB, name string) (value string, err error) {
	return value, db.QueryRowContext(ctx, "SHOW GLOBAL STATUS LIKE '"+name+"'").Scan(&name, &value)
}

// await polls until the condition holds.
func await(ctx context.Context, condition func() (bool, error)) error {
	poll := time.NewTicker(pollInterval)
	defer poll.Stop()
	for {
		if ok, err := condition(); ok || err != nil {
			return err
		}
		select {
		case <-poll.C:
		case <-ctx.Done():
			return context.Cause(ctx)
		}
	}
}
