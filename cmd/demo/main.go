// Command demo shows the story on its own run of the stack. Buyers buy until the doughnut is sold
// out, one buyer is refused, the factory delivers, and the next buyer buys again. It exits with 0
// if all of this happened.
package main

import (
	"context"
	"database/sql"
	"errors"
	"flag"
	"fmt"
	"log/slog"
	"os"
	"os/signal"
	"syscall"
	"time"

	_ "github.com/go-sql-driver/mysql" // driver of database/sql

	"restock/cmd/demo/buyers"
	"restock/cmd/local/factory"
	"restock/cmd/local/programs"
	"restock/lambdas"
	"restock/local/run"
	"restock/local/view/terminal"
	"restock/test/load"
)

const (
	// doughnut is the SKU of the product in the story.
	doughnut = "CP-502101"
	// maxStock exceeds the initial stock.
	maxStock = 100
	// crowdSize is the number of buyers who come after the doughnut is sold out. The factory
	// must receive one order for the shortage, not one for each buyer.
	crowdSize = 500
	// leadTime is longer than the story takes on any machine.
	leadTime = 24 * time.Hour
	// safetyLimit ends a wait that would never end. It does not limit how long a step may take.
	safetyLimit  = 10 * time.Minute
	pollInterval = 100 * time.Millisecond
)

func main() {
	factoryStep := flag.Duration("factory-step", 250*time.Millisecond,
		"how long each of the factory's four steps takes")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM, syscall.SIGHUP)
	defer stop()
	context.AfterFunc(ctx, stop) // a second signal ends the program at once
	if err := demo(ctx, *factoryStep); err != nil {
		fmt.Fprintln(os.Stderr, "demo:", err)
		os.Exit(1)
	}
}

func demo(ctx context.Context, factoryStep time.Duration) (err error) {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	project, err := run.FindProject()
	if err != nil {
		return err
	}
	config := programs.DefaultConfig(project)
	config.Settings = map[string]any{"catalogue": lambdas.TestCatalogue}
	config.API, config.AWS, config.Factory = "127.0.0.1:0", "127.0.0.1:0", "127.0.0.1:0"
	config.FactoryStep = factoryStep
	config.Log = terminal.Log(os.Stderr, slog.LevelWarn, programs.Terminal())
	// A refused permission is the reason for all later errors, so it ends the story.
	config.Refused = func(line string) { cancel(errors.New(line)) }
	defer func() {
		if cause := context.Cause(ctx); err != nil && cause != nil && !errors.Is(cause, context.Canceled) {
			err = cause
		}
	}()

	s := &story{began: time.Now()}
	s.tell("the whole stack starts on this machine: building the functions, starting MariaDB, running setup")
	r, err := programs.Start(ctx, config)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, r.Close()) }()
	s.shop = buyers.Shop{
		Shop:  load.Shop{URL: r.Endpoints().API, Client: load.NewClient(buyers.AtOnce)},
		Pause: buyers.RetryPause,
	}
	if s.db, err = sql.Open("mysql", r.Endpoints().DSN); err != nil {
		return err
	}
	defer s.db.Close()
	s.tell("the shop is open at %s", s.shop.URL)
	if err := s.play(ctx, r); err != nil {
		return err
	}
	if err := context.Cause(ctx); err != nil {
		return err
	}
	s.tell("nobody touched anything. That took %.1f s", time.Since(s.began).Seconds())
	return nil
}

// play runs the story. The factory holds its work until the last of its buyers has an answer, and
// advertisements are off. Otherwise a fast factory would sell to some of the buyers who must be
// refused, and the story would depend on the machine's speed.
func (s *story) play(ctx context.Context, r *programs.Run) error {
	if err := s.prolongLeadTime(ctx); err != nil {
		return err
	}
	if err := r.Factory.SetFault(factory.Fault{Hold: true}); err != nil {
		return err
	}
	if err := s.buyUntilSoldOut(ctx); err != nil {
		return err
	}
	if err := s.crowdBuys(ctx); err != nil {
		return err
	}
	if err := s.awaitAdvertisement(ctx, "off"); err != nil {
		return err
	}
	// The factory gets the order from a queue, which may take long on a busy machine.
	if err := await(ctx, "the factory to be asked",
		func() (bool, error) { return len(r.Factory.Requests()) > 0, nil }); err != nil {
		return err
	}
	if err := r.Factory.SetFault(factory.Fault{}); err != nil {
		return err
	}
	if err := s.awaitDelivery(ctx); err != nil {
		return err
	}
	if asked := len(r.Factory.Requests()); asked != 1 {
		return fmt.Errorf("the factory was asked %d times for one shortage, want once", asked)
	}
	s.tell("the factory was asked once, though %d buyers were refused", s.total.Refused)
	if err := s.buyOne(ctx); err != nil {
		return err
	}
	if err := s.checkSales(ctx); err != nil {
		return err
	}
	r.PassTime(ctx) // the schedules run every minute
	return s.awaitAdvertisement(ctx, "on")
}

// A story is printed while it happens.
type story struct {
	began time.Time
	shop  buyers.Shop
	db    *sql.DB
	total buyers.Tally // of all buyers so far
}

// tell prints a line of the story with the seconds since its beginning.
func (s *story) tell(format string, args ...any) {
	fmt.Printf("%6.1fs  %s\n", time.Since(s.began).Seconds(), fmt.Sprintf(format, args...))
}

// prolongLeadTime prevents a second request of the sweep to the factory while a slow machine still
// serves the buyers.
func (s *story) prolongLeadTime(ctx context.Context) error {
	if _, err := s.db.ExecContext(ctx, `UPDATE product SET lead_time = ? WHERE sku = ?`, int(leadTime.Seconds()),
		doughnut); err != nil {
		return fmt.Errorf("setting the lead time: %w", err)
	}
	return nil
}

// buyUntilSoldOut runs visits until the shop refuses a buyer.
func (s *story) buyUntilSoldOut(ctx context.Context) error {
	for range maxStock {
		v, err := s.shop.Visit(ctx)
		if err != nil {
			return err
		}
		s.total.Add(v)
		switch v.Outcome {
		case load.Sold:
			s.tell("a buyer: %s", v.Message)
		case load.Refused:
			s.tell("a buyer is refused: %s", v.Message)
			return nil
		default:
			return v.Failure()
		}
	}
	return fmt.Errorf("%d doughnuts are sold, and the doughnut is not sold out", maxStock)
}

// buyOne runs the visit of the first buyer after the delivery.
func (s *story) buyOne(ctx context.Context) error {
	v, err := s.shop.Visit(ctx)
	if err != nil {
		return err
	}
	s.total.Add(v)
	if v.Outcome != load.Sold {
		return fmt.Errorf("the restocked doughnut was not sold: %w", v.Failure())
	}
	s.tell("the next buyer: %s", v.Message)
	return nil
}

// crowdBuys runs the visits of many concurrent buyers. The shop must not sell to any of them.
func (s *story) crowdBuys(ctx context.Context) error {
	s.tell("a video makes the doughnut famous: %d buyers come at once", crowdSize)
	visits, err := s.shop.Crowd(ctx, crowdSize)
	if err != nil {
		return err
	}
	var counted buyers.Tally
	for _, v := range visits {
		counted.Add(v)
		s.total.Add(v)
	}
	s.tell("%s", counted)
	if err := counted.Check(crowdSize); err != nil {
		return err
	}
	if counted.Bought > 0 {
		return fmt.Errorf("%d buyers of the crowd bought a doughnut that was sold out", counted.Bought)
	}
	return nil
}

// checkSales compares the answers to the buyers with the shop's stored sales.
func (s *story) checkSales(ctx context.Context) error {
	var stored int
	if err := s.db.QueryRowContext(ctx, `SELECT COUNT(*) FROM sale JOIN product USING (product_id) WHERE sku = ?`,
		doughnut).Scan(&stored); err != nil {
		return fmt.Errorf("counting the sales: %w", err)
	}
	return s.total.CheckSales(stored)
}

// awaitDelivery waits until the shop has stock again.
func (s *story) awaitDelivery(ctx context.Context) error {
	return await(ctx, "the delivery", func() (bool, error) {
		a, err := buyers.Read(s.shop.Get(ctx, "/product/donut"))
		if err != nil || a.Stock == 0 {
			return false, err
		}
		s.tell("the factory has delivered: %d on hand", a.Stock)
		return true, nil
	})
}

// awaitAdvertisement waits until the doughnut's advertisement matches the stock. Neither sales nor
// production know the advertisement.
func (s *story) awaitAdvertisement(ctx context.Context, status string) error {
	return await(ctx, "the advertisement to be switched "+status, func() (bool, error) {
		var is string
		err := s.db.QueryRowContext(ctx,
			`SELECT a.status FROM advertisement a JOIN product p ON p.ad_id = a.ad_id WHERE p.sku = ?`,
			doughnut).Scan(&is)
		if err != nil || is != status {
			return false, err
		}
		s.tell("its advertisement is switched %s, and its manager is notified", status)
		return true, nil
	})
}

// await waits until a condition holds.
func await(ctx context.Context, what string, holds func() (bool, error)) error {
	ctx, cancel := context.WithTimeoutCause(ctx, safetyLimit, fmt.Errorf("waited %v in vain", safetyLimit))
	defer cancel()
	tick := time.NewTicker(pollInterval)
	defer tick.Stop()
	for {
		is, err := holds()
		switch {
		case is:
			return nil
		case err != nil && ctx.Err() == nil:
			return fmt.Errorf("waiting for %s: %w", what, err)
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("waiting for %s: %w", what, context.Cause(ctx))
		case <-tick.C:
		}
	}
}
