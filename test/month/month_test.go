package main

import (
	"bytes"
	"context"
	"encoding/json"
	"encoding/xml"
	"errors"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"restock/internal/shop"
	"restock/local/mariadb/mariadbtest"
)

func TestMain(m *testing.M) { mariadbtest.Main(m) }

func runDays(t *testing.T, c config) (*report, error) {
	t.Helper()
	c.Admin = mariadbtest.New(t)
	return run(t.Context(), c)
}

func TestASeedIsOneMonth(t *testing.T) {
	var tables []string
	var pictures [][]byte
	for _, seed := range []uint64{1, 1, 2} {
		r, err := runDays(t, config{Seed: seed, Days: 3})
		if err != nil {
			t.Fatalf("seed %d: %v", seed, err)
		}
		if r.Total.Sold == 0 || r.Total.Refused == 0 || r.Total.Received == 0 || len(r.Wrong) < 5 {
			t.Errorf("seed %d: nothing was sold, refused or received, or nothing went wrong:\n%s", seed, r.table())
		}
		tables, pictures = append(tables, r.table()), append(pictures, r.picture())
	}
	if tables[0] != tables[1] || !bytes.Equal(pictures[0], pictures[1]) {
		t.Errorf("the same seed gave two outcomes:\n%s\n%s", tables[0], tables[1])
	}
	// The first line has the seed.
	_, one, _ := strings.Cut(tables[1], "\n")
	if _, two, _ := strings.Cut(tables[2], "\n"); one == two {
		t.Errorf("two seeds gave the same outcome:\n%s", one)
	}
}

func TestTheCommandPrintsJSONAndWritesAPicture(t *testing.T) {
	mariadbtest.Require(t)
	var out bytes.Buffer
	file := filepath.Join(t.TempDir(), "new", "month.svg")
	if err := month(t.Context(), config{Seed: 3, Days: 1}, &out, file, true); err != nil {
		t.Fatal(err)
	}
	var r struct {
		Seed  uint64
		Total struct{ Sold int }
	}
	if err := json.Unmarshal(out.Bytes(), &r); err != nil || r.Seed != 3 || r.Total.Sold == 0 {
		t.Errorf("got %+v, %v; want the sales of seed 3:\n%s", r, err, out.String())
	}
	picture, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	for decoder := xml.NewDecoder(bytes.NewReader(picture)); err == nil; {
		_, err = decoder.Token()
	}
	if !errors.Is(err, io.EOF) || !strings.HasPrefix(string(picture), "<svg ") {
		t.Errorf("the picture is no SVG: %v\n%.200s", err, picture)
	}
}

func TestTheCommandNamesTheSeedAndTheTimeOfABrokenRule(t *testing.T) {
	mariadbtest.Require(t)
	c := config{Seed: 1, Days: 2, breakage: func(s shop.Store) shop.Store { return neverAsksAgain{s} }}
	err := month(t.Context(), c, io.Discard, "", false)
	if err == nil || !strings.Contains(err.Error(), "seed 1, Tue 2026-11-03 00:00:00 KST: after a sweep: ") ||
		!strings.HasSuffix(err.Error(), `: make month SEED=1 ARGS="-days 2"`) {
		t.Errorf("got %v, want the seed, the time and the command", err)
	}
}

// TestBrokenShopsAreCaught tests the simulation itself: it must find each of these bugs.
func TestBrokenShopsAreCaught(t *testing.T) {
	for _, c := range []struct {
		name, rule string
		store      func(shop.Store) shop.Store
	}{
		{"the sweep never asks again", "is overdue since",
			func(s shop.Store) shop.Store { return neverAsksAgain{s} }},
		{"the sweep asks again at once", "times, after 0 faults",
			func(s shop.Store) shop.Store { return asksAtOnce{s} }},
		{"notices are never sent", "a notice was not sent",
			func(s shop.Store) shop.Store { return neverNotifies{s} }},
		{"deliveries are forgotten", "the factory reported",
			func(s shop.Store) shop.Store { return forgetsDeliveries{s} }},
		{"idempotency keys are ignored", "and again as",
			func(s shop.Store) shop.Store { return ignoresKeys{s} }},
	} {
		t.Run(c.name, func(t *testing.T) {
			r, err := runDays(t, config{Seed: 1, Days: 3, breakage: c.store})
			if !errors.As(err, new(*brokenRule)) || !strings.Contains(err.Error(), c.rule) {
				t.Fatalf("got %v, want the rule %q", err, c.rule)
			}
			if !strings.Contains(err.Error(), " 2026-11-") || r.Broken == "" {
				t.Errorf("neither the error %v nor the report, %q, says when", err, r.Broken)
			}
			t.Log(err)
		})
	}
}

type neverAsksAgain struct{ shop.Store }

func (neverAsksAgain) ClaimAsk(context.Context, shop.ProductionOrder, time.Time) (bool, error) {
	return false, nil
}

type asksAtOnce struct{ shop.Store }

func (s asksAtOnce) OpenOrders(ctx context.Context) ([]shop.ProductionOrder, error) {
	open, err := s.Store.OpenOrders(ctx)
	for i := range open {
		open[i].AskedAt = time.Time{}
	}
	return open, err
}

type neverNotifies struct{ shop.Store }

func (neverNotifies) ClaimNotice(context.Context, shop.Notice, time.Time, time.Time) (bool, error) {
	return false, nil
}

type forgetsDeliveries struct{ shop.Store }

func (forgetsDeliveries) Receive(context.Context, shop.Delivery) (shop.Receipt, error) {
	return shop.Receipt{}, nil
}

type ignoresKeys struct{ shop.Store }

func (s ignoresKeys) Checkout(ctx context.Context, c shop.Checkout) (shop.Decision, error) {
	c.IdempotencyKey = ""
	return s.Store.Checkout(ctx, c)
}

// TestTheQueuesAreThoseOfTheProgram compares the queues with the graph of the stage dev.
func TestTheQueuesAreThoseOfTheProgram(t *testing.T) {
	text, err := os.ReadFile("../../infra/rules/testdata/dev.golden.json")
	if err != nil {
		t.Fatal(err)
	}
	var resources map[string]struct {
		Inputs struct {
			VisibilityTimeoutSeconds, MessageRetentionSeconds int
			RedrivePolicy                                     json.RawMessage
		}
	}
	if err := json.Unmarshal(text, &resources); err != nil {
		t.Fatal(err)
	}
	seconds := func(n int) time.Duration { return time.Duration(n) * time.Second }
	for name, want := range map[string]queueDeclaration{
		"stock_queue": stockQueue, "deliveries_queue": deliveriesQueue,
	} {
		q := resources["aws:sqs/queue:Queue "+name].Inputs
		var redrive struct{ MaxReceiveCount int }
		if err := json.Unmarshal(q.RedrivePolicy, &redrive); err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		got := queueDeclaration{
			seconds(q.VisibilityTimeoutSeconds), seconds(q.MessageRetentionSeconds), redrive.MaxReceiveCount,
		}
		dead := seconds(resources["aws:sqs/queue:Queue "+name+"_dlq"].Inputs.MessageRetentionSeconds)
		if got != want || dead != deadLettersRetention {
			t.Errorf("%s is %+v in the program, and its dead letters are kept for %v; the simulation has %+v and %v",
				name, got, dead, want, deadLettersRetention)
		}
	}
}
