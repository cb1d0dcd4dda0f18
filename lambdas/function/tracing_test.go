package function

import (
	"context"
	"io"
	"log/slog"
	"testing"
	"time"

	"restock/lambdas"
)

// loaded returns the process of a function.
func loaded(t *testing.T) (p Process[lambdas.AdsEnvironment]) {
	t.Helper()
	newOutside(t)
	t.Setenv("STOCK_OPERATIONS_TOPIC", "topic")
	_, err := load(slog.New(slog.NewTextHandler(io.Discard, nil)), time.Second,
		func(given Process[lambdas.AdsEnvironment]) (any, error) {
			p = given
			return func(context.Context) error { return nil }, nil
		})
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func TestAStageWithoutTracesPutsNothingInTheWay(t *testing.T) {
	p := loaded(t)
	if p.recorder != nil || len(p.AWS.APIOptions) != 0 || p.Transport() != nil {
		t.Errorf("got the recorder %v, %d options of AWS and the transport %v; want nothing", p.recorder,
			len(p.AWS.APIOptions), p.Transport())
	}
	if n := testing.AllocsPerRun(100, func() { _ = p.Transport() }); n != 0 {
		t.Errorf("got %v allocations, want 0", n)
	}
}

func TestAStageWithTracesRecordsCalls(t *testing.T) {
	t.Setenv("TRACING", "true")
	t.Setenv("AWS_XRAY_DAEMON_ADDRESS", "127.0.0.1:2000")
	p := loaded(t)
	if p.recorder == nil || len(p.AWS.APIOptions) != 1 || p.Transport() == nil {
		t.Errorf("got the recorder %v, %d options of AWS and the transport %v; want all three", p.recorder,
			len(p.AWS.APIOptions), p.Transport())
	}
}
