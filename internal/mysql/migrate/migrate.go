// Package migrate creates and updates the schema that package mysql works on, and the database user
// of the functions.
package migrate

import (
	"context"
	"database/sql"
	"embed"
	"fmt"
	"io/fs"
	"strings"

	"github.com/pressly/goose/v3"
)

//go:embed migrations/*.sql
var migrations embed.FS

// postponed are the migrations that functions of the version before do not survive: they drop what
// only those functions use. They run in a new database only. The release after the next removes
// them from the list, and they run everywhere.
var postponed = []int64{11}

// Up runs the migrations that the database has not run yet, and returns the schema's version. A
// database that is not new does not run the postponed ones. If two calls run at once, the second
// waits for the first.
func Up(ctx context.Context, db *sql.DB) (version int64, err error) {
	migrations, err := provider(db)
	if err != nil {
		return 0, err
	}
	before, err := migrations.GetDBVersion(ctx)
	if err != nil {
		return 0, fmt.Errorf("reading the schema's version: %w", err)
	}
	if before > 0 {
		if migrations, err = provider(db, goose.WithExcludeVersions(postponed)); err != nil {
			return 0, err
		}
	}
	if _, err := migrations.Up(ctx); err != nil {
		return 0, fmt.Errorf("migrating the database: %w", err)
	}
	version, err = migrations.GetDBVersion(ctx)
	if err != nil {
		return 0, fmt.Errorf("reading the schema's version: %w", err)
	}
	return version, carryOver(ctx, db)
}

// carryOver carries over what functions of the version before 00009 wrote after the last
// deployment. Migration 00011 drops the procedure.
func carryOver(ctx context.Context, db *sql.DB) error {
	var exists bool
	err := db.QueryRowContext(ctx, `SELECT COUNT(*) FROM information_schema.routines
		WHERE routine_schema = DATABASE() AND routine_name = 'carry_over'`).Scan(&exists)
	if err == nil && exists {
		_, err = db.ExecContext(ctx, "CALL carry_over()")
	}
	if err != nil {
		return fmt.Errorf("carrying the old ledger over: %w", err)
	}
	return nil
}

// provider reads the migrations. A postponed migration runs after later ones, out of order.
func provider(db *sql.DB, options ...goose.ProviderOption) (*goose.Provider, error) {
	files, err := fs.Sub(migrations, "migrations")
	if err != nil {
		return nil, fmt.Errorf("opening the embedded migrations: %w", err)
	}
	options = append(options, goose.WithAllowOutofOrder(true),
		goose.WithSessionLocker(namedLock("restock-migrations")))
	p, err := goose.NewProvider(goose.DialectMySQL, db, files, options...)
	if err != nil {
		return nil, fmt.Errorf("reading the migrations: %w", err)
	}
	return p, nil
}

// lockSeconds is how long a migration waits for another one to end.
const lockSeconds = 60

// A namedLock is a goose.SessionLocker that uses MySQL's GET_LOCK on the connection that migrates.
// goose has a session locker for PostgreSQL only.
type namedLock string

// SessionLock implements goose.SessionLocker.
func (name namedLock) SessionLock(ctx context.Context, conn *sql.Conn) error {
	var got sql.NullInt64
	if err := conn.QueryRowContext(ctx, "SELECT GET_LOCK(?, ?)", string(name), lockSeconds).Scan(&got); err != nil {
		return fmt.Errorf("locking %s: %w", name, err)
	}
	if got.Int64 != 1 {
		return fmt.Errorf("locking %s: another migration has held it for %d s", name, lockSeconds)
	}
	return nil
}

// SessionUnlock implements goose.SessionLocker. A migration that the server has ended (KILL QUERY)
// may leave its transaction open. The next migration on the connection would commit it.
func (name namedLock) SessionUnlock(ctx context.Context, conn *sql.Conn) error {
	if _, err := conn.ExecContext(ctx, "ROLLBACK"); err != nil {
		return fmt.Errorf("rolling back before %s is unlocked: %w", name, err)
	}
	if _, err := conn.ExecContext(ctx, "SELECT RELEASE_LOCK(?)", string(name)); err != nil {
		return fmt.Errorf("unlocking %s: %w", name, err)
	}
	return nil
}

// A grant says what the functions may do with a table or a procedure.
type grant struct{ rights, kind, name string }

// grants lists all rights of the functions. They delete nothing but old entries of waitlists. They
// add movements to the ledger, and change nothing in it but the idempotency keys, which they remove
// after a day. They change only these columns of other tables: the stock of a bin, a product's
// description and when its buyers waited, the state of a production order, whether a notice was
// sent, whether an advertisement is shown, and when an entry of a waitlist was answered.
//
// Procedures run with the rights of the caller. To revoke a right, remove it here and revoke it in
// a migration.
var grants = []grant{
	{"SELECT", "TABLE", "factory"},
	{"SELECT, UPDATE (status)", "TABLE", "advertisement"},
	{"SELECT, INSERT, UPDATE (bins, scarce, waited_at, name, names, archived_at, was_automatic, price, " +
		"max_per_sale, factory_id, reorder_point, order_up_to, lot_size, minimum_order, lead_time, automatic)",
		"TABLE", "product"},
	{"SELECT, INSERT, UPDATE (stock, floor, entries)", "TABLE", "bin"},
	{"SELECT, INSERT, UPDATE (idempotency_key)", "TABLE", "movement"},
	{"SELECT, INSERT, UPDATE", "TABLE", "bin_checkpoint"},
	{"SELECT, INSERT, UPDATE (status, received, asks, asked_at, published_at, closed_at)", "TABLE", "production_order"},
	{"SELECT, INSERT, UPDATE (due_at, told_at)", "TABLE", "notice"},
	{"SELECT, INSERT, UPDATE (answered_at), DELETE", "TABLE", "waitlist"},
	{"EXECUTE", "PROCEDURE", "sell"},
	{"EXECUTE", "PROCEDURE", "sell_from_all"},
	{"EXECUTE", "PROCEDURE", "answer_checkout"},
	{"EXECUTE", "PROCEDURE", "move"},
}

// User creates the database user of the functions with a password, or changes the password of an
// existing user. The user gets the rights that the functions need, and no others.
func User(ctx context.Context, db *sql.DB, name, password string) error {
	var database string
	if err := db.QueryRowContext(ctx, "SELECT DATABASE()").Scan(&database); err != nil {
		return fmt.Errorf("asking for the database's name: %w", err)
	}
	account := literal(name) + "@'%'" // SQL has no placeholder for an account
	statements := []string{
		"CREATE USER IF NOT EXISTS " + account + " IDENTIFIED BY " + literal(password),
		"ALTER USER " + account + " IDENTIFIED BY " + literal(password),
	}
	for _, g := range grants {
		statements = append(statements,
			fmt.Sprintf("GRANT %s ON %s `%s`.%s TO %s", g.rights, g.kind, database, g.name, account))
	}
	for i, s := range statements {
		if _, err := db.ExecContext(ctx, s); err != nil {
			// The statement may contain the password, so the error has its number only.
			return fmt.Errorf("making the database user %s, statement %d of %d: %w", name, i+1, len(statements), err)
		}
	}
	return nil
}

func literal(s string) string {
	return "'" + strings.NewReplacer(`\`, `\\`, `'`, `''`).Replace(s) + "'"
}
