package function

import (
	"bytes"
	"context"
	"io"
	"log/slog"
	"strings"
	"testing"
	"time"

	"restock/lambdas"
)

// loaded returns the process of a function that writes a log.
func loaded(t *testing.T, log io.Writer) (p Process[lambdas.AdsEnvironment]) {
	t.Helper()
	newOutside(t)
	t.Setenv("STOCK_OPERATIONS_TOPIC", "topic")
	_, err := load(slog.New(slog.NewTextHandler(log, nil)), time.Second,
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
	checkNoTraces(t, loaded(t, io.Discard))
}

// checkNoTraces fails a test if a function's process records calls.
func checkNoTraces(t *testing.T, p Process[lambdas.AdsEnvironment]) {
	t.Helper()
	if p.recorder != nil || len(p.AWS.APIOptions) != 0 || p.Transport() != nil {
		t.Errorf("got the recorder %v, %d options of AWS and the transport %v; want nothing", p.recorder,
			len(p.AWS.APIOptions), p.Transport())
	}
}

func TestAFunctionWithoutADaemonServesAndWarns(t *testing.T) {
	t.Setenv("TRACING", "true")
	for _, address := range []string{"", "nowhere"} {
		t.Setenv("AWS_XRAY_DAEMON_ADDRESS", address)
		var log bytes.Buffer
		checkNoTraces(t, loaded(t, &log))
		if !strings.Contains(log.String(), "level=WARN") || !strings.Contains(log.String(), "AWS_XRAY_DAEMON_ADDRESS") {
			t.Errorf("%q: got the log %s, want a warning that names the variable", address, log.String())
		}
	}
}

func TestAStageWithTracesRecordsCalls(t *testing.T) {
	t.Setenv("TRACING", "true")
	t.Setenv("AWS_XRAY_DAEMON_ADDRESS", "127.0.0.1:2000")
	p := loaded(t, io.Discard)
	if p.recorder == nil || len(p.AWS.APIOptions) != 1 || p.Transport() == nil {
		t.Errorf("got the recorder %v, %d options of AWS and the transport %v; want all three", p.recorder,
			len(p.AWS.APIOptions), p.Transport())
	}
}
