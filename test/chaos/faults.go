package main

import (
	"context"
	"fmt"
	"math/rand/v2"
	"sync"
	"time"

	"restock/cmd/local/factory"
	"restock/internal/mysql"
	"restock/internal/shop"
)

const (
	// injectors is the number of goroutines that inject faults. So several faults may act at once.
	injectors = 3
	// maxPause is the longest time between two faults of an injector.
	maxPause = 300 * time.Millisecond
)

// A fault makes a part of the stack fail for a while. inject returns when the part works again.
type fault struct {
	name   string
	inject func(w *world, ctx context.Context, r *rand.Rand) error
}

// faults lists all faults.
var faults = []fault{
	{"the database is killed", func(w *world, ctx context.Context, _ *rand.Rand) error {
		return w.database.killAndRestart(func() { w.awaitFailure(ctx) })
	}},
	{"connections to the database are cut", func(w *world, ctx context.Context, r *rand.Rand) error {
		heal := w.database.cut()
		pause(ctx, upTo(r, 300*time.Millisecond))
		return heal()
	}},
	{"connections to the database are slow", func(w *world, ctx context.Context, r *rand.Rand) error {
		return w.poison(ctx, r, "latency", fmt.Sprintf(`{"latency": %d, "jitter": 50}`, 20+r.IntN(200)))
	}},
	{"connections to the database are reset", func(w *world, ctx context.Context, r *rand.Rand) error {
		return w.poison(ctx, r, "reset_peer", fmt.Sprintf(`{"timeout": %d}`, r.IntN(30)))
	}},
	{"answers of the database are cut short", func(w *world, ctx context.Context, r *rand.Rand) error {
		return w.poison(ctx, r, "limit_data", fmt.Sprintf(`{"bytes": %d}`, 100+r.IntN(2000)))
	}},
	{"the database does not answer", func(w *world, ctx context.Context, r *rand.Rand) error {
		return w.poison(ctx, r, "timeout", `{"timeout": 0}`)
	}},
	{"a process of a function is killed", func(w *world, _ context.Context, r *rand.Rand) error {
		return w.pids.kill(r)
	}},
	{"SNS fails", awsFails("sns")},
	{"Secrets Manager fails", awsFails("secretsmanager")},
	{"the secret rotates", func(w *world, ctx context.Context, _ *rand.Rand) error {
		return w.aws.rotate(ctx)
	}},
	{"the factory answers with an error", factoryFails(func(r *rand.Rand) factory.Fault {
		status := pick(r, []int{400, 401, 404, 409, 429, 500, 502, 503, 504})
		return factory.Fault{Status: status, Produces: r.IntN(2) == 0}
	})},
	{"the factory hangs", factoryFails(func(r *rand.Rand) factory.Fault {
		return factory.Fault{Answer: factory.AnswerNever, Produces: r.IntN(2) == 0}
	})},
	{"the factory disconnects", factoryFails(func(r *rand.Rand) factory.Fault {
		return factory.Fault{Answer: factory.AnswerDisconnect, Produces: r.IntN(2) == 0}
	})},
	{"the factory answers garbage",
		factoryFails(func(*rand.Rand) factory.Fault { return factory.Fault{Answer: factory.AnswerGarbage} })},
	{"the factory delivers several times at once",
		factoryFails(func(r *rand.Rand) factory.Fault { return factory.Fault{Deliveries: 2 + r.IntN(4)} })},
	{"the factory delivers another quantity", factoryFails(func(r *rand.Rand) factory.Fault {
		return factory.Fault{Count: pick(r, []string{"1", "3", "500", "0", "-1", "many"})}
	})},
	{"the factory answers late",
		factoryFails(func(r *rand.Rand) factory.Fault { return factory.Fault{Delay: upTo(r, 2*time.Second)} })},
	{"the lead time passes", func(w *world, ctx context.Context, r *rand.Rand) error {
		return w.advance(ctx, time.Duration(1+r.IntN(30))*leadTime)
	}},
	{"the number of bins changes", func(w *world, ctx context.Context, r *rand.Rand) error {
		change := shop.ProductChange{Bins: new(1 + r.IntN(maxBins))}
		return mysql.NewStore(w.db).ChangeProduct(ctx, pick(r, w.products), change, time.Now())
	}},
	{"the factory loses its lots", func(w *world, _ context.Context, _ *rand.Rand) error {
		w.shop.Factory.LoseJobs()
		return nil
	}},
}

// injectFaults injects faults for as long as the config says, or each of them once. All faults have
// ended when it returns.
func (w *world) injectFaults(ctx context.Context) {
	inject := w.injectAny
	if w.config.Faults > 0 {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(ctx, w.config.Faults)
		defer cancel()
	} else {
		todo := make(chan fault, len(faults))
		for _, i := range rand.New(rand.NewPCG(w.config.Seed, injectors)).Perm(len(faults)) {
			todo <- faults[i]
		}
		close(todo)
		inject = func(ctx context.Context, r *rand.Rand) { w.injectEach(ctx, r, todo) }
	}
	var all sync.WaitGroup
	for i := range injectors {
		all.Go(func() { inject(ctx, rand.New(rand.NewPCG(w.config.Seed, uint64(i)))) })
	}
	all.Wait()
}

// injectAny injects one random fault after the other until ctx ends.
func (w *world) injectAny(ctx context.Context, r *rand.Rand) {
	for ctx.Err() == nil {
		w.inject(ctx, r, pick(r, faults))
		pause(ctx, upTo(r, maxPause))
	}
}

// injectEach injects each fault of todo once. It retries a fault that cannot be injected because of
// another one.
func (w *world) injectEach(ctx context.Context, r *rand.Rand, todo <-chan fault) {
	for f := range todo {
		for !w.inject(ctx, r, f) && ctx.Err() == nil {
			pause(ctx, upTo(r, maxPause))
		}
	}
}

func (w *world) inject(ctx context.Context, r *rand.Rand, f fault) bool {
	w.log.Info("fault", "what", f.name)
	err := f.inject(w, ctx, r)
	if err == nil {
		w.report.injected(f.name)
	} else if ctx.Err() == nil {
		w.log.Warn("fault could not be injected", "what", f.name, "error", err)
	}
	return err == nil
}

// awaitFailure waits until another request of a buyer has failed, or until ctx ends.
func (w *world) awaitFailure(ctx context.Context) {
	before := w.buyers.failed()
	await(ctx, w.config.Settle, func() bool { return w.buyers.failed() > before })
}

// pause waits for a while, or until ctx ends.
func pause(ctx context.Context, d time.Duration) {
	select {
	case <-ctx.Done():
	case <-time.After(d):
	}
}

func (w *world) poison(ctx context.Context, r *rand.Rand, kind, attributes string) error {
	stream := pick(r, []string{"upstream", "downstream"})
	heal, err := w.database.poison(kind, stream, attributes)
	if err != nil {
		return err // another injector has added its toxic
	}
	defer heal()
	pause(ctx, upTo(r, time.Second))
	return nil
}

func awsFails(service string) func(*world, context.Context, *rand.Rand) error {
	return func(w *world, ctx context.Context, r *rand.Rand) error {
		heal := w.endpoint.fail(service, pick(r, awsFailures))
		defer heal()
		pause(ctx, upTo(r, time.Second))
		return nil
	}
}

func factoryFails(how func(*rand.Rand) factory.Fault) func(*world, context.Context, *rand.Rand) error {
	return func(w *world, ctx context.Context, r *rand.Rand) error {
		if err := w.shop.Factory.SetFault(how(r)); err != nil {
			return err
		}
		pause(ctx, upTo(r, time.Second))
		return w.shop.Factory.SetFault(factory.Fault{})
	}
}

func pick[T any](r *rand.Rand, from []T) T { return from[r.IntN(len(from))] }

func upTo(r *rand.Rand, most time.Duration) time.Duration {
	return time.Duration(r.Int64N(int64(most)))
}
