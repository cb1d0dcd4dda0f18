package cloudfront_test

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"regexp"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"restock/local/aws/cloudfront"
)

// An origin answers with its number of requests.
type origin struct {
	mu           sync.Mutex // guards the next field
	requests     int
	status       int
	cacheControl string
	takes        time.Duration
}

func (o *origin) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	o.mu.Lock()
	o.requests++
	n, status := o.requests, o.status
	o.mu.Unlock()
	time.Sleep(o.takes)
	w.Header().Set("Cache-Control", o.cacheControl)
	w.Header().Set("ETag", fmt.Sprintf(`"%d"`, n))
	w.WriteHeader(status)
	fmt.Fprint(w, n)
}

func open(o *origin, policy cloudfront.CachePolicy) http.Handler {
	return cloudfront.New(cloudfront.Config{
		Behaviors: []cloudfront.Behavior{{Path: regexp.MustCompile("^/products$"), CachePolicy: policy}},
		Header:    http.Header{"Strict-Transport-Security": {"max-age=31536000"}},
	}, o)
}

func get(h http.Handler, method, target string, header ...string) *httptest.ResponseRecorder {
	r := httptest.NewRequest(method, target, nil)
	for i := 0; i+1 < len(header); i += 2 {
		r.Header.Set(header[i], header[i+1])
	}
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	return w
}

const second = time.Second

var twoSeconds = cloudfront.CachePolicy{MaxTTL: 2 * second}

func TestAnAnswerIsKeptAsLongAsHeadersAndPolicyAllow(t *testing.T) {
	for _, c := range []struct {
		cacheControl string
		policy       cloudfront.CachePolicy
		want         time.Duration
	}{
		{"public, max-age=1", twoSeconds, second},
		{"public, max-age=60", twoSeconds, 2 * second},
		{"max-age=0, s-maxage=1", twoSeconds, second},
		{"", twoSeconds, 0},
		{"", cloudfront.CachePolicy{DefaultTTL: 5 * second, MaxTTL: 9 * second}, 5 * second},
		{"no-store", twoSeconds, 0},
		{"max-age=1, no-store", twoSeconds, 0},
		{"no-cache, max-age=1", twoSeconds, 0},
		{"private, max-age=1", twoSeconds, 0},
		{"no-store", cloudfront.CachePolicy{MinTTL: second, MaxTTL: 2 * second}, second},
	} {
		synctest.Test(t, func(t *testing.T) {
			o := &origin{status: 200, cacheControl: c.cacheControl}
			h := open(o, c.policy)
			get(h, "GET", "/products")
			if c.want > 0 {
				time.Sleep(c.want - time.Nanosecond)
				w := get(h, "GET", "/products?page=2", "Accept-Language", "en", "Cookie", "a=b")
				if w.Body.String() != "1" || w.Header().Get("X-Cache") != "Hit from cloudfront" ||
					w.Header().Get("Date") == "" || w.Header().Get("Age") == "" {
					t.Errorf("%q, %+v: got %s, %v before %v, want the kept answer",
						c.cacheControl, c.policy, w.Body, w.Header(), c.want)
				}
				time.Sleep(time.Nanosecond)
			}
			if w := get(h, "GET", "/products"); w.Body.String() != "2" {
				t.Errorf("%q, %+v: got %s after %v, want a new answer", c.cacheControl, c.policy, w.Body, c.want)
			}
		})
	}
}

func TestRequestsForOneAnswerWaitForOneRequestToTheOrigin(t *testing.T) {
	for _, c := range []struct {
		cacheControl string
		want         int
	}{{"max-age=1", 1}, {"no-store", 100}} {
		synctest.Test(t, func(t *testing.T) {
			o := &origin{status: 200, cacheControl: c.cacheControl, takes: second}
			h := open(o, twoSeconds)
			var all sync.WaitGroup
			for range 100 {
				all.Go(func() {
					if w := get(h, "GET", "/products"); w.Code != 200 {
						t.Errorf("got %d, want 200", w.Code)
					}
				})
			}
			all.Wait()
			if o.requests != c.want {
				t.Errorf("%s: the origin got %d requests, want %d", c.cacheControl, o.requests, c.want)
			}
		})
	}
}

func TestOtherRequestsPass(t *testing.T) {
	o := &origin{status: 200, cacheControl: "max-age=1"}
	h := open(o, cloudfront.CachePolicy{MaxTTL: 2 * second, Headers: []string{"Origin"}})
	for i, request := range [][]string{
		{"GET", "/products"}, {"POST", "/products"}, {"GET", "/products/x"}, {"GET", "/checkout"},
		{"GET", "/products", "Origin", "https://www.example.com"},
	} {
		w := get(h, request[0], request[1], request[2:]...)
		if w.Body.String() != fmt.Sprint(i+1) || w.Header().Get("Strict-Transport-Security") == "" {
			t.Errorf("%v: got %s, %v, want an answer of the origin with HSTS", request, w.Body, w.Header())
		}
	}
}

func TestAnUnchangedAnswerIsNotSentAgain(t *testing.T) {
	o := &origin{status: 200, cacheControl: "max-age=1"}
	h := open(o, twoSeconds)
	for range 2 { // a miss, and a hit
		if w := get(h, "GET", "/products", "If-None-Match", `W/"1"`); w.Code != 304 || w.Body.Len() > 0 {
			t.Errorf("got %d %s, want 304", w.Code, w.Body)
		}
	}
	if w := get(h, "GET", "/products", "If-None-Match", `"0"`); w.Code != 200 || w.Body.String() != "1" {
		t.Errorf("got %d %s, want 200 and the kept answer", w.Code, w.Body)
	}
}

func TestAnOldAnswerReplacesAnErrorForAWhile(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		o := &origin{status: 200, cacheControl: "max-age=1, stale-if-error=30"}
		h := open(o, twoSeconds)
		get(h, "GET", "/products")
		o.status = 503
		time.Sleep(30 * second)
		if w := get(h, "GET", "/products"); w.Code != 200 || w.Body.String() != "1" {
			t.Errorf("got %d %s, want the old answer", w.Code, w.Body)
		}
		time.Sleep(second)
		if w := get(h, "GET", "/products"); w.Code != 503 {
			t.Errorf("got %d %s, want the error", w.Code, w.Body)
		}
		o.status = 200
		if w := get(h, "GET", "/products"); w.Code != 200 || w.Body.String() != "4" {
			t.Errorf("got %d %s, want a new answer: errors are not kept", w.Code, w.Body)
		}
	})
}
