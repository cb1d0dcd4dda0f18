package programs_test

import (
	"errors"
	"net/rpc"
	"net/rpc/jsonrpc"
	"os"
	"strings"
	"testing"
	"time"

	"restock/cmd/local/programs"
	"restock/infra/graph"
	"restock/test/await"
)

// A delve is a client of the debugger Delve, as an editor is.
// https://github.com/go-delve/delve/tree/master/Documentation/api
type delve struct{ *rpc.Client }

// The parts of Delve's types that the test needs.
// https://pkg.go.dev/github.com/go-delve/delve/service/api
type (
	breakpoint struct {
		ID           int    `json:"id"`
		FunctionName string `json:"functionName"`
	}
	state struct {
		Running       bool
		CurrentThread *struct {
			Breakpoint *breakpoint `json:"breakPoint"`
		} `json:"currentThread"`
	}
)

func (d delve) call(t *testing.T, method string, in, out any) {
	t.Helper()
	if err := d.Call("RPCServer."+method, in, out); err != nil {
		t.Fatalf("Delve: %s %+v: %v", method, in, err)
	}
}

// command sends a command, and returns the state in which the function stops next. "continue"
// waits until it stops.
func (d delve) command(t *testing.T, name string) state {
	t.Helper()
	var out struct{ State state }
	d.call(t, "Command", map[string]string{"name": name}, &out)
	return out.State
}

// debugged starts a run whose function stock runs under Delve. It skips the test where the system
// lets no program debug another.
func debugged(t *testing.T, c programs.Config) (*stack, delve) {
	t.Helper()
	var err error
	c.Debug, c.Built = "stock", false
	if c.Debugger, err = programs.Delve(projectDir+"/bin/dlv", "127.0.0.1:0"); err != nil {
		t.Fatal(err)
	}
	r, err := programs.Start(t.Context(), c)
	if err != nil {
		if text := err.Error(); errors.Is(err, os.ErrPermission) || strings.Contains(text, "operation not permitted") {
			t.Skipf("this system lets no program debug another: %v", err)
		}
		t.Fatal(err)
	}
	s := started(t, r)
	client, err := jsonrpc.Dial("tcp", programs.DelveAddress(c.Debugger))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { client.Close() })
	return s, delve{client}
}

func TestAFunctionAtABreakpointIsNotKilled(t *testing.T) {
	t.Parallel()
	const timeout = 3 // seconds; the function is stopped for longer
	c := config(t)
	c.Edit = func(g *graph.Graph) {
		for _, f := range g.OfType(graph.Function) {
			if f.Name == "stock" {
				f.Outputs["timeout"] = float64(timeout)
			}
		}
	}
	s, d := debugged(t, c)
	d.command(t, "halt")
	var created struct{ Breakpoint breakpoint }
	d.call(t, "CreateBreakpoint", map[string]any{
		"Breakpoint": breakpoint{FunctionName: "restock/lambdas/stock/purchasing.Handler.handleRecord"},
	}, &created)
	stops := make(chan state, 1)
	go func() { stops <- d.command(t, "continue") }()
	if got := s.buy(t, 3, 1); got[200] != 3 { // the third sells the last one
		t.Fatalf("got %v, want 3 sales", got)
	}
	at := <-stops
	if at.Running || at.CurrentThread == nil || at.CurrentThread.Breakpoint == nil ||
		at.CurrentThread.Breakpoint.ID != created.Breakpoint.ID {
		t.Fatalf("got %+v, want a stop at the breakpoint %d", at, created.Breakpoint.ID)
	}
	// On a slow machine the stop is longer, which makes the test stricter.
	<-time.After((timeout + 1) * time.Second)
	d.call(t, "ClearBreakpoint", map[string]int{"Id": created.Breakpoint.ID}, new(any))
	go d.Call("RPCServer.Command", map[string]string{"name": "continue"}, new(any))
	await.Until(t, "the lot is delivered", func() bool { return s.number(t, donutStock) == 100 })
	if n := s.number(t, `SELECT COUNT(*) FROM production_order`); n != 1 {
		t.Errorf("got %d production orders, want 1", n)
	}
}

func TestAFunctionToDebugMustExist(t *testing.T) {
	c := privateConfig(t)
	c.Debug = "stocks"
	_, err := programs.Start(t.Context(), c)
	if err == nil || !strings.Contains(err.Error(), `there is no function "stocks" to debug: the functions are [`) {
		t.Errorf("got error %v, want the functions that there are", err)
	}
}
