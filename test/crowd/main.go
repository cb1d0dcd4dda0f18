// Command crowd runs a small share of a rush of watchers and buyers against a local run, without
// and with the setting cdn. It prints how much of it reaches the functions and the database. The
// stage's limits shrink by the same share. docs/scale.md has its results.
package main

import (
	"cmp"
	"context"
	"database/sql"
	"errors"
	"flag"
	"fmt"
	"log/slog"
	"os"
	"os/signal"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"time"

	_ "github.com/go-sql-driver/mysql" // driver of database/sql

	"restock/cmd/local/programs"
	"restock/infra/graph"
	"restock/infra/stack"
	"restock/local/run"
	"restock/test/fixture"
)

// A rush is what the shop has to stand.
type rush struct {
	project, stage string
	share          int // the rush, and the stage's limits, are one of this many parts of the whole
	pages, buyers  int // of the whole: open pages, and buyers a second
	takes          time.Duration
}

func main() {
	r := rush{}
	flag.StringVar(&r.stage, "stage", "prod", "the stage whose limits are used")
	flag.IntVar(&r.share, "share", 100, "run one of this many parts of the rush, with as small a part of the limits")
	flag.IntVar(&r.pages, "pages", 10000, "open storefront pages")
	flag.IntVar(&r.buyers, "buyers", 2000, "new buyers a second")
	flag.DurationVar(&r.takes, "takes", 20*time.Second, "how long the rush takes")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if err := r.report(ctx); err != nil {
		fmt.Fprintln(os.Stderr, "crowd:", err)
		os.Exit(1)
	}
}

// report runs the rush twice and prints a table.
func (r rush) report(ctx context.Context) error {
	var err error
	if r.project, err = run.FindProject(); err != nil {
		return err
	}
	without, err := r.run(ctx, false)
	if err != nil {
		return err
	}
	with, err := r.run(ctx, true)
	if err != nil {
		return err
	}
	fmt.Printf("%d pages and %d buyers a second for %v, with 1/%d of the limits of %s\n\n",
		r.pages/r.share, r.buyers/r.share, r.takes, r.share, r.stage)
	fmt.Println("| | without `cdn` | with `cdn` |\n|---|---|---|")
	for _, row := range []struct {
		what  string
		count func(*counts) int64
	}{
		{"requests of pages", func(c *counts) int64 { return c.reads.Load() }},
		{"… that CloudFront answers", func(c *counts) int64 { return c.reads.Load() - c.api("GET /products") }},
		{"… that the API throttles", func(c *counts) int64 {
			return c.api("GET /products") - c.function("GET /products")
		}},
		{"… that reach a function", func(c *counts) int64 { return c.function("GET /products") }},
		{"buyers", func(c *counts) int64 { return c.came.Load() }},
		{"… who bought", func(c *counts) int64 { return c.bought.Load() }},
		{"… who gave up", func(c *counts) int64 { return c.came.Load() - c.bought.Load() }},
		{"their requests", func(c *counts) int64 { return c.api("POST /checkout") }},
		{"… that reach a function", func(c *counts) int64 { return c.function("POST /checkout") }},
		{"statements in the database", func(c *counts) int64 { return c.statements }},
	} {
		fmt.Printf("| %s | %d | %d |\n", row.what, row.count(without), row.count(with))
	}
	return nil
}

// run starts the shop, sends the rush, and waits until every buyer has an answer.
func (r rush) run(ctx context.Context, cdn bool) (c *counts, err error) {
	c = newCounts()
	config := programs.DefaultConfig(r.project)
	config.API, config.AWS, config.Factory = "127.0.0.1:0", "127.0.0.1:0", "127.0.0.1:0"
	config.Stage, config.Log = r.stage, slog.New(c)
	var distribution []*graph.Resource
	if cdn {
		if distribution, err = distributionOf(r.project, r.stage); err != nil {
			return nil, err
		}
	}
	config.Edit = func(g *graph.Graph) {
		r.shrink(g)
		g.Resources = append(g.Resources, distribution...)
		slices.SortFunc(g.Resources, func(a, b *graph.Resource) int { return cmp.Compare(a.URN, b.URN) })
	}
	shop, err := programs.Start(ctx, config)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, shop.Close()) }()
	db, err := sql.Open("mysql", shop.Endpoints().DSN)
	if err != nil {
		return nil, err
	}
	defer db.Close()
	if err := fixture.Put(ctx, db, fixture.Product{
		SKU: product, Stock: 1_000_000, OrderUpTo: 100, LotSize: 100, LeadTime: time.Minute,
	}); err != nil {
		return nil, err
	}
	before, err := statements(ctx, db)
	if err != nil {
		return nil, err
	}
	c.start()
	if err := r.send(ctx, shop.Endpoints().API, c); err != nil {
		return nil, err
	}
	after, err := statements(ctx, db)
	c.statements = after - before
	return c, err
}

// shrink gives a stage its share of the limits. Two instances are the least with which requests can
// meet each other.
func (r rush) shrink(g *graph.Graph) {
	for _, stage := range g.OfType(graph.APIStage) {
		settings, _ := stage.Outputs["routeSettings"].([]any)
		for _, s := range append(settings, stage.Outputs["defaultRouteSettings"]) {
			limits, _ := s.(map[string]any)
			for _, name := range []string{"throttlingRateLimit", "throttlingBurstLimit"} {
				if limit, declared := limits[name].(float64); declared {
					limits[name] = max(1, limit/float64(r.share))
				}
			}
		}
	}
	for _, f := range g.OfType(graph.Function) {
		if n, declared := f.Outputs["reservedConcurrentExecutions"].(float64); declared {
			f.Outputs["reservedConcurrentExecutions"] = max(2, float64(int(n)/r.share))
		}
	}
}

// distributionOf returns the resources that the setting cdn adds to a stage.
func distributionOf(project, stage string) (all []*graph.Resource, err error) {
	g, err := stack.RecordAs(filepath.Join(project, "infra/rules/testdata/cdn"), "cdn", stage)
	if err != nil {
		return nil, err
	}
	for _, r := range g.Resources {
		if strings.Contains(r.URN, "::restock:cdn:") {
			all = append(all, r)
		}
	}
	return all, nil
}

// statements returns how many statements the database server has executed.
func statements(ctx context.Context, db *sql.DB) (n int64, err error) {
	err = db.QueryRowContext(ctx, `SELECT VARIABLE_VALUE FROM information_schema.GLOBAL_STATUS
		WHERE VARIABLE_NAME = 'QUESTIONS'`).Scan(&n)
	if err != nil {
		return 0, fmt.Errorf("counting the database's statements: %w", err)
	}
	return n, nil
}
