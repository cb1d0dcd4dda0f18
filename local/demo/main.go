// Command demo shows the story on a run of its own: buyers buy until the doughnut is sold out, one is refused, the factory delivers,
// and the next one buys again. It exits 0 if that is what happened.
package main

import (
	"bytes"
	"context"
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

	"golang.org/x/sync/errgroup"

	"restock/local/run"
	"restock/local/terminal"
)

const (
	// stormingBuyers come when the shelf is empty. The factory must hear of one shortage, not of so many.
	stormingBuyers = 500
	// deliveryMargin is how long the restock may take beyond the factory's four steps.
	deliveryMargin = 30 * time.Second
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
	project, err := run.FindProject()
	if err != nil {
		return err
	}
	config := run.DefaultConfig(project)
	config.API, config.AWS, config.Factory = "127.0.0.1:0", "127.0.0.1:0", "127.0.0.1:0"
	config.FactoryStep = factoryStep
	config.Log = terminal.Log(os.Stderr, slog.LevelWarn)

	s := &story{began: time.Now()}
	s.tell("the whole stack starts on this machine: building the functions, starting MariaDB, running setup")
	r, err := run.Start(ctx, config)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, r.Close()) }()
	s.api = r.Endpoints().API
	s.tell("the shop is open at %s", s.api)
	if err := s.buyUntilSoldOut(ctx); err != nil {
		return err
	}
	if err := s.storm(ctx); err != nil {
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
	s.tell("nobody touched anything. That took %.1f s", time.Since(s.began).Seconds())
	return nil
}

// A story is told as it happens.
type story struct {
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
	a.status = response.StatusCode
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
			return fmt.Errorf("a buyer got %d %s", a.status, a.Message)
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
				return fmt.Errorf("a buyer got neither a sale nor a refusal: %d %s", a.status, a.Message)
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
