package main

import (
	"context"
	"fmt"
	"log/slog"
	"runtime/debug"
	"strings"
	"sync"
	"time"

	"github.com/aws/aws-lambda-go/events"
	"github.com/google/uuid"

	"restock/internal/factory"
	"restock/internal/message"
	"restock/internal/secrets"
	"restock/lambdas"
)

// A producer is a factory that can be asked.
type producer interface {
	Produce(context.Context, factory.Request) (lot string, err error)
}

// keySource gives the key that callbacks are signed with.
type keySource interface {
	Get(ctx context.Context, refresh bool) (secrets.CallbackKey, error)
}

// purchasing turns stock_empty messages into requests to the factory.
type purchasing struct {
	factory producer
	key     keySource
	apiURL  string
	newID   func() (uuid.UUID, error)
	log     *slog.Logger
}

const (
	// factoryTimeout is how long the factory may take to answer; it answers before it begins to work.
	factoryTimeout = 5 * time.Second
	// reportMargin is how long before its deadline the function gives up what it waits for, to report what failed.
	reportMargin = 500 * time.Millisecond
)

// handle asks the factory for each record of a batch, all at once: one that is slow or broken does not hold the others. A record
// that failed is reported and stays in the queue, to be tried again and to end in the dead-letter queue; the others are done.
func (p purchasing) handle(ctx context.Context, event events.SQSEvent) (events.SQSEventResponse, error) {
	if deadline, ok := ctx.Deadline(); ok {
		var cancel context.CancelFunc
		ctx, cancel = context.WithDeadline(ctx, deadline.Add(-reportMargin))
		defer cancel()
	}
	failed := make([]bool, len(event.Records))
	var all sync.WaitGroup
	for i, record := range event.Records {
		all.Go(func() {
			if err := p.order(ctx, record); err != nil {
				p.log.ErrorContext(ctx, "record failed", "message", record.MessageId, "receive_count", record.Attributes["ApproximateReceiveCount"], "error", err)
				failed[i] = true
			}
		})
	}
	all.Wait()

	var response events.SQSEventResponse
	for i, record := range event.Records {
		if failed[i] {
			response.BatchItemFailures = append(response.BatchItemFailures, events.SQSBatchItemFailure{ItemIdentifier: record.MessageId})
		}
	}
	return response, nil
}

// order makes one attempt to get a production order made.
func (p purchasing) order(ctx context.Context, record events.SQSMessage) (err error) {
	// A panic outside the handler's goroutine would end the process, and fail the whole batch.
	defer func() {
		if cause := recover(); cause != nil {
			err = fmt.Errorf("panic: %v\n%s", cause, debug.Stack())
		}
	}()
	m, err := message.Parse(record.Body)
	if err != nil {
		return err
	}
	key, err := p.key.Get(ctx, false)
	if err != nil {
		return err
	}
	signer, err := factory.NewSigner(key.Key)
	if err != nil {
		return err
	}
	attempt, err := p.newID()
	if err != nil {
		return fmt.Errorf("making an attempt id: %w", err)
	}
	_, template, _ := strings.Cut(lambdas.RouteGoodsReceipt, " ")
	callbackURL := signer.CallbackURL(p.apiURL, template, factory.Attempt{ProductionOrderID: m.ProductionOrderID, ID: attempt, Quantity: m.Quantity})
	// A request that is cut short may have been taken: the factory would be asked again for what it is making.
	if deadline, ok := ctx.Deadline(); ok && time.Until(deadline) < factoryTimeout {
		return fmt.Errorf("production order %s: not attempted: the factory may take %v to answer, and less is left", m.ProductionOrderID, factoryTimeout)
	}
	lot, err := p.factory.Produce(ctx, factory.NewRequest(m, callbackURL))
	if err != nil {
		return fmt.Errorf("production order %s, attempt %s: %w", m.ProductionOrderID, attempt, err)
	}
	p.log.InfoContext(ctx, "factory asked", "production_order", m.ProductionOrderID, "attempt", attempt, "sku", m.SKU, "quantity", m.Quantity, "lot", lot)
	return nil
}
