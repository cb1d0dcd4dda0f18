package main

import (
	"context"
	"fmt"
	"math/rand/v2"
	"slices"
	"time"

	"restock/local/factory"
)

// injectors inject faults side by side: two may meet.
const injectors = 3

// A fault goes wrong for a while.
type fault struct {
	name   string
	inject func(w *world, ctx context.Context, r *rand.Rand) error
}

// faults are what may go wrong.
var faults = []fault{
	{"the database is killed", func(w *world, _ context.Context, r *rand.Rand) error {
		return w.database.killAndRestart(upTo(r, 500*time.Millisecond))
	}},
	{"connections to the database are cut", func(w *world, ctx context.Context, r *rand.Rand) error {
		heal := w.database.cut()
		last(ctx, upTo(r, 300*time.Millisecond))
		return heal()
	}},
	{"connections to the database are slow", func(w *world, ctx context.Context, r *rand.Rand) error {
		return w.poison(ctx, r, "latency", fmt.Sprintf(`{"latency": %d, "jitter": 50}`, 20+r.IntN(200)))
	}},
	{"connections to the database break off", func(w *world, ctx context.Context, r *rand.Rand) error {
		return w.poison(ctx, r, "reset_peer", fmt.Sprintf(`{"timeout": %d}`, r.IntN(30)))
	}},
	{"answers of the database break off", func(w *world, ctx context.Context, r *rand.Rand) error {
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
		return factory.Fault{Status: pick(r, []int{400, 401, 404, 409, 429, 500, 502, 503, 504}), Produces: r.IntN(2) == 0}
	})},
	{"the factory hangs", factoryFails(func(r *rand.Rand) factory.Fault {
		return factory.Fault{Answer: factory.AnswerNever, Produces: r.IntN(2) == 0}
	})},
	{"the factory breaks off", factoryFails(func(r *rand.Rand) factory.Fault {
		return factory.Fault{Answer: factory.AnswerDisconnect, Produces: r.IntN(2) == 0}
	})},
	{"the factory answers garbage", factoryFails(func(*rand.Rand) factory.Fault { return factory.Fault{Answer: factory.AnswerGarbage} })},
	{"the factory delivers several times at once", factoryFails(func(r *rand.Rand) factory.Fault { return factory.Fault{Deliveries: 2 + r.IntN(4)} })},
	{"the factory delivers another quantity", factoryFails(func(r *rand.Rand) factory.Fault {
		return factory.Fault{Count: pick(r, []string{"1", "3", "500", "0", "-1", "many"})}
	})},
	{"the factory answers late", factoryFails(func(r *rand.Rand) factory.Fault { return factory.Fault{Delay: upTo(r, 2*time.Second)} })},
	{"the lead time passes", func(w *world, ctx context.Context, r *rand.Rand) error {
		return w.passed(ctx, time.Duration(1+r.IntN(30))*time.Second)
	}},
	{"the factory loses its lots", func(w *world, _ context.Context, _ *rand.Rand) error { w.shop.Factory.LoseJobs(); return nil }},
}

// inject injects one fault after the other, until ctx ends. A fault that has begun is healed before it returns.
func (w *world) inject(ctx context.Context, r *rand.Rand) {
	possible := faults
	if len(w.config.Only) > 0 {
		possible = slices.DeleteFunc(slices.Clone(faults), func(f fault) bool { return !slices.Contains(w.config.Only, f.name) })
	}
	for ctx.Err() == nil {
		f := pick(r, possible)
		w.log.Info("fault", "what", f.name)
		switch err := f.inject(w, ctx, r); {
		case err == nil:
			w.report.injected(f.name)
		case ctx.Err() == nil:
			w.log.Warn("fault could not be injected", "what", f.name, "error", err)
		}
		last(ctx, upTo(r, 300*time.Millisecond))
	}
}

// last lasts for a while, or until ctx ends.
func last(ctx context.Context, d time.Duration) {
	select {
	case <-ctx.Done():
	case <-time.After(d):
	}
}

func (w *world) poison(ctx context.Context, r *rand.Rand, kind, attributes string) error {
	stream := pick(r, []string{"upstream", "downstream"})
	heal, err := w.database.poison(kind, stream, attributes)
	if err != nil {
		return err // another one is at work
	}
	defer heal()
	last(ctx, upTo(r, time.Second))
	return nil
}

func awsFails(service string) func(*world, context.Context, *rand.Rand) error {
	return func(w *world, ctx context.Context, r *rand.Rand) error {
		heal := w.endpoint.fail(service, pick(r, awsFailures))
		defer heal()
		last(ctx, upTo(r, time.Second))
		return nil
	}
}

func factoryFails(how func(*rand.Rand) factory.Fault) func(*world, context.Context, *rand.Rand) error {
	return func(w *world, ctx context.Context, r *rand.Rand) error {
		if err := w.shop.Factory.SetFault(how(r)); err != nil {
			return err
		}
		last(ctx, upTo(r, time.Second))
		return w.shop.Factory.SetFault(factory.Fault{})
	}
}

func pick[T any](r *rand.Rand, from []T) T { return from[r.IntN(len(from))] }

func upTo(r *rand.Rand, most time.Duration) time.Duration {
	return time.Duration(r.Int64N(int64(most)))
}
