package main

import (
	"context"
	"encoding/json"
	"fmt"
	"math"
	"net/http"
	"strconv"
	"time"

	"github.com/aws/aws-lambda-go/events"

	"restock/internal/buyer"
	"restock/internal/web"
)

// hours are the buyers in each hour of a day, relative to a day's mean.
var hours = [24]float64{
	.1, .1, .1, .1, .1, .2, .6, 1.4, 1.9, 1.5, 1.3, 1.6, 2.3, 1.8, 1.4, 1.5, 1.5, 1.4, 1.4, 1.3, 1, .7, .4, .3,
}

// weekdays are the buyers of each day, relative to a week's mean, from Sunday on.
var weekdays = [7]float64{1.2, .8, .8, .9, 1, 1.1, 1.2}

// sale is how many more buyers come during a sale.
const sale = 5

// rate returns how many buyers of a product come in an hour.
func (w *world) rate(p *product) float64 {
	rate := p.Hourly * hours[w.now.Hour()] * weekdays[w.now.Weekday()]
	if w.now.Before(p.saleEnds) {
		rate *= sale
	}
	return rate
}

// anHour schedules the buyers of an hour.
func (w *world) anHour(context.Context) error {
	for _, p := range w.products {
		for range poisson(w.buyers.Float64, w.rate(p)) {
			w.purchases++
			b := &purchase{product: p, quantity: 1, key: "buyer-" + strconv.Itoa(w.purchases)}
			switch n := w.buyers.IntN(10); {
			case n < 3:
				b.quantity = 2 + w.buyers.IntN(2)
			case n == 3:
				b.quantity = 4 + w.buyers.IntN(9)
			}
			w.after(time.Duration(w.buyers.Int64N(int64(time.Hour))), func(ctx context.Context) error {
				p.numbers.Wanted += b.quantity
				return w.buy(ctx, b)
			})
		}
	}
	return nil
}

// poisson draws a number with a mean, by Knuth's method.
func poisson(random func() float64, mean float64) (n int) {
	for product := random(); product > math.Exp(-mean); n++ {
		product *= random()
	}
	return n
}

// A purchase is what a buyer wants. The buyer repeats the request until an answer comes.
type purchase struct {
	product  *product
	quantity int
	key      string
	tries    int
	sold     *buyer.Sale // nil until the buyer has it
}

// buy sends a purchase to sales-api, and checks the answer.
func (w *world) buy(ctx context.Context, b *purchase) error {
	b.tries++
	again := func(wait time.Duration) {
		w.after(wait, func(ctx context.Context) error { return w.buy(ctx, b) })
	}
	if b.tries == 1 {
		w.pending++
	}
	answer, err := w.checkout(ctx, b)
	if err != nil {
		return err
	}
	lost := !w.calm && w.buyers.IntN(100) == 0
	switch {
	case answer.StatusCode == http.StatusServiceUnavailable:
		p := &b.product.numbers
		p.Unavailable++
		again(20 * time.Second << min(b.tries, 7))
		return nil
	case lost: // the request was handled all the same
		w.count("a buyer got no answer, and asked again")
		again(20 * time.Second)
		return nil
	case answer.StatusCode == http.StatusOK:
		return w.sold(b, answer.Body, again)
	case answer.StatusCode == http.StatusConflict:
		w.pending--
		return w.refused(b, answer.Body)
	}
	return broken("a checkout of %d of %s was answered with %d: %s", b.quantity, b.product.SKU, answer.StatusCode,
		answer.Body)
}

func (w *world) checkout(ctx context.Context, b *purchase) (events.APIGatewayV2HTTPResponse, error) {
	body, err := json.Marshal(buyer.Purchase{SKU: b.product.SKU, Quantity: b.quantity})
	if err != nil {
		return events.APIGatewayV2HTTPResponse{}, err
	}
	r := events.APIGatewayV2HTTPRequest{
		Version: "2.0", RawPath: "/checkout", Body: string(body),
		Headers: map[string]string{"content-type": "application/json", "idempotency-key": strconv.Quote(b.key)},
	}
	r.RequestContext.RequestID = b.key
	r.RequestContext.DomainName = "shop.example"
	r.RequestContext.HTTP = events.APIGatewayV2HTTPRequestContextHTTPDescription{Method: "POST", Path: "/checkout"}
	ctx, w.endInvocation = context.WithCancel(ctx)
	defer w.endInvocation()
	return w.salesAPI(ctx, r)
}

// sold checks the answer to a purchase that was made. Some buyers send the request again.
func (w *world) sold(b *purchase, body string, again func(time.Duration)) error {
	var s buyer.Sale
	if err := json.Unmarshal([]byte(body), &s); err != nil {
		return broken("the answer to a sale is %q: %v", body, err)
	}
	if b.sold != nil {
		if s.ID != b.sold.ID || s.Stock != b.sold.Stock {
			return broken("the purchase %s was sold as %s and again as %s", b.key, b.sold.ID, s.ID)
		}
		return nil
	}
	w.pending--
	b.sold = &s
	w.sales[s.ID] = s.Quantity
	b.product.numbers.Sold += s.Quantity
	if !w.calm && w.buyers.IntN(100) == 0 {
		again(w.latency())
	}
	return nil
}

// refused checks a refusal. Some buyers come again later.
func (w *world) refused(b *purchase, body string) error {
	var p web.Problem
	if err := json.Unmarshal([]byte(body), &p); err != nil || p.Stock == nil {
		return broken("a refusal is %q (%v)", body, err)
	}
	if *p.Stock >= b.quantity {
		return broken("a purchase of %d of %s was refused, with %d on hand", b.quantity, b.product.SKU, *p.Stock)
	}
	if b.sold != nil {
		return broken("the purchase %s was sold as %s, and refused when the buyer asked again", b.key, b.sold.ID)
	}
	b.product.numbers.Refused++
	b.product.refusals = append(b.product.refusals, w.now)
	if !w.calm && w.buyers.IntN(4) == 0 && b.tries < 10 {
		again := *b
		again.tries, again.key = 10, b.key+"-again"
		w.pending++
		w.after(time.Hour+time.Duration(w.buyers.Int64N(int64(5*time.Hour))), func(ctx context.Context) error {
			return w.buy(ctx, &again)
		})
	}
	return nil
}

// A brokenRule is the error of a rule of the shop that does not hold.
type brokenRule struct{ error }

func (b *brokenRule) Unwrap() error { return b.error }

func broken(format string, args ...any) error { return &brokenRule{fmt.Errorf(format, args...)} }
