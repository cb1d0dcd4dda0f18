package main

import (
	"context"
	"io"
	"log/slog"
	"net/http"

	"github.com/google/uuid"

	"restock/internal/factory"
	"restock/internal/secrets"
	"restock/internal/shop"
	"restock/internal/web"
	"restock/lambdas"
)

// maxBody is the longest body of a callback, in bytes. The factory sends back what it was asked, under 1 KiB.
const maxBody = 16 << 10

// keySource gives the key that callbacks are signed with.
type keySource interface {
	Get(ctx context.Context, refresh bool) (secrets.CallbackKey, error)
}

// A receivingDesk takes the factory's callbacks.
type receivingDesk struct {
	shop *shop.Shop
	key  keySource
	log  *slog.Logger
}

func newReceivingDesk(s *shop.Shop, key keySource, log *slog.Logger) (http.Handler, error) {
	d := receivingDesk{s, key, log}
	return web.Router(lambdas.StockIncrease.Routes, map[string]http.HandlerFunc{lambdas.RouteGoodsReceipt: d.receive})
}

// A receipt is the answer to a callback that was booked.
type receipt struct {
	Message           string    `json:"message"`
	ProductionOrderID uuid.UUID `json:"production_order_id"`
	AttemptID         uuid.UUID `json:"attempt_id"`
	Stock             int       `json:"stock"`
	Repeated          bool      `json:"repeated,omitempty"`
}

func (d receivingDesk) receive(w http.ResponseWriter, r *http.Request) {
	delivery, err := d.read(w, r)
	if err != nil {
		d.log.WarnContext(r.Context(), "callback refused", "path", r.URL.Path, "code", shop.CodeOf(err), "error", err)
		web.Fail(w, r, d.log, err)
		return
	}
	booked, err := d.shop.Receive(r.Context(), delivery)
	if err != nil {
		d.log.WarnContext(r.Context(), "delivery not booked", "production_order", delivery.ProductionOrderID, "attempt", delivery.AttemptID, "code", shop.CodeOf(err), "error", err)
		web.Fail(w, r, d.log, err)
		return
	}
	d.log.InfoContext(r.Context(), "goods received", "production_order", delivery.ProductionOrderID, "attempt", delivery.AttemptID,
		"sku", delivery.SKU, "quantity", delivery.Quantity, "stock", booked.Stock, "repeated", booked.Repeated)
	web.Answer(w, http.StatusOK, receipt{
		Message:           web.Received.In(web.Language(r), booked.Stock),
		ProductionOrderID: delivery.ProductionOrderID, AttemptID: delivery.AttemptID,
		Stock: booked.Stock, Repeated: booked.Repeated,
	})
}

// read checks that a callback is ours before it looks at what it says.
func (d receivingDesk) read(w http.ResponseWriter, r *http.Request) (shop.Delivery, error) {
	order, err := uuid.Parse(r.PathValue("order"))
	if err != nil {
		return shop.Delivery{}, &shop.Error{Code: shop.CodeInvalidSignature, Detail: "the path names no production order"}
	}
	attempt, err := uuid.Parse(r.PathValue("attempt"))
	if err != nil {
		return shop.Delivery{}, &shop.Error{Code: shop.CodeInvalidSignature, Detail: "the path names no attempt"}
	}
	key, err := d.key.Get(r.Context(), false)
	if err != nil {
		return shop.Delivery{}, err
	}
	if err := (factory.Signer{Key: key.Key}).Verify(order, attempt, r.URL.Query()); err != nil {
		return shop.Delivery{}, err
	}
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, maxBody))
	if err != nil {
		return shop.Delivery{}, &shop.Error{Code: shop.CodeInvalidRequest, Detail: "the callback's body cannot be read: " + err.Error()}
	}
	sku, quantity, err := factory.ParseCallback(body)
	if err != nil {
		return shop.Delivery{}, err
	}
	return shop.Delivery{ProductionOrderID: order, AttemptID: attempt, SKU: sku, Quantity: quantity}, nil
}
