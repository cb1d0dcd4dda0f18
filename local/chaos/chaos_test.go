package main

import (
	"cmp"
	"context"
	"database/sql"
	"log/slog"
	"math/rand/v2"
	"os"
	"strings"
	"testing"
	"time"

	"go.uber.org/goleak"

	"restock/infra/graph"
	"restock/internal/mysql/mysqltest"
	"restock/local/mariadb/mariadbtest"
)

const project = "../.."

func stormFor(faults time.Duration) config {
	return config{
		Project: project, Seed: rand.Uint64(), Faults: faults, Buyers: 8, Settle: time.Minute,
		Log: slog.New(slog.DiscardHandler),
	}
}

func TestTheShopKeepsItsPromisesInAStorm(t *testing.T) {
	mariadbtest.Require(t)
	c := stormFor(8 * time.Second)
	t.Logf("seed %d: go run ./local/chaos -seed %d", c.Seed, c.Seed)
	before := goleak.IgnoreCurrent()
	report, err := storm(t.Context(), c)
	if err != nil {
		t.Fatal(err)
	}
	report.leftBehind(before)
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
	mariadbtest.Require(t)
	for _, c := range []struct {
		rule, want string
		only       string // fault
		program    func(*graph.Graph)
		database   func(*testing.T, context.Context, *sql.DB) error
	}{
		{
			rule: "stock", want: "stock is not what came less what went",
			database: breaks(nil, edit{"checkout", "LAST_INSERT_ID(stock - p_quantity)", "LAST_INSERT_ID(stock - 1)"}),
		},
		{
			rule: "ledger", want: "the ledger's sum is not the stock",
			database: breaks(nil, edit{"checkout", "VALUES (v_product_id, -p_quantity, 'sale', p_sale_id, p_at)",
				"SELECT v_product_id, -p_quantity, 'sale', p_sale_id, p_at FROM DUAL WHERE p_quantity > 1"}),
		},
		{
			rule: "orders", want: "a product has two open production orders",
			database: breaks(
				[]string{`ALTER TABLE production_order DROP KEY production_order_open, ADD KEY production_order_open (open_product_id)`},
				edit{"checkout", "SET v_short = NOT v_open", "SET v_short = TRUE"}),
		},
		{
			rule: "deliveries", want: "a delivery is wrong",
			database: breaks(nil, edit{"receive_goods", "receive: BEGIN", "SET p_quantity = GREATEST(p_quantity - 1, 1); receive: BEGIN"}),
		},
		{
			// What the function reports as failed is deleted all the same.
			rule: "messages", want: "a message is lost", only: "the factory answers with an error",
			program: func(g *graph.Graph) {
				for _, m := range g.OfType("aws:lambda/eventSourceMapping:EventSourceMapping") {
					delete(m.Outputs, "functionResponseTypes")
				}
			},
		},
	} {
		t.Run(c.rule, func(t *testing.T) {
			t.Parallel()
			config := stormFor(3 * time.Second)
			config.BreakProgram, config.Settle = c.program, 5*time.Second
			config.Only = []string{cmp.Or(c.only, "a process of a function is killed")} // which lets buyers buy
			if c.database != nil {
				config.BreakDatabase = func(ctx context.Context, db *sql.DB) error { return c.database(t, ctx, db) }
			}
			report, err := storm(t.Context(), config)
			if err != nil {
				t.Fatal(err)
			}
			report.print(t.Output())
			if len(report.Faults) == 0 {
				t.Errorf("seed %d: no fault could be injected", config.Seed)
			}
			if !strings.Contains(strings.Join(report.Broken, "\n"), c.want) {
				t.Errorf("seed %d: the storm found %q, want something with %q", config.Seed, report.Broken, c.want)
			}
		})
	}
}

// An edit replaces a text of a procedure.
type edit struct{ procedure, old, replacement string }

// breaks breaks the database, for all who use it.
func breaks(statements []string, edits ...edit) func(*testing.T, context.Context, *sql.DB) error {
	return func(t *testing.T, ctx context.Context, db *sql.DB) error {
		for _, statement := range statements {
			if _, err := db.ExecContext(ctx, statement); err != nil {
				return err
			}
		}
		for _, e := range edits {
			if err := e.apply(t, ctx, db); err != nil {
				return err
			}
		}
		return nil
	}
}

func (e edit) apply(t *testing.T, ctx context.Context, db *sql.DB) error {
	// A procedure that is dropped takes with it who may call it. The secret may rotate at this moment, and with it who that is: all keep it.
	if _, err := db.ExecContext(ctx, `SET GLOBAL automatic_sp_privileges = OFF`); err != nil {
		return err
	}
	d := mysqltest.Database{Admin: db}
	if err := db.QueryRowContext(ctx, `SELECT User FROM mysql.procs_priv WHERE Routine_name = ? LIMIT 1`, e.procedure).Scan(&d.User); err != nil {
		return err
	}
	d.EditProcedure(t, e.procedure, e.old, e.replacement)
	return nil
}
