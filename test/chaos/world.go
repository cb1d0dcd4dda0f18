package main

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"time"

	"restock/cmd/local/programs"
	"restock/infra/graph"
	"restock/internal/mysql/invariants"
	"restock/test/fixture"
)

// A config says what storm to make.
type config struct {
	Project string
	Seed    uint64
	Faults  time.Duration // how long they are injected; 0: until each was injected once
	Buyers  int           // at once
	Settle  time.Duration // ends the wait for things that never settle; no measure of how long they should take
	Log     *slog.Logger

	// BreakProgram breaks a rule of the shop on purpose, for the tests of the judge; nil breaks none.
	BreakProgram func(*graph.Graph)
}

const (
	passInterval = 500 * time.Millisecond // between two of the schedules' minutes
	lookInterval = 50 * time.Millisecond
	settleStep   = 2 * leadTime // how much of the shop's time passes at once

	// leadTime is that of all products. A message is valid for as long, so it outlives most of the storm's faults. The storm
	// lets lead times pass in the database.
	leadTime = time.Minute

	// A message that failed comes back after so long, and no sooner than its function has timed out.
	functionTimeout = 7 * time.Second
)

// storm opens the shop, lets the faults loose, heals them, and judges what is left. The error says that the storm itself could not be made.
func storm(ctx context.Context, c config) (report *Report, err error) {
	w, err := newWorld(ctx, c)
	if err != nil {
		return nil, err
	}
	report = w.report
	err = w.live(ctx)
	if e := w.close(); e != nil {
		report.broken("the run did not end as it should: %v", e)
	}
	if err != nil {
		return nil, err
	}
	return report, nil
}

// A world is a shop at work, with all that can be done to it.
type world struct {
	config   config
	log      *slog.Logger
	report   *Report
	database *database
	endpoint *endpoint
	pids     *processes
	buyers   *buyers
	shop     *programs.Run
	db       *sql.DB // the administrator's, past all faults
	aws      awsClients
	products []string
}

// newWorld starts a world. An error leaves nothing behind.
func newWorld(ctx context.Context, c config) (*world, error) {
	w := &world{config: c, log: c.Log.With("part", "chaos"), report: newReport(c.Seed), endpoint: newEndpoint()}
	if err := w.start(ctx); err != nil {
		return nil, errors.Join(err, w.close())
	}
	return w, nil
}

func (w *world) start(ctx context.Context) (err error) {
	if w.pids, err = newProcesses(w.config.Project); err != nil {
		return err
	}
	if w.database, err = startDatabase(ctx); err != nil {
		return err
	}
	config := programs.DefaultConfig(w.config.Project)
	config.API, config.AWS, config.Factory = "127.0.0.1:0", "127.0.0.1:0", "127.0.0.1:0"
	config.FactoryStep = 25 * time.Millisecond
	config.DSN = w.database.proxied()
	config.DuplicateRate = 0.2
	config.Interpose = w.endpoint.interpose
	config.Log = slog.New(slog.NewMultiHandler(w.config.Log.Handler(), w.pids))
	config.Unchecked = true // the storm has no time for a visibility timeout of six times the function's
	config.Edit = func(g *graph.Graph) {
		hurry(g)
		if w.config.BreakProgram != nil {
			w.config.BreakProgram(g)
		}
	}
	if w.shop, err = programs.Start(ctx, config); err != nil {
		return err
	}
	if w.db, err = w.database.admin(w.shop.Endpoints().DSN); err != nil {
		return err
	}
	if w.aws, err = newAWSClients(w.shop.Endpoints().AWS, w.shop.Region()); err != nil {
		return err
	}
	if err := w.open(ctx); err != nil {
		return err
	}
	w.buyers = newBuyers(w.shop.Endpoints().API, w.products, w.config.Seed)
	return nil
}

// hurry makes messages that failed come back sooner, and lets all requests in.
func hurry(g *graph.Graph) {
	for _, f := range g.OfType(graph.Function) {
		if name := f.String("name"); name == "stock" || name == "ads" {
			f.Outputs["timeout"] = functionTimeout.Seconds()
		}
	}
	for _, q := range g.OfType(graph.Queue) {
		if q.String("redrivePolicy") != "" {
			q.Outputs["visibilityTimeoutSeconds"] = functionTimeout.Seconds()
		}
	}
	for _, s := range g.OfType(graph.APIStage) {
		delete(s.Outputs, "defaultRouteSettings")
	}
}

// open puts products on the shelf that run short soon, each with another policy. All have the same lead time.
func (w *world) open(ctx context.Context) error {
	products := []fixture.Product{
		{Stock: 3, ReorderPoint: 0, OrderUpTo: 200, LotSize: 100},
		{Stock: 300, ReorderPoint: 50, OrderUpTo: 400, LotSize: 100},
		{Stock: 100, ReorderPoint: 20, OrderUpTo: 300, LotSize: 70},
		{Stock: 1, ReorderPoint: 0, OrderUpTo: 5, LotSize: 1},
		{Stock: 500, ReorderPoint: 100, OrderUpTo: 600, LotSize: 250},
		{Stock: 0, ReorderPoint: 30, OrderUpTo: 150, LotSize: 15},
	}
	for i := range products {
		p := &products[i]
		p.SKU, p.Automatic, p.LeadTime = fmt.Sprintf("CHAOS-%d", i+1), true, leadTime
		w.products = append(w.products, p.SKU)
	}
	return fixture.Put(ctx, w.db, products...)
}

// live lets buyers buy while faults come and go, heals what is left of them, lets things settle, and judges.
func (w *world) live(ctx context.Context) error {
	buying, closeTheDoors := context.WithCancel(ctx)
	defer closeTheDoors()

	var all sync.WaitGroup
	for i := range w.config.Buyers {
		all.Go(func() { w.buyers.buy(buying, i) })
	}
	all.Go(func() { w.passTime(buying) })
	all.Go(func() { w.watchOrders(buying) })
	w.injectFaults(ctx)
	w.awaitDelivery(ctx)
	closeTheDoors()
	all.Wait()
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	if err := w.database.wait(ctx); err != nil {
		return err
	}
	w.buyers.settle(ctx, w.config.Settle)
	w.report.Answers = w.buyers.answers()
	if err := w.settle(ctx); err != nil {
		return err
	}
	return w.judge(ctx)
}

// awaitDelivery keeps the doors open until something was sold, made and delivered: without, the storm would prove nothing.
func (w *world) awaitDelivery(ctx context.Context) {
	await(ctx, w.config.Settle, func() bool {
		var sales, receipts int
		err := w.db.QueryRowContext(ctx, `SELECT (SELECT COUNT(*) FROM sale), (SELECT COUNT(*) FROM goods_receipt)`).Scan(&sales, &receipts)
		return err == nil && sales > 0 && receipts > 0 // the database may just be coming back
	})
}

// await waits until a condition holds, and returns whether it does. The limit ends the wait for what never comes.
func await(ctx context.Context, limit time.Duration, holds func() bool) bool {
	ctx, cancel := context.WithTimeout(ctx, limit)
	defer cancel()
	for !holds() {
		last(ctx, lookInterval)
		if ctx.Err() != nil {
			return false
		}
	}
	return true
}

// passTime lets the schedules' minutes pass, and half a lead time with each.
func (w *world) passTime(ctx context.Context) {
	tick := time.NewTicker(passInterval)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
			_ = w.passed(ctx, leadTime/2) // the database may be down
			w.shop.PassTime(ctx)
		}
	}
}

// watchOrders looks all the time whether a shortage is ordered for twice: afterwards, orders are closed.
func (w *world) watchOrders(ctx context.Context) {
	look := time.NewTicker(lookInterval)
	defer look.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-look.C:
		}
		if n, err := w.twiceOrdered(ctx); err == nil && n > 0 { // the database may be down
			w.report.broken("%s", invariants.OneOpenOrder.Broken)
			return
		}
	}
}

func (w *world) twiceOrdered(ctx context.Context) (products int, err error) {
	err = w.db.QueryRowContext(ctx, "SELECT COUNT(*) FROM ("+invariants.OneOpenOrder.Query+") q").Scan(&products)
	return products, err
}

// settle lets time pass, in which nothing goes wrong any more, until what is asked for is done. Time passes only while nothing is under way:
// on a slow machine the shop would otherwise ask again for what is being made.
func (w *world) settle(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, w.config.Settle)
	defer cancel()
	for began := time.Now(); ; last(ctx, lookInterval) {
		moves, err := w.underWay(ctx)
		if err == nil && moves == "" {
			if err = invariants.Check(ctx, w.db, invariants.Settled); err == nil {
				w.report.Settled = time.Since(began)
				return nil
			}
		}
		switch {
		case ctx.Err() != nil:
			w.report.broken("%v after everything was healed, it is not settled: %s%v", w.config.Settle, moves, err)
			return nil
		case moves != "":
			continue
		}
		if err := w.passed(ctx, settleStep); err != nil && ctx.Err() == nil {
			return err
		}
		w.shop.PassTime(ctx)
	}
}

// passed lets time pass for what waits in the database: for a delivery, and to be told to people.
func (w *world) passed(ctx context.Context, d time.Duration) error {
	for _, query := range []string{
		`UPDATE production_order SET asked_at = asked_at - INTERVAL ? SECOND WHERE status = 'open'`,
		`UPDATE notice SET due_at = due_at - INTERVAL ? SECOND WHERE due_at IS NOT NULL`,
	} {
		if _, err := w.db.ExecContext(ctx, query, int(d.Seconds())); err != nil {
			return fmt.Errorf("letting time pass: %w", err)
		}
	}
	return nil
}

// close ends everything; it may be called on a world that is half made.
func (w *world) close() error {
	var errs []error
	if w.db != nil {
		errs = append(errs, w.db.Close())
	}
	if w.shop != nil {
		errs = append(errs, w.shop.Close())
	}
	if w.database != nil {
		errs = append(errs, w.database.close())
	}
	return errors.Join(errs...)
}
