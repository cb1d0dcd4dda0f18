package function

import (
	"context"
	"errors"
	"log/slog"
	"sync"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/aws/retry"

	"restock/lambdas/journal"
)

// warmTimeout limits the warm-up of an instance. It is much less than the 10 s after which Lambda
// ends an initialisation and starts it again.
const warmTimeout = 2500 * time.Millisecond

// A warmUp is what an instance does before it asks for its first invocation: it reads secrets,
// connects to the database and handles an event that changes nothing. So the first invocation does
// not wait for these.
//
// Lambda does not limit the processor during the initialisation, for at most 10 s:
// https://serverlessland.com/content/service/lambda/guides/effectively-running-java-on-serverless/init-heavy-lifting
// Afterwards a function of 256 MB gets a seventh of a processor, because 1,769 MB get a whole one:
// https://docs.aws.amazon.com/lambda/latest/dg/configuration-memory.html
//
// The warm-up does not connect to SNS. An instance seldom publishes in its first invocation, and
// SNS has no call that needs no permission.
type warmUp struct {
	timeout time.Duration
	steps   []func(context.Context) error
}

// add adds a step. All steps run at the same time. A step must end with its context.
func (w *warmUp) add(step func(context.Context) error) { w.steps = append(w.steps, step) }

// run runs the steps. It logs their errors and goes on: what a step did not prepare, the first
// invocation prepares.
func (w *warmUp) run(log *slog.Logger) {
	ctx, cancel := context.WithTimeout(context.WithValue(context.Background(), warming{}, true), w.timeout)
	defer cancel()
	errs := make([]error, len(w.steps))
	var steps sync.WaitGroup
	for i, step := range w.steps {
		steps.Go(func() { errs[i] = step(ctx) })
	}
	steps.Wait()
	if err := errors.Join(errs...); err != nil {
		log.Warn("the warm-up failed, the first invocation tries again", journal.WarmUpFailed.Attr(), "error", err)
	}
}

// warming is the key of a value that the context of a warm-up has.
type warming struct{}

// A retryer is the SDK's default, except that it does not retry during a warm-up. Otherwise a
// service that refuses connections would delay the first invocation.
type retryer struct{ *retry.Standard }

func newRetryer() aws.Retryer { return retryer{retry.NewStandard()} }

var errWarming = errors.New("a warm-up does not retry")

// GetRetryToken implements aws.Retryer.
func (r retryer) GetRetryToken(ctx context.Context, err error) (func(error) error, error) {
	if ctx.Value(warming{}) != nil {
		return nil, errWarming
	}
	return r.Standard.GetRetryToken(ctx, err)
}
