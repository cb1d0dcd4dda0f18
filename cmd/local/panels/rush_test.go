package panels_test

import (
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"sync"
	"sync/atomic"
	"testing"

	"restock/cmd/local/panels"
	"restock/local/view/console"
	"restock/test/await"
)

func TestARushSendsRequestsAndCountsTheResults(t *testing.T) {
	h := newHarness(t)
	var bought, atOnce, most atomic.Int64
	goesOn := make(chan struct{}) // the rush lasts until this is closed
	end := sync.OnceFunc(func() { close(goesOn) })
	shop := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		<-goesOn
		now := atOnce.Add(1)
		defer atOnce.Add(-1)
		for m := most.Load(); now > m && !most.CompareAndSwap(m, now); m = most.Load() {
		}
		body, _ := io.ReadAll(r.Body)
		if r.Method != "POST" || r.URL.Path != "/checkout" || string(body) != `{"sku":"CP-502101","quantity":2}` {
			w.WriteHeader(http.StatusTeapot)
			return
		}
		switch n := bought.Add(1); {
		case n <= 30:
		case n <= 90:
			w.WriteHeader(http.StatusConflict)
		case n <= 92: // the shop answers this itself
			w.WriteHeader(http.StatusServiceUnavailable)
		default:
			id, reason := fmt.Sprint(n), "all 2 instances of sales-api are busy"
			if n > 98 {
				reason = "the stage lets 1 request pass"
			}
			h.Console.Throttled(id, reason)
			w.Header().Set("Apigw-Requestid", id)
			w.WriteHeader(http.StatusServiceUnavailable)
		}
	}))
	t.Cleanup(shop.Close)
	t.Cleanup(end)
	const rush = `{"buyers":100,"seconds":1,"sku":"CP-502101","quantity":2}`
	h.Refuse(t, "/panels/rush/", rush, 409, "does not run yet")
	stack := console.Stack{Graph: picture(), Endpoints: map[string]string{"api": shop.URL}}
	if err := h.Console.Run(stack); err != nil {
		t.Fatal(err)
	}
	var state struct {
		Panels struct{ Rush *panels.RushState }
	}
	if status := h.Post(t, "/panels/rush/", rush, &state.Panels.Rush); status != 202 || !state.Panels.Rush.Running {
		t.Errorf("got %d %+v", status, state.Panels.Rush)
	}
	h.Refuse(t, "/panels/rush/", rush, 409, "running")
	end()
	await.Until(t, "the rush has ended", func() bool {
		h.Get(t, "/state", &state)
		return !state.Panels.Rush.Running
	})
	got := *state.Panels.Rush
	why := []panels.Reason{
		{Reason: "all 2 instances of sales-api are busy", Buyers: 6},
		{Reason: "the stage lets 1 request pass", Buyers: 2},
	}
	if !slices.Equal(got.ThrottledBy, why) {
		t.Errorf("got %v, want %v", got.ThrottledBy, why)
	}
	counts := [5]int{got.Sent, got.Sold, got.Refused, got.Throttled, got.Failed}
	if counts != [5]int{100, 30, 60, 8, 2} || got.P50MS <= 0 || got.P99MS < got.P50MS {
		t.Errorf("got %+v", got)
	}
	// The next rush does not hide why this one's buyers were throttled.
	h.Post(t, "/panels/rush/", `{"buyers":1,"seconds":1,"sku":"CP-502101","quantity":2}`, &state.Panels.Rush)
	await.Until(t, "the next rush has ended", func() bool {
		h.Get(t, "/state", &state)
		return !state.Panels.Rush.Running
	})
	earlier := state.Panels.Rush.Earlier
	if len(earlier) != 1 || earlier[0].Sold != 30 || earlier[0].SKU != "CP-502101" ||
		!slices.Equal(earlier[0].ThrottledBy, why) || !earlier[0].Began.Equal(got.Began) {
		t.Errorf("the earlier rushes are %+v, want %+v", earlier, got)
	}
	if most.Load() > 64 {
		t.Errorf("%d buyers waited for an answer at a time, want at most 64", most.Load())
	}
}

func TestARushEndsByRequestAndWithTheConsole(t *testing.T) {
	h := newHarness(t)
	var waiting atomic.Int64
	shop := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		io.Copy(io.Discard, r.Body) // the server notices a closed connection only after it has read the body
		waiting.Add(1)
		defer waiting.Add(-1)
		<-r.Context().Done()
	}))
	t.Cleanup(shop.Close)
	stack := console.Stack{Graph: picture(), Endpoints: map[string]string{"api": shop.URL}}
	if err := h.Console.Run(stack); err != nil {
		t.Fatal(err)
	}
	var state panels.RushState
	for _, end := range []func(){
		func() {
			status := h.Do(t, http.MethodDelete, "/panels/rush/", "", &state)
			if status != 200 || state.Running || state.Sent != 0 {
				t.Errorf("got %d %+v", status, state)
			}
		},
		func() { h.Console.Close() },
	} {
		if status := h.Post(t, "/panels/rush/", `{"buyers":100000,"seconds":600}`, &state); status != 202 {
			t.Fatalf("got %d", status)
		}
		await.Until(t, "buyers have come", func() bool { return waiting.Load() > 0 })
		end()
		await.Until(t, "no buyer is left", func() bool { return waiting.Load() == 0 })
	}
}

func TestARushHasLimits(t *testing.T) {
	h := newHarness(t)
	for body, want := range map[string]string{
		`{"buyers":0,"seconds":1}`:                 "buyers is 0: it must be from 1 to 100000",
		`{"buyers":100001,"seconds":1}`:            "buyers is 100001",
		`{"buyers":1,"seconds":0}`:                 "seconds is 0: it must be from 1 to 600",
		`{"buyers":1,"seconds":1,"quantity":-1}`:   "quantity is -1",
		`{"buyers":1,"seconds":1,"quantity":1001}`: "quantity is 1001: it must be from 1 to 1000",
	} {
		h.Refuse(t, "/panels/rush/", body, 400, want)
	}
}
