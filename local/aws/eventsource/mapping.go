// Package eventsource implements Lambda's event source mapping of an SQS queue. It polls the queue,
// invokes a function with batches of messages, and deletes the messages that the function has
// processed.
//
// https://docs.aws.amazon.com/lambda/latest/dg/with-sqs.html
package eventsource

import (
	"context"
	"fmt"
	"log/slog"
	"strings"
	"sync"
	"time"

	"restock/local/aws/awsapi"
	"restock/local/aws/lambda"
	"restock/local/aws/sqs"
	"restock/local/aws/traceid"
	"restock/local/view/events"
)

// Queue is the queue that a mapping polls. An *sqs.Queue is a Queue.
type Queue interface {
	ARN() string
	VisibilityTimeout() time.Duration
	Receive(context.Context, sqs.ReceiveOptions) ([]sqs.Message, error)
	Delete(receiptHandle string) error
}

// Function is the function that a mapping invokes.
type Function interface {
	// Invoke runs the function with a JSON event and returns its JSON response. The error is the
	// function's or an error of the call. It is [awsapi.Throttled] if there was no capacity to run
	// the function.
	Invoke(ctx context.Context, payload []byte) ([]byte, error)
}

// Config configures the batches of a mapping and the judgement of responses.
// https://docs.aws.amazon.com/lambda/latest/dg/services-sqs-parameters.html
type Config struct {
	// FunctionName names the function in the log.
	FunctionName string
	// BatchSize limits the messages of an invocation: 1 to 10,000, and above 10 only with a
	// batching window.
	BatchSize int
	// BatchingWindow is the time to wait for a full batch after the first message: 0 to 5 minutes,
	// and always 0 with a FIFO queue.
	BatchingWindow time.Duration
	// MaximumConcurrency limits the concurrent batches: 2 to 1,000, or 0 for DefaultConcurrency.
	MaximumConcurrency int
	// ReportBatchItemFailures lets the function's response name the messages that failed; all
	// others are deleted. Without it, a successful invocation deletes the whole batch.
	ReportBatchItemFailures bool
	// FunctionTimeout is the function's timeout. The queue's visibility timeout must not be shorter
	// when the mapping starts.
	FunctionTimeout time.Duration
	// Disabled makes a mapping that does not poll.
	Disabled bool
	// AuthorizeReceive returns an error if the function's role may not receive from the queue. The
	// mapping then does not poll, and asks again later. A nil AuthorizeReceive allows it always.
	AuthorizeReceive func() error
}

const (
	// DefaultBatchSize is Lambda's default batch size.
	DefaultBatchSize = 10
	// DefaultConcurrency is the number of batches with which Lambda starts if a mapping sets no
	// maximum. Lambda then scales up; this mapping does not.
	DefaultConcurrency = 5
)

// maxReceive limits the messages of a receive.
const maxReceive = 10

// https://docs.aws.amazon.com/lambda/latest/dg/API_CreateEventSourceMapping.html
func (c Config) validate(visibilityTimeout time.Duration, isFIFO bool) error {
	switch {
	case c.BatchSize < 1 || c.BatchSize > 10_000:
		return fmt.Errorf("the batch size is %d: it must be 1 to 10000", c.BatchSize)
	case c.BatchingWindow < 0 || c.BatchingWindow > 5*time.Minute:
		return fmt.Errorf("the batching window is %v: it must be 0 to 5m", c.BatchingWindow)
	case isFIFO && c.BatchingWindow > 0:
		return awsapi.Errorf("InvalidParameterValueException", "Batching window is not supported for FIFO queues").
			Explained("the batching window is %v: with a FIFO queue it must be 0", c.BatchingWindow)
	case c.BatchSize > maxReceive && c.BatchingWindow < time.Second:
		return awsapi.Errorf("InvalidParameterValueException",
			"Maximum batch window in seconds must be greater than 0 if maximum batch size is greater than 10").
			Explained("the batch size is %d: above 10, the batching window must be at least 1s", c.BatchSize)
	case c.MaximumConcurrency != 0 && (c.MaximumConcurrency < 2 || c.MaximumConcurrency > 1000):
		return fmt.Errorf("the maximum concurrency is %d: it must be 2 to 1000", c.MaximumConcurrency)
	case visibilityTimeout < c.FunctionTimeout:
		return fmt.Errorf("the queue's visibility timeout is %v, less than the function's timeout of %v: "+
			"a message would be processed again before its first invocation ends; make it six times the function's "+
			"timeout",
			visibilityTimeout, c.FunctionTimeout)
	default:
		return nil
	}
}

// Mapping is a running event source mapping.
type Mapping struct {
	config   Config
	queue    Queue
	isFIFO   bool // the queue keeps the order of each message group
	function Function
	log      *slog.Logger
	backoff  backoff

	stop    context.CancelFunc // stops the polling
	done    sync.WaitGroup     // waits for the poller and the invocations
	invoked context.Context    // of the invocations, which outlive the polling
	abandon context.CancelFunc // cancels invoked
}

// Start polls the queue until Shutdown. It fails if Lambda refuses the configuration.
func Start(config Config, queue Queue, function Function, log *slog.Logger) (*Mapping, error) {
	isFIFO := strings.HasSuffix(queue.ARN(), ".fifo")
	if err := config.validate(queue.VisibilityTimeout(), isFIFO); err != nil {
		return nil, fmt.Errorf("mapping %s to function %s: %w", queue.ARN(), config.FunctionName, err)
	}
	ctx, stop := context.WithCancel(context.Background())
	invoked, abandon := context.WithCancel(context.Background())
	m := &Mapping{
		config:   config,
		queue:    queue,
		isFIFO:   isFIFO,
		function: function,
		log:      log.With("function", config.FunctionName, "queue", queueName(queue.ARN())),
		stop:     stop,
		invoked:  invoked,
		abandon:  abandon,
	}
	if config.Disabled {
		m.log.Info("event source mapping is disabled: the queue is not polled")
		return m, nil
	}
	m.done.Go(func() { m.poll(ctx) })
	return m, nil
}

// Shutdown stops polling and waits for the batches in progress until ctx ends. After that it
// cancels the context of their invocations, and returns an error that wraps the cause of ctx's end.
// The messages of these batches stay in the queue.
func (m *Mapping) Shutdown(ctx context.Context) error {
	m.stop()
	defer m.abandon()
	processed := make(chan struct{})
	go func() {
		m.done.Wait()
		close(processed)
	}()
	select {
	case <-processed:
		return nil
	case <-ctx.Done():
		return fmt.Errorf("waiting for function %s to process its batches: %w", m.config.FunctionName,
			context.Cause(ctx))
	}
}

// poll receives batches and processes each in its own goroutine. It receives only when a slot is
// free, so that no message is hidden from other receivers while it waits for a slot.
func (m *Mapping) poll(ctx context.Context) {
	concurrency := m.config.MaximumConcurrency
	if concurrency == 0 {
		concurrency = DefaultConcurrency
	}
	slots := make(chan struct{}, concurrency)
	failing := false // the last poll failed
	for {
		select {
		case slots <- struct{}{}:
		case <-ctx.Done():
			return
		}
		if !m.backoff.wait(ctx) {
			return
		}
		batch, err := m.gather(ctx)
		switch {
		case err != nil && ctx.Err() == nil:
			if !failing {
				m.log.Warn("queue cannot be polled: it is tried again until it can", "error", err)
			}
			failing = true
			m.backoff.failed()
		case failing && err == nil:
			m.log.Info("queue is polled again")
			failing = false
			m.backoff.succeeded()
		}
		if len(batch) == 0 {
			<-slots
			continue
		}
		m.done.Go(func() {
			defer func() { <-slots }()
			m.process(ctx, batch)
		})
	}
}

// gather waits for a first message, and then until the batch is full or the batching window ends.
// It returns the received messages even if it returns an error.
func (m *Mapping) gather(ctx context.Context) ([]sqs.Message, error) {
	const longest = 20 * time.Second // SQS's limit for a long poll
	if m.config.AuthorizeReceive != nil {
		if err := m.config.AuthorizeReceive(); err != nil {
			return nil, err
		}
	}
	batch, err := m.receive(ctx, m.config.BatchSize, longest)
	if len(batch) == 0 || m.config.BatchingWindow == 0 {
		return batch, err
	}
	end := time.Now().Add(m.config.BatchingWindow)
	for err == nil && len(batch) < m.config.BatchSize && time.Now().Before(end) {
		var more []sqs.Message
		more, err = m.receive(ctx, m.config.BatchSize-len(batch), min(time.Until(end), longest))
		batch = append(batch, more...)
	}
	return batch, err
}

func (m *Mapping) receive(ctx context.Context, limit int, wait time.Duration) ([]sqs.Message, error) {
	return m.queue.Receive(ctx, sqs.ReceiveOptions{MaxMessages: min(limit, maxReceive), Wait: &wait})
}

// process invokes the function with a batch, in one or more events.
func (m *Mapping) process(ctx context.Context, batch []sqs.Message) {
	written, err := writeEvents(m.queue.ARN(), batch, lambda.MaxRequest, m.config.BatchingWindow > 0)
	if err != nil {
		m.log.Error("batch could not be written: its messages come back after the visibility timeout",
			"messages", len(batch), "error", err)
		return
	}
	for i, e := range written {
		if !m.processEvent(ctx, e) && m.isFIFO && i < len(written)-1 {
			m.log.Warn("the rest of the batch waits, to keep its order: it comes back after the visibility timeout",
				"messages", len(batch), "events", len(written)-i-1)
			return
		}
	}
}

// processEvent invokes the function with messages and deletes the processed ones. The others stay
// in the queue, hidden until their visibility timeout ends. It returns false if there are others.
func (m *Mapping) processEvent(ctx context.Context, e event) (complete bool) {
	began := time.Now()
	spans := e.spans()
	failed, err := m.invoke(ctx, e, spans)
	if err != nil {
		m.log.Warn("batch failed: its messages come back after the visibility timeout", events.BatchFailed.Attr(),
			"messages", len(e.messages), "message_ids", e.ids(), "duration", time.Since(began), "error", err,
			traceid.Attr(spans...))
		return false
	}
	if m.isFIFO {
		m.holdGroups(e.messages, failed)
	}
	var done []traceid.Span
	for i, message := range e.messages {
		if failed[message.ID] {
			m.log.Warn("message failed: it comes back after the visibility timeout", events.MessageFailed.Attr(),
				"message", message.ID, "receives", message.ReceiveCount, "duration", time.Since(began),
				traceid.Attr(spans[i]))
			continue
		}
		done = append(done, spans[i])
		if err := m.queue.Delete(message.ReceiptHandle); err != nil {
			m.log.Error("processed message could not be deleted: it will be processed again", "message", message.ID,
				"error", err)
		}
	}
	m.log.Debug("batch processed", events.BatchProcessed.Attr(), "messages", len(e.messages), "message_ids", e.ids(),
		"failed", len(failed), "duration", time.Since(began), traceid.Attr(done...))
	return len(failed) == 0
}

// holdGroups adds to the failed messages those that follow them in their message groups. Otherwise
// the group would lose its order when the failed message comes back. Lambda's documentation says
// that a function must report these messages itself:
// https://docs.aws.amazon.com/lambda/latest/dg/services-sqs-errorhandling.html#services-sqs-batchfailurereporting
func (m *Mapping) holdGroups(batch []sqs.Message, failed map[string]bool) {
	blocked := map[string]string{} // the first failed message of a group
	for _, message := range batch {
		first, isBlocked := blocked[message.GroupID]
		switch {
		case !isBlocked && failed[message.ID]:
			blocked[message.GroupID] = message.ID
		case isBlocked && !failed[message.ID]:
			failed[message.ID] = true
			m.log.Warn("message stays in the queue behind a failed one of its group. AWS may delete it: "+
				"report the messages that follow a failed one as failed too", "message", message.ID, "group",
				message.GroupID, "failed", first)
		}
	}
}

// invoke returns the ids of the messages that the function reports as failed, or an error if the
// whole batch failed. If the function is throttled, invoke retries until the messages' visibility
// timeout ends. The end of polling does not cancel an invocation.
// https://docs.aws.amazon.com/lambda/latest/dg/services-sqs-errorhandling.html#services-sqs-backoff-strategy
func (m *Mapping) invoke(ctx context.Context, e event, spans []traceid.Span) (failed map[string]bool, err error) {
	invoked := events.WithAttrs(m.invoked, slog.String("message_ids", e.ids()))
	if oneTrace(spans) {
		invoked = traceid.With(invoked, spans[0])
	} else {
		invoked = events.WithAttrs(invoked, slog.String(traceid.LinksKey, traceid.Attr(spans...).Value.String()))
	}
	visibleAgain := e.messages[0].ReceivedAt.Add(m.queue.VisibilityTimeout())
	for {
		response, err := m.function.Invoke(invoked, e.payload)
		if err == nil && m.config.ReportBatchItemFailures {
			failed, err = failures(response, e.messages)
		}
		if err == nil {
			m.backoff.succeeded()
			return failed, nil
		}
		m.backoff.failed()
		reason, throttled := awsapi.Throttled(err)
		if throttled {
			m.log.Debug("function throttled: the batch is tried again", events.FunctionThrottled.Attr(),
				"message_ids", e.ids(), "throttled", reason)
		}
		inTime := time.Now().Add(m.backoff.pause()).Before(visibleAgain)
		if !throttled || !inTime || !m.backoff.wait(ctx) {
			return nil, err
		}
	}
}
