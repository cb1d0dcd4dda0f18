package histories

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/google/uuid"

	"restock/internal/mysql/invariants"
	"restock/internal/mysql/mysqltest"
	"restock/internal/shop"
)

// A database runs one history after another.
type database struct {
	*mysqltest.Database
	// breakage returns a store with a bug that the tests must find. Nil means no bug.
	breakage func(shop.Store) shop.Store
}

func newDatabase(tb testing.TB) *database {
	tb.Helper()
	d := &database{Database: mysqltest.New(tb, 4)}
	d.Exec(tb, `CREATE TABLE first_product AS SELECT * FROM product`)
	d.Exec(tb, `CREATE PROCEDURE start_again()
		BEGIN
			START TRANSACTION;
			DELETE FROM notice;
			DELETE FROM goods_receipt;
			DELETE FROM production_order;
			DELETE FROM sale;
			DELETE FROM adjustment;
			DELETE FROM forgotten_keys;
			DELETE FROM stock_ledger;
			DELETE FROM ledger_checkpoint;
			DELETE FROM product;
			INSERT INTO product SELECT * FROM first_product;
			INSERT INTO stock_ledger (product_id, quantity, cause, recorded_at)
				SELECT product_id, stock, 'opening', UTC_TIMESTAMP(6) FROM product;
			COMMIT;
		END`)
	// Faster: the data need not survive a crash of the server.
	d.Exec(tb, `SET GLOBAL innodb_flush_log_at_trx_commit = 0`)
	return d
}

// A world is the shop under test and a simulation of everything around it: clock, topic, mail,
// factory and callers. It remembers the answers that callers got.
type world struct {
	*database
	shop   *shop.Shop
	faults faultInjector

	now time.Time
	ids uint64

	mu        sync.Mutex // guards the fields down to notified: sweeps may run in parallel
	topicDown bool
	mailDown  bool
	queue     []shop.ProductionOrder // the messages to the factory
	accepted  map[uuid.UUID]bool     // production orders whose message the topic has accepted
	notified  map[string]int         // the number of notices, by noticeKey

	lots     []lot // lots that the factory is making
	finished []lot // lots that the factory has reported, and may report again

	sales          map[uuid.UUID]shop.Sale // the sales that buyers got as an answer
	uncertainSales int                     // checkouts whose buyers got no answer
	keys           map[string]purchase     // by idempotency key
	acknowledged   map[uuid.UUID]int       // by attempt: the largest quantity of an acknowledged callback
	reported       map[uuid.UUID]int       // by attempt: the largest quantity of any callback
	expected       map[string]bool         // the notices that the shop must send, by noticeKey
	closed         invariants.ClosedOrders // as of the last check
	adjustments    map[string]adjustment   // by idempotency key

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

// begin begins a history with a new shop on the database.
func (d *database) begin(ctx context.Context) (*world, error) {
	if _, err := d.Admin.ExecContext(ctx, `CALL start_again()`); err != nil {
		return nil, fmt.Errorf("starting again: %w", err)
	}
	w := &world{
		database: d, now: time.Date(2026, 11, 21, 12, 0, 0, 0, time.UTC),
		accepted: map[uuid.UUID]bool{}, notified: map[string]int{}, sales: map[uuid.UUID]shop.Sale{},
		keys: map[string]purchase{}, acknowledged: map[uuid.UUID]int{}, reported: map[uuid.UUID]int{},
		expected: map[string]bool{}, closed: invariants.ClosedOrders{}, adjustments: map[string]adjustment{},
	}
	var store shop.Store = d.Store
	if d.breakage != nil {
		store = d.breakage(store)
	}
	w.shop = &shop.Shop{
		Store: faultyStore{store, &w.faults}, Publisher: w, Notifier: w, Journal: shop.Discard,
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
func (w *world) process(ctx context.Context, f fault, do func(context.Context) error) (err error) {
	w.faults.mu.Lock()
	w.faults.fault = f
	w.faults.mu.Unlock()
	defer func() {
		w.faults.fault = fault{}
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
	w.lots = append(w.lots, lot{attempt: w.newID(), order: w.queue[message]})
}

// deliver reports a lot to the shop and remembers the answer.
func (w *world) deliver(ctx context.Context, f fault, l lot) error {
	var receipt shop.Receipt
	w.reported[l.attempt] = max(w.reported[l.attempt], l.quantity)
	err := w.process(ctx, f, func(ctx context.Context) (err error) {
		receipt, err = w.shop.Receive(ctx, shop.Delivery{ProductionOrderID: l.order.ID, AttemptID: l.attempt,
			SKU: l.order.SKU, Quantity: l.quantity, Signed: l.order.Quantity})
		return err
	})
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
