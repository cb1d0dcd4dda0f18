package managing

import (
	"net/http"
	"time"

	"restock/internal/merchant"
	"restock/internal/shop"
	"restock/internal/web"
)

func (a api) factories(_ http.ResponseWriter, r *http.Request) (any, error) {
	if _, err := web.ReadQuery(r); err != nil {
		return nil, err
	}
	all, err := a.shop.Factories(r.Context())
	if err != nil {
		return nil, err
	}
	answer := merchant.Factories{Factories: make([]merchant.Factory, 0, len(all))}
	for _, f := range all {
		answer.Factories = append(answer.Factories, merchant.Factory(f))
	}
	return answer, nil
}

func (a api) sales(_ http.ResponseWriter, r *http.Request) (any, error) {
	query, err := web.ReadQuery(r, "from", "to")
	if err != nil {
		return nil, err
	}
	answer := merchant.Sales{Products: []merchant.ProductSales{}}
	for name, at := range map[string]*time.Time{"from": &answer.From, "to": &answer.To} {
		if *at, err = time.Parse(time.RFC3339, query[name]); err != nil {
			return nil, invalid("the parameter %s is %.40q, it must be a time like 2026-11-28T00:00:00+09:00",
				name, query[name])
		}
	}
	sales, err := a.shop.Sales(r.Context(), answer.From, answer.To)
	if err != nil {
		return nil, err
	}
	for _, s := range sales {
		answer.Products = append(answer.Products, merchant.ProductSales{
			SKU: s.SKU, Name: s.Name, Sales: s.Sales, Units: s.Units, Revenue: s.Revenue, Currency: shop.Currency,
		})
	}
	return answer, nil
}

func (a api) notices(_ http.ResponseWriter, r *http.Request) (any, error) {
	query, err := web.ReadQuery(r, "before", "limit")
	if err != nil {
		return nil, err
	}
	limit, before, err := page(query)
	if err != nil {
		return nil, err
	}
	notices, next, err := a.shop.Notices(r.Context(), before, limit)
	if err != nil {
		return nil, err
	}
	answer := merchant.Notices{Notices: make([]merchant.Notice, 0, len(notices)), Next: next}
	for _, n := range notices {
		answer.Notices = append(answer.Notices, merchant.Notice{
			Kind: n.Kind, SKU: n.Order.SKU, Order: n.Order.ID, RaisedAt: n.RaisedAt, SentAt: n.ToldAt,
			Subject: n.Subject, Text: n.Text, Advice: n.Advice,
		})
	}
	return answer, nil
}
