package browser_test

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"restock/internal/web"
	"restock/lambdas/sales-api/storefront"
	"restock/test/browser"
	"restock/test/browser/browsertest"
)

// A crowdedShop is the storefront with answers that a test writes. Its page waits only as long as
// the test wants.
type crowdedShop struct {
	*browsertest.Page
	mu       sync.Mutex // guards the fields below
	products shopAnswer
	checkout []shopAnswer // one after the other; the last one stays
	keys     []string     // of the checkouts
	place    shopAnswer   // to questions about a place on a waitlist
	joins    []string     // the keys of requests for a place
	sale     shopAnswer   // to questions about an order
}

// A shopAnswer is an answer of the API.
type shopAnswer struct {
	status     int
	retryAfter string
	date       time.Time // zero: now
	body       string
}

func (a shopAnswer) write(w http.ResponseWriter) {
	if a.retryAfter != "" {
		w.Header().Set("Retry-After", a.retryAfter)
	}
	if !a.date.IsZero() {
		w.Header().Set("Date", a.date.Format(http.TimeFormat))
	}
	w.WriteHeader(a.status)
	fmt.Fprint(w, a.body)
}

func inStock(stock int) shopAnswer {
	return shopAnswer{status: 200, body: fmt.Sprintf(`{"products":[{"product_id":"1","sku":"CP-1","name":"도너츠",
		"price":1000,"currency":"KRW","stock":%d}]}`, stock)}
}

func soldAnswer(left int) shopAnswer {
	return shopAnswer{status: 200, body: fmt.Sprintf(`{"message":"sold","stock":%d}`, left)}
}

func (a shopAnswer) at(date time.Time) shopAnswer { a.date = date; return a }

// Answers of API Gateway and of the shop to requests that they throttle.
var (
	throttled = shopAnswer{status: 429, body: `{"message":"Too Many Requests"}`}
	noSlot    = shopAnswer{status: 503, body: `{"message":"Service Unavailable"}`}
	busy      = shopAnswer{status: 503, retryAfter: "7", body: `{"message":"데이터베이스 연결 오류","code":"unavailable"}`}
)

// openCrowded opens the storefront. From its first answer on, each pause of the page lasts until
// the test calls resume.
func openCrowded(t *testing.T, v browser.Visitor, products shopAnswer) *crowdedShop {
	t.Helper()
	s := &crowdedShop{products: products}
	ready := make(chan struct{}) // closed when the test controls the page's pauses
	mux := http.NewServeMux()
	mux.Handle("GET /{$}", storefront.Handler())
	mux.HandleFunc("GET /products", func(w http.ResponseWriter, _ *http.Request) {
		<-ready
		s.mu.Lock()
		defer s.mu.Unlock()
		s.products.write(w)
	})
	mux.HandleFunc("POST /checkout", func(w http.ResponseWriter, r *http.Request) {
		s.mu.Lock()
		defer s.mu.Unlock()
		s.keys = append(s.keys, r.Header.Get("Idempotency-Key"))
		s.checkout[0].write(w)
		if len(s.checkout) > 1 {
			s.checkout = s.checkout[1:]
		}
	})
	mux.HandleFunc("POST /products/CP-1/waitlist", func(w http.ResponseWriter, r *http.Request) {
		s.mu.Lock()
		defer s.mu.Unlock()
		s.joins = append(s.joins, r.Header.Get("Idempotency-Key"))
		s.place.write(w)
	})
	mux.HandleFunc("GET /waitlist/7", func(w http.ResponseWriter, _ *http.Request) {
		s.mu.Lock()
		defer s.mu.Unlock()
		s.place.write(w)
	})
	mux.HandleFunc("GET /sales/7", func(w http.ResponseWriter, _ *http.Request) {
		s.mu.Lock()
		defer s.mu.Unlock()
		s.sale.write(w)
	})
	server := httptest.NewServer(mux)
	t.Cleanup(server.Close) // runs after the page is closed
	s.Page = browsertest.Open(t, v, server.URL)
	browsertest.Evaluate[bool](s.Page, `(() => {
		window.pauses = [];
		window.pause = (ms) => new Promise((resume) => pauses.push({ ms, resume }));
		return true;
	})()`)
	close(ready)
	return s
}

// set changes the answers from now on.
func (s *crowdedShop) set(products shopAnswer, checkout ...shopAnswer) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.products, s.checkout = products, checkout
}

// setPlace changes the answers about a place on a waitlist from now on. The body is JSON without
// its braces.
func (s *crowdedShop) setPlace(status int, body string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.place = shopAnswer{status: status, body: `{"entry_id":"7",` + body + "}"}
}

// setSale changes the answer about an order from now on.
func (s *crowdedShop) setSale(answer shopAnswer) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.sale = answer
}

// awaitPause waits for the page's pause with a number, and returns how long it would take.
func (s *crowdedShop) awaitPause(number int) time.Duration {
	s.Await(fmt.Sprintf("pauses.length > %d", number))
	ms := browsertest.Evaluate[float64](s.Page, fmt.Sprintf("pauses[%d].ms", number))
	return time.Duration(ms * float64(time.Millisecond))
}

func (s *crowdedShop) resume(number int) {
	browsertest.Evaluate[bool](s.Page, fmt.Sprintf("(pauses[%d].resume(), true)", number))
}

const crowdedCard = card("CP-1")

func TestABuyerWhoIsThrottledBuysWithTheSameKey(t *testing.T) {
	t.Parallel()
	for _, l := range languages {
		t.Run(l.Tag, func(t *testing.T) {
			t.Parallel()
			s := openCrowded(t, browser.Phone.In(l.Tag), inStock(5))
			s.awaitPause(0) // of the poll; it never ends
			s.set(inStock(5), throttled, noSlot, busy, soldAnswer(4))
			s.Expect("POST /checkout: answered with 429")
			s.Expect("POST /checkout: answered with 503")
			s.Click(crowdedCard.buy())
			for pause, least := range []time.Duration{0, 0, 7 * time.Second} {
				got := s.awaitPause(1 + pause)
				if most := least + 2*time.Second<<pause; got < least || got > most {
					t.Errorf("the pause after answer %d is %v, want %v to %v", pause, got, least, most)
				}
				s.AwaitText(crowdedCard.result(), text(l, "manyBuyers"))
				if s.Count(crowdedCard.part(".refused")) != 0 {
					t.Error("a purchase that the page repeats looks like an error")
				}
				if pause == 2 {
					s.CheckAccessibility()
				}
				s.resume(1 + pause)
			}
			s.AwaitText(crowdedCard.result(), web.Bought.WithStock(l, 4))
			s.mu.Lock()
			defer s.mu.Unlock()
			if len(s.keys) != 4 || s.keys[0] == "" || len(slices.Compact(s.keys)) != 1 {
				t.Errorf("the checkouts had the keys %q, want one key four times", s.keys)
			}
		})
	}
}

func TestAPurchaseThatNeverGetsThroughCanBePressedAgain(t *testing.T) {
	t.Parallel()
	s := openCrowded(t, browser.Phone, inStock(5))
	s.awaitPause(0)
	s.set(inStock(5), throttled)
	s.Expect("POST /checkout: answered with 429")
	s.Click(crowdedCard.buy())
	const most = 8 // MOST_CHECKOUTS
	for pause := 1; pause < most; pause++ {
		s.awaitPause(pause)
		s.resume(pause)
	}
	s.AwaitText(crowdedCard.result(), text(first, "stillBusy"))
	s.set(inStock(5), soldAnswer(4))
	s.Click(crowdedCard.buy())
	s.AwaitText(crowdedCard.result(), text(first, "bought"))
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(s.keys) != most+1 || s.keys[0] == "" || len(slices.Compact(s.keys)) != 1 {
		t.Errorf("the checkouts had the keys %q, want one key %d times", s.keys, most+1)
	}
}

func TestPageAsksLessOftenWhenNothingChangesAndWhenItIsThrottled(t *testing.T) {
	t.Parallel()
	s := openCrowded(t, browser.Phone, inStock(5))
	const (
		changed = 2 * time.Second
		calm    = 10 * time.Second
		longest = 30 * time.Second
	)
	expect := func(pause int, why string, interval, retryAfter time.Duration) {
		t.Helper()
		got := s.awaitPause(pause)
		if got < retryAfter+interval*3/4 || got > retryAfter+interval*5/4 {
			t.Errorf("the pause %s is %v, want %v after %v, a quarter more or less", why, got, interval, retryAfter)
		}
	}
	expect(0, "after the first answer", changed, 0)
	s.resume(0)
	expect(1, "after the same answer", changed*3/2, 0)
	for pause := 1; pause < 5; pause++ {
		s.resume(pause)
		s.awaitPause(pause + 1)
	}
	expect(5, "after five times the same answer", calm, 0)
	s.set(inStock(6))
	s.resume(5)
	expect(6, "after another answer", changed, 0)

	s.Expect("GET /products: answered with 503")
	s.Expect("GET /products: answered with 429")
	s.set(busy)
	s.resume(6)
	expect(7, "after 503 with Retry-After", 2*changed, 7*time.Second)
	s.AwaitText("#connection", text(first, "crowded"))
	s.set(throttled)
	for pause := 7; pause < 11; pause++ {
		s.resume(pause)
		s.awaitPause(pause + 1)
	}
	expect(11, "after four more times 429", longest, 0)
	s.set(inStock(6))
	s.resume(11)
	expect(12, "after the same answer as before", calm, 0)
	s.Await("document.getElementById('connection').innerText === ''")
}

// show is a script that hides the page, as another tab does, or shows it again.
const show = `(() => {
	Object.defineProperty(document, "hidden", { value: !%t, configurable: true });
	document.dispatchEvent(new Event("visibilitychange"));
	return true;
})()`

func TestAHiddenPageAsksForNothing(t *testing.T) {
	t.Parallel()
	s := openCrowded(t, browser.Phone, inStock(5))
	s.awaitPause(0)
	browsertest.Evaluate[bool](s.Page, fmt.Sprintf(show, false))
	s.Await("!polling")
	s.set(inStock(7))
	browsertest.Evaluate[bool](s.Page, fmt.Sprintf(show, true))
	s.AwaitText(crowdedCard.stock(), stockText(first, 7)) // at once: the first pause has not ended
}

// A cache may answer with the stock from before a purchase. The page must not take it for an
// arrival.
func TestACachedAnswerDoesNotTakeBackAPurchase(t *testing.T) {
	t.Parallel()
	bought := time.Now().Truncate(time.Second)
	s := openCrowded(t, browser.Phone, inStock(5).at(bought.Add(-time.Minute)))
	s.awaitPause(0)
	cached := inStock(5).at(bought)
	s.set(cached, soldAnswer(4).at(bought))
	s.Click(crowdedCard.buy())
	s.AwaitText(crowdedCard.stock(), stockText(first, 4))
	s.resume(0)
	s.awaitPause(1)
	if got, want := s.Text(crowdedCard.stock()), stockText(first, 4); got != want || s.Count(".arrived") > 0 {
		t.Errorf("after an answer of a cache the page shows %q and %d arrivals, want %q and none",
			got, s.Count(".arrived"), want)
	}
	s.set(inStock(3).at(bought.Add(10 * time.Second)))
	s.resume(1)
	s.AwaitText(crowdedCard.stock(), stockText(first, 3))
	s.set(cached) // of a cache that knows less than the last answer
	s.resume(2)
	s.awaitPause(3)
	if got, want := s.Text(crowdedCard.stock()), stockText(first, 3); got != want {
		t.Errorf("after an older answer the page shows %q, want %q", got, want)
	}
}

// testRetryAfter checks how the page reads the header Retry-After, and how long it then pauses.
func testRetryAfter(t *testing.T, page *browsertest.Page) {
	now := time.Date(2026, 11, 28, 12, 0, 0, 0, time.UTC)
	for header, want := range map[string]int{
		"": 0, "0": 0, "2": 2000, "86400": 60000, "-5": 0, "soon": 0,
		now.Add(5 * time.Second).Format(http.TimeFormat): 5000,
		now.Add(-time.Hour).Format(http.TimeFormat):      0,
	} {
		call := fmt.Sprintf(`retryAfter(new Response("", { headers: { "Retry-After": %q } }), %d)`,
			header, now.UnixMilli())
		if got := browsertest.Evaluate[int](page, call); got != want {
			t.Errorf("Retry-After %q: got %d ms, want %d", header, got, want)
		}
	}
	// The shortest and the longest pauses: the random number is 0 or just below 1.
	for call, want := range map[string]string{
		"retryDelay(1, 0, 0)": "0", "retryDelay(1, 0, 1)": "2000", "retryDelay(3, 0, 1)": "8000",
		"retryDelay(7, 5000, 1)": "21000", "jittered(2000, 0)": "1500", "jittered(2000, 1)": "2500",
	} {
		if got := browsertest.Evaluate[float64](page, call); strings.TrimSpace(fmt.Sprint(got)) != want {
			t.Errorf("%s: got %v, want %s", call, got, want)
		}
	}
}

func TestAResultFollowsTheLanguage(t *testing.T) {
	t.Parallel()
	if len(languages) == 1 {
		t.Skip("the shop has one language: there is no choice")
	}
	s := openCrowded(t, browser.Phone, inStock(5))
	s.awaitPause(0)
	choose := func(l web.Language) { s.Click("[data-language=" + l.Tag + "]") }
	sold := soldAnswer(4)
	sold.body = strings.Replace(sold.body, "{", `{"sale_id":"7",`, 1)
	refused := shopAnswer{status: 409, body: `{"message":"refused","code":"out_of_stock","stock":0}`}
	unknown := shopAnswer{status: 422, body: `{"message":"refused","code":"of_a_later_version"}`}
	s.set(inStock(5), throttled, sold, unknown, refused)
	for _, status := range []int{429, 422, 409} {
		s.Expect(fmt.Sprintf("POST /checkout: answered with %d", status))
	}

	s.Click(crowdedCard.buy())
	s.awaitPause(1)
	s.AwaitText(crowdedCard.result(), text(first, "manyBuyers"))
	choose(last) // in the middle of a purchase
	s.AwaitText(crowdedCard.result(), text(last, "manyBuyers"))
	s.resume(1)
	for _, l := range []web.Language{last, first} {
		choose(l)
		s.AwaitText(crowdedCard.result(), web.Bought.WithStock(l, 4)+" "+text(l, "seeOrder"))
	}
	s.Await(crowdedCard.idle())
	s.Click(crowdedCard.buy())
	s.AwaitText(crowdedCard.result(), "refused") // the page has no text for the code
	s.Await(crowdedCard.idle())
	s.Click(crowdedCard.buy())
	for _, l := range []web.Language{first, last} {
		choose(l)
		s.AwaitText(crowdedCard.result(), web.NotBought.WithStock(l, 0))
	}
}
