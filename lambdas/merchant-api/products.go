package main

import (
	"net/http"
	"time"

	"restock/internal/merchant"
	"restock/internal/shop"
	"restock/internal/web"
)

func newProduct(p shop.Product) merchant.Product {
	return merchant.Product{
		ID: p.ID, SKU: p.SKU, Name: p.Name, Price: p.Price, Currency: shop.Currency,
		Stock: p.Stock, OnOrder: p.OnOrder, Position: p.Position(), ExpectedAt: p.ExpectedAt,
		Suggestion: p.Suggestion(),
		Bins:       p.Bins, WaitedAt: p.WaitedAt, MaxPerSale: p.MaxPerSale, Factory: p.Factory,
		Policy: merchant.Policy{
			ReorderPoint: p.Policy.ReorderPoint, OrderUpTo: p.Policy.OrderUpTo,
			LotSize: p.Policy.LotSize, MinimumOrder: p.Policy.MinimumOrder,
			LeadTimeSeconds: int64(p.Policy.LeadTime / time.Second), Automatic: p.Policy.Automatic,
		},
	}
}

// product returns the answer of an operation that returns a product.
func product(p shop.Product, err error) (any, error) {
	if err != nil {
		return nil, err
	}
	return newProduct(p), nil
}

func (a api) products(_ http.ResponseWriter, r *http.Request) (any, error) {
	if _, err := web.ReadQuery(r); err != nil {
		return nil, err
	}
	all, err := a.shop.Products(r.Context())
	if err != nil {
		return nil, err
	}
	products := merchant.Products{Products: make([]merchant.Product, 0, len(all))}
	for _, p := range all {
		products.Products = append(products.Products, newProduct(p))
	}
	return products, nil
}

// A leadTime is a number of seconds. Every int32 of seconds fits into a time.Duration.
type leadTime = int32

func (a api) createProduct(w http.ResponseWriter, r *http.Request) (any, error) {
	n := shop.NewProduct{Bins: 1, Policy: shop.Policy{LotSize: 1}}
	// The default is a stage's setting, of a week at most.
	seconds := leadTime(a.leadTime / time.Second) // #nosec G115
	err := web.ReadObject(w, r,
		web.Field{Name: "sku", Into: &n.SKU, Required: true},
		web.Field{Name: "name", Into: &n.Name, Required: true},
		web.Field{Name: "price", Into: &n.Price, Required: true},
		web.Field{Name: "factory", Into: &n.Factory, Required: true},
		web.Field{Name: "stock", Into: &n.Stock},
		web.Field{Name: "bins", Into: &n.Bins},
		web.Field{Name: "max_per_sale", Into: &n.MaxPerSale},
		web.Field{Name: "reorder_point", Into: &n.Policy.ReorderPoint},
		web.Field{Name: "order_up_to", Into: &n.Policy.OrderUpTo, Required: true},
		web.Field{Name: "lot_size", Into: &n.Policy.LotSize},
		web.Field{Name: "minimum_order", Into: &n.Policy.MinimumOrder},
		web.Field{Name: "lead_time_seconds", Into: &seconds},
		web.Field{Name: "automatic", Into: &n.Policy.Automatic},
	)
	if err != nil {
		return nil, err
	}
	n.Policy.LeadTime = time.Duration(seconds) * time.Second
	return product(a.shop.CreateProduct(r.Context(), n))
}

func (a api) changeProduct(w http.ResponseWriter, r *http.Request) (any, error) {
	var c shop.ProductChange
	var seconds *leadTime
	err := web.ReadObject(w, r,
		web.Field{Name: "name", Into: &c.Name},
		web.Field{Name: "price", Into: &c.Price},
		web.Field{Name: "factory", Into: &c.Factory},
		web.Field{Name: "bins", Into: &c.Bins},
		web.Field{Name: "max_per_sale", Into: &c.MaxPerSale},
		web.Field{Name: "reorder_point", Into: &c.ReorderPoint},
		web.Field{Name: "order_up_to", Into: &c.OrderUpTo},
		web.Field{Name: "lot_size", Into: &c.LotSize},
		web.Field{Name: "minimum_order", Into: &c.MinimumOrder},
		web.Field{Name: "lead_time_seconds", Into: &seconds},
		web.Field{Name: "automatic", Into: &c.Automatic},
	)
	if err != nil {
		return nil, err
	}
	if seconds != nil {
		c.LeadTime = new(time.Duration(*seconds) * time.Second)
	}
	return product(a.shop.ChangeProduct(r.Context(), r.PathValue("sku"), c))
}

func (a api) adjust(w http.ResponseWriter, r *http.Request) (any, error) {
	key, err := web.IdempotencyKey(r)
	if err != nil {
		return nil, err
	}
	adjustment := shop.Adjustment{SKU: r.PathValue("sku"), IdempotencyKey: key}
	err = web.ReadObject(w, r,
		web.Field{Name: "quantity", Into: &adjustment.Quantity, Required: true},
		web.Field{Name: "reason", Into: &adjustment.Reason, Required: true},
	)
	if err != nil {
		return nil, err
	}
	return product(a.shop.Adjust(r.Context(), adjustment))
}

func (a api) ledger(_ http.ResponseWriter, r *http.Request) (any, error) {
	query, err := web.ReadQuery(r, "before", "limit")
	if err != nil {
		return nil, err
	}
	limit, before, err := page(query)
	if err != nil {
		return nil, err
	}
	sku := r.PathValue("sku")
	entries, next, err := a.shop.Ledger(r.Context(), sku, before, limit)
	if err != nil {
		return nil, err
	}
	answer := merchant.Ledger{SKU: sku, Entries: make([]merchant.LedgerEntry, 0, len(entries)), Next: next}
	for _, e := range entries {
		answer.Entries = append(answer.Entries, merchant.LedgerEntry(e))
	}
	return answer, nil
}
