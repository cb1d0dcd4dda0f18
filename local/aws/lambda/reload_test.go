package lambda_test

import (
	"log/slog"
	"slices"
	"testing"

	"restock/local/aws/lambda"
	"restock/test/await"
)

func TestAfterAReloadEveryInvocationHasANewInstance(t *testing.T) {
	var log recorder
	d := add(t, newHost(t, lambda.Config{Log: slog.New(&log)}), nil)
	idle := mustInvoke(t, d, `{}`).PID
	g := newGate(t)
	running := g.invoke(t.Context(), d, 2) // one of them on the warm instance
	g.await(t, 2)
	idleToo := mustInvoke(t, d, `{}`).PID

	d.Reload()
	after := mustInvoke(t, d, `{}`)
	if after.Invocations != 1 || after.PID == idleToo {
		t.Errorf("the next invocation is number %d of process %d, want the first of another one than %d",
			after.Invocations, after.PID, idleToo)
	}
	await.Until(t, "the idle instance has ended", func() bool { return gone(idleToo) })
	if gone(idle) {
		t.Errorf("process %d has ended, which runs an invocation", idle)
	}
	close(g.open)
	pids := running.pids()
	if len(pids) != 2 || len(running.errs) != 0 || !slices.Contains(pids, idle) {
		t.Errorf("what ran was answered by %v with errors %v, want by two instances, %d among them",
			pids, running.errs, idle)
	}
	for _, pid := range pids {
		await.Until(t, "the instances that ran have ended", func() bool { return gone(pid) })
	}
	if n := log.count("instance ended while it was idle"); n > 0 {
		t.Errorf("%d instances are said to have ended by themselves", n)
	}
	if again := mustInvoke(t, d, `{}`); again.PID != after.PID {
		t.Errorf("got process %d, want %d, which is of the reloaded function", again.PID, after.PID)
	}
}

func TestReloadOfAClosedHost(t *testing.T) {
	h := newHost(t, lambda.Config{})
	d := add(t, h, nil)
	pid := mustInvoke(t, d, `{}`).PID
	if err := h.Close(t.Context()); err != nil {
		t.Fatal(err)
	}
	d.Reload()
	if !gone(pid) {
		t.Errorf("process %d is still there", pid)
	}
}
