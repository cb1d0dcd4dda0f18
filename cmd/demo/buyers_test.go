package main

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"

	"restock/test/load"
)

// scriptedShop answers each buyer with the statuses of one script; it repeats the last status. It
// recognizes a buyer by the idempotency key, and assigns the scripts in turn.
func scriptedShop(t *testing.T, scripts ...[]int) *story {
	t.Helper()
	var mu sync.Mutex
	asked := map[string]int{}
	scriptOf := map[string][]int{}
	shop := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		mu.Lock()
		defer mu.Unlock()
		key := r.Header.Get("Idempotency-Key")
		if asked[key] == 0 {
			scriptOf[key] = scripts[len(asked)%len(scripts)]
		}
		status := scriptOf[key][min(asked[key], len(scriptOf[key])-1)]
		asked[key]++
		w.WriteHeader(status)
		fmt.Fprintf(w, `{"message": "answered with %d"}`, status)
	}))
	t.Cleanup(shop.Close)
	return &story{shop: load.Shop{URL: shop.URL, Client: shop.Client()}}
}

func TestEachBuyerIsCountedOnceByTheLastAnswer(t *testing.T) {
	t.Parallel()
	s := scriptedShop(t, []int{200}, []int{409}, []int{503, 429, 409}, []int{503, 200}, []int{429})
	visits, err := s.crowd(t.Context(), crowdSize)
	if err != nil {
		t.Fatal(err)
	}
	var b tally
	for _, v := range visits {
		b.add(v)
	}
	const of = crowdSize / 5 // buyers of each script
	want := tally{bought: 2 * of, refused: 2 * of, busy: of, retries: of*2 + of + of*(maxRequests-1)}
	if b != want {
		t.Errorf("got the tally %+v, want %+v", b, want)
	}
	if err := b.check(crowdSize); err != nil {
		t.Errorf("with no failed buyer: got %v", err)
	}
	const text = "of 500 buyers 200 bought, 200 were refused, 100 found the shop busy, 0 failed " +
		"(they repeated 1200 requests)"
	if got := b.String(); got != text {
		t.Errorf("got %q, want %q", got, text)
	}
}

func TestWrongTallyEndsTheDemo(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		tally  tally
		stored int    // number of sales
		want   string // in the error; empty: none
	}{
		"all are counted": {tally{bought: 1, refused: 498, busy: 1}, 1, ""},
		"one is missing": {tally{bought: 1, refused: 498}, 1,
			"500 buyers came, but the tally is: of 499 buyers 1 bought"},
		"one is counted twice": {tally{bought: 1, refused: 500}, 1,
			"500 buyers came, but the tally is: of 501 buyers 1 bought"},
		"a sale is lost":                             {tally{bought: 2, refused: 498}, 1, "has stored 1 sales"},
		"a sale has no buyer":                        {tally{bought: 1, refused: 499}, 2, "has stored 2 sales"},
		"a buyer who found the shop busy has bought": {tally{bought: 1, refused: 498, busy: 1}, 2, ""},
		"more sales than buyers who may have bought": {tally{bought: 1, refused: 498, busy: 1}, 3,
			"has stored 3 sales"},
		"a buyer failed": {tally{refused: 499, failed: 1, failure: fmt.Errorf("500")}, 0,
			"1 buyers failed, the first with: 500"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			err := c.tally.check(crowdSize)
			if err == nil {
				err = c.tally.checkSales(c.stored)
			}
			if (err == nil) != (c.want == "") || err != nil && !strings.Contains(err.Error(), c.want) {
				t.Errorf("got %v, want an error with %q", err, c.want)
			}
		})
	}
}

func TestAFailedVisitIsReportedWithTheAnswer(t *testing.T) {
	t.Parallel()
	s := scriptedShop(t, []int{500})
	v, err := s.visit(t.Context())
	if err != nil || v.outcome != load.Failed || v.requests != 1 {
		t.Fatalf("got %+v, %v; want one failed request", v, err)
	}
	if got := v.failure().Error(); got != `a buyer's POST /checkout got 500 {"message": "answered with 500"}` {
		t.Errorf("got %q", got)
	}
	s.shop.URL = "http://127.0.0.1:1" // nothing listens there
	if v, err := s.visit(t.Context()); err != nil || v.outcome != load.Failed || v.err == nil {
		t.Errorf("without a shop: got %+v, %v; want a failed visit", v, err)
	}
}
