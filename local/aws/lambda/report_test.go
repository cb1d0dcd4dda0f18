package lambda_test

import (
	"context"
	"log/slog"
	"strings"
	"testing"

	"restock/local/aws/lambda"
	"restock/local/view/events"
)

// A reader of the log connects an invocation with its caller. The caller's context has the
// attributes for that, and the function's own calls pass on its trace.
func TestAReportTellsWhoInvokedAndOfWhichTrace(t *testing.T) {
	stream := events.NewStream[events.Event](100)
	h := newHost(t, lambda.Config{Log: slog.New(events.NewHandler(stream, slog.LevelDebug))})
	f := add(t, h, nil)
	ctx, cancel := context.WithCancel(events.WithAttrs(t.Context(), slog.String("api_request_id", "R")))
	defer cancel()
	if _, err := f.Invoke(ctx, nil); err != nil {
		t.Fatal(err)
	}
	if n := f.Instances(); n != 1 {
		t.Errorf("got %d instances, want the one that is idle", n)
	}
	sub := stream.Subscribe(0)
	defer sub.Close()
	batch, err := sub.Read(100)
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range batch.Values {
		if e.Kind != events.InvocationEnded {
			continue
		}
		said := map[string]string{}
		for _, a := range e.Attrs {
			said[a.Key] = a.Value.String()
		}
		if said["api_request_id"] != "R" || !strings.HasPrefix(said["trace_id"], "Root=1-") {
			t.Errorf("got %v, want the caller's request and a trace", said)
		}
		return
	}
	t.Error("the invocation is not told of")
}
