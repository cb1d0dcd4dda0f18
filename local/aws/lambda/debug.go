package lambda

import (
	"context"
	"time"
)

// debugSession is the longest time for which a function may run under a debugger. It replaces the
// limits of time that a person could not keep.
const debugSession = 24 * time.Hour

// debugged reports whether a debugger runs the function.
func (d *Deployed) debugged() bool { return len(d.Debugger) > 0 }

// withTimeout returns a context that ends with the invocation's timeout. Under a debugger, the time
// in which the function is stopped does not count, and the function is told a later deadline.
func (inst *instance) withTimeout(inv *invocation) (context.Context, context.CancelFunc) {
	if !inst.fn.debugged() {
		return context.WithDeadline(inv.ctx, inv.begin(inst.fn.Timeout))
	}
	ctx, cancel := context.WithDeadline(inv.ctx, inv.begin(debugSession))
	const step = 100 * time.Millisecond
	inst.fn.host.running.Go(func() { // not begin: this runs in an invocation, for which Close waits
		defer cancel()
		look := time.NewTicker(step)
		defer look.Stop()
		for ran := time.Duration(0); ran < inst.fn.Timeout; {
			select {
			case <-ctx.Done():
				return
			case <-look.C:
				if !inst.proc.ChildStopped() {
					ran += step
				}
			}
		}
	})
	return ctx, cancel
}
