package buyers

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"

	"restock/test/load"
)

// crowdSize is the number of buyers of a crowd. Each script has as many of them.
const crowdSize = 500

// scriptedShop answers each buyer with the statuses of one script; it repeats the last status. It
// recognizes a buyer by the idempotency key, and assigns the scripts in turn.
func scriptedShop(t *testing.T, scripts ...[]int) Shop {
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
	return Shop{Shop: load.Shop{URL: shop.URL, Client: shop.Client()}}
}

func TestEachBuyerIsCountedOnceByTheLastAnswer(t *testing.T) {
	t.Parallel()
	s := scriptedShop(t, []int{200}, []int{409}, []int{503, 429, 409}, []int{503, 200}, []int{429})
	visits, err := s.Crowd(t.Context(), crowdSize)
	if err != nil {
		t.Fatal(err)
	}
	var b Tally
	for _, v := range visits {
		b.Add(v)
	}
	const of = crowdSize / 5 // buyers of each script
	want := Tally{Bought: 2 * of, Refused: 2 * of, Busy: of, retries: of*2 + of + of*(maxRequests-1)}
	if b != want {
		t.Errorf("got the tally %+v, want %+v", b, want)
	}
	if err := b.Check(crowdSize); err != nil {
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
		tally  Tally
		stored int    // number of sales
		want   string // in the error; empty: none
	}{
		"all are counted": {Tally{Bought: 1, Refused: 498, Busy: 1}, 1, ""},
		"one is missing": {Tally{Bought: 1, Refused: 498}, 1,
			"500 buyers came, but the tally is: of 499 buyers 1 bought"},
		"one is counted twice": {Tally{Bought: 1, Refused: 500}, 1,
			"500 buyers came, but the tally is: of 501 buyers 1 bought"},
		"a sale is lost":                             {Tally{Bought: 2, Refused: 498}, 1, "has stored 1 sales"},
		"a sale has no buyer":                        {Tally{Bought: 1, Refused: 499}, 2, "has stored 2 sales"},
		"a buyer who found the shop busy has bought": {Tally{Bought: 1, Refused: 498, Busy: 1}, 2, ""},
		"more sales than buyers who may have bought": {Tally{Bought: 1, Refused: 498, Busy: 1}, 3,
			"has stored 3 sales"},
		"a buyer failed": {Tally{Refused: 499, Failed: 1, failure: fmt.Errorf("500")}, 0,
			"1 buyers failed, the first with: 500"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			err := c.tally.Check(crowdSize)
			if err == nil {
				err = c.tally.CheckSales(c.stored)
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
	v, err := s.Visit(t.Context())
	if err != nil || v.Outcome != load.Failed || v.Requests != 1 {
		t.Fatalf("got %+v, %v; want one failed request", v, err)
	}
	if got := v.Failure().Error(); got != `a buyer's POST /checkout got 500 {"message": "answered with 500"}` {
		t.Errorf("got %q", got)
	}
	s.URL = "http://127.0.0.1:1" // nothing listens there
	if v, err := s.Visit(t.Context()); err != nil || v.Outcome != load.Failed || v.Err == nil {
		t.Errorf("without a shop: got %+v, %v; want a failed visit", v, err)
	}
}
