// Package migrate brings a database to the schema that package mysql works on, and makes the user that the functions work as.
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

// Up runs the migrations that the database has not seen, and returns the schema's version.
// Two at once do no harm: the second waits for the first.
func Up(ctx context.Context, db *sql.DB) (version int64, err error) {
	files, err := fs.Sub(migrations, "migrations")
	if err != nil {
		return 0, fmt.Errorf("opening the embedded migrations: %w", err)
	}
	provider, err := goose.NewProvider(goose.DialectMySQL, db, files, goose.WithSessionLocker(namedLock("restock-migrations")))
	if err != nil {
		return 0, fmt.Errorf("reading the migrations: %w", err)
	}
	if _, err := provider.Up(ctx); err != nil {
		return 0, fmt.Errorf("migrating the database: %w", err)
	}
	version, err = provider.GetDBVersion(ctx)
	if err != nil {
		return 0, fmt.Errorf("reading the schema's version: %w", err)
	}
	return version, nil
}

// lockSeconds is how long a migration waits for another one to end.
const lockSeconds = 60

// namedLock is MySQL's GET_LOCK, held by the connection that migrates. goose has a session locker for PostgreSQL alone.
type namedLock string

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

func (name namedLock) SessionUnlock(ctx context.Context, conn *sql.Conn) error {
	if _, err := conn.ExecContext(ctx, "SELECT RELEASE_LOCK(?)", string(name)); err != nil {
		return fmt.Errorf("unlocking %s: %w", name, err)
	}
	return nil
}

// A grant is what the functions do with a table or a procedure.
type grant struct{ rights, kind, name string }

// grants are all: nothing is deleted, and the ledger, the sales and the receipts only grow. Of what is there, functions change how much
// came in a receipt (where a later callback says more), a product's stock (buyers, deliveries, stocktakes) and what is said of it (the merchant, who also creates products), what became of a
// production order, whether people were told of a notice, whether a product is advertised, and how long an idempotency key is kept.
// The procedures run with the rights of who calls them. A right that is taken from this list is revoked by a migration.
var grants = []grant{
	{"SELECT", "TABLE", "factory"},
	{"SELECT, UPDATE (status)", "TABLE", "advertisement"},
	{"SELECT, INSERT, UPDATE (stock, name, price, max_per_sale, factory_id, reorder_point, order_up_to, lot_size, minimum_order, lead_time, automatic)", "TABLE", "product"},
	{"SELECT, INSERT, UPDATE (idempotency_key)", "TABLE", "sale"},
	{"SELECT, INSERT, UPDATE (idempotency_key)", "TABLE", "adjustment"},
	{"SELECT, INSERT, UPDATE", "TABLE", "forgotten_keys"},
	{"SELECT, INSERT", "TABLE", "stock_ledger"},
	{"SELECT, INSERT, UPDATE", "TABLE", "ledger_checkpoint"},
	{"SELECT, INSERT, UPDATE (status, received, asks, asked_at, published_at, closed_at)", "TABLE", "production_order"},
	{"SELECT, INSERT, UPDATE (quantity, stock_left)", "TABLE", "goods_receipt"},
	{"SELECT, INSERT, UPDATE (due_at, told_at)", "TABLE", "notice"},
	{"EXECUTE", "PROCEDURE", "checkout"},
	{"EXECUTE", "PROCEDURE", "replenish"},
	{"EXECUTE", "PROCEDURE", "receive_goods"}, // of the version before: see 00007
	{"EXECUTE", "PROCEDURE", "adjust_stock"},
}

// User makes the functions' database user, or gives the one that is there this password, with the rights that
// the functions need and no others.
func User(ctx context.Context, db *sql.DB, name, password string) error {
	var database string
	if err := db.QueryRowContext(ctx, "SELECT DATABASE()").Scan(&database); err != nil {
		return fmt.Errorf("asking for the database's name: %w", err)
	}
	account := literal(name) + "@'%'" // no placeholder can stand for an account
	statements := []string{
		"CREATE USER IF NOT EXISTS " + account + " IDENTIFIED BY " + literal(password),
		"ALTER USER " + account + " IDENTIFIED BY " + literal(password),
	}
	for _, g := range grants {
		statements = append(statements, fmt.Sprintf("GRANT %s ON %s `%s`.%s TO %s", g.rights, g.kind, database, g.name, account))
	}
	for i, s := range statements {
		if _, err := db.ExecContext(ctx, s); err != nil {
			// The statement may hold the password: the error names its place alone.
			return fmt.Errorf("making the database user %s, statement %d of %d: %w", name, i+1, len(statements), err)
		}
	}
	return nil
}

func literal(s string) string {
	return "'" + strings.NewReplacer(`\`, `\\`, `'`, `''`).Replace(s) + "'"
}
