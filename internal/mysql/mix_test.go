package mysql_test

import (
	"context"
	"fmt"
	"math/rand/v2"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"restock/internal/shop"
)

// A mix does everything that changes a product, at the same time.
type mix struct {
	f                               *fixture
	sold, refusals, repeats, failed atomic.Int64
	tolerate                        func(error) bool // errors that the disturbance explains
}

func (m *mix) err(t *testing.T, what string, err error) {
	if err == nil || refused(err) == nil || m.tolerate != nil && m.tolerate(err) {
		return
	}
	if m.failed.Add(1) <= 5 {
		t.Errorf("%s: %v", what, err)
	}
}

// run lets buyers buy until the others have done all their rounds. More buyers only make that take
// longer.
func (m *mix) run(t *testing.T, buyers, others, rounds int, bins []int) {
	f := m.f
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	var buying, rest sync.WaitGroup
	var keys [32]string
	for i := range keys {
		keys[i] = newID(t).String()
	}
	for range buyers {
		buying.Go(func() {
			for ctx.Err() == nil {
				p := shop.Purchase{SKU: donut, Quantity: 1 + rand.IntN(3)}
				switch rand.IntN(4) {
				case 0:
					p.IdempotencyKey = newID(t).String()
				case 1: // often the same
					i := rand.IntN(len(keys))
					p.IdempotencyKey, p.Quantity = keys[i], 1+i%3
				}
				sale, err := f.Buy(t.Context(), p)
				switch {
				case err == nil && sale.Repeated:
					m.repeats.Add(1)
				case err == nil:
					m.sold.Add(1)
				case refused(err) == nil:
					m.refusals.Add(1)
				}
				m.err(t, "a checkout", err)
			}
		})
	}
	store := f.Database.Store
	for n := range others {
		rest.Go(func() {
			for i := range rounds {
				orders, err := store.OpenOrders(t.Context())
				m.err(t, "open orders", err)
				for _, o := range orders {
					if o.SKU != donut {
						continue
					}
					switch rand.IntN(6) {
					case 0:
						_, err = store.CloseOrder(t.Context(), o, shop.OrderFailed, time.Now())
						m.err(t, "closing", err)
					case 1:
						if o.Asks > 3 {
							continue
						}
						_, err = store.ClaimAsk(t.Context(), o, time.Now())
						m.err(t, "asking", err)
					default:
						attempt := newID(t)
						for _, part := range []int{o.Quantity / 2, o.Quantity} {
							_, err = f.Receive(t.Context(), shop.Delivery{
								ProductionOrderID: o.ID, AttemptID: attempt, SKU: donut, Quantity: part,
								Signed: o.Quantity,
							})
							m.err(t, "a delivery", err)
						}
					}
				}
				_, err = f.Adjust(t.Context(), shop.Adjustment{
					SKU: donut, Quantity: rand.IntN(9) - 4 | 1, Reason: "stocktake 창고 '\\",
					IdempotencyKey: newID(t).String(),
				})
				if shop.CodeOf(err) != "insufficient_stock" {
					m.err(t, "an adjustment", err)
				}
				point, auto := rand.IntN(40), rand.IntN(5) > 0
				c := shop.ProductChange{ReorderPoint: &point, Automatic: &auto}
				if rand.IntN(2) == 0 {
					c.Bins = &bins[rand.IntN(len(bins))]
				}
				m.err(t, "a change", store.ChangeProduct(t.Context(), donut, c, time.Now()))
				_, err = f.Database.Store.Replenish(t.Context(), shop.Replenishment{SKU: donut, At: time.Now()})
				m.err(t, "a replenishment", err)
				_, err = store.RecordWait(t.Context(), donut, time.Now(), time.Microsecond)
				m.err(t, "a wait", err)
				_, _, err = store.ForgetKeys(t.Context(), time.Now().Add(-100*time.Millisecond), 50)
				m.err(t, "forgetting", err)
				_, err = store.Balances(t.Context())
				m.err(t, "balances", err)
				if rand.IntN(4) == 0 {
					sku := fmt.Sprintf("NEW-%d-%d", n, i)
					err = store.CreateProduct(t.Context(), shop.Product{
						ID: newID(t), SKU: sku, Name: sku, Price: 1, Stock: rand.IntN(3),
						Bins:    bins[rand.IntN(len(bins))],
						Factory: f.factory(t), Policy: shop.Policy{OrderUpTo: 10, LotSize: 1, LeadTime: time.Minute},
					}, time.Now())
					m.err(t, "a new product", err)
				}
			}
		})
	}
	rest.Wait()
	cancel()
	buying.Wait()
}

func (f *fixture) factory(t *testing.T) string {
	return text(t, f.Database, `
		SELECT identifier FROM factory f JOIN product USING (factory_id) WHERE sku = 'CP-502101'`)
}

func TestAMixOfEverythingShowsNobodyADeadlock(t *testing.T) {
	for _, bins := range []int{1, 3, 64} {
		t.Run(fmt.Sprint(bins, " bins"), func(t *testing.T) {
			const buyers, others = 8, 4
			f := newFixture(t, buyers+others)
			f.SetBins(t, donut, bins)
			f.SetStock(t, 500)
			before := f.deadlocks(t)
			m := &mix{f: f}
			m.run(t, buyers, others, 15, []int{bins})
			t.Logf("%d sold, %d refused, %d repeated, %d failed, %d deadlocks",
				m.sold.Load(), m.refusals.Load(), m.repeats.Load(), m.failed.Load(), f.deadlocks(t)-before)
			f.CheckBooks(t)
		})
	}
}

// TestQueriesThatAreKilledLeaveTheBooksRight kills statements at random moments.
func TestQueriesThatAreKilledLeaveTheBooksRight(t *testing.T) {
	for _, kill := range []string{"KILL QUERY", "KILL CONNECTION"} {
		t.Run(kill, func(t *testing.T) {
			const buyers, others = 6, 3
			f := newFixture(t, buyers+others)
			f.SetBins(t, donut, 4)
			f.SetStock(t, 300)
			m := &mix{f: f, tolerate: func(err error) bool {
				c := shop.CodeOf(err)
				return c == shop.CodeUnavailable || c == shop.CodeOutcomeUnknown
			}}
			ctx, cancel := context.WithCancel(t.Context())
			var killer sync.WaitGroup
			var kills int
			killer.Go(func() {
				for ctx.Err() == nil {
					var id int
					err := f.Admin.QueryRowContext(ctx, `SELECT id FROM information_schema.processlist
						WHERE user = ? AND command = 'Query' ORDER BY RAND() LIMIT 1`, f.User).Scan(&id)
					if err == nil {
						if _, err = f.Admin.ExecContext(ctx, fmt.Sprintf("%s %d", kill, id)); err == nil {
							kills++
						}
					}
				}
			})
			m.run(t, buyers, others, 25, []int{1, 4, 16})
			cancel()
			killer.Wait()
			t.Logf("%d kills; %d sold, %d refused, %d repeated, %d failed", kills, m.sold.Load(), m.refusals.Load(),
				m.repeats.Load(), m.failed.Load())
			f.CheckBooks(t)
			if idle := f.Number(t, `SELECT COUNT(*) FROM information_schema.innodb_trx t
				JOIN information_schema.processlist p ON p.id = t.trx_mysql_thread_id
				 WHERE p.user = ?`, f.User); idle > 0 {
				t.Logf("%d transactions are listed at the end", idle)
			}
			sale, err := f.Buy(t.Context(), shop.Purchase{SKU: "CP-502102", Quantity: 1})
			if err != nil {
				t.Errorf("%+v, %v", sale, err)
			}
		})
	}
}
