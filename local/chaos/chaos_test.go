package main

import (
	"context"
	"database/sql"
	"log/slog"
	"math/rand/v2"
	"os"
	"strings"
	"testing"
	"time"

	"restock/infra/graph"
	"restock/internal/mysql/mysqltest"
)

const project = "../.."

func stormFor(tb testing.TB, faults time.Duration) config {
	return config{
		Project: project, Seed: rand.Uint64(), Faults: faults, Buyers: 8, Settle: time.Minute,
		Log: slog.New(slog.DiscardHandler),
	}
}

func TestTheShopKeepsItsPromisesInAStorm(t *testing.T) {
	c := stormFor(t, 8*time.Second)
	t.Logf("seed %d: go run ./local/chaos -seed %d", c.Seed, c.Seed)
	report, err := storm(t.Context(), c)
	if err != nil {
		t.Fatal(err)
	}
	report.print(os.Stdout)
	for _, b := range report.Broken {
		t.Error(b)
	}
	if len(report.Faults) < 5 || report.Sales == 0 || report.Receipts == 0 {
		t.Errorf("the storm proves little: %d sorts of faults, %d sales, %d goods receipts", len(report.Faults), report.Sales, report.Receipts)
	}
}

// Each rule of the shop, broken on purpose, must be missed.
func TestAStormFindsWhatIsBroken(t *testing.T) {
	for _, c := range []struct {
		rule, want string
		only       []string
		program    func(*graph.Graph)
		database   func(context.Context, *sql.DB) error
	}{
		{
			rule: "stock: it is taken whether or not there is any", want: "stock",
			database: edit(t, "checkout", "PLACEHOLDER", ""),
		},
	} {
		t.Run(c.rule, func(t *testing.T) {
			config := stormFor(t, 3*time.Second)
			config.BreakProgram, config.BreakDatabase, config.Only, config.Settle = c.program, c.database, c.only, 10*time.Second
			report, err := storm(t.Context(), config)
			if err != nil {
				t.Fatal(err)
			}
			if !strings.Contains(strings.Join(report.Broken, "\n"), c.want) {
				t.Errorf("the storm found %q, want something with %q", report.Broken, c.want)
			}
		})
	}
}

// edit replaces a text of a procedure, for all who may call it.
func edit(tb testing.TB, procedure, old, replacement string) func(context.Context, *sql.DB) error {
	return func(ctx context.Context, db *sql.DB) error {
		rows, err := db.QueryContext(ctx, `SELECT DISTINCT User FROM mysql.procs_priv WHERE Routine_name = ?`, procedure)
		if err != nil {
			return err
		}
		defer rows.Close()
		var users []string
		for rows.Next() {
			var user string
			if err := rows.Scan(&user); err != nil {
				return err
			}
			users = append(users, user)
		}
		if err := rows.Err(); err != nil {
			return err
		}
		for i, user := range users {
			d := mysqltest.Database{Admin: db, User: user}
			if i == 0 {
				d.EditProcedure(tb, procedure, old, replacement)
				continue
			}
			d.Exec(tb, "GRANT EXECUTE ON PROCEDURE "+procedure+" TO '"+user+"'@'%'")
		}
		return nil
	}
}
