package selling

import (
	"bytes"
	"context"
	"encoding/json"
	"log/slog"
	"net/http"
	"regexp"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/google/uuid"

	"restock/internal/shop"
	"restock/internal/web"
	"restock/internal/web/webtest"
	"restock/lambdas/journal"
	"restock/test/fuzzing"
)

// memory is a store in memory with one product that is never replenished. Methods that the fuzz
// target must not call panic.
type memory struct {
	shop.Store
	stock, sold int
}

func (s *memory) product(sku string) (shop.Product, error) {
	if sku != donut {
		return shop.Product{}, &shop.Error{Code: shop.CodeUnknownProduct, Detail: "there is no product " + sku}
	}
	return shop.Product{ID: uuid.Max, SKU: donut, Name: "부산도너츠", Price: 19900, Stock: s.stock}, nil
}

func (s *memory) Product(_ context.Context, sku string) (shop.Product, error) { return s.product(sku) }

func (s *memory) Products(context.Context) ([]shop.Product, error) {
	p, err := s.product(donut)
	return []shop.Product{p}, err
}

func (s *memory) Checkout(_ context.Context, c shop.Checkout) (shop.Decision, error) {
	p, err := s.product(c.SKU)
	if err != nil {
		return shop.Decision{}, err
	}
	d := shop.Decision{
		Outcome: shop.Refused,
		Sale:    shop.Sale{ID: c.SaleID, SKU: c.SKU, Quantity: c.Quantity, UnitPrice: p.Price, Stock: s.stock},
	}
	if c.Quantity <= s.stock {
		s.stock, s.sold = s.stock-c.Quantity, s.sold+c.Quantity
		d.Outcome, d.Sale.Stock = shop.Sold, s.stock
	}
	return d, nil
}

func (s *memory) Sale(_ context.Context, id uuid.UUID) (shop.PastSale, error) {
	if id != uuid.Max {
		return shop.PastSale{}, &shop.Error{Code: shop.CodeUnknownSale, Detail: "there is no sale " + id.String()}
	}
	return shop.PastSale{ID: id, SKU: donut, Name: "부산도너츠", Quantity: 1, UnitPrice: 19900}, nil
}

func (s *memory) JoinWaitlist(_ context.Context, e shop.WaitlistEntry) (shop.WaitlistEntry, error) {
	p, err := s.product(e.SKU)
	if err == nil && p.Stock > 0 {
		err = &shop.Error{Code: shop.CodeInStock, Detail: "it is in stock"}
	}
	return e, err
}

func (s *memory) WaitlistEntry(_ context.Context, id uuid.UUID, at time.Time) (shop.WaitlistEntry, error) {
	if id != uuid.Max {
		return shop.WaitlistEntry{}, &shop.Error{Code: shop.CodeUnknownWaitlistEntry, Detail: "there is no place"}
	}
	return shop.WaitlistEntry{ID: id, SKU: donut, JoinedAt: at, ExpiresAt: at.Add(time.Hour), Place: 1}, nil
}

// printable matches the texts that may be an idempotency key.
var printable = regexp.MustCompile(`^[ -+\--~]*$`) // ASCII, without a comma

func TestRandomInputs(t *testing.T) { fuzzing.Targets(t) }

// FuzzAPI checks that every request gets an answer in JSON and an error blames the buyer and has a
// code, that the store sells exactly what the answers say, and that each event stays one line of
// the log.
func FuzzAPI(f *testing.F) {
	for _, seed := range []struct{ request, query, key, language, body string }{
		{"POST /checkout", "", "", "", ""},
		{"POST /checkout", "", "k", "en", `{"sku":"CP-502101","quantity":2}`},
		{"POST /checkout", "", "a\r\nSet-Cookie: x", "en;q=0.1,ko;q=", ""},
		{"POST /checkout", "", "", "", `{"quantity":1,"quantity":5}`},
		{"POST /checkout", "sku=CP-0", "열쇠", "*", `{"sku":"' OR 1=1 --","quantity":1}`},
		{"POST /checkout", "", "", strings.Repeat("a-", 500), `{"quantity":9223372036854775807}`},
		{"POST /checkout", "", "", "", `{"quantity":-0}`},
		{"GET /products/CP-502101", "%zz", "", "zh-Hant-x-y", "{"},
		{"GET /products/a\nb\x1b[31m", "", "", "", ""},
		{"GET /product/donut", "", "", "", ""},
		{"GET /products", "", "", "", ""},
		{"GET //products", "", "", "", ""},
		{"GET /sales/ffffffff-ffff-ffff-ffff-ffffffffffff", "", "", "", ""},
		{"POST /products/CP-502101/waitlist", "", "k", "en", ""},
		{"POST /products/a\nb/waitlist", "", "열쇠", "", "{"},
		{"GET /waitlist/ffffffff-ffff-ffff-ffff-ffffffffffff", "", "", "", ""},
		{"GET /waitlist/ffffffff-ffff-ffff-ffff-fffffffffffF", "", "", "", ""},
		{"GET /sales/{ffffffff-ffff-ffff-ffff-ffffffffffff}", "", "", "en", ""},
		{"GET /waitlist/ffffffffffffffffffffffffffffffff", "", "", "", ""},
		{"GET /sales/{urn:uuid}\x00", "", "", "en", ""},
		{"CHECKOUT /checkout/", "", "", "", ""},
	} {
		f.Add(seed.request, seed.query, seed.key, seed.language, seed.body)
	}
	f.Fuzz(func(t *testing.T, request, query, key, language, body string) {
		method, path, ok := strings.Cut(request, " ")
		if !ok || !strings.HasPrefix(path, "/") {
			return // API Gateway has no such event
		}
		store := &memory{stock: 1000}
		var out bytes.Buffer
		log := slog.New(slog.NewJSONHandler(&out, nil))
		handler, err := NewAPI(shop.Open(store, nil, journal.New(log, "restock/test")), log)
		if err != nil {
			t.Fatal(err)
		}
		header := map[string]string{"Accept-Language": language}
		if key != "" { // the API refuses an empty header
			header["Idempotency-Key"] = key
		}
		got := webtest.Do(t, handler,
			webtest.Request{Method: method, Path: path, Query: query, Body: body, Header: header})

		if got.Status >= http.StatusInternalServerError {
			t.Errorf("got %d %s, want success, or an error that blames the buyer", got.Status, got.Body)
		}
		var answer struct {
			Code     shop.Code
			Quantity int
			Stock    int
		}
		if strings.HasPrefix(got.Header["Content-Type"], "application/json") {
			if err := json.Unmarshal([]byte(got.Body), &answer); err != nil || !utf8.ValidString(got.Body) {
				t.Errorf("the answer is %q: %v", got.Body, err)
			}
		}
		if answer.Code != "" && web.IsOurs(answer.Code) {
			t.Errorf("got %d %s, want a code that blames the buyer", got.Status, got.Body)
		}
		bought := 0
		if got.Status == http.StatusOK && method == http.MethodPost {
			bought = answer.Quantity
		}
		if store.sold != bought || bought < 0 || bought > 0 &&
			(answer.Stock != store.stock || !printable.MatchString(strings.Trim(key, " \t"))) {
			t.Errorf("got %d %s, but the store sold %d and has %d left", got.Status, got.Body, store.sold, store.stock)
		}
		for line := range bytes.Lines(out.Bytes()) {
			if !json.Valid(line) {
				t.Errorf("the log has the line %q", line)
			}
		}
	})
}
