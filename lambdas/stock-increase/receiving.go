package main

import (
	"cmp"
	"context"
	"io"
	"log/slog"
	"net/http"
	"net/url"
	"time"

	"github.com/google/uuid"

	"restock/internal/factory"
	"restock/internal/secrets"
	"restock/internal/shop"
	"restock/internal/web"
	"restock/lambdas"
)

// maxBody is the longest body of a callback, in bytes. The factory sends back the request, which is
// shorter than 1 KiB.
const maxBody = 16 << 10

// acceptedKeys are the keys that a callback may be signed with. See [secrets.CallbackKeys].
type acceptedKeys interface {
	Accepted(context.Context) ([]secrets.CallbackKey, error)
	// Reread reads the keys again after a mismatch. It returns none if the last such read was less
	// than 30 s ago.
	Reread(context.Context) ([]secrets.CallbackKey, error)
}

// A booker books deliveries. See [shop.Shop.Receive].
type booker interface {
	Receive(context.Context, shop.Delivery) (shop.Receipt, error)
}

// A receiver answers the factory's callbacks.
type receiver struct {
	shop booker
	keys acceptedKeys
	log  *slog.Logger
}

func newReceiver(s booker, keys acceptedKeys, log *slog.Logger) (http.Handler, error) {
	d := receiver{s, keys, log}
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

func (d receiver) receive(w http.ResponseWriter, r *http.Request) {
	log := d.log.With("path", r.URL.Path) // the path names the production order and the attempt
	attempt, err := d.verify(r)
	r = r.WithContext(shop.WithCorrelation(r.Context(), attempt.Correlation))
	var delivery shop.Delivery
	if err == nil {
		delivery, err = read(w, r, attempt)
	}
	var booked shop.Receipt
	if err == nil {
		booked, err = d.book(r.Context(), delivery)
	}
	if err != nil {
		if code := shop.CodeOf(err); !web.IsOurs(code) {
			log.WarnContext(r.Context(), "callback refused", "code", code, "error", err)
		}
		web.Fail(w, r, log, err)
		return
	}
	web.Answer(w, http.StatusOK, receipt{
		Message:           web.Received.In(web.Language(r), booked.Stock),
		ProductionOrderID: delivery.ProductionOrderID, AttemptID: delivery.AttemptID,
		Stock: booked.Stock, Repeated: booked.Repeated,
	})
}

// retryInterval is the time between two attempts of patiently.
const retryInterval = 500 * time.Millisecond

// patiently calls ask again while its error is CodeUnavailable or CodeOutcomeUnknown, until the
// context ends. The factory calls once and ignores the answer, so there is no later callback. To
// book an attempt twice does nothing.
func patiently(ctx context.Context, ask func() error) error {
	for {
		err := ask()
		if code := shop.CodeOf(err); code != shop.CodeUnavailable && code != shop.CodeOutcomeUnknown {
			return err
		}
		select {
		case <-ctx.Done():
			return err
		case <-time.After(retryInterval):
		}
	}
}

func (d receiver) book(ctx context.Context, delivery shop.Delivery) (booked shop.Receipt, err error) {
	err = patiently(ctx, func() (err error) {
		booked, err = d.shop.Receive(ctx, delivery)
		return err
	})
	return booked, err
}

// verify checks the signature of a callback, and returns the attempt that it is for.
func (d receiver) verify(r *http.Request) (factory.Attempt, error) {
	order, err := uuid.Parse(r.PathValue("order"))
	if err != nil {
		return factory.Attempt{}, &shop.Error{
			Code:   shop.CodeInvalidSignature,
			Detail: "the path has no id of a production order",
		}
	}
	attempt, err := uuid.Parse(r.PathValue("attempt"))
	if err != nil {
		return factory.Attempt{}, &shop.Error{Code: shop.CodeInvalidSignature,
			Detail: "the path has no id of an attempt"}
	}
	if err := factory.CheckSigned(r.URL.Query()); err != nil { // refuse before reading the key
		return factory.Attempt{}, err
	}
	uncheckable := func(err error) error {
		return &shop.Error{Code: shop.CodeUnavailable, Detail: "the signature cannot be checked now", Err: err}
	}
	var keys []secrets.CallbackKey
	err = patiently(r.Context(), func() (err error) {
		if keys, err = d.keys.Accepted(r.Context()); err != nil {
			return uncheckable(err)
		}
		return nil
	})
	if err != nil {
		return factory.Attempt{}, err
	}
	signed, err := verifyWith(keys, order, attempt, r.URL.Query())
	if err == nil {
		return signed, nil
	}
	// The key may have been replaced since it was read. A failed read is not repeated: most
	// mismatches are forgeries, and a forger must not be able to keep the instance busy.
	fresh, failed := d.keys.Reread(r.Context())
	switch {
	case failed != nil:
		return factory.Attempt{}, uncheckable(failed)
	case len(fresh) == 0:
		return factory.Attempt{}, err
	}
	return verifyWith(fresh, order, attempt, r.URL.Query())
}

// verifyWith checks a callback with each key, the current one first. If all checks fail, it returns
// the first error: the signature is not ours, or the current key is too short.
func verifyWith(keys []secrets.CallbackKey, order, attempt uuid.UUID, query url.Values) (factory.Attempt, error) {
	var first error
	for _, key := range keys {
		signer, err := factory.NewSigner(key.Key)
		if err == nil {
			var signed factory.Attempt
			if signed, err = signer.Verify(order, attempt, query); err == nil {
				return signed, nil
			}
		}
		first = cmp.Or(first, err)
	}
	return factory.Attempt{}, first
}

// read reads the product and the quantity from a callback's body.
func read(w http.ResponseWriter, r *http.Request, attempt factory.Attempt) (shop.Delivery, error) {
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, maxBody))
	if err != nil {
		return shop.Delivery{}, &shop.Error{
			Code:   shop.CodeInvalidRequest,
			Detail: "the callback's body cannot be read: " + err.Error(),
		}
	}
	sku, quantity, err := factory.ParseCallback(body)
	if err != nil {
		return shop.Delivery{}, err
	}
	return shop.Delivery{
		ProductionOrderID: attempt.ProductionOrderID, AttemptID: attempt.ID, SKU: sku, Quantity: quantity,
		Signed: attempt.Quantity,
	}, nil
}
