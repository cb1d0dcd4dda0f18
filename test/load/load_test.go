package load

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"sync/atomic"
	"testing"
)

func TestPercentileIsTheNearestRank(t *testing.T) {
	hundred := make([]int, 100)
	for i := range hundred {
		hundred[i] = 100 - i
	}
	for _, c := range []struct {
		values  []int
		p, want int
	}{
		{[]int{7}, 50, 7}, {[]int{7}, 99, 7}, {[]int{3, 1, 2}, 50, 2}, {[]int{4, 1, 3, 2}, 50, 2}, {[]int{2, 1}, 0, 1},
		{hundred, 50, 50}, {hundred, 99, 99}, {hundred, 100, 100},
	} {
		if got := Percentile(c.values, c.p); got != c.want {
			t.Errorf("the %dth percentile of %v is %d, want %d", c.p, c.values, got, c.want)
		}
	}
}

func TestBuySendsThePurchaseAndReadsTheAnswer(t *testing.T) {
	t.Parallel()
	status := http.StatusOK
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		w.WriteHeader(status)
		fmt.Fprintf(w, "%s %s %s %s", r.Method, r.URL.Path, r.Header.Get("Idempotency-Key"), body)
	}))
	defer server.Close()
	shop := Shop{server.URL, server.Client()}
	for _, c := range []struct {
		status   int
		purchase Purchase
		text     string
		want     Outcome
	}{
		{200, Purchase{SKU: "CP-1", Quantity: 2, IdempotencyKey: "key"},
			`POST /checkout key {"sku":"CP-1","quantity":2}`, Sold},
		{409, Purchase{}, "POST /checkout  ", Refused},
		{429, Purchase{}, "POST /checkout  ", Busy},
		{503, Purchase{}, "POST /checkout  ", Busy},
		{500, Purchase{}, "POST /checkout  ", Failed},
	} {
		status = c.status
		got, err := shop.Buy(t.Context(), c.purchase)
		if err != nil || string(got.Text) != c.text || got.Outcome() != c.want {
			t.Errorf("%+v: got %d %s, outcome %d, %v; want %s, outcome %d",
				c.purchase, got.Status, got.Text, got.Outcome(), err, c.text, c.want)
		}
	}
	server.Close()
	if got, err := shop.Buy(t.Context(), Purchase{}); err == nil {
		t.Errorf("after the server was closed: got %+v, want an error", got)
	}
}

func TestCrowdLimitsConcurrencyAndStopsAtAnError(t *testing.T) {
	t.Parallel()
	var inside, served atomic.Int64
	err := Crowd(t.Context(), 100, 4, func(context.Context, int) error {
		if n := inside.Add(1); n > 4 {
			t.Errorf("%d buyers are served at once, want at most 4", n)
		}
		served.Add(1)
		inside.Add(-1)
		return nil
	})
	if err != nil || served.Load() != 100 {
		t.Errorf("got %v after %d buyers, want 100", err, served.Load())
	}
	fails := errors.New("the shop is gone")
	err = Crowd(t.Context(), 2, 2, func(ctx context.Context, i int) error {
		if i == 0 {
			return fails
		}
		<-ctx.Done()
		return ctx.Err()
	})
	if !errors.Is(err, fails) {
		t.Errorf("got %v, want %v", err, fails)
	}
}
