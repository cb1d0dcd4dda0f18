package factory_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/uuid"

	"restock/local/factory"
)

// order is a request as the shop sends it, with what must survive: an unknown
// field, characters that encoding/json would escape, and odd white space.
const order = `{"MessageGroupId":"stock-arrival-group",  "MessageAttributeProductId":"CP-502101",
 "MessageAttributeProductCnt":"100","MessageAttributeFactoryId":"FF-500293",
 "MessageAttributeRequester":"stock-bot","extra":[1,2.50],
 "CallbackUrl":"http://shop.test/receipt?a=1&b=2"}`

// shop receives the callbacks in a test whose clock is synctest's: there is no
// network between it and the factory.
type shop struct {
	mu        sync.Mutex
	callbacks []callback
	status    int   // 0 means 200
	err       error // in place of an answer
}

type callback struct {
	at                             time.Time
	method, url, contentType, body string
}

func (s *shop) RoundTrip(r *http.Request) (*http.Response, error) {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		return nil, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.callbacks = append(s.callbacks, callback{time.Now(), r.Method, r.URL.String(), r.Header.Get("Content-Type"), string(body)})
	if s.err != nil {
		return nil, s.err
	}
	return &http.Response{StatusCode: max(200, s.status), Body: http.NoBody, Request: r}, nil
}

func (s *shop) received() []callback {
	s.mu.Lock()
	defer s.mu.Unlock()
	return append([]callback(nil), s.callbacks...)
}

func newFactory(t *testing.T, s *shop) *factory.Factory {
	f := factory.New(factory.Config{Client: &http.Client{Transport: s}})
	t.Cleanup(f.Close)
	return f
}

func post(h http.Handler, body string) *httptest.ResponseRecorder {
	w := httptest.NewRecorder()
	r := httptest.NewRequest("POST", "/api/manufactures", strings.NewReader(body))
	r.Header.Set("Content-Type", "application/json")
	h.ServeHTTP(w, r)
	return w
}

func mustSetFault(t *testing.T, f *factory.Factory, fault factory.Fault) {
	t.Helper()
	if err := f.SetFault(fault); err != nil {
		t.Fatal(err)
	}
}

func TestOrderIsAnsweredAtOnceWithAnEchoOfIt(t *testing.T) {
	f := newFactory(t, &shop{})
	w := post(f, order)

	var answer struct {
		Data struct {
			Data     json.RawMessage `json:"data"`
			ID       string          `json:"id"`
			Reqestor string          `json:"reqestor"`
		} `json:"data"`
	}
	if err := json.Unmarshal(w.Body.Bytes(), &answer); err != nil {
		t.Fatalf("answer %q: %v", w.Body, err)
	}
	if w.Code != 201 || w.Header().Get("Content-Type") != "application/json" {
		t.Errorf("answer: got %d %s, want 201 application/json", w.Code, w.Header().Get("Content-Type"))
	}
	if string(answer.Data.Data) != order {
		t.Errorf("data.data:\n got %s\nwant %s", answer.Data.Data, order)
	}
	if id, err := uuid.Parse(answer.Data.ID); err != nil || id.Version() != 1 {
		t.Errorf("data.id: got %q, want a UUIDv1", answer.Data.ID)
	}
	if answer.Data.Reqestor != "stock-bot" {
		t.Errorf("data.reqestor: got %q, want stock-bot", answer.Data.Reqestor)
	}
}

func TestNothingIsValidatedAndRepeatsAreNotNoticed(t *testing.T) {
	f := newFactory(t, &shop{})
	for _, body := range []string{order, order, `{}`, `{"CallbackUrl":7}`, `[]`, `not JSON`, ``} {
		w := post(f, body)
		if w.Code != 201 || !json.Valid(w.Body.Bytes()) {
			t.Errorf("order %q: got %d %s, want 201 and JSON", body, w.Code, w.Body)
		}
	}
	ids := make(map[string]bool)
	for _, req := range f.Requests() {
		ids[req.ID] = true
	}
	if len(ids) != 7 {
		t.Errorf("7 orders made %d lots, want 7", len(ids))
	}
}

func TestLotGoesThroughItsStepsThenIsDeliveredOnce(t *testing.T) {
	for _, tc := range []struct {
		name string
		shop *shop
		want factory.Delivery
	}{
		{"taken", &shop{}, factory.Delivery{Status: 200}},
		{"refused", &shop{status: 500}, factory.Delivery{Status: 500}},
		{"unreachable", &shop{err: errors.New("no route")}, factory.Delivery{Err: "no route"}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				f := newFactory(t, tc.shop)
				start := time.Now()
				post(f, order)

				for _, step := range []string{"시작", "준비", "생산", "포장", "종료"} {
					synctest.Wait()
					if got := f.Requests()[0].Step; got != step {
						t.Errorf("after %v: step %q, want %q", time.Since(start), got, step)
					}
					if n := len(tc.shop.received()); n != 0 && step != "종료" {
						t.Fatalf("after %v: %d callbacks, want none before the end", time.Since(start), n)
					}
					time.Sleep(10 * time.Second)
				}
				time.Sleep(time.Hour) // whatever the answer, it is not tried again

				got := tc.shop.received()
				want := callback{start.Add(40 * time.Second), "POST", "http://shop.test/receipt?a=1&b=2", "application/json", order}
				if len(got) != 1 {
					t.Fatalf("got %d callbacks, want 1", len(got))
				}
				if got[0] != want {
					t.Errorf("callback:\n got %+v\nwant %+v", got[0], want)
				}
				deliveries := f.Requests()[0].Deliveries
				if len(deliveries) != 1 || deliveries[0].Status != tc.want.Status || !strings.Contains(deliveries[0].Err, tc.want.Err) {
					t.Errorf("deliveries: got %+v, want one like %+v", deliveries, tc.want)
				}
			})
		})
	}
}

func TestCallbackOverHTTP(t *testing.T) {
	bodies := make(chan string, 1)
	shop := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		bodies <- string(body)
	}))
	defer shop.Close()
	f := factory.New(factory.Config{Step: time.Microsecond})
	defer f.Close()
	srv := httptest.NewServer(f)
	defer srv.Close()

	sent := fmt.Sprintf(`{"MessageAttributeProductCnt":100,"CallbackUrl":%q}`, shop.URL)
	res, err := http.Post(srv.URL+"/api/manufactures", "application/json", strings.NewReader(sent))
	if err != nil {
		t.Fatal(err)
	}
	res.Body.Close()
	if res.StatusCode != 201 {
		t.Errorf("status %d, want 201", res.StatusCode)
	}
	if got := <-bodies; got != sent {
		t.Errorf("callback: got %s, want %s", got, sent)
	}
}

func TestCloseEndsAllJobs(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := &shop{}
		f := newFactory(t, s)
		for range 3 {
			post(f, order)
		}
		time.Sleep(15 * time.Second)
		f.Close() // synctest fails the test when a goroutine stays behind
		time.Sleep(time.Hour)
		if n := len(s.received()); n != 0 {
			t.Errorf("after Close: %d callbacks, want none", n)
		}
		if w := post(f, order); w.Code != 503 || len(f.Requests()) != 3 {
			t.Errorf("order after Close: got %d and %d requests, want 503 and 3", w.Code, len(f.Requests()))
		}
	})
}

func TestPeopleSeeWhatWasReceived(t *testing.T) {
	f := newFactory(t, &shop{})
	post(f, order)
	post(f, "not JSON")
	w := httptest.NewRecorder()
	f.ServeHTTP(w, httptest.NewRequest("GET", "/api/manufactures", nil))

	var got struct {
		Manufactures []struct {
			ID      string
			Step    string
			Time    time.Time
			Header  http.Header
			Request any
		}
	}
	if err := json.Unmarshal(w.Body.Bytes(), &got); err != nil {
		t.Fatalf("answer %q: %v", w.Body, err)
	}
	if len(got.Manufactures) != 2 {
		t.Fatalf("got %d manufactures, want 2: %s", len(got.Manufactures), w.Body)
	}
	first, second := got.Manufactures[0], got.Manufactures[1]
	if first.ID != f.Requests()[0].ID || first.Step != "시작" || first.Time.IsZero() || first.Header.Get("Content-Type") != "application/json" {
		t.Errorf("first: got %+v", first)
	}
	if fields, _ := first.Request.(map[string]any); fields["MessageAttributeProductCnt"] != "100" {
		t.Errorf("first request: got %v", first.Request)
	}
	if second.Request != "not JSON" {
		t.Errorf("second request: got %v, want it as text", second.Request)
	}
}
