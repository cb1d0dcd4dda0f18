// Package purchasing is the handler of the function stock: it asks the factory to produce what the
// messages in stock_queue need.
package purchasing

import (
	"context"
	"errors"
	"fmt"
	"runtime/debug"
	"strings"
	"sync"
	"time"

	"github.com/aws/aws-lambda-go/events"
	"github.com/google/uuid"

	"restock/internal/factory"
	"restock/internal/message"
	"restock/internal/secrets"
	"restock/internal/shop"
	"restock/lambdas"
	"restock/lambdas/journal"
)

// A producer is a factory.
type producer interface {
	Produce(context.Context, factory.Request) (lot string, err error)
}

// A signingKey returns the key that callback URLs are signed with. See [secrets.CallbackKeys].
type signingKey interface {
	Current(context.Context) (secrets.CallbackKey, error)
}

// A Handler turns stock_empty messages into requests to the factory.
type Handler struct {
	Factory producer
	Keys    signingKey
	APIURL  string // of the shop, which the factory calls back
	NewID   func() (uuid.UUID, error)
	Now     func() time.Time
	Journal journal.Journal
}

// FactoryTimeout is how long the factory may take to answer. It answers before it starts to
// produce.
const FactoryTimeout = 5 * time.Second

// Handle asks the factory for each record of a batch, all at once, so a slow or broken record does
// not delay the others. It reports the records that failed. SQS delivers these again, and moves
// them to the dead-letter queue in the end.
func (p Handler) Handle(ctx context.Context, event events.SQSEvent) (events.SQSEventResponse, error) {
	failed := make([]bool, len(event.Records))
	var all sync.WaitGroup
	for i, record := range event.Records {
		all.Go(func() {
			failed[i] = !p.handleRecord(ctx, record)
		})
	}
	all.Wait()

	var response events.SQSEventResponse
	for i, record := range event.Records {
		if failed[i] {
			response.BatchItemFailures = append(response.BatchItemFailures,
				events.SQSBatchItemFailure{ItemIdentifier: record.MessageId})
		}
	}
	return response, nil
}

// handleRecord reports whether a record is done.
func (p Handler) handleRecord(ctx context.Context, record events.SQSMessage) bool {
	m, err := message.Parse(record.Body)
	ctx = shop.WithCorrelation(ctx, m.Correlation)
	if err == nil {
		err = p.order(ctx, m)
	}
	if errors.Is(err, errExpired) {
		p.Journal.RequestExpired(ctx, m, record.MessageId, record.Attributes["ApproximateReceiveCount"])
		return true
	}
	if err != nil {
		p.Journal.RequestFailed(ctx, record.MessageId, record.Attributes["ApproximateReceiveCount"], err)
	}
	return err == nil
}

// errExpired is the error of a message that must not reach the factory any more.
var errExpired = errors.New("the message has expired")

// order makes one attempt at a production order. For an expired message it returns errExpired and
// does not ask the factory: the sweep has published a newer message for the order, or has closed
// the order. So old dead letters may be sent back to the queue, and the factory still makes the
// order once.
//
// stock has no database, so it knows only the time. It does not know of an order that a person has
// cancelled, or that another attempt has fulfilled, while its message is still valid.
// stock-increase books the goods of such a message as a late receipt or a surplus, and people get a
// notice.
func (p Handler) order(ctx context.Context, m message.StockEmpty) (err error) {
	// A panic in this goroutine would end the process, and fail the whole batch.
	defer func() {
		if cause := recover(); cause != nil {
			err = fmt.Errorf("panic: %v\n%s", cause, debug.Stack())
		}
	}()
	key, err := p.Keys.Current(ctx)
	if err != nil {
		return err
	}
	signer, err := factory.NewSigner(key.Key)
	if err != nil {
		return err
	}
	attempt, err := p.NewID()
	if err != nil {
		return fmt.Errorf("making an attempt id: %w", err)
	}
	_, template, _ := strings.Cut(lambdas.RouteGoodsReceipt, " ")
	callbackURL := signer.CallbackURL(p.APIURL, template, factory.Attempt{
		ProductionOrderID: m.ProductionOrderID, ID: attempt, Quantity: m.Quantity, Correlation: m.Correlation,
	})
	// This check comes last, because the steps above take time.
	if m.Expired(p.Now()) {
		return errExpired
	}
	// The factory may accept a request that is cut off. The retry would then order a second lot.
	if deadline, ok := ctx.Deadline(); ok && time.Until(deadline) < FactoryTimeout {
		return fmt.Errorf("production order %s: not attempted: less is left than the %v that the factory may take to "+
			"answer",
			m.ProductionOrderID, FactoryTimeout)
	}
	lot, err := p.Factory.Produce(ctx, factory.NewRequest(m, callbackURL))
	if err != nil {
		return fmt.Errorf("production order %s, attempt %s: %w", m.ProductionOrderID, attempt, err)
	}
	p.Journal.Requested(ctx, m, attempt, lot)
	return nil
}
