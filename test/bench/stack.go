package main

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"time"

	"github.com/go-sql-driver/mysql"

	"restock/cmd/local/programs"
	"restock/infra/graph"
	"restock/local/view/events"
	"restock/test/fixture"
)

// A shop is a run of the whole stack, with its API and its database.
type shop struct {
	*programs.Run
	api string
	db  *sql.DB
}

// open starts the whole stack without the stage's throttling, which would limit the load. An empty
// DSN means a private server.
func (b *bench) open(ctx context.Context, dsn string) (*shop, error) {
	config := programs.DefaultConfig(b.project)
	config.API, config.AWS, config.Factory = "127.0.0.1:0", "127.0.0.1:0", "127.0.0.1:0"
	config.Stage, config.DSN = b.stage, dsn
	config.FactoryStep = 10 * time.Millisecond // short, so that callbacks are part of the load
	config.Edit = func(g *graph.Graph) {
		for _, stage := range g.OfType(graph.APIStage) {
			delete(stage.Outputs, "defaultRouteSettings")
		}
	}
	config.Unchecked = true // the rules require the throttling
	config.Log = slog.New(&b.memory)
	r, err := programs.Start(ctx, config)
	if err != nil {
		return nil, err
	}
	admin, err := mysql.ParseDSN(r.Endpoints().DSN)
	if err != nil {
		return nil, errors.Join(err, r.Close())
	}
	admin.ParseTime = true
	connector, err := mysql.NewConnector(admin)
	if err != nil {
		return nil, errors.Join(err, r.Close())
	}
	return &shop{Run: r, api: r.Endpoints().API, db: sql.OpenDB(connector)}, nil
}

func (s *shop) close() error { return errors.Join(s.db.Close(), s.Run.Close()) }

// stock adds a product. If it is automatic, a production order opens when the product is sold out.
func (s *shop) stock(ctx context.Context, sku string, stock int, automatic bool) error {
	return fixture.Put(ctx, s.db, fixture.Product{
		SKU: sku, Stock: stock, Automatic: automatic, OrderUpTo: 100, LotSize: 100, LeadTime: time.Minute,
	})
}

// check compares a product's books with the answers to buyers.
func (s *shop) check(ctx context.Context, sku string, began, sold int) error {
	var stock, sales, ledger int
	err := s.db.QueryRowContext(ctx, `SELECT p.stock,
		(SELECT COALESCE(SUM(quantity), 0) FROM sale s WHERE s.product_id = p.product_id),
		(SELECT COALESCE(SUM(quantity), 0) FROM movement m WHERE m.product_id = p.product_id)
		FROM product_stock p WHERE sku = ?`, sku).Scan(&stock, &sales, &ledger)
	if err != nil {
		return fmt.Errorf("reading the books of %s: %w", sku, err)
	}
	if stock != began-sold || sales != sold || ledger != stock {
		return fmt.Errorf("the books of %s are wrong: buyers bought %d of %d; %d are on hand, %d are recorded as "+
			"sold, the ledger says %d", sku, sold, began, stock, sales, ledger)
	}
	return nil
}

// memory is a handler of the log that records the peak memory of each function, in MB, from the
// reports of the functions' host.
type memory struct {
	attrs []slog.Attr
	peak  *peaks
}

type peaks struct {
	mu         sync.Mutex
	byFunction map[string]float64
}

func (m *memory) Enabled(context.Context, slog.Level) bool { return true }
func (m *memory) WithGroup(string) slog.Handler            { return m }
func (m *memory) WithAttrs(attrs []slog.Attr) slog.Handler {
	return &memory{append(m.attrs[:len(m.attrs):len(m.attrs)], attrs...), m.peak}
}

func (m *memory) Handle(_ context.Context, r slog.Record) error {
	if events.KindOf(r) != events.InvocationEnded {
		return nil
	}
	var function string
	var used float64
	note := func(a slog.Attr) bool {
		switch a.Key {
		case "function":
			function = a.Value.String()
		case "max_memory_used_mb":
			used = float64(a.Value.Int64())
		}
		return true
	}
	for _, a := range m.attrs {
		note(a)
	}
	r.Attrs(note)
	m.peak.mu.Lock()
	defer m.peak.mu.Unlock()
	m.peak.byFunction[function] = max(m.peak.byFunction[function], used)
	return nil
}
