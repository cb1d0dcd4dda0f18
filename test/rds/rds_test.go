package rds

import (
	"database/sql"
	"strings"
	"testing"
	"time"

	"restock/local/mariadb"
	"restock/local/mariadb/mariadbtest"
)

func start(t *testing.T, kind Kind, args ...string) (*Database, *sql.DB) {
	t.Helper()
	mariadbtest.Require(t)
	d, err := Start(t.Context(), kind, args...)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := d.Stop(); err != nil {
			t.Error(err)
		}
	})
	return d, opened(t, d.Server)
}

func opened(t *testing.T, server *mariadb.Server) *sql.DB {
	t.Helper()
	db, err := open(server)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = db.Close() })
	return db
}

func execute(t *testing.T, db *sql.DB, statement string) {
	t.Helper()
	if _, err := db.ExecContext(t.Context(), statement); err != nil {
		t.Fatalf("%s: %v", statement, err)
	}
}

// TestADatabaseLikeMultiAZ starts one database for all subtests, because a start takes long. The
// last one stops the standby.
func TestADatabaseLikeMultiAZ(t *testing.T) {
	d, db := start(t, MultiAZ, "--binlog-commit-wait-count=2", "--binlog-commit-wait-usec=10")
	t.Run("has the settings of its kind", func(t *testing.T) { checkKind(t, MultiAZ, d, db, 1) })
	t.Run("commits wait for the standby", func(t *testing.T) { checkStandby(t, d, db) })
	t.Run("a commit takes at least the delay of the standby's connection", func(t *testing.T) {
		const delay = 50 * time.Millisecond
		before := d.standby.delay
		if err := d.standby.setDelay(delay); err != nil {
			t.Fatal(err)
		}
		defer func() {
			if err := d.standby.setDelay(before); err != nil {
				t.Error(err)
			}
		}()
		began := time.Now()
		execute(t, db, "CREATE DATABASE later")
		if took := time.Since(began); took < delay {
			t.Errorf("a commit took %v, want at least %v", took, delay)
		}
	})
	t.Run("Check notices commits that did not wait", func(t *testing.T) {
		if err := d.Check(t.Context()); err != nil {
			t.Fatalf("before, all commits waited: got %v", err)
		}
		execute(t, db, "SET GLOBAL rpl_semi_sync_master_timeout = 1")
		if err := d.standby.server.Stop(); err != nil {
			t.Fatal(err)
		}
		execute(t, db, "CREATE DATABASE alone")
		if err := d.Check(t.Context()); err == nil || !strings.Contains(err.Error(), "did not wait for the standby") {
			t.Errorf("got %v, want an error that says so", err)
		}
	})
}

func checkStandby(t *testing.T, d *Database, db *sql.DB) {
	t.Helper()
	execute(t, db, "CREATE DATABASE shop")
	execute(t, db, "CREATE TABLE shop.sale (id INT PRIMARY KEY)")
	execute(t, db, "INSERT INTO shop.sale VALUES (1)")
	if err := d.Check(t.Context()); err != nil {
		t.Error(err)
	}
	acknowledged, err := status(t.Context(), db, "Rpl_semi_sync_master_yes_tx")
	if err != nil || acknowledged == "0" {
		t.Errorf("the standby acknowledged %s commits (%v), want some", acknowledged, err)
	}
	if got := number(t, db, "SELECT @@binlog_commit_wait_count"); got != 2 {
		t.Errorf("binlog_commit_wait_count: got %d, want 2 as in the arguments", got)
	}
	t.Logf("a commit waits %v for the standby; the connection adds %v", d.standby.wait, d.standby.delay)

	// The standby has stored everything, but it executes nothing before it is told to.
	standby := opened(t, d.standby.server)
	execute(t, standby, "START SLAVE SQL_THREAD")
	var position string
	if err := db.QueryRowContext(t.Context(), "SELECT @@gtid_binlog_pos").Scan(&position); err != nil {
		t.Fatal(err)
	}
	if got := number(t, standby, "SELECT MASTER_GTID_WAIT('"+position+"', 60)"); got != 0 {
		t.Fatalf("the standby did not reach %s in a minute", position)
	}
	if got := number(t, standby, "SELECT id FROM shop.sale"); got != 1 {
		t.Errorf("the sale on the standby: got %d, want 1", got)
	}
}

func TestOtherKindsOfDatabases(t *testing.T) {
	for _, c := range []struct {
		kind   Kind
		logged int
	}{{SingleAZ, 1}, {NoLog, 0}} {
		t.Run(string(c.kind), func(t *testing.T) {
			d, db := start(t, c.kind)
			checkKind(t, c.kind, d, db, c.logged)
		})
	}
	if _, err := Start(t.Context(), "aurora"); err == nil || !strings.Contains(err.Error(), `"aurora"`) {
		t.Errorf("a kind that does not exist: got %v, want an error that names it", err)
	}
}

func checkKind(t *testing.T, kind Kind, d *Database, db *sql.DB, logged int) {
	t.Helper()
	if got := number(t, db, "SELECT @@log_bin"); got != logged {
		t.Errorf("log_bin: got %d, want %d", got, logged)
	}
	if got := number(t, db, "SELECT @@sync_binlog"); got != 1 {
		t.Errorf("sync_binlog: got %d, want 1", got)
	}
	if got := number(t, db, "SELECT @@innodb_flush_log_at_trx_commit"); got != 1 {
		t.Errorf("innodb_flush_log_at_trx_commit: got %d, want 1", got)
	}
	if kind.Title() == "" || d.Check(t.Context()) != nil {
		t.Errorf("title %q, check %v", kind.Title(), d.Check(t.Context()))
	}
}

func number(t *testing.T, db *sql.DB, query string) (n int) {
	t.Helper()
	if err := db.QueryRowContext(t.Context(), query).Scan(&n); err != nil {
		t.Fatalf("%s: %v", query, err)
	}
	return n
}
