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

func (a api) createProduct(w http.ResponseWriter, r *http.Request) (any, error) {
	n := merchant.NewProduct{
		Bins: 1, LotSize: 1,
		// The default is a stage's setting, of a week at most.
		LeadTimeSeconds: int32(a.leadTime / time.Second), // #nosec G115
	}
	if err := web.ReadObject(w, r, &n); err != nil {
		return nil, err
	}
	return product(a.shop.CreateProduct(r.Context(), shop.NewProduct{
		SKU: n.SKU, Name: n.Name, Price: n.Price, Stock: n.Stock,
		Bins: n.Bins, MaxPerSale: n.MaxPerSale, Factory: n.Factory,
		Policy: shop.Policy{
			ReorderPoint: n.ReorderPoint, OrderUpTo: n.OrderUpTo, LotSize: n.LotSize, MinimumOrder: n.MinimumOrder,
			LeadTime: time.Duration(n.LeadTimeSeconds) * time.Second, Automatic: n.Automatic,
		},
	}))
}

func (a api) changeProduct(w http.ResponseWriter, r *http.Request) (any, error) {
	var c merchant.ProductChange
	if err := web.ReadObject(w, r, &c); err != nil {
		return nil, err
	}
	change := shop.ProductChange{
		Name: c.Name, Price: c.Price, Factory: c.Factory, Bins: c.Bins, MaxPerSale: c.MaxPerSale,
		ReorderPoint: c.ReorderPoint, OrderUpTo: c.OrderUpTo, LotSize: c.LotSize, MinimumOrder: c.MinimumOrder,
		Automatic: c.Automatic,
	}
	if c.LeadTimeSeconds != nil {
		change.LeadTime = new(time.Duration(*c.LeadTimeSeconds) * time.Second)
	}
	return product(a.shop.ChangeProduct(r.Context(), r.PathValue("sku"), change))
}

func (a api) adjust(w http.ResponseWriter, r *http.Request) (any, error) {
	key, err := web.IdempotencyKey(r)
	if err != nil {
		return nil, err
	}
	var adjustment merchant.Adjustment
	if err := web.ReadObject(w, r, &adjustment); err != nil {
		return nil, err
	}
	return product(a.shop.Adjust(r.Context(), shop.Adjustment{
		SKU: r.PathValue("sku"), Quantity: adjustment.Quantity, Reason: adjustment.Reason, IdempotencyKey: key,
	}))
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
