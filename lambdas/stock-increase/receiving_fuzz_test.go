package main

import (
	"context"
	"encoding/json"
	"log/slog"
	"net/http"
	"strings"
	"testing"

	"github.com/google/uuid"

	"restock/internal/shop"
	"restock/internal/web"
	"restock/internal/web/webtest"
)

// memory is a store that records deliveries.
type memory struct {
	shop.Store
	delivered []shop.Delivery
}

func (m *memory) Receive(_ context.Context, d shop.Delivery) (shop.Receipt, error) {
	m.delivered = append(m.delivered, d)
	return shop.Receipt{Stock: d.Quantity}, nil
}

func (m *memory) Replenish(context.Context, shop.Replenishment) (shop.Decision, error) {
	return shop.Decision{Outcome: shop.Settled}, nil
}

// FuzzCallback checks that the handler books a signed callback only, for its own attempt and at
// most the signed quantity, and that it refuses everything else with an error that blames the
// caller.
func FuzzCallback(f *testing.F) {
	order := uuid.MustParse("0190d6a8-f000-7000-8000-000000000001")
	attempt := uuid.MustParse("0190d6a8-f000-7000-8000-0000000000a1")
	good := callback(f, ours, order, attempt, made100)
	for _, path := range []string{
		good.Path, strings.Replace(good.Path, order.String(), strings.ToUpper(order.String()), 1),
		strings.Replace(good.Path, order.String(), "urn:uuid:"+order.String(), 1),
		strings.Replace(good.Path, order.String(), attempt.String(), 1),
		good.Path + "/", strings.Replace(good.Path, "/attempts", "//attempts", 1), "/",
	} {
		f.Add(path, good.Query, made100)
	}
	for _, query := range []string{
		"", good.Query + "&quantity=999", "quantity=999&" + good.Query, strings.Replace(good.Query, "100", "1000", 1),
		good.Query[:len(good.Query)-1], "%zz&" + good.Query, good.Query + ";quantity=5",
	} {
		f.Add(good.Path, query, made100)
	}
	for _, body := range []string{
		"", "null", strings.Replace(made100, `"100"`, `"101"`, 1), strings.Replace(made100, `"100"`, `100`, 1),
		made100[:len(made100)-1], made100 + made100, `{"messageattributeproductid":"x","MessageAttributeProductCnt":5}`,
	} {
		f.Add(good.Path, good.Query, body)
	}
	f.Fuzz(func(t *testing.T, path, query, body string) {
		if !strings.HasPrefix(path, "/") {
			return // API Gateway has no such event
		}
		store := &memory{}
		handler, err := newReceiver(shop.Open(store, nil, shop.Discard), ours, slog.New(slog.DiscardHandler))
		if err != nil {
			t.Fatal(err)
		}
		got := webtest.Do(t, handler, webtest.Request{Method: http.MethodPost, Path: path, Query: query, Body: body})
		var answer struct{ Code shop.Code }
		if err := json.Unmarshal([]byte(got.Body), &answer); err != nil {
			t.Errorf("the answer is %q: %v", got.Body, err)
		}
		if got.Status >= http.StatusInternalServerError || answer.Code != "" && web.IsOurs(answer.Code) {
			t.Errorf("got %d %s, want success, or an error that blames the caller", got.Status, got.Body)
		}
		if booked := len(store.delivered) == 1; booked != (got.Status == http.StatusOK) {
			t.Errorf("got %d %s, but the store booked %+v", got.Status, got.Body, store.delivered)
		}
		for _, d := range store.delivered {
			if d.ProductionOrderID != order || d.AttemptID != attempt || d.Quantity < 1 || d.Quantity > 100 ||
				d.SKU == "" {
				t.Errorf("%s?%s %s: the store booked %+v, want at most the signed 100 for %s, %s",
					path, query, body, d, order, attempt)
			}
		}
	})
}
