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

	"restock/cmd/local/factory"
)

// order is a request as the shop sends it, with what must survive: an unknown
// field, characters that encoding/json would escape, and odd white space.
const order = `{"MessageGroupId":"stock-arrival-group",  "MessageAttributeProductId":"CP-502101",
 "MessageAttributeProductCnt":"100","MessageAttributeFactoryId":"FF-500293",
 "MessageAttributeRequester":"stock-bot","extra":[1,2.50],
 "CallbackUrl":"http://shop.test/receipt?a=1&b=2"}`

// shopOrigin is where the callbacks of order lead.
const shopOrigin = "http://shop.test"

// shop receives the callbacks in a test whose clock is synctest's: there is no
// network between it and the factory.
type shop struct {
	mu        sync.Mutex
	callbacks []callback
	status    int    // 0 means 200
	location  string // where the answer redirects to
	err       error  // in place of an answer
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
	s.callbacks = append(s.callbacks,
		callback{time.Now(), r.Method, r.URL.String(), r.Header.Get("Content-Type"), string(body)})
	if s.err != nil {
		return nil, s.err
	}
	header := http.Header{}
	if s.location != "" {
		header.Set("Location", s.location)
	}
	return &http.Response{StatusCode: max(200, s.status), Header: header, Body: http.NoBody, Request: r}, nil
}

func (s *shop) received() []callback {
	s.mu.Lock()
	defer s.mu.Unlock()
	return append([]callback(nil), s.callbacks...)
}

func newFactory(t *testing.T, s *shop) *factory.Factory {
	f := factory.New(factory.Config{CallbackOrigins: []string{shopOrigin}, Client: &http.Client{Transport: s}})
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
				want := callback{start.Add(40 * time.Second), "POST", "http://shop.test/receipt?a=1&b=2",
					"application/json", order}
				if len(got) != 1 {
					t.Fatalf("got %d callbacks, want 1", len(got))
				}
				if got[0] != want {
					t.Errorf("callback:\n got %+v\nwant %+v", got[0], want)
				}
				deliveries := f.Requests()[0].Deliveries
				if len(deliveries) != 1 || deliveries[0].Status != tc.want.Status ||
					!strings.Contains(deliveries[0].Err, tc.want.Err) {
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
	f := factory.New(factory.Config{CallbackOrigins: []string{shop.URL}, Step: time.Microsecond})
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
	if first.ID != f.Requests()[0].ID || first.Step != "시작" || first.Time.IsZero() ||
		first.Header.Get("Content-Type") != "application/json" {
		t.Errorf("first: got %+v", first)
	}
	if fields, _ := first.Request.(map[string]any); fields["MessageAttributeProductCnt"] != "100" {
		t.Errorf("first request: got %v", first.Request)
	}
	if second.Request != "not JSON" {
		t.Errorf("second request: got %v, want it as text", second.Request)
	}
}

// A page of any web site can have a browser send text/plain to this machine.
func TestOnlyJSONIsAccepted(t *testing.T) {
	f := newFactory(t, &shop{})
	for contentType, status := range map[string]int{
		"application/json": 201, "application/json; charset=utf-8": 201,
		"text/plain": 415, "text/plain;charset=UTF-8": 415, "application/x-www-form-urlencoded": 415,
		"multipart/form-data; boundary=x": 415, "": 415,
	} {
		w := httptest.NewRecorder()
		r := httptest.NewRequest("POST", "/api/manufactures", strings.NewReader(order))
		r.Header.Set("Content-Type", contentType)
		f.ServeHTTP(w, r)
		if w.Code != status || status == 415 && !strings.Contains(w.Body.String(), "application/json") {
			t.Errorf("Content-Type %q: got %d %s, want %d", contentType, w.Code, w.Body, status)
		}
	}
	if n := len(f.Requests()); n != 2 {
		t.Errorf("got %d requests, want the 2 of JSON", n)
	}
}

func TestOnlyTheRunsAPIIsCalledBack(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := &shop{}
		f := newFactory(t, s)
		for callback, status := range map[string]int{
			"http://shop.test/receipt":              201,
			"https://shop.test/receipt":             400, // another scheme is another origin
			"http://shop.test:8080/receipt":         400,
			"http://shop.test@evil.example/":        400,
			"http://shop.test.evil.example/":        400,
			"http://evil.example/?http://shop.test": 400,
			"http://169.254.169.254/latest":         400,
			"//shop.test/receipt":                   400,
			"shop.test/receipt":                     400,
			"http://shop.test\x00/":                 400,
		} {
			body, err := json.Marshal(map[string]string{"CallbackUrl": callback})
			if err != nil {
				t.Fatal(err)
			}
			if w := post(f, string(body)); w.Code != status ||
				status == 400 && !strings.Contains(w.Body.String(), "CallbackUrl") {
				t.Errorf("callback %q: got %d %s, want %d", callback, w.Code, w.Body, status)
			}
		}
		time.Sleep(time.Hour)
		if got := s.received(); len(got) != 1 || got[0].url != "http://shop.test/receipt" {
			t.Errorf("got the callbacks %+v, want the one to the run's API", got)
		}
	})
}

func TestACallbackFollowsNoRedirect(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := &shop{status: http.StatusTemporaryRedirect, location: "http://evil.example/"}
		f := newFactory(t, s)
		post(f, order)
		time.Sleep(time.Hour)
		if got := s.received(); len(got) != 1 {
			t.Errorf("got the callbacks %+v, want the one to the run's API", got)
		}
		if d := f.Requests()[0].Deliveries; len(d) != 1 || d[0].Status != http.StatusTemporaryRedirect {
			t.Errorf("got the deliveries %+v, want one that is answered 307", d)
		}
	})
}

func TestTheHistoryIsBounded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFactory(t, &shop{})
		numbered := func(n int) string { return fmt.Sprintf(`{"n":%d}`, n) }
		for n := range factory.MaxRequests {
			post(f, numbered(n))
		}
		if w := post(f, numbered(-1)); w.Code != 503 || !strings.Contains(w.Body.String(), "2000 lots in the making") {
			t.Errorf("with %d lots in the making: got %d %s, want 503 that says so", factory.MaxRequests, w.Code,
				w.Body)
		}
		if since := f.RemembersSince(); !since.IsZero() {
			t.Errorf("the factory remembers the requests since %v, want all", since)
		}
		full := time.Now()
		time.Sleep(time.Hour)
		for n := range 10 {
			if w := post(f, numbered(factory.MaxRequests+n)); w.Code != 201 {
				t.Fatalf("after the lots are done: got %d %s, want 201", w.Code, w.Body)
			}
		}
		if since := f.RemembersSince(); !since.Equal(full) {
			t.Errorf("the factory remembers the requests since %v, want since %v", since, full)
		}
		got := f.Requests()
		if len(got) != factory.MaxRequests || string(got[0].Body) != numbered(10) ||
			string(got[len(got)-1].Body) != numbered(factory.MaxRequests+9) {
			t.Errorf("got %d requests, from %s to %s; want the latest %d", len(got), got[0].Body, got[len(got)-1].Body,
				factory.MaxRequests)
		}
	})
}
