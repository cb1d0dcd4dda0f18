package mysql_test

import (
	"context"
	"errors"
	"fmt"
	"sync/atomic"
	"testing"
	"time"

	"golang.org/x/sync/errgroup"

	"restock/internal/mysql/mysqltest"
	"restock/internal/shop"
)

// A mailbox is a notifier that keeps the notices.
type mailbox struct{ notices chan shop.Notice }

func (m mailbox) Notify(_ context.Context, n shop.Notice) error {
	m.notices <- n
	return nil
}

// kinds empties the mailbox, and returns the number of notices by kind.
func (m mailbox) kinds() map[shop.NoticeKind]int {
	kinds := map[shop.NoticeKind]int{}
	for {
		select {
		case n := <-m.notices:
			kinds[n.Kind]++
		default:
			return kinds
		}
	}
}

// sweeps runs n sweeps at once. Their clock starts at a time and moves on by a microsecond whenever
// a sweep reads it, because two real sweeps never see the same time.
func (f *fixture) sweeps(t *testing.T, n int, at time.Time) {
	t.Helper()
	var reads atomic.Int64
	f.Now = func() time.Time { return at.Add(time.Duration(reads.Add(1)) * time.Microsecond) }
	var group errgroup.Group
	for range n {
		group.Go(func() error { _, err := f.Sweep(t.Context()); return err })
	}
	if err := group.Wait(); err != nil {
		t.Fatal(err)
	}
}

func newSweptFixture(t *testing.T) (*fixture, mailbox) {
	t.Helper()
	f, mail := newFixture(t, 16), mailbox{make(chan shop.Notice, 100)}
	f.Notifier = mail
	return f, mail
}

var noon = time.Date(2026, 11, 21, 12, 0, 0, 0, time.UTC)

// down is a publisher that always fails.
type down struct{}

func (down) Publish(context.Context, shop.ProductionOrder) error { return errors.New("SNS is down") }

func TestSixteenSweepsAtOnceSendEachMessageOnce(t *testing.T) {
	f, mail := newSweptFixture(t)
	f.Now = func() time.Time { return noon }
	f.Publisher = down{}
	skus := []string{donut, mysqltest.Twist, mysqltest.Mochi}
	for _, sku := range skus {
		if _, err := f.OpenOrder(t.Context(), sku, 30); err != nil {
			t.Fatal(err)
		}
	}
	f.Publisher = f
	check := func(what string, messages int, notices map[shop.NoticeKind]int) {
		t.Helper()
		if len(f.published) != messages {
			t.Errorf("%s: %d messages were sent, want %d", what, len(f.published), messages)
		}
		if got := mail.kinds(); fmt.Sprint(got) != fmt.Sprint(notices) {
			t.Errorf("%s: the notices are %v, want %v", what, got, notices)
		}
		f.published = nil
	}
	nothing := map[shop.NoticeKind]int{}
	at := noon.Add(29 * time.Second)
	f.sweeps(t, 16, at)
	check("within the grace of the callers that opened the orders", 0, nothing)
	at = noon.Add(31 * time.Second)
	f.sweeps(t, 16, at)
	check("after the grace", len(skus), nothing)
	f.sweeps(t, 16, at.Add(2*time.Minute-time.Second))
	check("within twice the lead time", 0, nothing)
	for ask, notices := range []map[shop.NoticeKind]int{{shop.NoticeOrderOverdue: len(skus)}, nothing, nothing} {
		at = at.Add(time.Minute<<(ask+1) + time.Second)
		f.sweeps(t, 16, at)
		check(fmt.Sprintf("ask %d", ask+2), len(skus), notices)
	}
	// Only the doughnut is short now, so only its next order opens.
	f.Exec(t, `UPDATE product SET reorder_point = 3 WHERE sku = ?`, donut)
	at = at.Add(16*time.Minute + time.Second)
	f.sweeps(t, 16, at)
	check("after the last request's patience", 1, map[shop.NoticeKind]int{shop.NoticeOrderFailed: len(skus)})
	failed := f.Number(t, `SELECT COUNT(*) FROM production_order WHERE status = 'failed' AND asks = 4`)
	if failed != len(skus) {
		t.Errorf("%d orders failed after four asks, want %d", failed, len(skus))
	}
	f.sweeps(t, 16, at.Add(time.Second))
	check("afterwards", 0, nothing)
	f.CheckBooks(t)
}

func TestAPartlyDeliveredOrderIsClosedShortAndReplaced(t *testing.T) {
	f, mail := newSweptFixture(t)
	f.Now = func() time.Time { return noon }
	order := f.soldOut(t)
	deliver := func(quantity int) shop.Receipt {
		t.Helper()
		r, err := f.Receive(t.Context(), shop.Delivery{
			ProductionOrderID: order.ID, AttemptID: newID(t), SKU: donut, Quantity: quantity, Signed: 100,
		})
		if err != nil {
			t.Fatal(err)
		}
		return r
	}
	deliver(40)
	if _, err := f.Buy(t.Context(), shop.Purchase{SKU: donut, Quantity: 40}); err != nil {
		t.Fatal(err)
	}
	f.sweeps(t, 4, noon.Add(2*time.Minute+time.Second))
	if got := mail.kinds(); len(got) != 1 || got[shop.NoticeOrderShort] != 1 {
		t.Errorf("the notices are %v, want one order that came short", got)
	}
	closed, err := f.ProductionOrder(t.Context(), order.ID)
	if err != nil || closed.Status != shop.OrderShort || closed.Received != 40 || closed.ClosedAt.IsZero() {
		t.Errorf("the order is %+v, %v; want it short with 40 received", closed, err)
	}
	if len(f.published) != 2 || f.published[1].Quantity != 100 {
		t.Fatalf("published %+v, want a second order, of 100", f.published)
	}
	if r := deliver(60); !r.Late || r.Surplus != 0 || r.Stock != 60 {
		t.Errorf("the late delivery: got %+v, want it booked and late", r)
	}
	if r := deliver(10); r.Surplus != 10 || r.Stock != 70 {
		t.Errorf("the delivery beyond the order: got %+v, want it booked, and a surplus of 10", r)
	}
	f.sweeps(t, 4, noon.Add(3*time.Minute))
	if got := mail.kinds(); len(got) != 2 || got[shop.NoticeLateReceipt] != 1 || got[shop.NoticeSurplus] != 1 {
		t.Errorf("the notices are %v, want a late receipt and a surplus", got)
	}
	f.CheckBooks(t)
}

func TestFailedNoticesAreSentAgain(t *testing.T) {
	f, mail := newSweptFixture(t)
	f.Now = func() time.Time { return noon }
	order := f.soldOut(t)
	f.Notifier = failing{}
	later := noon.Add(3 * time.Minute) // overdue
	f.Now = func() time.Time { return later }
	if r, err := f.Sweep(t.Context()); err == nil || r.Notified != 0 || r.AskedAgain != 1 {
		t.Errorf("a sweep that cannot send notices: got %+v, %v; want an error, and the rest done", r, err)
	}
	f.Notifier = mail
	for i, c := range []struct {
		after time.Duration
		want  int
	}{{29 * time.Second, 0}, {30 * time.Second, 1}, {time.Minute, 0}} {
		f.sweeps(t, 2, later.Add(c.after))
		if got := mail.kinds()[shop.NoticeOrderOverdue]; got != c.want {
			t.Errorf("sweep %d, after %v: %d notices were sent, want %d", i+1, c.after, got, c.want)
		}
	}
	got, err := f.ProductionOrder(t.Context(), order.ID)
	if err != nil || got.Asks != 2 || !got.AskedAt.Equal(later) || !got.PublishedAt.Equal(noon) {
		t.Errorf("got %+v, %v; want two asks, the last at %v, and the first publication's time", got, err, later)
	}
}

type failing struct{}

func (failing) Notify(context.Context, shop.Notice) error { return errors.New("SNS is down") }

func TestAMessageThatCannotBeSentDoesNotStopTheOthers(t *testing.T) {
	f, _ := newSweptFixture(t)
	f.Now = func() time.Time { return noon }
	f.Publisher = down{}
	for _, sku := range []string{donut, mysqltest.Twist} {
		if _, err := f.OpenOrder(t.Context(), sku, 30); err != nil {
			t.Fatal(err)
		}
	}
	f.Publisher = picky{f}
	f.Now = func() time.Time { return noon.Add(time.Minute) }
	r, err := f.Sweep(t.Context())
	if err == nil || r.Published != 1 || len(f.published) != 1 || f.published[0].SKU != mysqltest.Twist {
		t.Errorf("got %+v, %v, published %+v; want an error, and the other order published", r, err, f.published)
	}
}

// picky fails to publish orders of doughnuts.
type picky struct{ shop.Publisher }

func (p picky) Publish(ctx context.Context, o shop.ProductionOrder) error {
	if o.SKU == donut {
		return errors.New("SNS is down")
	}
	return p.Publisher.Publish(ctx, o)
}

func TestAllKindsOfRequestsAtOnceKeepTheBooksRight(t *testing.T) {
	f, _ := newSweptFixture(t)
	var group errgroup.Group
	group.SetLimit(16)
	allowed := func(err error, codes ...shop.Code) error {
		for _, code := range codes {
			if err != nil && shop.CodeOf(err) == code {
				return nil
			}
		}
		return err
	}
	for i := range 300 {
		group.Go(func() error {
			ctx := t.Context()
			switch i % 6 {
			case 0, 1, 2:
				_, err := f.Buy(ctx, shop.Purchase{SKU: mysqltest.Twist, Quantity: 1 + i%20})
				return allowed(err, shop.CodeOutOfStock)
			case 3:
				orders, _, err := f.ProductionOrders(ctx, shop.OrderFilter{SKU: mysqltest.Twist, Limit: 1})
				if err != nil || len(orders) == 0 {
					return err
				}
				_, err = f.Receive(ctx, shop.Delivery{
					ProductionOrderID: orders[0].ID, AttemptID: newID(t),
					SKU: mysqltest.Twist, Quantity: 1 + i%40, Signed: 40,
				})
				return err
			case 4:
				_, err := f.Adjust(ctx, shop.Adjustment{SKU: mysqltest.Twist, Quantity: i%9 - 20, Reason: "damaged"})
				return allowed(err, shop.CodeOutOfStock)
			default:
				change := shop.ProductChange{ReorderPoint: ptr(i % 30)}
				if _, err := f.ChangeProduct(ctx, mysqltest.Twist, change); err != nil {
					return err
				}
				_, err := f.Sweep(ctx)
				return err
			}
		})
	}
	if err := group.Wait(); err != nil {
		t.Error(err)
	}
	f.CheckBooks(t)
	if r, err := f.Sweep(t.Context()); err != nil || r.Difference != 0 {
		t.Errorf("the last sweep: got %+v, %v", r, err)
	}
	p, err := f.Database.Store.Product(t.Context(), mysqltest.Twist)
	// After an order was opened, sales or a new reorder point may need more than it brings. A
	// second order cannot open, so the product may be below its reorder point.
	if err != nil || p.OnOrder == 0 && p.Stock <= p.Policy.ReorderPoint {
		t.Errorf("got %+v, %v; want a stock above the reorder point, or an open order", p, err)
	}
}

func TestBuyersAndAdjustmentsTakeExactlyTheStock(t *testing.T) {
	f := newFixture(t, 16)
	const stock, each = 50, 40
	f.SetStock(t, stock)
	taken := make(chan int, 2*each)
	var group errgroup.Group
	for range each {
		group.Go(func() error {
			_, err := f.Buy(t.Context(), shop.Purchase{SKU: donut, Quantity: 1})
			return count(taken, err)
		})
		group.Go(func() error {
			_, err := f.Adjust(t.Context(), shop.Adjustment{SKU: donut, Quantity: -1, Reason: "damaged"})
			return count(taken, err)
		})
	}
	if err := group.Wait(); err != nil {
		t.Error(err)
	}
	if len(taken) != stock || f.Stock(t) != 0 {
		t.Errorf("%d were taken of %d, %d are left", len(taken), stock, f.Stock(t))
	}
	if len(f.published) != 1 {
		t.Errorf("%d orders are published, want one", len(f.published))
	}
	f.CheckBooks(t)
}

func count(taken chan<- int, err error) error {
	if err == nil {
		taken <- 1
		return nil
	}
	if shop.CodeOf(err) == shop.CodeOutOfStock {
		return nil
	}
	return err
}

func TestKeysAreForgottenAfterADay(t *testing.T) {
	f, _ := newSweptFixture(t)
	now := time.Now() // the ids contain the real time
	f.SetStock(t, 100)
	purchase := shop.Purchase{SKU: donut, Quantity: 1, IdempotencyKey: "one click"}
	adjustment := shop.Adjustment{SKU: donut, Quantity: -1, Reason: "damaged", IdempotencyKey: "one stocktake"}
	for range 2 {
		if _, err := f.Buy(t.Context(), purchase); err != nil {
			t.Fatal(err)
		}
		if _, err := f.Adjust(t.Context(), adjustment); err != nil {
			t.Fatal(err)
		}
	}
	order, err := f.OpenOrder(t.Context(), mysqltest.Twist, 10)
	if err != nil {
		t.Fatal(err)
	}
	delivery := shop.Delivery{
		ProductionOrderID: order.ID, AttemptID: newID(t), SKU: mysqltest.Twist, Quantity: 10, Signed: 10,
	}
	if r, err := f.Receive(t.Context(), delivery); err != nil || r.Repeated {
		t.Fatalf("the delivery: got %+v, %v; want it booked", r, err)
	}
	for _, c := range []struct {
		age        time.Duration
		keys, left int
	}{{24*time.Hour - time.Minute, 2, 98}, {24*time.Hour + time.Minute, 0, 98}, {25 * time.Hour, 0, 98}} {
		f.sweeps(t, 2, now.Add(c.age))
		keys := f.Number(t, `
			SELECT (SELECT COUNT(idempotency_key) FROM sale) + (SELECT COUNT(idempotency_key) FROM adjustment)`)
		if keys != c.keys || f.Stock(t) != c.left {
			t.Errorf("after %v: %d keys are kept, %d on hand; want %d and %d", c.age, keys, f.Stock(t), c.keys, c.left)
		}
	}
	if sale, err := f.Buy(t.Context(), purchase); err != nil || sale.Repeated || sale.Stock != 97 {
		t.Errorf("the key after a day: got %+v, %v; want a new sale", sale, err)
	}
	if r, err := f.Receive(t.Context(), delivery); err != nil || !r.Repeated {
		t.Errorf("the callback after a day: got %+v, %v; want it known", r, err)
	}
}

func TestKeysAreForgottenInBatches(t *testing.T) {
	f := newFixture(t, 1)
	f.SetStock(t, 100)
	for i := range 7 {
		purchase := shop.Purchase{SKU: donut, Quantity: 1, IdempotencyKey: fmt.Sprint(i)}
		if _, err := f.Buy(t.Context(), purchase); err != nil {
			t.Fatal(err)
		}
	}
	all, more := 0, true
	for more {
		forgotten := 0
		var err error
		forgotten, more, err = f.Database.Store.ForgetKeys(t.Context(), time.Now().Add(time.Minute), 3)
		if err != nil || forgotten > 3 {
			t.Fatalf("got %d, %v; want at most 3", forgotten, err)
		}
		all += forgotten
	}
	if all != 7 {
		t.Errorf("%d keys are forgotten in all, want 7", all)
	}
}
