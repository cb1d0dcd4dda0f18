package main

import (
	"context"
	"encoding/json"
	"errors"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/aws/aws-lambda-go/events"

	"restock/internal/factory"
	"restock/lambdas"
)

var errFactory = errors.New("503 Service Unavailable")

// Produce is the factory. It accepts a request and calls back once, about a lead time later. Often
// it does something else.
func (w *world) Produce(_ context.Context, r factory.Request) (lot string, err error) {
	if w.factoryDown {
		w.count("the factory was away")
		return "", errFactory
	}
	p := w.bySKU[r.ProductID]
	lead := time.Duration(p.LeadTimeSeconds) * time.Second
	takes := time.Duration((0.5 + 0.4*w.factory.Float64()) * float64(lead))
	quantity, err := strconv.Atoi(r.ProductCnt)
	if err != nil {
		return "", err
	}
	_, attempt, err := callback(r)
	if err != nil {
		return "", err
	}
	made := w.made(attempt.order)
	made.lots++
	w.asked = append(w.asked, r)
	id := "lot " + strconv.Itoa(len(w.asked))
	forgotten := w.forgotten
	report := func(quantity int, takes time.Duration) {
		w.after(takes, func(context.Context) error {
			if forgotten == w.forgotten {
				w.callBack(r, quantity)
			} else if w.reported[attempt.id] == 0 {
				made.excuses++
			}
			return nil
		})
	}
	if w.calm {
		report(quantity, takes)
		return id, nil
	}
	switch n := w.factory.IntN(100); {
	case n < 12:
		w.count("the factory was late")
		made.excuses++
		takes = time.Duration((1.2 + 4*w.factory.Float64()) * float64(lead))
	case n < 18:
		w.count("the factory never delivered")
		made.excuses++
		return id, nil
	case n < 26:
		w.count("the factory made less")
		quantity -= 1 + w.factory.IntN(quantity)/2
	case n < 32:
		w.count("the factory called back twice")
		report(quantity, takes+time.Duration(w.factory.Int64N(int64(24*time.Hour))))
	case n < 36:
		w.count("the factory called back twice, first with less")
		report(1+w.factory.IntN(quantity), takes/2)
	case n < 40:
		w.count("the factory accepted, and its answer was lost")
		made.excuses++
		report(quantity, takes)
		return "", errFactory
	}
	report(max(quantity, 1), takes)
	return id, nil
}

// A making is how often the factory has made a production order, and how many faults may have made
// it do so again.
type making struct{ lots, excuses int }

func (w *world) made(order string) *making {
	if w.makings[order] == nil {
		w.makings[order] = &making{}
	}
	return w.makings[order]
}

// callBack calls the callback URL of a request. The API puts the call into the queue of deliveries.
func (w *world) callBack(r factory.Request, quantity int) {
	r.ProductCnt = strconv.Itoa(quantity)
	m, attempt, err := callback(r)
	if err != nil {
		panic(err) // the shop wrote the URL
	}
	w.reported[attempt.id] = max(w.reported[attempt.id], quantity)
	w.deliveries.send(m, w.latency())
	if !w.calm && w.network.IntN(20) == 0 {
		w.count("a callback was in its queue twice")
		w.deliveries.send(m, w.latency())
	}
}

// An attempt has the ids in a callback URL.
type attempt struct{ order, id string }

// callback returns the message that the API makes of a callback, and its attempt.
func callback(r factory.Request) (m events.SQSMessage, of attempt, err error) {
	body, err := json.Marshal(r)
	if err != nil {
		return m, of, err
	}
	u, err := url.Parse(string(r.CallbackURL))
	if err != nil {
		return m, of, err
	}
	values := u.Query()
	_, template, _ := strings.Cut(lambdas.RouteGoodsReceipt, " ")
	parts := strings.Split(u.Path, "/")
	for i, name := range strings.Split(template, "/") {
		if name, isVariable := strings.CutPrefix(name, "{"); isVariable {
			values.Set(strings.TrimSuffix(name, "}"), parts[i])
		}
	}
	m = events.SQSMessage{Body: string(body), MessageAttributes: map[string]events.SQSMessageAttribute{}}
	for _, part := range lambdas.StockIncrease.Buffered {
		_, name, _ := strings.Cut(part, ".")
		text := values.Get(name)
		m.MessageAttributes[name] = events.SQSMessageAttribute{DataType: "String", StringValue: &text}
	}
	return m, attempt{values.Get("order"), values.Get("attempt")}, nil
}

// forge sends a callback that the shop did not sign. The forger knows the URL of a request, and
// writes another attempt into its path. The factory reports nothing for that attempt, so
// checkReceipts finds all that is booked for it.
func (w *world) forge(r factory.Request) error {
	w.count("a callback was forged")
	_, of, err := callback(r)
	if err != nil {
		return err
	}
	r.CallbackURL = factory.CallbackURL(strings.Replace(string(r.CallbackURL), of.id, w.newID().String(), 1))
	m, _, err := callback(r)
	if err != nil {
		return err
	}
	w.deliveries.send(m, w.latency())
	return nil
}
