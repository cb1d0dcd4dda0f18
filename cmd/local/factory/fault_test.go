package factory_test

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"restock/cmd/local/factory"
)

func TestFaultyAnswers(t *testing.T) {
	for _, tc := range []struct {
		name   string
		fault  factory.Fault
		status int // 0: no answer
		body   string
		lots   int
	}{
		{"none", factory.Fault{}, 201, `"reqestor":"stock-bot"}}`, 1},
		{"status", factory.Fault{Status: 500}, 500, "Internal Server Error", 0},
		{"status, but produces", factory.Fault{Status: 503, Produces: true}, 503, "Service Unavailable", 1},
		{"garbage", factory.Fault{Answer: factory.AnswerGarbage}, 201, `{"data":{"data":`, 1},
		{"disconnect", factory.Fault{Answer: factory.AnswerDisconnect}, 0, "", 0},
		{"disconnect, but produces", factory.Fault{Answer: factory.AnswerDisconnect, Produces: true}, 0, "", 1},
	} {
		t.Run(tc.name, func(t *testing.T) {
			f := newFactory(t, &shop{})
			srv := httptest.NewServer(f)
			defer srv.Close()
			mustSetFault(t, f, tc.fault)

			res, err := http.Post(srv.URL+"/api/manufactures", "application/json", strings.NewReader(order))
			if tc.status == 0 {
				if err == nil {
					t.Errorf("got %s, want no answer", res.Status)
				}
			} else {
				if err != nil {
					t.Fatal(err)
				}
				defer res.Body.Close()
				body, _ := io.ReadAll(res.Body)
				if res.StatusCode != tc.status || !strings.Contains(string(body), tc.body) {
					t.Errorf("got %d %s, want %d %s", res.StatusCode, body, tc.status, tc.body)
				}
			}
			received := f.Requests()
			lots := 0
			for _, req := range received {
				if req.ID != "" {
					lots++
				}
			}
			if len(received) != 1 || lots != tc.lots {
				t.Errorf("got %d requests and %d lots, want 1 and %d", len(received), lots, tc.lots)
			}
		})
	}
}

func TestHangingFactoryIsLeftByItsClient(t *testing.T) {
	f := newFactory(t, &shop{})
	srv := httptest.NewServer(f)
	defer srv.Close() // returns only when the handler has
	mustSetFault(t, f, factory.Fault{Answer: factory.AnswerNever})

	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, "POST", srv.URL+"/api/manufactures", strings.NewReader(order))
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Content-Type", "application/json")
	if res, err := http.DefaultClient.Do(req); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("got %v and error %v, want no answer until the client's deadline", res, err)
	}

	mustSetFault(t, f, factory.Fault{})
	if w := post(f, order); w.Code != 201 {
		t.Errorf("repaired factory: got %d, want 201", w.Code)
	}
}

func TestCloseFreesAHangingClient(t *testing.T) {
	f := newFactory(t, &shop{})
	srv := httptest.NewServer(f)
	defer srv.Close()
	mustSetFault(t, f, factory.Fault{Answer: factory.AnswerNever})
	failed := make(chan error, 1)
	go func() {
		_, err := http.Post(srv.URL+"/api/manufactures", "application/json", strings.NewReader(order))
		failed <- err
	}()
	for len(f.Requests()) == 0 {
		time.Sleep(time.Millisecond)
	}
	f.Close()
	if err := <-failed; err == nil {
		t.Error("the hanging request was answered, want its connection closed")
	}
}

func TestFaultyDeliveries(t *testing.T) {
	const order = `{"MessageAttributeProductCnt":"100","CallbackUrl":"http://shop.test/"}`
	const number = `{"MessageAttributeProductCnt":100,"CallbackUrl":"http://shop.test/"}`
	for _, tc := range []struct {
		name  string
		fault factory.Fault
		order string
		count int
		units string
		body  string
	}{
		{"twice", factory.Fault{Deliveries: 2}, order, 2, "100", order},
		{"ten times", factory.Fault{Deliveries: 10}, order, 10, "100", order},
		{"short", factory.Fault{Count: "60"}, order, 1, "60",
			`{"CallbackUrl":"http://shop.test/","MessageAttributeProductCnt":"60"}`},
		{"short, as a number", factory.Fault{Count: "60"}, number, 1, "60",
			`{"CallbackUrl":"http://shop.test/","MessageAttributeProductCnt":60}`},
		{"not a number", factory.Fault{Count: "many"}, number, 1, "many",
			`{"CallbackUrl":"http://shop.test/","MessageAttributeProductCnt":"many"}`},
	} {
		t.Run(tc.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s := &shop{}
				f := newFactory(t, s)
				post(f, tc.order)
				mustSetFault(t, f, tc.fault) // switched while the lot is in the making
				time.Sleep(time.Minute)
				got := s.received()
				if len(got) != tc.count {
					t.Fatalf("got %d callbacks, want %d", len(got), tc.count)
				}
				for _, c := range got {
					if c.body != tc.body {
						t.Errorf("callback: got %s, want %s", c.body, tc.body)
					}
				}
				recorded := f.Requests()[0].Deliveries
				if len(recorded) != tc.count {
					t.Errorf("got %d deliveries on record, want %d", len(recorded), tc.count)
				}
				for _, d := range recorded {
					if d.Count != tc.units {
						t.Errorf("a delivery of %q is on record, want %q", d.Count, tc.units)
					}
				}
			})
		})
	}
}

func TestLostJobsAreNeverDelivered(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := &shop{}
		f := newFactory(t, s)
		post(f, order)
		time.Sleep(time.Minute) // done and delivered
		post(f, order)
		post(f, order)
		time.Sleep(25 * time.Second)
		if lost := f.LoseJobs(); lost != 2 {
			t.Errorf("lost %d jobs, want the 2 in the making", lost)
		}
		post(f, order) // works again
		time.Sleep(time.Minute)

		if n := len(s.received()); n != 2 {
			t.Errorf("got %d callbacks, want 2: before the loss and after it", n)
		}
		for i, want := range []bool{false, true, true, false} {
			if got := f.Requests()[i].Lost; got != want {
				t.Errorf("request %d: lost %v, want %v", i, got, want)
			}
		}
		if lost := f.LoseJobs(); lost != 0 {
			t.Errorf("lost %d jobs a second time, want none", lost)
		}
	})
}

func TestHeldJobsFinishNoStepUntilTheyAreReleased(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := &shop{}
		f := newFactory(t, s)
		post(f, order)
		time.Sleep(15 * time.Second) // in its second step
		mustSetFault(t, f, factory.Fault{Hold: true})
		if w := post(f, order); w.Code != 201 {
			t.Errorf("an order while the work is held: got %d, want 201", w.Code)
		}
		time.Sleep(time.Hour)
		mustSetFault(t, f, factory.Fault{Hold: true, Count: "60"}) // still held
		time.Sleep(time.Hour)
		for i, want := range []string{"준비", "시작"} {
			if got := f.Requests()[i].Step; got != want {
				t.Errorf("request %d is held in step %q, want %q", i, got, want)
			}
		}
		if n := len(s.received()); n != 0 {
			t.Fatalf("got %d callbacks while the work is held, want none", n)
		}
		mustSetFault(t, f, factory.Fault{})
		time.Sleep(time.Minute)
		if n := len(s.received()); n != 2 {
			t.Errorf("got %d callbacks after the release, want 2", n)
		}
	})
}

func TestHeldJobsAreLostAndClosed(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := &shop{}
		f := newFactory(t, s)
		mustSetFault(t, f, factory.Fault{Hold: true})
		post(f, order)
		time.Sleep(time.Minute)
		if lost := f.LoseJobs(); lost != 1 {
			t.Errorf("lost %d held jobs, want 1", lost)
		}
		post(f, order)
		time.Sleep(time.Minute)
		f.Close() // returns although a job is held
		if n := len(s.received()); n != 0 {
			t.Errorf("got %d callbacks, want none", n)
		}
	})
}

func TestJobIsEitherLostOrDelivered(t *testing.T) {
	for range 100 {
		synctest.Test(t, func(t *testing.T) {
			s := &shop{}
			f := newFactory(t, s)
			post(f, order)
			time.Sleep(40 * time.Second) // the loss comes at the moment the lot is done
			lost := f.LoseJobs()
			time.Sleep(time.Minute)
			if delivered := len(s.received()); lost+delivered != 1 {
				t.Errorf("%d jobs lost and %d lots delivered, want 1 in sum", lost, delivered)
			}
		})
	}
}

func TestSenselessFaultIsRefused(t *testing.T) {
	f := newFactory(t, &shop{})
	for _, fault := range []factory.Fault{
		{Status: 200},
		{Status: 999},
		{Status: 500, Answer: factory.AnswerGarbage},
		{Answer: "sleep"},
		{Deliveries: -1},
		{Deliveries: factory.MaxDeliveries + 1},
		{Deliveries: 20_000},
		{Count: strings.Repeat("1", factory.MaxCount+1)},
	} {
		if err := f.SetFault(fault); err == nil || f.Fault() != (factory.Fault{}) {
			t.Errorf("SetFault(%+v): got %v, and the fault %+v; want an error, and no fault", fault, err, f.Fault())
		}
	}
	if w := post(f, order); w.Code != 201 {
		t.Errorf("after refused faults: got %d, want 201", w.Code)
	}
}

func TestSlowFactoryMakesTheLotWhoeverWaits(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := &shop{}
		f := newFactory(t, s)
		mustSetFault(t, f, factory.Fault{Delay: time.Minute})
		if got := f.Fault(); got != (factory.Fault{Delay: time.Minute}) || got.String() != "takes 1m0s to answer" {
			t.Errorf("got the fault %+v: %s", got, got)
		}
		began := time.Now()
		if w := post(f, order); w.Code != 201 || time.Since(began) != time.Minute {
			t.Errorf("got %d after %v, want 201 after a minute", w.Code, time.Since(began))
		}
		if got := s.received(); len(got) != 1 || got[0].at.Sub(began) != 40*time.Second {
			t.Errorf("got the callbacks %+v, want one, 40 s after the request", got)
		}

		ctx, cancel := context.WithTimeout(t.Context(), 5*time.Second)
		defer cancel()
		began = time.Now()
		func() {
			defer func() {
				if cause := recover(); cause != http.ErrAbortHandler {
					t.Errorf("got %v, want that the connection is closed", cause)
				}
			}()
			r := httptest.NewRequestWithContext(ctx, "POST", "/api/manufactures", strings.NewReader(order))
			r.Header.Set("Content-Type", "application/json")
			f.ServeHTTP(httptest.NewRecorder(), r)
		}()
		if took := time.Since(began); took != 5*time.Second {
			t.Errorf("a client that waits 5s was held for %v", took)
		}
		time.Sleep(time.Hour)
		if got := len(s.received()); got != 2 {
			t.Errorf("got %d callbacks, want the second lot's too", got)
		}
	})
}

func TestDelayHasLimits(t *testing.T) {
	f := newFactory(t, &shop{})
	for _, delay := range []time.Duration{-1, factory.MaxDelay + 1} {
		if err := f.SetFault(factory.Fault{Delay: delay}); err == nil || f.Fault() != (factory.Fault{}) {
			t.Errorf("%v: got %v, and the fault %+v; want an error, and none", delay, err, f.Fault())
		}
	}
}

// A callback's signature lets whoever reads it deliver what was never made.
func TestTheLogTellsOfCallbacksWithoutTheirSignature(t *testing.T) {
	var log strings.Builder
	s := &shop{}
	synctest.Test(t, func(t *testing.T) {
		f := factory.New(factory.Config{CallbackOrigins: []string{shopOrigin}, Client: &http.Client{Transport: s},
			Log: slog.New(slog.NewTextHandler(&log, nil))})
		t.Cleanup(f.Close)
		post(f, strings.Replace(order, "?a=1&b=2", "?quantity=100&correlation=JKJa%3D&signature=secret", 1))
		time.Sleep(time.Minute)
		synctest.Wait()
	})
	if got := log.String(); strings.Count(got, `correlation_id="JKJa="`) != 2 || strings.Contains(got, "secret") ||
		!strings.Contains(got, "lot delivered") {
		t.Errorf("got\n%s\nwant the correlation twice, and no signature", got)
	}
}
