package main

import (
	"bytes"
	"context"
	"encoding/json"
	"encoding/xml"
	"errors"
	"io"
	"log/slog"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-lambda-go/events"
	"github.com/google/uuid"

	"restock/internal/factory"
	"restock/internal/secrets"
	"restock/internal/shop"
	"restock/lambdas"
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
		r, err := runDays(t, config{Seed: seed, Days: 2})
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
		!strings.Contains(err.Error(), "is overdue since ") ||
		!strings.HasSuffix(err.Error(), `: make month SEED=1 ARGS="-days 2"`) {
		t.Errorf("got %v, want the seed, the time, the rule and the command", err)
	}
}

// TestBrokenShopsAreCaught tests the simulation itself: it must find each of these bugs. The test
// of the command above has one more.
func TestBrokenShopsAreCaught(t *testing.T) {
	for _, c := range []struct {
		name, rule string
		store      func(shop.Store) shop.Store
		world      func(*world)
	}{
		{name: "the sweep asks again at once", rule: "times, after 0 faults",
			store: func(s shop.Store) shop.Store { return asksAtOnce{s} }},
		{name: "the sweep asks again after an outage of the database", rule: "times, after ",
			store: func(outage *bool) func(shop.Store) shop.Store {
				return func(s shop.Store) shop.Store { return asksAfterOutages{s, outage} }
			}(new(bool)), world: func(w *world) {
				// A sweep fails in each outage. The shop itself breaks no rule in such a month.
				w.every(time.Hour, w.unlessCalm(w.databaseAway(sweepInterval, 2*sweepInterval)))
			}},
		{name: "notices are never sent", rule: "a notice was not sent",
			store: func(s shop.Store) shop.Store { return neverNotifies{s} }},
		{name: "deliveries are forgotten", rule: "the factory reported",
			store: func(s shop.Store) shop.Store { return forgetsDeliveries{s} }},
		{name: "idempotency keys are ignored", rule: "and again as",
			store: func(s shop.Store) shop.Store { return ignoresKeys{s} }},
		{name: "all signatures are accepted", rule: "the factory reported 0, and", world: acceptsAllSignatures},
	} {
		t.Run(c.name, func(t *testing.T) {
			r, err := runDays(t, config{Seed: 1, Days: 3, breakage: c.store, sabotage: c.world})
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

// asksAfterOutages asks again for all open orders in the first sweep after one that failed.
type asksAfterOutages struct {
	shop.Store
	outage *bool
}

func (s asksAfterOutages) OpenOrders(ctx context.Context) ([]shop.ProductionOrder, error) {
	open, err := s.Store.OpenOrders(ctx)
	for i := range open {
		if *s.outage {
			open[i].AskedAt = time.Time{}
		}
	}
	*s.outage = err != nil
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

// acceptsAllSignatures signs each callback anew before its signature is checked.
func acceptsAllSignatures(w *world) {
	now := func() time.Time { return w.now }
	keys := secrets.NewCallbackKeys(w.vault, callbackKey, slog.New(slog.DiscardHandler), now)
	handle := w.deliveries.handle
	w.deliveries.handle = func(ctx context.Context, e events.SQSEvent) (r events.SQSEventResponse, err error) {
		key, err := keys.Current(ctx)
		if err != nil {
			return r, err
		}
		signer, err := factory.NewSigner(key.Key)
		if err != nil {
			return r, err
		}
		for i, m := range e.Records {
			of := func(name string) uuid.UUID { return uuid.MustParse(*m.MessageAttributes[name].StringValue) }
			quantity, err := strconv.Atoi(*m.MessageAttributes["quantity"].StringValue)
			if err != nil {
				return r, err
			}
			_, template, _ := strings.Cut(lambdas.RouteGoodsReceipt, " ")
			u := signer.CallbackURL("", template, factory.Attempt{
				ProductionOrderID: of("order"), ID: of("attempt"), Quantity: quantity,
			})
			signed, _, err := callback(factory.Request{CallbackURL: u})
			if err != nil {
				return r, err
			}
			e.Records[i].MessageAttributes = signed.MessageAttributes
		}
		return handle(ctx, e)
	}
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
