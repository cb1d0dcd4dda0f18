package main

import (
	"context"
	"time"

	"restock/internal/shop"
)

const week = 7 * 24 * time.Hour

// scheduleFaults schedules what goes wrong, week by week. What goes wrong with a single message or
// lot is drawn when it happens.
func (w *world) scheduleFaults() {
	end := begin.Add(time.Duration(w.Days) * 24 * time.Hour)
	// Exactly a week lies between two rotations. If the key were replaced twice while a lot is
	// made, the lot's callback would be refused, as it should be.
	rotation := time.Duration(w.faults.Int64N(int64(week)))
	for monday := begin; monday.Before(end); monday = monday.Add(week) {
		w.at(monday.Add(rotation), w.unlessCalm(func(context.Context) error {
			w.count("the callback key was replaced")
			w.replaceKey()
			return nil
		}))
		w.at(monday.Add(rotation+time.Hour), w.unlessCalm(func(ctx context.Context) error {
			w.count("the database login was rotated")
			return w.rotate(ctx)
		}))
		w.someTime(monday, w.databaseAway(2*time.Minute, 30*time.Minute))
		w.someTime(monday, w.away("topic", 10*time.Minute, 4*time.Hour, func(down bool) error {
			w.topicDown = down
			return nil
		}))
		w.someTime(monday, w.away("mail", time.Hour, 12*time.Hour, func(down bool) error {
			w.mailDown = down
			return nil
		}))
		w.someTime(monday, w.away("factory", time.Hour, 30*time.Hour, func(down bool) error {
			w.factoryDown = down
			if !down && w.faults.IntN(2) == 0 {
				w.count("the factory forgot its lots")
				w.forgotten++
			}
			return nil
		}))
		w.someTime(monday, func(context.Context) error {
			p := w.products[w.faults.IntN(len(w.products))]
			p.saleEnds = w.now.Add(2*time.Hour + time.Duration(w.faults.Int64N(int64(4*time.Hour))))
			w.span("sale", p.saleEnds.Sub(w.now))
			return nil
		})
		w.someTime(monday, w.cancel)
		for range 5 {
			w.someTime(monday, func(context.Context) error {
				if n := len(w.asked); n > 0 {
					return w.forge(w.asked[w.faults.IntN(n)])
				}
				return nil
			})
		}
		for range 2 {
			w.someTime(monday, w.stocktake)
		}
	}
	w.at(begin.Add(24*time.Hour), w.aDay)
}

// someTime schedules an event at a random time of a week.
func (w *world) someTime(monday time.Time, do func(context.Context) error) {
	w.at(monday.Add(time.Duration(w.faults.Int64N(int64(week)))), w.unlessCalm(do))
}

func (w *world) unlessCalm(do func(context.Context) error) func(context.Context) error {
	return func(ctx context.Context) error {
		if w.calm {
			return nil
		}
		return do(ctx)
	}
}

// away returns an event that takes something away for a random time.
func (w *world) away(
	what string, shortest, longest time.Duration, set func(down bool) error,
) func(context.Context) error {
	return func(context.Context) error {
		lasts := shortest + time.Duration(w.faults.Int64N(int64(longest-shortest)))
		w.count("the " + what + " went away")
		w.span(what, lasts)
		w.after(lasts, func(context.Context) error { return set(false) })
		return set(true)
	}
}

func (w *world) databaseAway(shortest, longest time.Duration) func(context.Context) error {
	return w.away("database", shortest, longest, func(down bool) error {
		w.databaseDown = down
		return w.connect()
	})
}

func (w *world) span(what string, lasts time.Duration) {
	w.spans = append(w.spans, span{what, w.now, w.now.Add(lasts)})
}

// cancel cancels an open production order, as a person may do. The factory may deliver all the
// same.
func (w *world) cancel(ctx context.Context) error {
	ctx, w.endInvocation = context.WithCancel(ctx)
	defer w.endInvocation()
	open, err := w.shop.Store.OpenOrders(ctx)
	if len(open) == 0 || err != nil {
		return nil
	}
	if _, err := w.shop.CancelOrder(ctx, open[0].ID); err != nil {
		return broken("an open order cannot be cancelled: %w", err)
	}
	w.count("a person cancelled an order")
	return nil
}

// stocktake corrects the stock of a product by hand, by a few.
func (w *world) stocktake(ctx context.Context) error {
	ctx, w.endInvocation = context.WithCancel(ctx)
	defer w.endInvocation()
	p := w.products[w.faults.IntN(len(w.products))]
	quantity := 3 - w.faults.IntN(8)
	if quantity == 0 {
		quantity = -5
	}
	_, err := w.shop.Adjust(ctx, shop.Adjustment{SKU: p.SKU, Quantity: quantity, Reason: "stocktake"})
	switch shop.CodeOf(err) {
	case shop.CodeOutOfStock, shop.CodeUnavailable:
		return nil
	}
	if err != nil {
		return broken("adjusting %s by %d: %w", p.SKU, quantity, err)
	}
	w.count("a stocktake corrected the stock")
	return nil
}
