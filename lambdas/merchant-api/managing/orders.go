package managing

import (
	"fmt"
	"net/http"

	"restock/internal/merchant"
	"restock/internal/shop"
	"restock/internal/web"
)

func newOrder(o shop.ProductionOrder) merchant.ProductionOrder {
	return merchant.ProductionOrder{
		ID: o.ID, SKU: o.SKU, Quantity: o.Quantity, Received: o.Received,
		Factory: o.Factory, Status: o.Status, Asks: o.Asks,
		OpenedAt: o.OpenedAt, AskedAt: o.AskedAt, PublishedAt: o.PublishedAt, ClosedAt: o.ClosedAt,
		Correlation: o.Correlation,
	}
}

// order returns the answer of an operation that returns a production order.
func order(o shop.ProductionOrder, err error) (any, error) {
	if err != nil {
		return nil, err
	}
	return newOrder(o), nil
}

func (a api) productionOrders(_ http.ResponseWriter, r *http.Request) (any, error) {
	query, err := web.ReadQuery(r, "before", "limit", "prefix", "sku", "status")
	if err != nil {
		return nil, err
	}
	limit, before, err := page(query)
	if err != nil {
		return nil, err
	}
	filter := shop.OrderFilter{
		SKU: query["sku"], Status: shop.OrderStatus(query["status"]), IDPrefix: query["prefix"], Limit: limit,
	}
	if before != "" {
		if filter.After, err = parseID("the parameter before", before); err != nil {
			return nil, err
		}
	}
	orders, more, err := a.shop.ProductionOrders(r.Context(), filter)
	if err != nil {
		return nil, err
	}
	answer := merchant.ProductionOrders{Orders: make([]merchant.ProductionOrder, 0, len(orders))}
	for _, o := range orders {
		answer.Orders = append(answer.Orders, newOrder(o))
	}
	if more {
		answer.Next = orders[len(orders)-1].ID.String()
	}
	return answer, nil
}

func (a api) productionOrder(_ http.ResponseWriter, r *http.Request) (any, error) {
	id, err := pathID(r, "order")
	if err != nil {
		return nil, err
	}
	return order(a.shop.ProductionOrder(r.Context(), id))
}

func (a api) openOrder(w http.ResponseWriter, r *http.Request) (any, error) {
	var o merchant.NewOrder
	if err := web.ReadObject(w, r, &o); err != nil {
		return nil, err
	}
	if o.Quantity == nil {
		return order(a.shop.OpenOrder(r.Context(), o.SKU, 0)) // the quantity that the policy suggests
	}
	if *o.Quantity == 0 {
		return nil, &shop.Error{Code: shop.CodeInvalidQuantity, Detail: fmt.Sprintf(
			"the quantity is 0, it must be from 1 to %d; leave it out to order what the policy suggests",
			shop.MaxQuantity)}
	}
	return order(a.shop.OpenOrder(r.Context(), o.SKU, *o.Quantity))
}

func (a api) cancelOrder(w http.ResponseWriter, r *http.Request) (any, error) {
	id, err := pathID(r, "order")
	if err != nil {
		return nil, err
	}
	if err := web.ReadObject(w, r, &merchant.Cancellation{}); err != nil {
		return nil, err
	}
	return order(a.shop.CancelOrder(r.Context(), id))
}
