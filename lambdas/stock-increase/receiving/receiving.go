// Package receiving is the handler of the function stock-increase: it turns the signed callbacks in
// deliveries_queue into stock.
package receiving

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net/url"
	"runtime/debug"
	"strconv"
	"time"

	"github.com/aws/aws-lambda-go/events"
	"github.com/google/uuid"

	"restock/internal/factory"
	"restock/internal/secrets"
	"restock/internal/shop"
	"restock/lambdas/journal"
)

// acceptedKeys are the keys that a callback may be signed with. See [secrets.CallbackKeys].
type acceptedKeys interface {
	Accepted(context.Context) ([]secrets.CallbackKey, error)
	// Since returns the keys as they are at a time or later. The error may be
	// [secrets.ErrReadRecently].
	Since(context.Context, time.Time) ([]secrets.CallbackKey, error)
}

// A booker books deliveries. See [shop.Shop.Receive].
type booker interface {
	Receive(context.Context, shop.Delivery) (shop.Receipt, error)
}

// A Handler books the factory's callbacks. The API has put each into the queue, with the parts of
// its URL as message attributes: see lambdas.StockIncrease.
type Handler struct {
	Shop    booker
	Keys    acceptedKeys
	Journal journal.Journal
}

// Handle books the callbacks of a batch, one after the other: an instance has one connection to the
// database. It drops forged callbacks. It reports each other callback that it could not book: SQS
// delivers it again, and moves it to the dead-letter queue in the end.
func (r Handler) Handle(ctx context.Context, event events.SQSEvent) (events.SQSEventResponse, error) {
	if len(event.Records) == 0 {
		return events.SQSEventResponse{}, errNoRecords
	}
	var response events.SQSEventResponse
	forged, undecided := 0, 0
	for _, record := range event.Records {
		err := r.receive(ctx, record)
		if shop.CodeOf(err) == shop.CodeInvalidSignature {
			forged++
			continue
		}
		if errors.Is(err, secrets.ErrReadRecently) {
			undecided++
		}
		if err != nil {
			response.BatchItemFailures = append(response.BatchItemFailures,
				events.SQSBatchItemFailure{ItemIdentifier: record.MessageId})
		}
	}
	if forged+undecided > 0 { // one line for a batch: a flood of forgeries must not flood the log
		r.Journal.DeliveriesForged(ctx, forged, undecided)
	}
	return response, nil
}

// errNoRecords is the error of an event that is no batch: a batch has a record at least. The event
// may be a callback that the API, in place of its queue, has sent here.
var errNoRecords = errors.New("the event has no records of a queue: the function books only what is in its queue")

// receive books a callback.
func (r Handler) receive(ctx context.Context, record events.SQSMessage) (err error) {
	defer func() {
		if cause := recover(); cause != nil { // it would end the process, and fail the whole batch
			err = fmt.Errorf("panic: %v\n%s", cause, debug.Stack())
		}
		strangers := shop.CodeOf(err) == shop.CodeInvalidSignature || errors.Is(err, secrets.ErrReadRecently)
		if err != nil && !strangers { // handle logs the others
			r.Journal.DeliveryFailed(ctx, record.MessageId, record.Attributes["ApproximateReceiveCount"], err)
		}
	}()
	attempt, err := r.verify(ctx, record)
	if err != nil {
		return err
	}
	ctx = shop.WithCorrelation(ctx, attempt.Correlation)
	sku, quantity, err := factory.ParseCallback([]byte(record.Body))
	if err != nil {
		return fmt.Errorf("production order %s, attempt %s: %w", attempt.ProductionOrderID, attempt.ID, err)
	}
	return patiently(ctx, func() error {
		_, err := r.Shop.Receive(ctx, shop.Delivery{
			ProductionOrderID: attempt.ProductionOrderID, AttemptID: attempt.ID, SKU: sku, Quantity: quantity,
			Signed: attempt.Quantity,
		})
		if err != nil {
			return fmt.Errorf("production order %s, attempt %s: %w", attempt.ProductionOrderID, attempt.ID, err)
		}
		return nil
	})
}

// retryInterval is the time between two attempts of patiently.
const retryInterval = 500 * time.Millisecond

// patiently calls ask again while its error is CodeUnavailable or CodeOutcomeUnknown, until the
// context ends. A database that fails over is away for seconds, and SQS would deliver the message
// again only after most of a minute. To book an attempt twice does nothing.
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

// verify checks the signature of a callback, and returns the attempt that it is for.
func (r Handler) verify(ctx context.Context, record events.SQSMessage) (factory.Attempt, error) {
	text := func(attribute string) string {
		if value := record.MessageAttributes[attribute].StringValue; value != nil {
			return *value
		}
		return ""
	}
	order, errOrder := uuid.Parse(text("order"))
	attempt, errAttempt := uuid.Parse(text("attempt"))
	if errOrder != nil || errAttempt != nil {
		return factory.Attempt{}, &shop.Error{
			Code: shop.CodeInvalidSignature, Detail: "the path has no ids of a production order and an attempt",
		}
	}
	query := url.Values{}
	for _, parameter := range factory.SignedParameters() {
		query.Set(parameter, text(parameter))
	}
	if err := factory.CheckSigned(query); err != nil { // refuse before reading the key
		return factory.Attempt{}, err
	}
	uncheckable := func(err error) error {
		return &shop.Error{Code: shop.CodeUnavailable, Detail: "the signature cannot be checked now", Err: err}
	}
	var keys []secrets.CallbackKey
	err := patiently(ctx, func() (err error) {
		if keys, err = r.Keys.Accepted(ctx); err != nil {
			return uncheckable(err)
		}
		return nil
	})
	if err != nil {
		return factory.Attempt{}, err
	}
	signed, err := verifyWith(keys, order, attempt, query)
	if err == nil {
		return signed, nil
	}
	// The key may have been replaced since it was read. A failed read is not repeated: most
	// mismatches are forgeries, and a forger must not be able to keep the instance busy.
	fresh, err := r.Keys.Since(ctx, sentAt(record))
	if err != nil {
		return factory.Attempt{}, uncheckable(err)
	}
	return verifyWith(fresh, order, attempt, query)
}

// sentAt returns when the API got a callback. Its URL was signed before.
func sentAt(record events.SQSMessage) time.Time {
	milliseconds, err := strconv.ParseInt(record.Attributes["SentTimestamp"], 10, 64)
	if err != nil {
		return time.Now() // SQS always sets it; this is the latest time that is possible
	}
	return time.UnixMilli(milliseconds)
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
