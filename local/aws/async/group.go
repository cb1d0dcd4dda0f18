package async

import (
	"context"
	"sync"

	"restock/local/aws/traceid"
)

// A Group has the invocations of a service, for its end. Its methods are safe for concurrent use.
type Group struct {
	ctx     context.Context // of the invocations; Close cancels it
	cancel  context.CancelFunc
	mu      sync.Mutex // no invocation begins while Close waits for them
	running sync.WaitGroup
}

// NewGroup returns a group without invocations.
func NewGroup() *Group {
	g := &Group{}
	g.ctx, g.cancel = context.WithCancel(context.Background())
	return g
}

// Invoke begins an invocation, and does not wait for it. It is a part of the trace of a request.
// After Close, Invoke does nothing.
func (g *Group) Invoke(request context.Context, i Invocation) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.ctx.Err() != nil {
		return
	}
	ctx := traceid.With(g.ctx, traceid.Start(request))
	g.running.Go(func() { i.Run(ctx) })
}

// Close cancels the running invocations, and waits for them.
func (g *Group) Close() {
	g.mu.Lock()
	g.cancel()
	g.mu.Unlock()
	g.running.Wait()
}
