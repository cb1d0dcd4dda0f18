package histories

import (
	"cmp"
	"context"
	"errors"
	"flag"
	"fmt"
	"maps"
	"os"
	"regexp"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/uuid"
	"pgregory.net/rapid"

	"restock/internal/mysql/mysqltest"
	"restock/internal/shop"
)

// workers is the number of histories that run in parallel, each on its own database.
var workers = max(2, runtime.GOMAXPROCS(0))

const (
	// historiesVariable is the environment variable with the number of histories, if the flag
	// -rapid.checks does not set it. make verify sets it.
	historiesVariable = "RESTOCK_TEST_HISTORIES"
	defaultHistories  = "100"
)

// defaults are the values of rapid's flags that the command line does not set.
var defaults = map[string]string{"rapid.steps": "15", "rapid.nofailfile": "true", "rapid.shrinktime": "20s"}

func TestMain(m *testing.M) {
	flag.Parse()
	for name, value := range defaults {
		if given(name) {
			continue
		}
		if err := flag.Set(name, value); err != nil {
			fmt.Fprintf(os.Stderr, "setting -%s to %q: %v\n", name, value, err)
			os.Exit(2)
		}
	}
	mysqltest.Main(m)
}

// given reports whether the command line sets a flag.
func given(name string) (is bool) {
	flag.Visit(func(f *flag.Flag) { is = is || f.Name == name })
	return is
}

// checks is the flag with the number of histories. Code sets its value alone, so given still
// reports what the command line has.
var checks = flag.Lookup("rapid.checks")

// histories returns how many histories to run. Only tests may call it: the key of go test's cache
// has the variables that a program reads while its tests run.
func histories() (int, error) {
	text := cmp.Or(os.Getenv(historiesVariable), defaultHistories)
	if given(checks.Name) {
		text = checks.Value.String()
	}
	n, err := strconv.Atoi(text)
	if err != nil || n < 1 {
		return 0, fmt.Errorf("there are %q histories to run: want a positive number in %s or -%s", text,
			historiesVariable, checks.Name)
	}
	return n, nil
}

func TestHistories(t *testing.T) {
	before := checks.Value.String()
	t.Cleanup(func() { _ = checks.Value.Set(before) }) // it was valid
	n, err := histories()
	if err == nil {
		err = checks.Value.Set(strconv.Itoa((n + workers - 1) / workers)) // each worker runs its share
	}
	if err != nil {
		t.Fatal(err)
	}
	for worker := range workers {
		t.Run(strconv.Itoa(worker+1), func(t *testing.T) {
			t.Parallel()
			d := newDatabase(t)
			rapid.Check(anyWorker{t}, func(rt *rapid.T) {
				if broken, refused := d.run(t.Context(), rt); broken != nil || refused != nil {
					rt.Fatal(cmp.Or(broken, refused))
				}
			})
			t.Logf("replayed %d traces of products in the model; it has no room for %d more", d.replayed, d.tooWide)
			if d.replayed == 0 || d.tooWide > d.replayed/10 {
				t.Error("the model has judged too few traces: want no room for a tenth at most")
			}
		})
	}
}

// go test must not answer make verify with a cached run of make test.
func TestTheNumberOfHistoriesIsReadWhileATestRuns(t *testing.T) {
	if given(checks.Name) {
		t.Skip("the command line sets the number")
	}
	for number, want := range map[string]int{"": 100, "1000": 1000} {
		t.Setenv(historiesVariable, number)
		if got, err := histories(); err != nil || got != want {
			t.Errorf("%s=%q: got %d histories (%v), want %d", historiesVariable, number, got, err, want)
		}
	}
	t.Setenv(historiesVariable, "many")
	if got, err := histories(); err == nil || !strings.Contains(err.Error(), `"many"`) {
		t.Errorf("many histories: got %d and %v, want an error that names the value", got, err)
	}
}

func TestTheDocumentsNameTheNumbersOfHistories(t *testing.T) {
	makefile, err := os.ReadFile("../../Makefile")
	if err != nil {
		t.Fatal(err)
	}
	verify := regexp.MustCompile(historiesVariable + ` = (\d)(\d{3})\n`).FindSubmatch(makefile)
	if verify == nil {
		t.Fatalf("the Makefile does not set %s to a number with four digits", historiesVariable)
	}
	proof, err := os.ReadFile("../../docs/proof.md")
	if err != nil {
		t.Fatal(err)
	}
	want := fmt.Sprintf("`make test` runs %s histories, `make verify` %s,%s,", defaultHistories, verify[1], verify[2])
	if !strings.Contains(string(proof), want) {
		t.Errorf("docs/proof.md lacks %q", want)
	}
}

// An anyWorker is the test of a worker. A failure prints the command that replays the history. The
// command names all workers, because another machine may have fewer of them.
type anyWorker struct{ *testing.T }

// Name implements rapid.TB.
func (anyWorker) Name() string { return "TestHistories" }

// A failing is a test that keeps the message of a failure, and does not fail.
type failing struct {
	quiet
	message *string
}

func (failing) Name() string { return anyWorker{}.Name() }

func (f failing) Errorf(format string, args ...any) { *f.message += fmt.Sprintf(format, args...) }

func TestAFailurePrintsACommandThatReplaysItOnAnyMachine(t *testing.T) {
	var message string
	done := make(chan struct{})
	go func() { // rapid ends the goroutine of a test that fails
		defer close(done)
		rapid.Check(failing{quiet{t}, &message}, func(rt *rapid.T) { rt.Fatal("broken") })
	}()
	<-done
	if want := `-run="TestHistories" -rapid.seed=`; !strings.Contains(message, want) {
		t.Errorf("got %q, want a message with %s", message, want)
	}
}

// run runs one history. The first error names the broken rules, the second one the step that the
// model does not allow. A broken rule ends the history, unless the database goes on.
func (d *database) run(ctx context.Context, rt *rapid.T) (broken, refused error) {
	w, err := d.begin(ctx, drawSupplies(rt)...)
	if err != nil {
		return err, nil
	}
	rt.Repeat(w.actions(ctx, &broken))
	if broken == nil || d.goesOn {
		broken = cmp.Or(broken, w.end(ctx))
	}
	if broken == nil && !d.rulesOnly || d.goesOn {
		refused = w.replay()
	}
	return broken, refused
}

// skus are the products of the histories.
var skus = []string{mysqltest.Donut, mysqltest.Twist, mysqltest.Mochi}

// drawSupplies draws how the products begin. Often there is so little of each that bins are short,
// or just more than the reorder point.
func drawSupplies(rt *rapid.T) (supplies []supply) {
	for _, sku := range skus {
		s := supply{sku: sku, bins: drawBins(rt), reorderPoint: rapid.IntRange(0, 30).Draw(rt, "reorder point")}
		s.orderUpTo = s.reorderPoint + rapid.IntRange(1, 60).Draw(rt, "above")
		little := rapid.IntRange(s.reorderPoint+1, s.reorderPoint+s.bins+8)
		s.stock = rapid.OneOf(rapid.IntRange(0, 60), little).Draw(rt, "stock")
		supplies = append(supplies, s)
	}
	return supplies
}

// drawQuantity draws the quantity of a purchase: often less than a bin has.
func drawQuantity(rt *rapid.T) int {
	return rapid.OneOf(rapid.IntRange(1, 3), rapid.IntRange(1, 25)).Draw(rt, "quantity")
}

// drawBins draws a number of bins: one, a few, or many.
func drawBins(rt *rapid.T) int {
	return rapid.OneOf(rapid.Just(1), rapid.IntRange(2, 4), rapid.IntRange(2, 32)).Draw(rt, "bins")
}

// actions returns the actions of a history. The first error of an action is stored in broken. Later
// actions do nothing, unless the database goes on.
func (w *world) actions(ctx context.Context, broken *error) map[string]func(*rapid.T) {
	// rapid prefers actions whose names sort first.
	actions := map[string]func(context.Context, *rapid.T) error{
		"buyer buys":                     w.buy,
		"buyer buys the rest":            w.buyTheRest,
		"buyers rush":                    w.rush,
		"buyer waits":                    w.waitFor,
		"factory loses":                  w.lose,
		"factory makes":                  w.factoryMakes,
		"factory reports":                w.factoryReports,
		"factory reports again":          w.factoryReportsAgain,
		"delivery is handled":            w.handleDelivery,
		"merchant adjusts":               w.adjust,
		"merchant cancels":               w.cancel,
		"merchant changes bins":          w.changeBins,
		"merchant changes policy":        w.changePolicy,
		"merchant orders":                w.orderByHand,
		"production order is overdue":    w.orderIsOverdue,
		"sweep":                          w.faultySweep,
		"sweeps run in parallel":         w.twoSweeps,
		"time passes":                    w.passTime,
		"topic and mail fail or recover": w.failOrRecover,
	}
	repeated := map[string]func(*rapid.T){}
	drawn := w.only
	if len(drawn) == 0 {
		drawn = slices.Collect(maps.Keys(actions))
	}
	for _, name := range drawn {
		repeated[name] = func(rt *rapid.T) {
			if *broken != nil && !w.goesOn {
				return
			}
			err := actions[name](ctx, rt)
			if err == nil {
				err = errors.Join(w.closed.Check(ctx, w.Admin), w.checkWaitlists(ctx), w.observe(ctx))
			}
			*broken = cmp.Or(*broken, err)
		}
	}
	return repeated
}

// The most steps of a process before its fault. A sweep takes more steps than a request.
const (
	requestSteps = 8
	sweepSteps   = 16
)

// drawFault draws a fault for one of three processes, and none for the others.
func drawFault(rt *rapid.T, most int) fault {
	if rapid.IntRange(0, 2).Draw(rt, "fault") != 2 {
		return fault{}
	}
	// Every process has two steps; most requests have no more.
	steps := rapid.OneOf(rapid.IntRange(1, 2), rapid.IntRange(1, most))
	return fault{steps.Draw(rt, "steps"), rapid.Bool().Draw(rt, "kills")}
}

func drawSKU(rt *rapid.T) string { return rapid.SampledFrom(skus).Draw(rt, "sku") }

// buy buys a random quantity.
func (w *world) buy(ctx context.Context, rt *rapid.T) error {
	return w.buyOne(ctx, rt, w.drawPurchase(rt, drawSKU(rt)))
}

// drawPurchase draws a purchase. If the buyer has an idempotency key that is in use, the purchase
// is often the one that the key belongs to.
func (w *world) drawPurchase(rt *rapid.T, sku string) shop.Purchase {
	p := shop.Purchase{SKU: sku, Quantity: drawQuantity(rt)}
	if rapid.Bool().Draw(rt, "with a key") {
		p.IdempotencyKey = rapid.SampledFrom([]string{"a", "b", "c"}).Draw(rt, "key")
		if before, used := w.keys[p.IdempotencyKey]; used && rapid.IntRange(0, 3).Draw(rt, "another purchase") != 3 {
			p = before.Purchase
		}
	}
	return p
}

// buyTheRest buys all that is on hand, or all but the reorder point, or all but one more. It buys
// at most as much as one sale may have.
func (w *world) buyTheRest(ctx context.Context, rt *rapid.T) error {
	p, err := w.Store.Product(ctx, drawSKU(rt))
	if err != nil {
		return err
	}
	quantity := p.Stock - rapid.SampledFrom([]int{0, p.Policy.ReorderPoint, p.Policy.ReorderPoint + 1}).Draw(rt, "left")
	if p.MaxPerSale > 0 {
		quantity = min(quantity, p.MaxPerSale)
	}
	return w.buyOne(ctx, rt, shop.Purchase{SKU: p.SKU, Quantity: max(quantity, 1)})
}

// buyOne makes a purchase and checks the answer.
func (w *world) buyOne(ctx context.Context, rt *rapid.T, p shop.Purchase) error {
	t, sale := w.purchase(p)
	if err := w.run(ctx, drawFault(rt, requestSteps), t); err != nil || !isNew(*sale) {
		return err
	}
	return w.checkOrdered(ctx, p.SKU)
}

// isNew reports whether a checkout was sold or refused now.
func isNew(s shop.Sale) bool { return s.ID != uuid.Nil && !s.Repeated }

// checkOrdered checks after a checkout that the product is on order if it is short.
func (w *world) checkOrdered(ctx context.Context, sku string) error {
	p, err := w.Store.Product(ctx, sku)
	if err == nil && p.Policy.Automatic && p.Stock <= p.Policy.ReorderPoint && p.OnOrder == 0 {
		return fmt.Errorf("a checkout left a product short, and it is not on order: %+v", p)
	}
	return err
}

// purchase makes a purchase and checks the answer. The sale is the answer, the zero sale if none
// came.
func (w *world) purchase(p shop.Purchase) (t task, answer *shop.Sale) {
	var sale shop.Sale
	return task{
		do: func(ctx context.Context) (err error) {
			sale, err = w.shop.Buy(ctx, p)
			return err
		},
		check:   func(err error) error { return w.checkPurchase(p, sale, err) },
		depends: func(err error) bool { return sale.Repeated || shop.CodeOf(err) == shop.CodeIdempotencyKeyReused },
	}, &sale
}

func (w *world) checkPurchase(p shop.Purchase, sale shop.Sale, err error) error {
	before, used := w.keys[p.IdempotencyKey]
	fresh := used && w.now.Sub(before.at) <= 24*time.Hour
	switch {
	case errors.Is(err, errNotDone):
		return nil
	case errors.Is(err, errNoAnswer):
		w.uncertainSales++
		if p.IdempotencyKey != "" && !fresh {
			w.keys[p.IdempotencyKey] = purchase{p, nil, w.since(used, before.at)}
		}
		return nil
	case shop.CodeOf(err) == shop.CodeOutOfStock && err != nil:
		if sale.Stock >= p.Quantity {
			return fmt.Errorf("%+v was refused with %d on hand", p, sale.Stock)
		}
		return nil
	case shop.CodeOf(err) == shop.CodeInvalidQuantity && err != nil:
		return nil // above the product's limit for one sale
	case shop.CodeOf(err) == shop.CodeIdempotencyKeyReused && err != nil:
		if !used {
			return fmt.Errorf("the key %q was refused as reused, and nobody has used it", p.IdempotencyKey)
		}
		return nil
	case err != nil:
		return fmt.Errorf("buying %+v: %w", p, err)
	}
	if sale.Repeated {
		first := before.sale
		if !used || first != nil && (first.ID != sale.ID || first.Stock != sale.Stock || before.Purchase != p) {
			return fmt.Errorf("%+v: got the repeated sale %+v, want the first one, %+v", p, sale, first)
		}
	} else if fresh && before.sale != nil {
		return fmt.Errorf("%+v was sold as %s and again as %s", p, before.sale.ID, sale.ID)
	}
	w.sales[sale.ID] = sale
	if p.IdempotencyKey != "" {
		at := w.now
		if sale.Repeated {
			at = before.at
		}
		w.keys[p.IdempotencyKey] = purchase{p, &sale, at}
	}
	return nil
}

// since returns the earliest time at which a key may have got its request. The shop keeps a key for
// 24 hours at least. So the answer to a later request with the key may be a repetition of the first
// one, and says nothing about the time.
func (w *world) since(used bool, first time.Time) time.Time {
	if used {
		return first
	}
	return w.now
}

// waitFor asks for places on the waitlist of a product, and checks the answers. It prefers a
// product that is sold out.
func (w *world) waitFor(ctx context.Context, rt *rapid.T) error {
	all, err := w.Store.Products(ctx)
	if err != nil {
		return err
	}
	p := rapid.SampledFrom(all).Draw(rt, "product")
	soldOut := slices.IndexFunc(all, func(p shop.Product) bool { return p.Stock == 0 })
	if soldOut >= 0 && rapid.Bool().Draw(rt, "sold out") {
		p = all[soldOut]
	}
	for range rapid.IntRange(1, 5).Draw(rt, "buyers") {
		key := rapid.SampledFrom([]string{"", "", "x", "y"}).Draw(rt, "key")
		if err := w.join(ctx, p, key, drawFault(rt, requestSteps)); err != nil {
			return err
		}
	}
	return nil
}

// join asks for one place.
func (w *world) join(ctx context.Context, p shop.Product, key string, f fault) error {
	var entry shop.WaitlistEntry
	err := w.process(ctx, f, func(ctx context.Context) (err error) {
		entry, _, err = w.shop.JoinWaitlist(ctx, p.SKU, key)
		return err
	})
	switch code := shop.CodeOf(err); {
	case errors.Is(err, errNoAnswer), err != nil && code == shop.CodeInStock && p.Stock > 0,
		err != nil && code == shop.CodeIdempotencyKeyReused && key != "":
		return nil
	case err != nil:
		return fmt.Errorf("waiting for %s, of which %d are in stock: %w", p.SKU, p.Stock, err)
	case key != "":
		first, used := w.places[key]
		if used && first.ID != entry.ID && w.now.Before(first.ExpiresAt) {
			return fmt.Errorf("the key %q got the places %s and %s", key, first.ID, entry.ID)
		}
		w.places[key] = entry
		return nil
	}
	waiting, err := w.Store.Waiting(ctx, w.now)
	if err == nil && (p.Stock > 0 || entry.Place != waiting[p.ID]) {
		err = fmt.Errorf("got the place %d of %d for %s, of which %d are in stock", entry.Place, waiting[p.ID], p.SKU,
			p.Stock)
	}
	return err
}

// factoryMakes starts a lot for a message. The message may stay in the queue, which delivers at
// least once.
func (w *world) factoryMakes(_ context.Context, rt *rapid.T) error {
	if len(w.queue) == 0 {
		rt.Skip("the queue is empty")
	}
	message := rapid.IntRange(0, len(w.queue)-1).Draw(rt, "message")
	w.startLot(message)
	if rapid.IntRange(0, 4).Draw(rt, "delivered again") != 4 {
		w.queue = slices.Delete(w.queue, message, message+1)
	}
	return nil
}

// factoryReports reports a lot, or a part of it, for the first time.
func (w *world) factoryReports(ctx context.Context, rt *rapid.T) error {
	if len(w.lots) == 0 {
		if err := w.factoryMakes(ctx, rt); err != nil {
			return err
		}
	}
	w.report(w.finishLot(rt))
	if rapid.IntRange(0, 2).Draw(rt, "waits") == 2 {
		return nil
	}
	return w.handleDelivery(ctx, rt)
}

// handleDelivery books a delivery in the queue, with a fault.
func (w *world) handleDelivery(ctx context.Context, rt *rapid.T) error {
	if len(w.deliveries) == 0 {
		rt.Skip("no delivery waits")
	}
	return w.run(ctx, drawFault(rt, requestSteps), w.delivery(w.drawDelivery(rt)))
}

func (w *world) drawDelivery(rt *rapid.T) lot {
	return rapid.SampledFrom(w.deliveries).Draw(rt, "delivery")
}

// finishLot draws a lot that the factory has made, and how much of it the factory reports.
func (w *world) finishLot(rt *rapid.T) lot {
	i := rapid.IntRange(0, len(w.lots)-1).Draw(rt, "lot")
	l := w.lots[i]
	l.quantity = l.order.Quantity
	if rapid.Bool().Draw(rt, "in part") {
		l.quantity = rapid.IntRange(1, l.order.Quantity).Draw(rt, "made")
	}
	w.lots = slices.Delete(w.lots, i, i+1)
	w.finished = append(w.finished, l)
	return l
}

// factoryReportsAgain repeats a report. A queue may do the same with a message.
func (w *world) factoryReportsAgain(ctx context.Context, rt *rapid.T) error {
	if len(w.finished) == 0 {
		rt.Skip("nothing was delivered")
	}
	i := rapid.IntRange(0, len(w.finished)-1).Draw(rt, "lot")
	// Somebody else who knows the callback URL may report another quantity.
	if rapid.Bool().Draw(rt, "another quantity") {
		all := w.finished[i].order.Quantity
		w.finished[i].quantity = rapid.OneOf(rapid.IntRange(1, all), rapid.Just(all)).Draw(rt, "reported")
	}
	w.report(w.finished[i])
	return w.handleDelivery(ctx, rt)
}

// lose loses all messages (the factory refuses them until the queue gives up), or all lots (the
// factory restarts and forgets them).
func (w *world) lose(_ context.Context, rt *rapid.T) error {
	if len(w.queue)+len(w.lots) == 0 {
		rt.Skip("there are no messages and no lots")
	}
	if rapid.Bool().Draw(rt, "messages") {
		w.queue = nil
	} else {
		w.lots = nil
	}
	return nil
}

// faultySweep runs a sweep with a fault.
func (w *world) faultySweep(ctx context.Context, rt *rapid.T) error {
	_ = w.process(ctx, drawFault(rt, sweepSteps), w.sweep) // it may fail: a later sweep does the work
	return nil
}

// twoSweeps runs two sweeps in parallel.
func (w *world) twoSweeps(ctx context.Context, rt *rapid.T) error {
	if w.topicDown || w.mailDown {
		rt.Skip("the sweeps would fail")
	}
	errs := make([]error, 2)
	var both sync.WaitGroup
	for i := range errs {
		both.Go(func() { errs[i] = w.sweep(ctx) })
	}
	both.Wait()
	return errors.Join(errs...)
}

// adjust changes the stock by hand. A merchant who sent a key may repeat the request.
func (w *world) adjust(ctx context.Context, rt *rapid.T) error {
	a := w.drawAdjustment(rt, drawSKU(rt))
	if err := w.run(ctx, drawFault(rt, requestSteps), w.adjustment(a)); err != nil || a.IdempotencyKey == "" {
		return err
	}
	if !rapid.Bool().Draw(rt, "repeats it") {
		return nil
	}
	return w.run(ctx, fault{}, w.adjustment(a))
}

func (w *world) drawAdjustment(rt *rapid.T, sku string) shop.Adjustment {
	quantity := rapid.OneOf(rapid.IntRange(-40, -1), rapid.IntRange(1, 40))
	a := shop.Adjustment{SKU: sku, Quantity: quantity.Draw(rt, "quantity"), Reason: "재고 조사"}
	if rapid.Bool().Draw(rt, "with a key") {
		a.IdempotencyKey = rapid.SampledFrom([]string{"x", "y"}).Draw(rt, "key")
		if before, used := w.adjustments[a.IdempotencyKey]; used && rapid.Bool().Draw(rt, "the same") {
			a.SKU, a.Quantity = before.sku, before.quantity
		}
	}
	return a
}

// adjustment changes the stock by hand and checks the answer.
func (w *world) adjustment(a shop.Adjustment) task {
	return task{
		do: func(ctx context.Context) error {
			_, err := w.shop.Adjust(ctx, a)
			return err
		},
		check:   func(err error) error { return w.checkAdjustment(a, err) },
		depends: func(err error) bool { return shop.CodeOf(err) == shop.CodeIdempotencyKeyReused },
	}
}

func (w *world) checkAdjustment(a shop.Adjustment, err error) error {
	before, used := w.adjustments[a.IdempotencyKey]
	fresh := used && w.now.Sub(before.at) <= 24*time.Hour
	switch code := shop.CodeOf(err); {
	case errors.Is(err, errNotDone):
		return nil
	case errors.Is(err, errNoAnswer):
		if fresh && before.done {
			return nil // the answer to a repetition was lost
		}
		w.uncertainAdjustments++
		if a.IdempotencyKey != "" && !fresh {
			w.adjustments[a.IdempotencyKey] = adjustment{a.SKU, a.Quantity, false, w.since(used, before.at)}
		}
	case err == nil && fresh && before.done:
		if before.sku != a.SKU || before.quantity != a.Quantity {
			return fmt.Errorf("adjusting %+v: got the answer of %+v, which has the same key", a, before)
		}
	case err == nil && used:
		// Perhaps the first one was done: its answer was lost, or the shop has kept the key for
		// more than 24 hours.
		w.uncertainAdjustments++
		w.adjustments[a.IdempotencyKey] = adjustment{a.SKU, a.Quantity, fresh, before.at}
	case err == nil:
		w.certainAdjustments++
		if a.IdempotencyKey != "" {
			w.adjustments[a.IdempotencyKey] = adjustment{a.SKU, a.Quantity, true, w.now}
		}
	case code != shop.CodeOutOfStock && code != shop.CodeIdempotencyKeyReused:
		return fmt.Errorf("adjusting %+v: %w", a, err)
	}
	return nil
}

// leadTimes are the lead times that a history may set.
var leadTimes = []time.Duration{10 * time.Second, time.Minute, 5 * time.Minute}

// changePolicy sets how a product is restocked.
func (w *world) changePolicy(ctx context.Context, rt *rapid.T) error {
	reorderPoint := rapid.IntRange(0, 30).Draw(rt, "reorder point")
	orderUpTo := reorderPoint + rapid.IntRange(1, 60).Draw(rt, "above")
	lot := rapid.SampledFrom([]int{1, 7, 20}).Draw(rt, "lot")
	minimum := rapid.SampledFrom([]int{0, 15, 40}).Draw(rt, "minimum")
	leadTime := rapid.SampledFrom(leadTimes).Draw(rt, "lead time")
	automatic := rapid.IntRange(0, 3).Draw(rt, "automatic") != 3
	err := w.process(ctx, drawFault(rt, requestSteps), func(ctx context.Context) error {
		_, err := w.shop.ChangeProduct(ctx, drawSKU(rt), shop.ProductChange{
			ReorderPoint: &reorderPoint, OrderUpTo: &orderUpTo, LotSize: &lot,
			MinimumOrder: &minimum, LeadTime: &leadTime, Automatic: &automatic,
		})
		return err
	})
	if err != nil && !errors.Is(err, errNoAnswer) {
		return fmt.Errorf("changing the policy: %w", err)
	}
	return nil
}

// changeBins changes the number of bins of a product.
func (w *world) changeBins(ctx context.Context, rt *rapid.T) error {
	return w.run(ctx, drawFault(rt, requestSteps), w.binChange(rt, drawSKU(rt)))
}

func (w *world) binChange(rt *rapid.T, sku string) task {
	bins := drawBins(rt)
	return task{
		do: func(ctx context.Context) error {
			_, err := w.shop.ChangeProduct(ctx, sku, shop.ProductChange{Bins: &bins})
			return err
		},
		check: func(err error) error {
			if err != nil && !errors.Is(err, errNoAnswer) {
				return fmt.Errorf("changing the bins of %s to %d: %w", sku, bins, err)
			}
			return nil
		},
	}
}

// rush runs buyers in parallel, most of them of one product. At the same time the merchant may
// adjust the stock or change the bins, and the factory may deliver.
func (w *world) rush(ctx context.Context, rt *rapid.T) error {
	sku := drawSKU(rt)
	var tasks []task
	var sales []*shop.Sale
	for range rapid.IntRange(2, 7).Draw(rt, "buyers") {
		t, sale := w.purchase(w.drawPurchase(rt, sku))
		tasks, sales = append(tasks, t), append(sales, sale)
	}
	if rapid.IntRange(0, 2).Draw(rt, "adjustment") == 2 {
		a := w.drawAdjustment(rt, sku)
		a.IdempotencyKey = ""
		tasks = append(tasks, w.adjustment(a))
	}
	if rapid.IntRange(0, 2).Draw(rt, "bins change") == 2 {
		tasks = append(tasks, w.binChange(rt, sku))
	}
	if len(w.lots) > 0 && rapid.Bool().Draw(rt, "report") {
		w.report(w.finishLot(rt))
	}
	if len(w.deliveries) > 0 && rapid.IntRange(0, 3).Draw(rt, "no delivery") < 3 {
		tasks = append(tasks, w.delivery(w.drawDelivery(rt)))
	}
	f := drawFault(rt, requestSteps)
	if err := w.inParallel(ctx, f, tasks); err != nil || f.steps > 0 {
		return err // after a fault only the next sweep checks whether a product is short
	}
	for _, s := range sales {
		if isNew(*s) {
			if err := w.checkOrdered(ctx, s.SKU); err != nil {
				return err
			}
		}
	}
	return nil
}

// inParallel runs tasks in parallel, each as a process of its own. A fault happens to one of them.
func (w *world) inParallel(ctx context.Context, f fault, tasks []task) error {
	w.faults.set(f)
	defer w.faults.set(fault{})
	answers := make([]error, len(tasks))
	var all sync.WaitGroup
	for i, t := range tasks {
		all.Go(func() { answers[i] = answerOf(ctx, t.do) })
	}
	all.Wait()
	var errs []error
	for _, dependent := range []bool{false, true} {
		for i, t := range tasks {
			if dependent == (t.depends != nil && t.depends(answers[i])) {
				errs = append(errs, t.check(answers[i]))
			}
		}
	}
	return errors.Join(errs...)
}

// orderByHand opens a production order as a merchant does.
func (w *world) orderByHand(ctx context.Context, rt *rapid.T) error {
	sku, quantity := drawSKU(rt), rapid.IntRange(0, 30).Draw(rt, "quantity")
	err := w.process(ctx, drawFault(rt, requestSteps), func(ctx context.Context) error {
		_, err := w.shop.OpenOrder(ctx, sku, quantity)
		return err
	})
	switch code := shop.CodeOf(err); {
	case err == nil, errors.Is(err, errNoAnswer), code == shop.CodeOrderOpen,
		code == shop.CodeInvalidQuantity && quantity == 0:
		return nil
	}
	return fmt.Errorf("ordering %d of %s by hand: %w", quantity, sku, err)
}

// cancel cancels a production order, which may be closed already.
func (w *world) cancel(ctx context.Context, rt *rapid.T) error {
	orders, err := w.Store.ProductionOrders(ctx, shop.OrderFilter{Limit: 3})
	if err != nil {
		return err
	}
	if len(orders) == 0 {
		rt.Skip("nothing was ordered")
	}
	o := orders[rapid.IntRange(0, len(orders)-1).Draw(rt, "order")]
	err = w.process(ctx, drawFault(rt, requestSteps), func(ctx context.Context) error {
		_, err := w.shop.CancelOrder(ctx, o.ID)
		return err
	})
	switch {
	case err == nil, errors.Is(err, errNoAnswer),
		o.Status != shop.OrderOpen && shop.CodeOf(err) == shop.CodeOrderNotOpen:
		return nil
	}
	return fmt.Errorf("cancelling %+v: %w", o, err)
}

func (w *world) passTime(_ context.Context, rt *rapid.T) error {
	w.now = w.now.Add(rapid.SampledFrom([]time.Duration{
		time.Second, 31 * time.Second, 2 * time.Minute, 5 * time.Minute, 21 * time.Minute, 81 * time.Minute,
		25 * time.Hour,
	}).Draw(rt, "time"))
	return nil
}

// orderIsOverdue lets time pass until an order is overdue, and sweeps.
func (w *world) orderIsOverdue(ctx context.Context, rt *rapid.T) error {
	open, err := w.Store.OpenOrders(ctx)
	if err != nil {
		return err
	}
	if len(open) == 0 {
		rt.Skip("no order is open")
	}
	if ends := rapid.SampledFrom(open).Draw(rt, "order").PatienceEnds(); ends.After(w.now) {
		w.now = ends.Add(time.Second)
	}
	return w.faultySweep(ctx, rt)
}

// failOrRecover decides whether the topic and the mail work.
func (w *world) failOrRecover(_ context.Context, rt *rapid.T) error {
	w.topicDown, w.mailDown = rapid.Bool().Draw(rt, "topic down"), rapid.Bool().Draw(rt, "mail down")
	return nil
}
