// Package selling is the handler of the function sales-api: it answers buyers.
package selling

import (
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"net/http"

	"github.com/google/uuid"

	"restock/internal/buyer"
	"restock/internal/openapi"
	"restock/internal/shop"
	"restock/internal/web"
	"restock/lambdas"
	"restock/lambdas/sales-api/storefront"
)

// donut is the product that a checkout without a body buys.
const donut = "CP-502101"

// A seller is the part of the shop that buyers use.
type seller interface {
	Products(context.Context) ([]shop.Product, error)
	Product(ctx context.Context, sku string) (shop.Product, error)
	Buy(context.Context, shop.Purchase) (shop.Sale, error)
	Sale(context.Context, uuid.UUID) (shop.PastSale, error)
	JoinWaitlist(ctx context.Context, sku, idempotencyKey string) (shop.WaitlistEntry, shop.WaitlistState, error)
	WaitlistEntry(context.Context, uuid.UUID) (shop.WaitlistEntry, shop.WaitlistState, error)
}

// An api answers buyers.
type api struct {
	shop seller
	log  *slog.Logger
}

// NewAPI returns the handler of all routes of sales-api. It fails if a route has no handler.
func NewAPI(s seller, log *slog.Logger) (http.Handler, error) {
	a := api{s, log}
	return web.Router(lambdas.SalesAPI.Routes, map[string]http.HandlerFunc{
		lambdas.RouteStorefront: storefront.Handler().ServeHTTP,
		lambdas.RouteOpenAPI:    openapi.Handler().ServeHTTP,
		lambdas.RouteProducts:   a.products,
		lambdas.RouteProduct:    func(w http.ResponseWriter, r *http.Request) { a.product(w, r, r.PathValue("sku")) },
		lambdas.RouteDonut:      func(w http.ResponseWriter, r *http.Request) { a.product(w, r, donut) },
		lambdas.RouteCheckout:   a.checkout,
		lambdas.RouteSale:       a.sale,

		lambdas.RouteJoinWaitlist: a.joinWaitlist,
		lambdas.RouteWaitlist:     a.waitlistEntry,

		lambdas.RouteDefault: web.NotFound,
	})
}

func newProduct(p shop.Product) buyer.Product {
	return buyer.Product{
		ID: p.ID, SKU: p.SKU, Name: p.Name, Names: p.Names, Price: p.Price, Currency: shop.Currency,
		Stock: p.Stock, MaxPerSale: p.MaxPerSale, ExpectedAt: p.ExpectedAt, Automatic: p.Policy.Automatic,
	}
}

func (a api) products(w http.ResponseWriter, r *http.Request) {
	all, err := a.shop.Products(r.Context())
	if err != nil {
		web.Fail(w, r, a.log, err)
		return
	}
	products := buyer.Products{Products: make([]buyer.Product, 0, len(all))}
	for _, p := range all {
		if p.ArchivedAt.IsZero() {
			products.Products = append(products.Products, newProduct(p))
		}
	}
	body, err := json.Marshal(products)
	if err != nil {
		web.Fail(w, r, a.log, err)
		return
	}
	content := string(body) + "\n"
	web.AnswerShared(w, r, "application/json; charset=utf-8", content, web.ETag(content))
}

func (a api) product(w http.ResponseWriter, r *http.Request, sku string) {
	p, err := a.shop.Product(r.Context(), sku)
	if err == nil && !p.ArchivedAt.IsZero() {
		err = &shop.Error{Code: shop.CodeUnknownProduct, Detail: fmt.Sprintf("product %s is archived", sku)}
	}
	if err != nil {
		web.Fail(w, r, a.log, err)
		return
	}
	web.Answer(w, http.StatusOK, newProduct(p))
}

func (a api) checkout(w http.ResponseWriter, r *http.Request) {
	purchase, err := readPurchase(w, r)
	if err != nil {
		web.Fail(w, r, a.log, err)
		return
	}
	sold, err := a.shop.Buy(r.Context(), purchase)
	switch {
	case shop.CodeOf(err) == shop.CodeOutOfStock:
		web.FailOutOfStock(w, r, err, sold)
	case err != nil:
		web.Fail(w, r, a.log, err)
	default:
		web.Answer(w, http.StatusOK, buyer.Sale{
			Message: web.Bought.WithStock(web.LanguageOf(r), sold.Stock),
			ID:      sold.ID, SKU: sold.SKU, Quantity: sold.Quantity,
			UnitPrice: sold.UnitPrice, Currency: shop.Currency, Stock: sold.Stock,
		})
	}
}

func (a api) sale(w http.ResponseWriter, r *http.Request) {
	id, err := pathID(r, "sale", shop.CodeUnknownSale)
	if err != nil {
		web.Fail(w, r, a.log, err)
		return
	}
	sale, err := a.shop.Sale(r.Context(), id)
	if err != nil {
		web.Fail(w, r, a.log, err)
		return
	}
	web.Answer(w, http.StatusOK, buyer.PastSale{
		ID: sale.ID, SKU: sale.SKU, Name: sale.Name, Names: sale.Names, Quantity: sale.Quantity,
		UnitPrice: sale.UnitPrice, Currency: shop.Currency, SoldAt: sale.At,
	})
}

func (a api) joinWaitlist(w http.ResponseWriter, r *http.Request) {
	key, err := web.IdempotencyKey(r)
	if err != nil {
		web.Fail(w, r, a.log, err)
		return
	}
	entry, state, err := a.shop.JoinWaitlist(r.Context(), r.PathValue("sku"), key)
	a.answerEntry(w, r, entry, state, err)
}

func (a api) waitlistEntry(w http.ResponseWriter, r *http.Request) {
	id, err := pathID(r, "entry", shop.CodeUnknownWaitlistEntry)
	if err != nil {
		web.Fail(w, r, a.log, err)
		return
	}
	entry, state, err := a.shop.WaitlistEntry(r.Context(), id)
	a.answerEntry(w, r, entry, state, err)
}

func (a api) answerEntry(
	w http.ResponseWriter, r *http.Request, e shop.WaitlistEntry, state shop.WaitlistState, err error,
) {
	if err != nil {
		web.Fail(w, r, a.log, err)
		return
	}
	answer := buyer.WaitlistEntry{ID: e.ID, SKU: e.SKU, State: state, BackAt: e.AnsweredAt, ExpiresAt: e.ExpiresAt}
	if state == shop.Waiting {
		answer.Place = e.Place
	}
	web.Answer(w, http.StatusOK, answer)
}

// pathID reads an id in the path. Nothing has an id that is not a UUID: the error has the code that
// says so.
func pathID(r *http.Request, name string, unknown shop.Code) (uuid.UUID, error) {
	text := r.PathValue(name)
	id, ok := web.ParseID(text)
	if !ok {
		return id, &shop.Error{Code: unknown, Detail: fmt.Sprintf("%.64q is not an id", text)}
	}
	return id, nil
}

// readPurchase reads a buyer's request. The default is one doughnut.
func readPurchase(w http.ResponseWriter, r *http.Request) (shop.Purchase, error) {
	key, err := web.IdempotencyKey(r)
	if err != nil {
		return shop.Purchase{}, err
	}
	wanted := buyer.Purchase{SKU: donut, Quantity: 1}
	err = web.ReadObject(w, r, &wanted)
	return shop.Purchase{SKU: wanted.SKU, Quantity: wanted.Quantity, IdempotencyKey: key}, err
}
