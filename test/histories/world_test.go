package histories

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/google/uuid"

	"restock/internal/mysql/invariants"
	"restock/internal/mysql/mysqltest"
	"restock/internal/shop"
	"restock/test/model"
)

// A database runs one history after another.
type database struct {
	*mysqltest.Database
	// breakage returns a store with a bug that the tests must find. Nil means no bug.
	breakage func(shop.Store) shop.Store
	// forgetful is another bug: a delivery that could not be booked leaves its queue.
	forgetful bool
	// only are the actions that are drawn. Empty means all.
	only []string
	// rulesOnly means that the trace of a history is not judged, goesOn that it is judged even
	// after a broken rule.
	rulesOnly, goesOn bool
	// pictures is the folder for pictures of calls that no order explains. Empty: the folder for
	// temporary files, where they stay.
	pictures string
	name     string // of the test

	replayed, tooWide int // traces that were compared with the model, or were too wide for it
}

func newDatabase(tb testing.TB) *database {
	tb.Helper()
	// A sale takes from the bin that its connection chooses. 8 connections choose 8 bins.
	d := &database{Database: mysqltest.New(tb, 8), name: tb.Name()}
	d.Exec(tb, `CREATE TABLE first_product AS SELECT * FROM product`)
	d.Exec(tb, `CREATE PROCEDURE start_again()
		BEGIN
			START TRANSACTION;
			DELETE FROM notice;
			DELETE FROM waitlist;
			DELETE FROM movement;
			DELETE FROM bin_checkpoint;
			DELETE FROM production_order;
			DELETE FROM bin;
			DELETE FROM product;
			INSERT INTO product SELECT * FROM first_product;
			COMMIT;
		END`)
	d.Exec(tb, `CREATE PROCEDURE fill(
			p_sku VARCHAR(64), p_bins INT, p_stock INT, p_reorder_point INT, p_order_up_to INT)
		BEGIN
			DECLARE v_product_id BINARY(16);
			SELECT product_id INTO v_product_id FROM product WHERE sku = p_sku;
			START TRANSACTION;
			UPDATE product SET bins = p_bins, reorder_point = p_reorder_point, order_up_to = p_order_up_to
				WHERE sku = p_sku;
			INSERT INTO bin (product_id, bin)
				WITH RECURSIVE bins (bin) AS (SELECT 0 UNION ALL SELECT bin + 1 FROM bins WHERE bin + 1 < p_bins)
				SELECT v_product_id, bin FROM bins;
			CALL move(v_product_id, 0, p_stock, 'opening', NULL, NULL, NULL, NULL, UTC_TIMESTAMP(6), '');
			COMMIT;
		END`)
	// Faster: the data need not survive a crash of the server.
	d.Exec(tb, `SET GLOBAL innodb_flush_log_at_trx_commit = 0`)
	d.Exec(tb, `SET GLOBAL sync_binlog = 0`)
	return d
}

// A world is the shop under test and a simulation of everything around it: clock, topic, mail,
// factory and callers. It remembers the answers that callers got.
type world struct {
	*database
	shop   *shop.Shop
	faults faultInjector
	record *recorder // of the calls of the shop
	tracer *tracer   // of what the store did

	now time.Time
	ids uint64

	mu        sync.Mutex // guards ids and the fields down to notified: processes may run in parallel
	topicDown bool
	mailDown  bool
	queue     []shop.ProductionOrder // the messages to the factory
	accepted  map[uuid.UUID]bool     // production orders whose message the topic has accepted
	notified  map[string]int         // the number of notices, by noticeKey

	lots     []lot // lots that the factory is making
	finished []lot // lots that the factory has reported, and may report again
	// deliveries are the reports that wait in the queue of deliveries.
	deliveries []lot

	sales          map[uuid.UUID]shop.Sale       // the sales that buyers got as an answer
	uncertainSales int                           // checkouts whose buyers got no answer
	keys           map[string]purchase           // by idempotency key
	acknowledged   map[uuid.UUID]int             // by attempt: the largest quantity of a booked callback
	reported       map[uuid.UUID]int             // by attempt: the largest quantity of any callback
	expected       map[string]bool               // the notices that the shop must send, by noticeKey
	closed         invariants.Closed             // as of the last check
	adjustments    map[string]adjustment         // by idempotency key
	places         map[string]shop.WaitlistEntry // by idempotency key

	certainAdjustments, uncertainAdjustments int // with an acknowledgement; may be stored
}

// A lot is an attempt of the factory to make a production order.
type lot struct {
	attempt  uuid.UUID
	order    shop.ProductionOrder
	quantity int // the quantity that the factory reports; 0 before the first report
}

// A purchase is what a buyer knows of the first purchase with an idempotency key.
type purchase struct {
	shop.Purchase
	sale *shop.Sale // nil if no answer came
	at   time.Time
}

// An adjustment is what a merchant knows of the first adjustment with an idempotency key.
type adjustment struct {
	sku      string
	quantity int
	done     bool // false if no answer came
	at       time.Time
}

// A supply is how a product begins a history.
type supply struct {
	sku                            string
	bins                           int
	stock, reorderPoint, orderUpTo int
}

// begin begins a history with a new shop on the database.
func (d *database) begin(ctx context.Context, supplies ...supply) (*world, error) {
	if _, err := d.Admin.ExecContext(ctx, `CALL start_again()`); err != nil {
		return nil, fmt.Errorf("starting again: %w", err)
	}
	for _, s := range supplies {
		_, err := d.Admin.ExecContext(ctx, `CALL fill(?, ?, ?, ?, ?)`,
			s.sku, s.bins, s.stock, s.reorderPoint, s.orderUpTo)
		if err != nil {
			return nil, fmt.Errorf("starting again with %+v: %w", s, err)
		}
	}
	w := &world{
		database: d, now: time.Date(2026, 11, 21, 12, 0, 0, 0, time.UTC),
		accepted: map[uuid.UUID]bool{}, notified: map[string]int{}, sales: map[uuid.UUID]shop.Sale{},
		keys: map[string]purchase{}, acknowledged: map[uuid.UUID]int{}, reported: map[uuid.UUID]int{},
		expected: map[string]bool{}, closed: invariants.Closed{}, adjustments: map[string]adjustment{},
		places: map[string]shop.WaitlistEntry{},
	}
	var store shop.Store = d.Store
	if d.breakage != nil {
		store = d.breakage(store)
	}
	w.tracer = newTracer(store, func() time.Time { return w.now })
	w.record = newRecorder(faultyStore{w.tracer, &w.faults})
	w.record.picture = d.picture()
	for _, s := range supplies {
		if err := w.tracer.begin(ctx, s.sku, s.stock); err != nil {
			return nil, err
		}
		w.record.open(s.sku, s.stock, s.bins)
	}
	w.shop = &shop.Shop{
		Store: w.record, Publisher: w, Notifier: w, Journal: shop.Discard,
		Now: func() time.Time { return w.now }, NewID: func() (uuid.UUID, error) { return w.newID(), nil },
	}
	return w, nil
}

// newID returns a UUIDv7 of the simulated time.
func (w *world) newID() (id uuid.UUID) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.ids++
	binary.BigEndian.PutUint64(id[:8], uint64(w.now.UnixMilli())<<16)
	binary.BigEndian.PutUint64(id[8:], w.ids)
	id[6], id[8] = 7<<4, 2<<6
	return id
}

// Publish puts a message into the factory's queue, unless the topic is down.
func (w *world) Publish(_ context.Context, o shop.ProductionOrder) error {
	_, err := write(&w.faults, func() (none, error) {
		w.mu.Lock()
		defer w.mu.Unlock()
		if w.topicDown {
			return none{}, errors.New("the topic is down")
		}
		w.queue = append(w.queue, o)
		w.accepted[o.ID] = true
		w.tracer.add(o.SKU, model.Event{Kind: model.Published, Order: o.ID})
		return none{}, nil
	})
	return err
}

// Notify counts a notice, unless the mail is down.
func (w *world) Notify(_ context.Context, n shop.Notice) error {
	_, err := write(&w.faults, func() (none, error) {
		w.mu.Lock()
		defer w.mu.Unlock()
		if w.mailDown {
			return none{}, errors.New("the mail is down")
		}
		w.notified[noticeKey(n.Kind, n.AttemptID)]++
		w.tracer.add(n.Order.SKU, model.Event{Kind: model.Notified, Order: n.Order.ID, Notice: n.Kind})
		return none{}, nil
	})
	return err
}

// noticeKey identifies a notice about an attempt.
func noticeKey(kind shop.NoticeKind, attempt uuid.UUID) string {
	return string(kind) + " of attempt " + attempt.String()
}

// errNoAnswer means that the process died or lost its connection. The call may have taken effect.
var errNoAnswer = errors.New("no answer")

// errNotDone means that no answer came and that the call has had no effect.
var errNotDone = fmt.Errorf("nothing was done: %w", errNoAnswer)

// process runs a function as one process, with a fault, until it returns or the fault kills it.
func (w *world) process(ctx context.Context, f fault, do func(context.Context) error) error {
	w.faults.set(f)
	defer w.faults.set(fault{})
	return answerOf(ctx, do)
}

// answerOf runs a function until it returns or a fault kills it. It returns the answer that its
// caller gets.
func answerOf(ctx context.Context, do func(context.Context) error) (err error) {
	defer func() {
		switch cause := recover().(type) {
		case nil:
		case killed:
			err = errNoAnswer
		default:
			panic(cause)
		}
	}()
	err = do(ctx)
	switch shop.CodeOf(err) {
	case shop.CodeUnavailable:
		return errNotDone
	case shop.CodeOutcomeUnknown:
		return errNoAnswer
	}
	return err
}

// startLot makes the factory start a lot for the message at an index of the queue.
func (w *world) startLot(message int) {
	l := lot{attempt: w.newID(), order: w.queue[message]}
	w.lots = append(w.lots, l)
	w.tracer.add(l.order.SKU, model.Event{Kind: model.Requested, Order: l.order.ID, Attempt: l.attempt})
}

// A task is a call of the shop, and a check of its answer.
type task struct {
	do    func(context.Context) error
	check func(error) error
	// depends reports whether the answer depends on the answer to another call, for example because
	// it repeats that call. If tasks run in parallel, such answers are checked last. May be nil.
	depends func(error) bool
}

// run runs a task as one process.
func (w *world) run(ctx context.Context, f fault, t task) error {
	return t.check(w.process(ctx, f, t.do))
}

// report calls back as the factory does. The API puts the call into the queue of deliveries.
func (w *world) report(l lot) {
	w.reported[l.attempt] = max(w.reported[l.attempt], l.quantity)
	w.deliveries = append(w.deliveries, l)
	w.tracer.add(l.order.SKU, model.Event{
		Kind: model.Reported, Order: l.order.ID, Attempt: l.attempt, Quantity: l.quantity,
	})
}

// delivery books a delivery in the queue. It leaves the queue if it was booked.
func (w *world) delivery(l lot) task {
	var receipt shop.Receipt
	return task{
		do: func(ctx context.Context) (err error) {
			receipt, err = w.shop.Receive(ctx, shop.Delivery{ProductionOrderID: l.order.ID, AttemptID: l.attempt,
				SKU: l.order.SKU, Quantity: l.quantity, Signed: l.order.Quantity})
			return err
		},
		check: func(err error) error {
			if !errors.Is(err, errNoAnswer) || w.forgetful {
				i := slices.IndexFunc(w.deliveries, func(other lot) bool {
					return other.attempt == l.attempt && other.quantity == l.quantity
				})
				w.deliveries = slices.Delete(w.deliveries, i, i+1)
			}
			return w.checkDelivery(l, receipt, err)
		},
	}
}

func (w *world) checkDelivery(l lot, receipt shop.Receipt, err error) error {
	if errors.Is(err, errNoAnswer) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("delivering %d of attempt %s: %w", l.quantity, l.attempt, err)
	}
	if before := w.acknowledged[l.attempt]; before >= l.quantity && !receipt.Repeated {
		return fmt.Errorf("attempt %s was booked twice", l.attempt)
	}
	w.acknowledged[l.attempt] = max(w.acknowledged[l.attempt], l.quantity)
	if receipt.Correction > 0 {
		w.expected[noticeKey(shop.NoticeReceiptCorrected, l.attempt)] = true
	}
	switch {
	case receipt.Surplus > 0:
		w.expected[noticeKey(shop.NoticeSurplus, l.attempt)] = true
	case receipt.Late:
		w.expected[noticeKey(shop.NoticeLateReceipt, l.attempt)] = true
	}
	return nil
}

// sweep runs a sweep without faults.
func (w *world) sweep(ctx context.Context) error {
	_, err := w.shop.Sweep(ctx)
	return err
}
