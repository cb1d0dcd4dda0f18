package main

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"path"
	"strings"
	"sync"
	"time"

	"github.com/aws/aws-lambda-go/events"
	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sqs"
	"github.com/google/uuid"

	"restock/internal/factory/legacy"
	"restock/internal/shop"
	"restock/internal/web"
	"restock/lambdas"
)

// A sender sends messages to SQS.
type sender interface {
	SendMessage(context.Context, *sqs.SendMessageInput, ...func(*sqs.Options)) (*sqs.SendMessageOutput, error)
}

// A simulation plays the legacy factory. It follows the contract in package legacy: it validates
// nothing, answers at once, does not notice a repeated request, and calls back once.
//
// Everybody can reach it, so it calls back the stage's own API only: otherwise anybody could make
// it send requests to any host. It answers a request for another host like every other, and makes
// no lot.
type simulation struct {
	queue    sender
	queueURL string
	caller   legacy.Caller
	shop     string // the origin of the stage's API
	newID    func() (uuid.UUID, error)
	log      *slog.Logger
}

// receipts matches the paths of callbacks. A callback to the simulated factory's own path would
// order the next lot, and so on without an end.
var receipts = strings.NewReplacer("{order}", "*", "{attempt}", "*", "POST ", "").Replace(lambdas.RouteGoodsReceipt)

// A lot is a message in the function's queue. SQS delivers it when the lot is done.
type lot struct {
	ID string `json:"id"`
	// Request is the request as it came. JSON has it in base64: not every character may be in a
	// message, and the callback needs every byte.
	// https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_SendMessage.html
	Request []byte `json:"request"`
}

// handle answers requests of the HTTP API, and calls back for messages of the queue.
func (s simulation) handle(ctx context.Context, event json.RawMessage) (any, error) {
	var done events.SQSEvent
	if err := json.Unmarshal(event, &done); err == nil && len(done.Records) > 0 {
		s.deliverAll(ctx, done.Records)
		// No record failed, whatever the shop answered: SQS would deliver a failed one again.
		return events.SQSEventResponse{}, nil
	}
	var request events.APIGatewayV2HTTPRequest
	if err := json.Unmarshal(event, &request); err != nil {
		return nil, fmt.Errorf("reading the event: %w", err)
	}
	return web.Lambda(http.HandlerFunc(s.take))(ctx, request)
}

// take accepts a request.
func (s simulation) take(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, legacy.MaxBody))
	if err != nil {
		http.Error(w, fmt.Sprintf("the request is longer than %d bytes", legacy.MaxBody),
			http.StatusRequestEntityTooLarge)
		return
	}
	id, err := s.newID()
	if err == nil {
		err = s.produce(correlate(r.Context(), body), lot{id.String(), body})
	}
	if err != nil {
		s.log.ErrorContext(r.Context(), "the simulated factory accepted no request", "error", err)
		http.Error(w, http.StatusText(http.StatusInternalServerError), http.StatusInternalServerError)
		return
	}
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(http.StatusCreated)
	_, _ = w.Write(legacy.ReadOrder(body).Receipt(body, id.String())) // writes to memory
}

// produce begins a lot.
func (s simulation) produce(ctx context.Context, l lot) error {
	o := legacy.ReadOrder(l.Request)
	log := s.log.With("lot", l.ID, "count", string(o.Count), "callback", o.Callback())
	if origin, err := o.CallbackOrigin(); err != nil || origin != s.shop {
		log.WarnContext(ctx, "no lot: the simulated factory calls back only the API of its stage", "api", s.shop)
		return nil
	}
	if receipt, _ := path.Match(receipts, strings.TrimPrefix(o.Callback(), s.shop)); !receipt {
		log.WarnContext(ctx, "no lot: the simulated factory calls back only the route of deliveries")
		return nil
	}
	message, err := json.Marshal(l)
	if err != nil {
		return fmt.Errorf("writing the lot: %w", err)
	}
	_, err = s.queue.SendMessage(ctx, &sqs.SendMessageInput{
		QueueUrl: &s.queueURL, MessageBody: aws.String(string(message)),
		DelaySeconds: int32(legacy.LeadTime / time.Second),
	})
	if err != nil {
		return fmt.Errorf("sending the lot: %w", err)
	}
	log.InfoContext(ctx, "production order received")
	return nil
}

// deliverAll delivers the lots of a batch, all at once, so a slow answer does not delay the others.
func (s simulation) deliverAll(ctx context.Context, records []events.SQSMessage) {
	var all sync.WaitGroup
	for _, record := range records {
		all.Go(func() { s.deliver(ctx, record) })
	}
	all.Wait()
}

// firstReceive is the receive count of a message that no invocation had before.
const firstReceive = "1"

// deliver makes the one callback of a lot. SQS delivers a message again if the function ended while
// it had the message. Then the lot is lost, as in a restart of the real factory: nobody knows if
// the shop was called.
func (s simulation) deliver(ctx context.Context, record events.SQSMessage) {
	var l lot
	if err := json.Unmarshal([]byte(record.Body), &l); err != nil {
		s.log.ErrorContext(ctx, "the message is no lot", "message", record.MessageId, "error", err)
		return
	}
	o := legacy.ReadOrder(l.Request)
	ctx = correlate(ctx, l.Request)
	log := s.log.With("lot", l.ID, "callback", o.Callback())
	if count := record.Attributes["ApproximateReceiveCount"]; count != firstReceive {
		log.WarnContext(ctx, "the lot is lost: an invocation ended while it had it", "receives", count)
		return
	}
	switch status, err := s.caller.Call(ctx, o.CallbackURL, l.Request); {
	case err != nil:
		log.WarnContext(ctx, "delivery failed, and is not tried again", "error", err)
	case status >= http.StatusMultipleChoices:
		log.WarnContext(ctx, "delivery refused, and is not tried again", "status", status)
	default:
		log.InfoContext(ctx, "lot delivered", "status", status)
	}
}

// correlate returns a context whose log lines have the correlation id of the buyer's request.
func correlate(ctx context.Context, request []byte) context.Context {
	if id := legacy.ReadOrder(request).Correlation(); id != "" {
		return shop.WithCorrelation(ctx, id)
	}
	return ctx
}
