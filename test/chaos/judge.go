package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"regexp"
	"time"

	"github.com/google/uuid"

	"restock/internal/mysql/invariants"
	"restock/lambdas"
)

// queues are the queues that must be empty before the judge starts.
var queues = []string{lambdas.StockQueue, lambdas.AdsQueue, lambdas.DeliveriesQueue}

// underWay describes work that is still going on: messages in queues, lots that the factory is
// making, and functions that have not ended. It is empty if there is none. A fault may have cut off
// a function's database: then the function runs until its time is over.
func (w *world) underWay(ctx context.Context) (what string, err error) {
	for _, queue := range queues {
		n, err := w.aws.waiting(ctx, queue)
		if err != nil {
			return "", err
		}
		if n > 0 {
			return fmt.Sprintf("%d messages wait in %s", n, queue), nil
		}
	}
	for _, request := range w.shop.Factory.Requests() {
		if request.ID != "" && !request.Lost && len(request.Deliveries) == 0 {
			return "the factory is making " + request.ID, nil
		}
	}
	if n := w.shop.Running(); n > 0 {
		return fmt.Sprintf("%d functions run", n), nil
	}
	return "", nil
}

// judge compares the answers to buyers and to the factory with the database. It adds broken rules
// to the report. An error means that it could not judge.
func (w *world) judge(ctx context.Context) error {
	if err := invariants.Check(ctx, w.db, invariants.Always); err != nil {
		w.report.broken("%v", err)
	}
	for _, judge := range []func(context.Context) error{
		w.judgeSales, w.judgeDeliveries, w.judgeMessages, w.judgeTraces, w.countBooks,
	} {
		if err := judge(ctx); err != nil {
			return fmt.Errorf("judging: %w", err)
		}
	}
	return nil
}

// judgeSales checks that each successful purchase is stored as one sale of the requested quantity,
// and that a refused purchase is not stored.
func (w *world) judgeSales(ctx context.Context) error {
	rows, err := w.db.QueryContext(ctx, `
		SELECT COALESCE(s.idempotency_key, HEX(s.sale_id)), COALESCE(p.sku, ''), s.quantity
		  FROM sale s LEFT JOIN product p USING (product_id)`)
	if err != nil {
		return err
	}
	defer rows.Close()
	stored := map[string]purchase{}
	for rows.Next() {
		var p purchase
		if err := rows.Scan(&p.key, &p.sku, &p.quantity); err != nil {
			return err
		}
		stored[p.key] = p
	}
	if err := rows.Err(); err != nil {
		return err
	}
	for _, p := range w.buyers.purchases {
		sale, sold := stored[p.key]
		delete(stored, p.key)
		switch {
		case p.answered == http.StatusOK && !sold:
			w.report.broken("a sale is lost: %s bought %d of %s, and nothing is stored", p.key, p.quantity, p.sku)
		case sold && (sale.sku != p.sku || sale.quantity != p.quantity):
			w.report.broken("a sale is wrong: %s bought %d of %s, but the sale is of %d of %s",
				p.key, p.quantity, p.sku, sale.quantity, sale.sku)
		case p.answered == http.StatusConflict && sold && p.asked == 1:
			w.report.broken("a refused purchase is stored as a sale: %s", p.key)
		case p.answered == 0 && p.asked > 0:
			w.report.broken("a buyer got no final answer, long after the faults: %s", p.key)
		}
	}
	for key := range stored {
		w.report.broken("a sale has no buyer: %s", key)
	}
	return nil
}

// judgeDeliveries checks that each delivery that the shop accepted is booked with its quantity, or
// is a dead letter. An attempt may be booked in several parts.
func (w *world) judgeDeliveries(ctx context.Context) error {
	// This comes before the query, because the shop may book further deliveries in between.
	requests := w.shop.Factory.Requests()
	rows, err := w.db.QueryContext(ctx, `SELECT attempt_id, SUM(quantity) FROM goods_receipt GROUP BY attempt_id`)
	if err != nil {
		return err
	}
	defer rows.Close()
	booked := map[string]string{}
	for rows.Next() {
		var attempt uuid.UUID
		var quantity string
		if err := rows.Scan(&attempt, &quantity); err != nil {
			return err
		}
		booked[attempt.String()] = quantity
	}
	if err := rows.Err(); err != nil {
		return err
	}
	dead, err := w.aws.deadLetters(ctx, lambdas.DeadLetterQueue(lambdas.DeliveriesQueue), attemptOf)
	if err != nil {
		return err
	}
	for _, request := range requests {
		_, attempt := attemptIn(request.Body)
		for _, d := range request.Deliveries {
			quantity, is := booked[attempt]
			switch {
			case d.Status != http.StatusOK, dead[attempt] > 0:
			case !is:
				w.report.broken("a delivery is lost: the shop accepted the callback of attempt %s and did not book it",
					attempt)
			case quantity != d.Count: // all callbacks of an attempt have the same quantity
				w.report.broken("a delivery is wrong: the callback of attempt %s was for %s, booked are %s",
					attempt, d.Count, quantity)
			}
		}
	}
	return nil
}

var receiptPath = regexp.MustCompile(`^/production-orders/([^/]+)/attempts/([^/]+)/receipt$`)

// attemptIn returns the ids of the production order and the attempt in a request to the factory.
func attemptIn(body []byte) (order, attempt string) {
	var request struct{ CallbackUrl string }
	if json.Unmarshal(body, &request) != nil {
		return "", ""
	}
	u, err := url.Parse(request.CallbackUrl)
	if err != nil {
		return "", ""
	}
	if match := receiptPath.FindStringSubmatch(u.Path); match != nil {
		return match[1], match[2]
	}
	return "", ""
}

// judgeMessages checks that each message that the topic accepted became a request that the factory
// accepted, or is a dead letter, or has expired.
func (w *world) judgeMessages(ctx context.Context) error {
	// This comes first, because a sweep may publish further messages in between.
	messages, valid := w.endpoint.taken(time.Now())
	if len(messages) == 0 {
		return errors.New("nothing was published: the run was too short to prove anything")
	}
	dead, err := w.aws.deadLetters(ctx, lambdas.DeadLetterQueue(lambdas.StockQueue), orderOf)
	if err != nil {
		return err
	}
	taken := map[string]int{}
	for _, request := range w.shop.Factory.Requests() {
		if order, _ := attemptIn(request.Body); request.ID != "" {
			taken[order]++
		}
	}
	for order, published := range messages {
		w.report.Messages += published
		w.report.DeadLetters += dead[order]
		if taken[order]+dead[order] < valid[order] {
			w.report.broken("a message is lost: production order %s was published %d times, %d of the messages are "+
				"valid; the factory accepted %d requests, %d are dead letters",
				order, published, valid[order], taken[order], dead[order])
		}
	}
	return nil
}

// countBooks counts sales, orders, receipts and notices for the report.
func (w *world) countBooks(ctx context.Context) error {
	return w.db.QueryRowContext(ctx, `
		SELECT (SELECT COUNT(*) FROM sale), (SELECT COUNT(*) FROM production_order),
		       (SELECT COUNT(*) FROM production_order WHERE status = 'failed'),
		       (SELECT COUNT(DISTINCT attempt_id) FROM goods_receipt), (SELECT COUNT(*) FROM notice)`).
		Scan(&w.report.Sales, &w.report.Orders, &w.report.OrdersFailed, &w.report.Receipts, &w.report.Notices)
}
