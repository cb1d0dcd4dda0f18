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

// queues buffer what must not be lost.
var queues = []string{lambdas.StockQueue, lambdas.AdsQueue}

// underWay says what goes on without being asked: messages in queues, and lots that the factory makes; empty if nothing does.
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
			return "the factory makes " + request.ID, nil
		}
	}
	return "", nil
}

// judge compares what everybody was told with what is stored. A query that fails is the storm's error; a promise that is broken is in the report.
func (w *world) judge(ctx context.Context) error {
	if err := invariants.Check(ctx, w.db, invariants.Always); err != nil {
		w.report.broken("%v", err)
	}
	for _, judge := range []func(context.Context) error{
		w.judgeSales, w.judgeDeliveries, w.judgeMessages, w.countBooks,
	} {
		if err := judge(ctx); err != nil {
			return fmt.Errorf("judging: %w", err)
		}
	}
	return nil
}

// judgeSales: who was told that they bought has bought, once and what they wanted; who was told that they did not has not.
func (w *world) judgeSales(ctx context.Context) error {
	rows, err := w.db.QueryContext(ctx, `SELECT COALESCE(s.idempotency_key, HEX(s.sale_id)), COALESCE(p.sku, ''), s.quantity FROM sale s LEFT JOIN product p USING (product_id)`)
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
			w.report.broken("a sale is lost: %s was sold %d of %s, and nothing is stored", p.key, p.quantity, p.sku)
		case sold && (sale.sku != p.sku || sale.quantity != p.quantity):
			w.report.broken("a sale is wrong: %s wanted %d of %s, stored are %d of %s", p.key, p.quantity, p.sku, sale.quantity, sale.sku)
		case p.answered == http.StatusConflict && sold && p.asked == 1:
			w.report.broken("a buyer was refused and sold to: %s", p.key)
		case p.answered == 0 && p.asked > 0:
			w.report.broken("a buyer got no answer that decides, long after everything was healed: %s", p.key)
		}
	}
	for key := range stored {
		w.report.broken("a sale to nobody is stored: %s", key)
	}
	return nil
}

// judgeDeliveries: what the factory was told is booked is booked, as much as it has delivered. That it is booked once is the attempt's key.
func (w *world) judgeDeliveries(ctx context.Context) error {
	told := w.shop.Factory.Requests() // before the books are read: what is made still may be booked any moment
	rows, err := w.db.QueryContext(ctx, `SELECT attempt_id, quantity FROM goods_receipt`)
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
	for _, request := range told {
		_, attempt := attemptIn(request.Body)
		for _, d := range request.Deliveries {
			quantity, is := booked[attempt]
			switch {
			case d.Status != http.StatusOK:
			case !is:
				w.report.broken("a delivery is lost: the factory was told that attempt %s is booked, and it is not", attempt)
			case quantity != d.Count: // an attempt is one lot, whose deliveries are all the same
				w.report.broken("a delivery is wrong: for attempt %s came %s, booked are %s", attempt, d.Count, quantity)
			}
		}
	}
	return nil
}

var receiptPath = regexp.MustCompile(`^/production-orders/([^/]+)/attempts/([^/]+)/receipt$`)

// attemptIn is the production order, and the attempt to get it made, that a request to the factory is for.
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

// judgeMessages: each message that the topic took has become a request that the factory took, or is a dead letter, of which an alarm tells,
// or has expired.
func (w *world) judgeMessages(ctx context.Context) error {
	messages, valid := w.endpoint.taken(time.Now()) // before who has them is asked: a sweep may publish any moment
	if len(messages) == 0 {
		return errors.New("nothing was published: the storm was too short to prove anything")
	}
	dead, err := w.aws.deadLetters(ctx, lambdas.DeadLetterQueue(lambdas.StockQueue))
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
			w.report.broken("a message is lost: production order %s was published %d times, %d of the messages are valid; the factory took %d requests, %d are dead letters",
				order, published, valid[order], taken[order], dead[order])
		}
	}
	return nil
}

// countBooks counts what was done, for the report.
func (w *world) countBooks(ctx context.Context) error {
	return w.db.QueryRowContext(ctx, `SELECT (SELECT COUNT(*) FROM sale), (SELECT COUNT(*) FROM production_order),
		(SELECT COUNT(*) FROM production_order WHERE status = 'failed'), (SELECT COUNT(*) FROM goods_receipt), (SELECT COUNT(*) FROM notice)`).
		Scan(&w.report.Sales, &w.report.Orders, &w.report.OrdersFailed, &w.report.Receipts, &w.report.Notices)
}
