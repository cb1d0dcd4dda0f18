package managing

import (
	"context"
	"encoding/json"
	"log/slog"
	"net/http"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/google/uuid"
	"golang.org/x/text/unicode/norm"

	"restock/internal/shop"
	"restock/internal/web"
	"restock/internal/web/webtest"
	"restock/test/fuzzing"
)

// books is a store with one product and one production order. It checks the values that it should
// store. Methods that the fuzz target must not call panic.
type books struct {
	shop.Store
	t *testing.T
}

var (
	validSKU = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$`)
	validKey = regexp.MustCompile(`^[ -+\--~]{0,255}$`) // printable ASCII without a comma
)

// text checks a text that people will read, also in the log.
func (b books) text(what, text string, limit int) {
	hidden := func(r rune) bool { return !unicode.IsPrint(r) && r != '\u200d' && r != '\u3000' }
	if text == "" || !utf8.ValidString(text) || utf8.RuneCountInString(text) > limit ||
		strings.ContainsFunc(text, hidden) || !norm.NFC.IsNormalString(text) {
		b.t.Errorf("the store got the %s %q", what, text)
	}
}

func (b books) Product(_ context.Context, sku string) (shop.Product, error) {
	if sku != "CP-1" {
		return shop.Product{}, &shop.Error{Code: shop.CodeUnknownProduct, Detail: "there is no product"}
	}
	return shop.Product{
		SKU: sku, Name: "x", Bins: 1, Policy: shop.Policy{OrderUpTo: 10, LotSize: 1, LeadTime: time.Minute},
	}, nil
}

func (b books) Products(ctx context.Context) ([]shop.Product, error) {
	p, err := b.Product(ctx, "CP-1")
	return []shop.Product{p}, err
}

func (b books) Waiting(context.Context, time.Time) (map[uuid.UUID]int, error) { return nil, nil }

func (b books) CreateProduct(_ context.Context, p shop.Product, _ time.Time) error {
	b.text("name", p.Name, 100)
	if !validSKU.MatchString(p.SKU) || p.Price < 0 || p.Stock < 0 || p.MaxPerSale < 0 ||
		p.Bins < 1 || p.Bins > shop.MaxBins ||
		p.Policy.OrderUpTo <= p.Policy.ReorderPoint || p.Policy.LotSize < 1 || p.Policy.LeadTime < time.Second {
		b.t.Errorf("the store got %+v", p)
	}
	return &shop.Error{Code: shop.CodeProductExists}
}

func (b books) ChangeProduct(_ context.Context, _ string, c shop.ProductChange, _ time.Time) error {
	if c.Name != nil {
		b.text("name", *c.Name, 100)
	}
	if c.Bins != nil && (*c.Bins < 1 || *c.Bins > shop.MaxBins) {
		b.t.Errorf("the store got %d bins", *c.Bins)
	}
	return nil
}

func (b books) Replenish(_ context.Context, r shop.Replenishment) (shop.Decision, error) {
	switch {
	case r.SKU != "CP-1":
		return shop.Decision{}, &shop.Error{Code: shop.CodeUnknownProduct}
	case r.Plan == nil:
		return shop.Decision{Position: 0, Policy: shop.Policy{OrderUpTo: 10, LotSize: 1}}, nil
	case r.Plan.Quantity < 1 || r.Plan.Quantity > shop.MaxQuantity:
		b.t.Errorf("the store got an order of %d", r.Plan.Quantity)
	}
	return shop.Decision{Outcome: shop.AlreadyOnOrder}, nil
}

func (b books) Adjust(_ context.Context, a shop.Adjustment) (shop.Adjusted, error) {
	b.text("reason", a.Reason, 200)
	if a.To != nil && (*a.To < 0 || *a.To > shop.MaxQuantity) {
		b.t.Errorf("the store got the count %d", *a.To)
	}
	if (a.Quantity == 0) == (a.To == nil) || !validKey.MatchString(a.IdempotencyKey) {
		b.t.Errorf("the store got the adjustment %+v", a)
	}
	if a.SKU != "CP-1" {
		return shop.Adjusted{}, &shop.Error{Code: shop.CodeUnknownProduct}
	}
	return shop.Adjusted{Refused: a.Quantity < 0}, nil
}

func (b books) Undo(_ context.Context, a shop.Adjustment, number int64) (shop.Adjusted, error) {
	if number < 1 || a.IdempotencyKey != "" {
		b.t.Errorf("the store got the undo %+v of %d", a, number)
	}
	return shop.Adjusted{}, &shop.Error{Code: shop.CodeUnknownAdjustment}
}

func (b books) IsImported(_ context.Context, key string, content uuid.UUID) (bool, error) {
	if !validKey.MatchString(key) || content == uuid.Nil {
		b.t.Errorf("the store got the key %q and the content %s", key, content)
	}
	return false, nil
}

func (b books) NameKeys(_ context.Context, names []string) (map[string]string, error) {
	keys := map[string]string{}
	for _, name := range names {
		keys[name] = name
	}
	return keys, nil
}

func (b books) Import(ctx context.Context, batch shop.Batch, at time.Time) error {
	for _, p := range batch.Create {
		_ = b.CreateProduct(ctx, p, at)
	}
	for _, c := range batch.Change {
		_ = b.ChangeProduct(ctx, c.Product.SKU, c.ProductChange, at)
	}
	return nil
}

func (b books) Factories(context.Context) ([]shop.Factory, error) {
	return []shop.Factory{{Identifier: "FF-500293"}, {Identifier: ""}}, nil
}

func (b books) Sales(_ context.Context, from, to time.Time) ([]shop.ProductSales, error) {
	if !from.Before(to) {
		b.t.Errorf("the store was asked for the sales from %v to %v", from, to)
	}
	return []shop.ProductSales{{SKU: "CP-1"}}, nil
}

func (b books) Notices(_ context.Context, after shop.Notice, limit int) ([]shop.Notice, error) {
	if limit < 1 || limit > shop.MaxPage+1 || after.RaisedAt.Year() > 9999 {
		b.t.Errorf("the store was asked for %d notices after %+v", limit, after)
	}
	return []shop.Notice{{}, {}, {}}[:min(limit, 3)], nil
}

func (b books) Ledger(_ context.Context, _ uuid.UUID, before []int64, limit int) ([]shop.LedgerEntry, error) {
	tooSmall := slices.ContainsFunc(before, func(number int64) bool { return number < 1 })
	// The extra entry shows whether there is a next page.
	if tooSmall || len(before) > shop.MaxBins || limit < 1 || limit > shop.MaxPage+1 {
		b.t.Errorf("the store was asked for %d entries before %v", limit, before)
	}
	return []shop.LedgerEntry{{Bin: 2, Number: 9}, {Number: 5}, {Bin: 2, Number: 8}}[:min(limit, 3)], nil
}

func (b books) ProductionOrders(_ context.Context, f shop.OrderFilter) ([]shop.ProductionOrder, error) {
	if f.Limit < 1 || f.Limit > shop.MaxPage+1 || f.Status != "" && !slices.Contains(shop.OrderStatuses, f.Status) {
		b.t.Errorf("the store was asked for %+v", f)
	}
	return slices.Repeat([]shop.ProductionOrder{{Status: shop.OrderOpen}}, min(f.Limit, 3)), nil
}

func (b books) ProductionOrder(_ context.Context, id uuid.UUID) (shop.ProductionOrder, error) {
	if id == uuid.Nil {
		return shop.ProductionOrder{}, &shop.Error{Code: shop.CodeUnknownOrder}
	}
	return shop.ProductionOrder{ID: id, Status: shop.OrderOpen}, nil
}

func (b books) CloseOrder(context.Context, shop.ProductionOrder, shop.OrderStatus, time.Time) (bool, error) {
	return true, nil
}

func TestRandomInputs(t *testing.T) { fuzzing.Targets(t) }

// FuzzAPI checks that every request gets an answer in JSON, that an error blames the merchant and
// has a code, and that no invalid value reaches the store.
func FuzzAPI(f *testing.F) {
	f.Add("GET /merchant/products", "", "", "")
	for _, c := range badRequests() {
		if len(c.body) > 2000 {
			continue
		}
		request, query, _ := strings.Cut(c.request, "?")
		f.Add(strings.Replace(request, "CP-502101", "CP-1", 1), query, c.header["Idempotency-Key"], c.body)
	}
	f.Add("POST /merchant/products/CP-1/adjustments", "", "k\n", `{"quantity":-1,"reason":"a\u202eb"}`)
	f.Add("POST /merchant/products/CP-1/adjustments", "", "k", `{"quantity":1,"reason":"' OR 1=1 --"}`)
	f.Add("PATCH /merchant/products/CP-1", "", "", `{"name":"a\u200bb"}`)
	f.Add("POST /merchant/production-orders", "", "", `{"sku":"CP-1","quantity":5}`)
	f.Add("GET /merchant/production-orders",
		"limit=100&status=open&sku=CP-1&before=0188d6a8-f000-7000-8000-00000000cb01", "", "")
	f.Add("GET /merchant/products/CP-1/ledger", "limit=1&before=7", "", "")
	f.Add("GET /merchant/products/CP-1/ledger", "limit=1&before=7.9223372036854775807.1", "", "")
	f.Add("PATCH /merchant/products/CP-1", "", "", `{"bins":65}`)
	f.Fuzz(func(t *testing.T, request, query, key, body string) {
		method, path, ok := strings.Cut(request, " ")
		if !ok || !strings.HasPrefix(path, "/") {
			return // API Gateway has no such event
		}
		handler, err := NewAPI(shop.Open(books{t: t}, nil, shop.Discard), time.Minute, slog.New(slog.DiscardHandler))
		if err != nil {
			t.Fatal(err)
		}
		header := map[string]string{}
		if key != "" { // the API refuses an empty header
			header["Idempotency-Key"] = key
		}
		got := webtest.Do(t, handler,
			webtest.Request{Method: method, Path: path, Query: query, Body: body, Header: header})
		var answer struct{ Code shop.Code }
		if err := json.Unmarshal([]byte(got.Body), &answer); err != nil {
			t.Errorf("the answer is %q: %v", got.Body, err)
		}
		if got.Status >= http.StatusInternalServerError || answer.Code != "" && web.IsOurs(answer.Code) {
			t.Errorf("got %d %s, want success, or an error that blames the merchant", got.Status, got.Body)
		}
	})
}
