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

// A stage is a database on which one history after another is played.
type stage struct {
	*mysqltest.Database
	// breakage makes a store that is broken on purpose of the real one. Nil: none.
	breakage func(shop.Store) shop.Store
}

func newStage(tb testing.TB) *stage {
	tb.Helper()
	s := &stage{Database: mysqltest.New(tb, 4)}
	s.Exec(tb, `CREATE TABLE first_product AS SELECT * FROM product`)
	s.Exec(tb, `CREATE PROCEDURE start_again()
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
			INSERT INTO stock_ledger (product_id, quantity, cause, recorded_at) SELECT product_id, stock, 'opening', UTC_TIMESTAMP(6) FROM product;
			COMMIT;
		END`)
	// What is stored need not survive the machine: the histories are about what is stored.
	s.Exec(tb, `SET GLOBAL innodb_flush_log_at_trx_commit = 0`)
	return s
}

// A world is a shop, the world around it, and what everybody remembers of it.
type world struct {
	*stage
	shop *shop.Shop
	fate fate

	now time.Time
	ids uint64

	mu        sync.Mutex // guards what follows, for sweeps at once
	topicDown bool
	mailDown  bool
	queue     []shop.ProductionOrder // messages to the factory
	taken     map[uuid.UUID]bool     // production orders whose message the topic took
	told      map[string]int         // notices, by kind and attempt

	lots     []lot // that the factory is making
	finished []lot // that it has told of, and may tell of again

	sales   map[uuid.UUID]shop.Sale // that buyers were told of
	unsure  int                     // sales whose buyers got no answer
	keys    map[string]remembered   // by idempotency key
	booked  map[uuid.UUID]int       // by attempt: the most that a callback said which was acknowledged
	said    map[uuid.UUID]int       // by attempt: the most that any callback said
	strange map[string]bool         // receipts that were unusual: the notice's kind, and the attempt
	closed  invariants.ClosedOrders // when somebody looked last
	adjusts map[string]adjustment   // by idempotency key

	adjustsSure, adjustsUnsure int // that were answered, and those that may be stored
}

// A lot is an attempt of the factory to make a production order.
type lot struct {
	attempt  uuid.UUID
	order    shop.ProductionOrder
	quantity int // that it told of, once it did
}

// A remembered purchase is what a buyer with a key knows of it.
type remembered struct {
	purchase shop.Purchase
	sale     *shop.Sale // nil: no answer came
	at       time.Time
}

type adjustment struct {
	sku      string
	quantity int
	done     bool // false: no answer came
	at       time.Time
}

// begin begins a history on a stage.
func (s *stage) begin(ctx context.Context) (*world, error) {
	if _, err := s.Admin.ExecContext(ctx, `CALL start_again()`); err != nil {
		return nil, fmt.Errorf("starting again: %w", err)
	}
	w := &world{
		stage: s, now: time.Date(2026, 11, 21, 12, 0, 0, 0, time.UTC),
		taken: map[uuid.UUID]bool{}, told: map[string]int{}, sales: map[uuid.UUID]shop.Sale{}, keys: map[string]remembered{},
		booked: map[uuid.UUID]int{}, said: map[uuid.UUID]int{}, strange: map[string]bool{}, closed: invariants.ClosedOrders{}, adjusts: map[string]adjustment{},
	}
	var store shop.Store = s.Store
	if s.breakage != nil {
		store = s.breakage(store)
	}
	w.shop = &shop.Shop{
		Store: mortal{store, &w.fate}, Publisher: w, Notifier: w, Journal: shop.Discard,
		Now: func() time.Time { return w.now }, NewID: func() (uuid.UUID, error) { return w.newID(), nil },
	}
	return w, nil
}

// newID is a UUIDv7 of the world's own time.
func (w *world) newID() (id uuid.UUID) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.ids++
	binary.BigEndian.PutUint64(id[:8], uint64(w.now.UnixMilli())<<16)
	binary.BigEndian.PutUint64(id[8:], w.ids)
	id[6], id[8] = 7<<4, 2<<6
	return id
}

// Publish puts a message into the factory's queue.
func (w *world) Publish(_ context.Context, o shop.ProductionOrder) error {
	_, err := suffer(&w.fate, func() (none, error) {
		w.mu.Lock()
		defer w.mu.Unlock()
		if w.topicDown {
			return none{}, errors.New("the topic is down")
		}
		w.queue = append(w.queue, o)
		w.taken[o.ID] = true
		return none{}, nil
	})
	return err
}

// Notify tells people.
func (w *world) Notify(_ context.Context, n shop.Notice) error {
	_, err := suffer(&w.fate, func() (none, error) {
		w.mu.Lock()
		defer w.mu.Unlock()
		if w.mailDown {
			return none{}, errors.New("the mail is down")
		}
		w.told[noticeKey(n.Kind, n.AttemptID)]++
		return none{}, nil
	})
	return err
}

func noticeKey(kind shop.NoticeKind, attempt uuid.UUID) string {
	return string(kind) + " of attempt " + attempt.String()
}

// errNoAnswer is what a caller gets whose process died, or whose connection was cut: the call may
// be done, or not.
var errNoAnswer = errors.New("no answer")

// errNotDone is an errNoAnswer that says that nothing was done.
var errNotDone = fmt.Errorf("nothing was done: %w", errNoAnswer)

// process runs what one process does, until it ends or dies.
func (w *world) process(ctx context.Context, steps int, kills bool, do func(context.Context) error) (err error) {
	w.fate.mu.Lock()
	w.fate.steps, w.fate.kills = steps, kills
	w.fate.mu.Unlock()
	defer func() {
		w.fate.steps = 0
		switch cause := recover().(type) {
		case nil:
		case death:
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

// work is what the factory does with the message of a place in the queue.
func (w *world) work(message int) {
	w.lots = append(w.lots, lot{attempt: w.newID(), order: w.queue[message]})
}

// deliver tells of a lot, and remembers what it was answered.
func (w *world) deliver(ctx context.Context, steps int, kills bool, l lot) error {
	var receipt shop.Receipt
	w.said[l.attempt] = max(w.said[l.attempt], l.quantity)
	err := w.process(ctx, steps, kills, func(ctx context.Context) (err error) {
		receipt, err = w.shop.Receive(ctx, shop.Delivery{ProductionOrderID: l.order.ID, AttemptID: l.attempt, SKU: l.order.SKU, Quantity: l.quantity, Signed: l.order.Quantity})
		return err
	})
	if errors.Is(err, errNoAnswer) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("delivering %d of attempt %s: %w", l.quantity, l.attempt, err)
	}
	if before := w.booked[l.attempt]; before >= l.quantity && !receipt.Repeated {
		return fmt.Errorf("attempt %s was booked twice", l.attempt)
	}
	w.booked[l.attempt] = max(w.booked[l.attempt], l.quantity)
	if receipt.Correction > 0 {
		w.strange[noticeKey(shop.NoticeReceiptCorrected, l.attempt)] = true
	}
	switch {
	case receipt.Surplus > 0:
		w.strange[noticeKey(shop.NoticeSurplus, l.attempt)] = true
	case receipt.Late:
		w.strange[noticeKey(shop.NoticeLateReceipt, l.attempt)] = true
	}
	return nil
}

// sweep sweeps, untroubled.
func (w *world) sweep(ctx context.Context) error {
	_, err := w.shop.Sweep(ctx)
	return err
}
