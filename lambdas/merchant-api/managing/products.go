package managing

import (
	"net/http"
	"strconv"
	"time"

	"restock/internal/merchant"
	"restock/internal/shop"
	"restock/internal/web"
)

func newProduct(p shop.Product) merchant.Product {
	return merchant.Product{
		ID: p.ID, SKU: p.SKU, Name: p.Name, Names: p.Names, Price: p.Price, Currency: shop.Currency,
		ArchivedAt: p.ArchivedAt,
		Stock:      p.Stock, OnOrder: p.OnOrder, Position: p.Position(), ExpectedAt: p.ExpectedAt,
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
	waiting, err := a.shop.Waiting(r.Context())
	if err != nil {
		return nil, err
	}
	products := merchant.Products{Products: make([]merchant.Product, 0, len(all))}
	for _, p := range all {
		product := newProduct(p)
		product.Waiting = waiting[p.ID]
		products.Products = append(products.Products, product)
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
		Name: c.Name, Archived: c.Archived, Price: c.Price, Factory: c.Factory, Bins: c.Bins, MaxPerSale: c.MaxPerSale,
		ReorderPoint: c.ReorderPoint, OrderUpTo: c.OrderUpTo, LotSize: c.LotSize, MinimumOrder: c.MinimumOrder,
		Automatic: c.Automatic,
	}
	if c.Language != nil {
		change.Language = new(merchant.LanguageTag(*c.Language))
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
	booked := shop.Adjustment{
		SKU: r.PathValue("sku"), To: adjustment.To, Reason: adjustment.Reason, IdempotencyKey: key,
	}
	switch {
	case adjustment.Quantity != nil && adjustment.To != nil:
		return nil, invalid("there are both fields quantity and to: give one of them")
	case adjustment.Quantity != nil:
		booked.Quantity = *adjustment.Quantity
	case adjustment.To == nil:
		return nil, invalid("the field quantity is missing: give it, or to")
	}
	return adjusted(a.shop.Adjust(r.Context(), booked))
}

func (a api) undo(w http.ResponseWriter, r *http.Request) (any, error) {
	number, err := strconv.ParseInt(r.PathValue("number"), 10, 64)
	if err != nil || number < 1 {
		return nil, invalid("the number in the path is %.40q, it must be that of an adjustment", r.PathValue("number"))
	}
	if err := web.ReadObject(w, r, &merchant.Undo{}); err != nil {
		return nil, err
	}
	return adjusted(a.shop.Undo(r.Context(), r.PathValue("sku"), number))
}

// adjusted returns the answer of an operation that adjusts a product.
func adjusted(c shop.Corrected, err error) (any, error) {
	if err != nil {
		return nil, err
	}
	return merchant.Adjusted{Product: newProduct(c.Product), Adjustment: merchant.AdjustmentEntry{
		Number: c.Adjusted.Number, Quantity: c.Adjusted.Quantity,
		Before: c.Adjusted.Left - c.Adjusted.Quantity, After: c.Adjusted.Left, Repeated: c.Adjusted.Repeated,
	}, Opened: merchant.OpenedOrder{ID: c.Opened.ID, Quantity: c.Opened.Quantity}}, nil
}

func (a api) importProducts(w http.ResponseWriter, r *http.Request) (any, error) {
	key, err := web.IdempotencyKey(r)
	if err != nil {
		return nil, err
	}
	var i merchant.Import
	if err := web.ReadLongObject(w, r, &i); err != nil {
		return nil, err
	}
	rows, wrong := merchant.ReadCSV(i.CSV)
	done, err := a.shop.Import(r.Context(), shop.Import{
		Rows: rows, Wrong: wrong, DryRun: i.DryRun, LeadTime: a.leadTime, IdempotencyKey: key,
	})
	if err != nil {
		return nil, err
	}
	return merchant.Imported{
		Created: done.Created, Changed: done.Changed, Unchanged: done.Unchanged, DryRun: i.DryRun,
		Repeated: done.Repeated,
	}, nil
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
