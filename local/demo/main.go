// Command demo shows the story on a run of its own: buyers buy until the doughnut is sold out, one is refused, the factory delivers,
// and the next one buys again. It exits 0 if that is what happened.
package main

import (
	"bytes"
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"os"
	"os/signal"
	"sync/atomic"
	"syscall"
	"time"

	_ "github.com/go-sql-driver/mysql" // database/sql's driver
	"golang.org/x/sync/errgroup"

	"restock/local/run"
	"restock/local/terminal"
)

const (
	// stormingBuyers come when the shelf is empty. The factory must hear of one shortage, not of so many.
	stormingBuyers = 500
	// deliveryMargin is how long the restock may take beyond the factory's four steps.
	deliveryMargin = 15 * time.Second
	pollInterval   = 100 * time.Millisecond
)

func main() {
	factoryStep := flag.Duration("factory-step", 250*time.Millisecond, "how long each of the factory's four steps takes")
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
	config := run.DefaultConfig(project)
	config.API, config.AWS, config.Factory = "127.0.0.1:0", "127.0.0.1:0", "127.0.0.1:0"
	config.FactoryStep = factoryStep
	config.Log = terminal.Log(os.Stderr, slog.LevelWarn)
	// What is refused is the end of the story, and the reason for it: what comes after are consequences.
	config.Refused = func(line string) { cancel(errors.New(line)) }
	defer func() {
		if cause := context.Cause(ctx); err != nil && cause != nil && !errors.Is(cause, context.Canceled) {
			err = cause
		}
	}()

	s := &story{began: time.Now()}
	s.tell("the whole stack starts on this machine: building the functions, starting MariaDB, running setup")
	r, err := run.Start(ctx, config)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, r.Close()) }()
	s.Run, s.api = r, r.Endpoints().API
	s.tell("the shop is open at %s", s.api)
	if err := s.buyUntilSoldOut(ctx); err != nil {
		return err
	}
	if err := s.storm(ctx); err != nil {
		return err
	}
	if err := s.awaitAdvertisement(ctx, "off"); err != nil {
		return err
	}
	if err := s.awaitDelivery(ctx, 4*factoryStep+deliveryMargin); err != nil {
		return err
	}
	if asked := len(r.Factory.Requests()); asked != 1 {
		return fmt.Errorf("the factory was asked %d times for one shortage, want once", asked)
	}
	s.tell("the factory was asked once, though %d buyers were refused", s.refused)
	answer, err := s.checkout(ctx)
	if err != nil {
		return err
	}
	if answer.status != http.StatusOK {
		return fmt.Errorf("the restocked doughnut was not sold: %d %s", answer.status, answer.Message)
	}
	s.tell("the next buyer: %s", answer.Message)
	r.PassTime(ctx) // the schedules' minute
	if err := s.awaitAdvertisement(ctx, "on"); err != nil {
		return err
	}
	if err := context.Cause(ctx); err != nil {
		return err
	}
	s.tell("nobody touched anything. That took %.1f s", time.Since(s.began).Seconds())
	return nil
}

// A story is told as it happens.
type story struct {
	*run.Run
	began   time.Time
	api     string
	refused int
}

func (s *story) tell(format string, args ...any) {
	fmt.Printf("%6.1fs  %s\n", time.Since(s.began).Seconds(), fmt.Sprintf(format, args...))
}

// An answer is what a buyer gets.
type answer struct {
	status  int
	Message string `json:"message"`
	Stock   int    `json:"stock"`
	text    string // as it came
}

func (s *story) checkout(ctx context.Context) (answer, error) {
	return s.request(ctx, http.MethodPost, "/checkout")
}

func (s *story) request(ctx context.Context, method, path string) (a answer, err error) {
	request, err := http.NewRequestWithContext(ctx, method, s.api+path, bytes.NewReader(nil))
	if err != nil {
		return a, err
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		return a, err
	}
	defer response.Body.Close()
	text, err := io.ReadAll(response.Body)
	if err != nil {
		return a, fmt.Errorf("%s %s: %w", method, path, err)
	}
	a.status, a.text = response.StatusCode, string(text)
	if err := json.Unmarshal(text, &a); err != nil {
		return a, fmt.Errorf("%s %s was answered with %s: %s", method, path, response.Status, text)
	}
	return a, nil
}

// maxStock is more than the shop opens with.
const maxStock = 100

func (s *story) buyUntilSoldOut(ctx context.Context) error {
	for range maxStock {
		a, err := s.checkout(ctx)
		if err != nil {
			return err
		}
		if a.status == http.StatusConflict {
			s.refused++
			s.tell("one buyer too many: %s", a.Message)
			return nil
		}
		if a.status != http.StatusOK {
			return fmt.Errorf("a buyer's POST /checkout got %d %s", a.status, a.text)
		}
		s.tell("a buyer: %s", a.Message)
	}
	return fmt.Errorf("%d doughnuts are sold, and the shelf is not empty", maxStock)
}

// storm lets buyers in, many at a time, until all were refused or one got what the factory delivered meanwhile.
func (s *story) storm(ctx context.Context) error {
	const atOnce = 16
	s.tell("a video makes the doughnut famous: %d buyers storm in", stormingBuyers)
	group, ctx := errgroup.WithContext(ctx)
	group.SetLimit(atOnce)
	var refused, served atomic.Int64
	for range stormingBuyers {
		if served.Load() > 0 {
			break // another sold-out shelf would be another story
		}
		group.Go(func() error {
			a, err := s.checkout(ctx)
			switch {
			case err != nil:
				return err
			case a.status == http.StatusConflict:
				refused.Add(1)
			case a.status == http.StatusOK:
				served.Add(1)
			default:
				return fmt.Errorf("a buyer's POST /checkout got neither a sale nor a refusal: %d %s", a.status, a.text)
			}
			return nil
		})
	}
	if err := group.Wait(); err != nil {
		return err
	}
	s.refused += int(refused.Load())
	s.tell("%d were refused", refused.Load())
	return nil
}

func (s *story) awaitDelivery(ctx context.Context, timeout time.Duration) error {
	ctx, cancel := context.WithTimeoutCause(ctx, timeout, fmt.Errorf("nothing came in %v", timeout))
	defer cancel()
	tick := time.NewTicker(pollInterval)
	defer tick.Stop()
	for {
		a, err := s.request(ctx, http.MethodGet, "/product/donut")
		if err == nil && a.Stock > 0 {
			s.tell("the factory has delivered: %d on hand", a.Stock)
			return nil
		}
		if err != nil && ctx.Err() == nil {
			return fmt.Errorf("waiting for the delivery: %w", err)
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("waiting for the delivery: %w", context.Cause(ctx))
		case <-tick.C:
		}
	}
}

// awaitAdvertisement waits until the doughnut's advertisement is what the stock says. Neither sales nor production know of it.
func (s *story) awaitAdvertisement(ctx context.Context, status string) error {
	db, err := sql.Open("mysql", s.Endpoints().DSN)
	if err != nil {
		return err
	}
	defer db.Close()
	ctx, cancel := context.WithTimeoutCause(ctx, deliveryMargin, fmt.Errorf("it is not switched %s in %v", status, deliveryMargin))
	defer cancel()
	tick := time.NewTicker(pollInterval)
	defer tick.Stop()
	for {
		var is string
		var stock int
		err := db.QueryRowContext(ctx, `SELECT a.status, p.stock FROM advertisement a JOIN product p ON p.ad_id = a.ad_id WHERE p.sku = 'CP-502101'`).Scan(&is, &stock)
		if err != nil && ctx.Err() == nil {
			return fmt.Errorf("looking at the advertisement: %w", err)
		}
		if is == status {
			s.tell("its advertisement is switched %s, and its manager told", status)
			return nil
		}
		if status == "off" && stock > 0 {
			s.tell("the factory was faster than the advertisement, which stays on")
			return nil
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("waiting for the advertisement: %w", context.Cause(ctx))
		case <-tick.C:
		}
	}
}
