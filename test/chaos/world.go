package main

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"slices"
	"strings"
	"sync"
	"time"

	"restock/cmd/local/programs"
	"restock/infra/graph"
	"restock/internal/mysql/invariants"
	"restock/lambdas"
	"restock/test/fixture"
)

// A config configures a run.
type config struct {
	Project string
	Seed    uint64
	Faults  time.Duration // how long to inject faults; 0: until each was injected once
	Buyers  int           // concurrent buyers
	Settle  time.Duration // the limit of each wait; it only ends a wait that would never end
	Log     *slog.Logger

	// BreakProgram changes the program so that it breaks a rule, for the tests of the judge. It may
	// be nil.
	BreakProgram func(*graph.Graph)
}

const (
	passInterval = 500 * time.Millisecond // the real time between two minutes of the schedules
	lookInterval = 50 * time.Millisecond
	settleStep   = 2 * leadTime // how far settle moves the shop's time at once

	// leadTime is the lead time of all products. A message is valid for as long, which is longer
	// than most faults. The run moves the times in the database instead of waiting.
	leadTime = time.Minute

	// functionTimeout is the timeout of the functions with queues, and the visibility timeout of
	// these: a failed message comes back after this time.
	functionTimeout = 7 * time.Second
)

// runChaos starts the shop, injects faults, ends them, and judges the result. An error means that
// the run itself failed.
func runChaos(ctx context.Context, c config) (report *Report, err error) {
	w, err := newWorld(ctx, c)
	if err != nil {
		return nil, err
	}
	report = w.report
	err = w.run(ctx)
	if e := w.close(); e != nil {
		report.broken("the run did not end cleanly: %v", e)
	}
	if err != nil {
		return nil, err
	}
	return report, nil
}

// A world is the running shop with its buyers, and the means to inject faults.
type world struct {
	config   config
	log      *slog.Logger
	report   *Report
	database *database
	endpoint *endpoint
	pids     *processes
	buyers   *buyers
	shop     *programs.Run
	db       *sql.DB // as the administrator, without the proxy
	aws      awsClients
	products []string
}

// newWorld starts a world. After an error it leaves nothing behind.
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
	config.Unchecked = true // the rules want a visibility timeout of six times the function's, which is too long here
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
	if err := w.addProducts(ctx); err != nil {
		return err
	}
	w.buyers = newBuyers(w.shop.Endpoints().API, w.products, w.config.Seed)
	return nil
}

// hurry makes failed messages come back sooner, and turns the throttling off.
func hurry(g *graph.Graph) {
	for _, f := range g.OfType(graph.Function) {
		queued := []string{lambdas.Stock.Name, lambdas.StockIncrease.Name, lambdas.Ads.Name}
		if slices.Contains(queued, f.Name) {
			f.Outputs["timeout"] = functionTimeout.Seconds()
		}
	}
	for _, q := range g.OfType(graph.Queue) {
		if q.String("redrivePolicy") != "" {
			q.Outputs["visibilityTimeoutSeconds"] = functionTimeout.Seconds()
		}
		// A delivery of a wrong quantity cannot be booked. It becomes a dead letter.
		q.Outputs["redrivePolicy"] = strings.Replace(q.String("redrivePolicy"), `"maxReceiveCount":1000`,
			`"maxReceiveCount":5`, 1)
	}
	for _, s := range g.OfType(graph.APIStage) {
		delete(s.Outputs, "defaultRouteSettings")
		delete(s.Outputs, "routeSettings")
	}
}

// maxBins is the largest number of bins of a product.
const maxBins = 32

// addProducts adds products with different policies that run short soon, each with a random number
// of bins. All have the same lead time.
func (w *world) addProducts(ctx context.Context) error {
	products := []fixture.Product{
		{Stock: 3, ReorderPoint: 0, OrderUpTo: 200, LotSize: 100},
		{Stock: 300, ReorderPoint: 50, OrderUpTo: 400, LotSize: 100},
		{Stock: 100, ReorderPoint: 20, OrderUpTo: 300, LotSize: 70},
		{Stock: 1, ReorderPoint: 0, OrderUpTo: 5, LotSize: 1},
		{Stock: 500, ReorderPoint: 100, OrderUpTo: 600, LotSize: 250},
		{Stock: 0, ReorderPoint: 30, OrderUpTo: 150, LotSize: 15},
	}
	r := rand.New(rand.NewPCG(w.config.Seed, 2000))
	for i := range products {
		p := &products[i]
		p.Bins = 1 + r.IntN(maxBins)
		p.SKU, p.Automatic, p.LeadTime = fmt.Sprintf("CHAOS-%d", i+1), true, leadTime
		w.products = append(w.products, p.SKU)
	}
	return fixture.Put(ctx, w.db, products...)
}

// run lets buyers buy while it injects faults, waits until the shop has settled, and judges.
func (w *world) run(ctx context.Context) error {
	buying, stopBuying := context.WithCancel(ctx)
	defer stopBuying()

	var all sync.WaitGroup
	for i := range w.config.Buyers {
		all.Go(func() { w.buyers.buy(buying, i) })
	}
	all.Go(func() { w.passTime(buying) })
	all.Go(func() { w.watchOrders(buying) })
	w.injectFaults(ctx)
	w.awaitDelivery(ctx)
	stopBuying()
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

// awaitDelivery waits until something was sold and delivered. Without a sale and a delivery, the
// run would prove nothing.
func (w *world) awaitDelivery(ctx context.Context) {
	await(ctx, w.config.Settle, func() bool {
		var sales, receipts int
		err := w.db.QueryRowContext(ctx,
			`SELECT (SELECT COUNT(*) FROM sale), (SELECT COUNT(*) FROM goods_receipt)`).Scan(&sales, &receipts)
		return err == nil && sales > 0 && receipts > 0 // the database may be restarting
	})
}

// await waits until a condition holds, and reports whether it does. The limit ends a wait that
// would never end.
func await(ctx context.Context, limit time.Duration, holds func() bool) bool {
	ctx, cancel := context.WithTimeout(ctx, limit)
	defer cancel()
	for !holds() {
		pause(ctx, lookInterval)
		if ctx.Err() != nil {
			return false
		}
	}
	return true
}

// passTime moves the schedules minute by minute, and the times in the database by half a lead time
// with each minute.
func (w *world) passTime(ctx context.Context) {
	tick := time.NewTicker(passInterval)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
			_ = w.advance(ctx, leadTime/2) // the database may be down
			w.shop.PassTime(ctx)
		}
	}
}

// watchOrders checks all the time that no product has two open orders. A check at the end would not
// find them, because orders are closed by then.
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

// settle moves the time without faults until the rules of a settled shop hold. It moves the time
// only while no work is under way: on a slow machine the shop would otherwise ask again for lots
// that the factory is making.
func (w *world) settle(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, w.config.Settle)
	defer cancel()
	for began := time.Now(); ; pause(ctx, lookInterval) {
		moves, err := w.underWay(ctx)
		if err == nil && moves == "" {
			if err = invariants.Check(ctx, w.db, invariants.Eventually); err == nil {
				w.report.Settled = time.Since(began)
				return nil
			}
		}
		switch {
		case ctx.Err() != nil:
			w.report.broken("the shop did not settle within %v after the faults: %s%v", w.config.Settle, moves, err)
			return nil
		case moves != "":
			continue
		}
		if err := w.advance(ctx, settleStep); err != nil && ctx.Err() == nil {
			return err
		}
		w.shop.PassTime(ctx)
	}
}

// advance moves the time of open production orders and of unsent notices in the database.
func (w *world) advance(ctx context.Context, d time.Duration) error {
	for _, query := range []string{
		`UPDATE production_order SET asked_at = asked_at - INTERVAL ? SECOND WHERE status = 'open'`,
		`UPDATE notice SET due_at = due_at - INTERVAL ? SECOND WHERE due_at IS NOT NULL`,
	} {
		if _, err := w.db.ExecContext(ctx, query, int(d.Seconds())); err != nil {
			return fmt.Errorf("moving the time: %w", err)
		}
	}
	return nil
}

// close ends everything. It also closes a world that could not start completely.
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
