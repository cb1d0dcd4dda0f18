package otlp_test

import (
	"bytes"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"time"

	"go.uber.org/goleak"

	"restock/local/aws/traceid"
	"restock/local/view/events"
	"restock/local/view/otlp"
	"restock/local/view/otlp/otlptest"
	"restock/test/await"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// A run has a log whose events are exported.
type run struct {
	log      *slog.Logger
	exporter *otlp.Exporter
	warnings bytes.Buffer
}

// start starts an export that waits for a slow machine as long as await does. flush limits the
// export of the last spans.
func start(t *testing.T, collector string, flush time.Duration) *run {
	t.Helper()
	r := &run{}
	records := events.NewStream[events.Event](2000)
	r.log = slog.New(events.NewHandler(records, slog.LevelDebug))
	var err error
	r.exporter, err = otlp.Start(otlp.Config{
		Collector: collector, Program: "shop", Stage: "dev", Log: slog.New(slog.NewTextHandler(&r.warnings, nil)),
		ExportTimeout: 2 * await.Limit, FlushTimeout: flush,
	}, records.Subscribe(0))
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func (r *run) close(t *testing.T) {
	t.Helper()
	if err := r.exporter.Close(t.Context()); err != nil {
		t.Fatal(err)
	}
}

// only returns the only span with a name.
func only(t *testing.T, c *otlptest.Collector, name string) otlptest.Span {
	t.Helper()
	var found []otlptest.Span
	for _, s := range c.Spans() {
		if s.Name == name {
			found = append(found, s)
		}
	}
	if len(found) != 1 {
		t.Fatalf("got %d spans %q in %+v, want one", len(found), name, c.Spans())
	}
	return found[0]
}

func TestAnEventBecomesASpanOfItsTrace(t *testing.T) {
	c := otlptest.New(t)
	r := start(t, c.URL, await.Limit)
	client := traceid.Span{Root: "1-5759e988-bd862e3fe1be46a994272793", ID: "53995c3f42cd8ad8"}
	request := client.Child()
	r.log.Info("invocation ended", events.InvocationEnded.Attr(), "function", "sales-api", "request_id", "L",
		"duration", 30*time.Millisecond, "init_duration", time.Second, "error_type", "Runtime.ExitError",
		"error", "password=hunter2", traceid.Attr(request.Child()))
	r.log.Info("api request", events.APIRequest.Attr(), "method", "POST", "path", "/checkout", "route",
		"POST /checkout", "status", 200, "duration", 50*time.Millisecond, "request_id", "R", traceid.Attr(request))
	r.log.Info("api request", events.APIRequest.Attr(), "method", "GET", "path", "/x", "route", "$default",
		"status", 503, traceid.Attr(traceid.New(time.Now())))
	r.log.Info("a line without a span", events.APIRequest.Attr())
	r.close(t)

	api := only(t, c, "POST /checkout")
	if api.Trace != "5759e988bd862e3fe1be46a994272793" || api.ID != request.ID || api.Parent != client.ID ||
		api.Kind != "SERVER" || api.Service != "api" || api.Took != 50e6 || api.Failed ||
		api.Attributes["http.response.status_code"] != "200" || api.Attributes["aws.request_id"] != "R" {
		t.Errorf("got %+v", api)
	}
	function := only(t, c, "sales-api")
	if function.Trace != api.Trace || function.Parent != api.ID || function.Service != "sales-api" ||
		function.Took != 30e6 || !function.Failed || function.Attributes["error.type"] != "Runtime.ExitError" ||
		function.Attributes["faas.coldstart"] != "true" {
		t.Errorf("got %+v", function)
	}
	if failed := only(t, c, "GET"); !failed.Failed || failed.Parent != "" || failed.Trace == api.Trace {
		t.Errorf("got %+v, want a failed span of another trace", failed)
	}
	if len(c.Spans()) != 3 || bytes.Contains(c.Received(), []byte("hunter2")) {
		t.Errorf("got %+v, want three spans without the text of the error", c.Spans())
	}
}

func TestACallThatFailsWithoutACodeIsAFailedSpan(t *testing.T) {
	c := otlptest.New(t)
	r := start(t, c.URL, await.Limit)
	for operation, kind := range map[string]events.Kind{
		"GetObject": events.AWSCallFailed, "PutObject": events.AWSCallAnswered,
	} {
		r.log.Debug("", kind.Attr(), "service", "s3", "operation", operation, traceid.Attr(traceid.New(time.Now())))
	}
	r.close(t)
	if failed, done := only(t, c, "s3.GetObject"), only(t, c, "s3.PutObject"); !failed.Failed || done.Failed {
		t.Errorf("got %+v and %+v, want a failed call and one that succeeded", failed, done)
	}
}

func TestABatchIsASpanOfEachMessage(t *testing.T) {
	c := otlptest.New(t)
	r := start(t, c.URL, await.Limit)
	first, second, third := traceid.New(time.Now()), traceid.New(time.Now()), traceid.New(time.Now())
	r.log.Debug("batch processed", events.BatchProcessed.Attr(), "queue", "stock_queue", traceid.Attr(first, second))
	r.log.Warn("message failed", events.MessageFailed.Attr(), "queue", "stock_queue", "message", "M",
		traceid.Attr(third))
	r.log.Info("invocation ended", events.InvocationEnded.Attr(), "function", "stock",
		traceid.LinksKey, traceid.Attr(first, second, third).Value.String(), traceid.Attr(traceid.New(time.Now())))
	r.close(t)
	failed := map[string]bool{}
	for _, s := range c.Spans() {
		if s.Name == "process stock_queue" && s.Kind == "CONSUMER" {
			failed[s.ID] = s.Failed
		}
	}
	if len(failed) != 3 || failed[first.ID] || failed[second.ID] || !failed[third.ID] {
		t.Errorf("got %+v, want a span of each message, and a failed third one", c.Spans())
	}
	want := []string{first.ID, second.ID, third.ID}
	if got := only(t, c, "stock").Links; !slices.Equal(got, want) {
		t.Errorf("the invocation has the links %v, want %v", got, want)
	}
}

func TestACollectorThatIsDownCausesOneWarning(t *testing.T) {
	down := httptest.NewServer(http.NotFoundHandler())
	down.Close()
	refusing := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.WriteHeader(http.StatusServiceUnavailable)
	}))
	defer refusing.Close()
	for _, address := range []string{down.URL, refusing.URL} {
		r := start(t, address, await.Limit)
		for range 3 * 512 { // three batches
			r.log.Info("", events.MessageSent.Attr(), "queue", "q", traceid.Attr(traceid.New(time.Now())))
		}
		r.close(t)
		warnings := r.warnings.String()
		if strings.Count(warnings, "level=WARN") != 1 || !strings.Contains(warnings, address) {
			t.Errorf("got the log %s, want one warning with %s", warnings, address)
		}
	}
}

// A collector that accepts connections and never answers delays the end of the run by a bounded
// time only.
func TestACollectorThatHangsDoesNotHoldTheRun(t *testing.T) {
	arrived, cancelled := make(chan bool, 1), make(chan bool, 1)
	silent := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body) // the server notices the end of the connection then
		arrived <- true
		<-r.Context().Done()
		cancelled <- true
	}))
	defer silent.Close()
	r := start(t, silent.URL, time.Nanosecond)
	r.log.Info("", events.MessageSent.Attr(), "queue", "q", traceid.Attr(traceid.New(time.Now())))
	await.Receive(t, "the collector has a request", arrived)
	closed := make(chan error, 1)
	go func() { closed <- r.exporter.Close(t.Context()) }()
	await.Receive(t, "the exporter has cancelled the request", cancelled)
	if err := await.Receive(t, "the exporter is closed", closed); err != nil {
		t.Error(err)
	}
}

func TestCheckCollector(t *testing.T) {
	for address, ok := range map[string]bool{
		"http://127.0.0.1:4318": true, "https://collector.example/v1/traces": true,
		"http://user:hunter2@127.0.0.1:4318": true,
		"127.0.0.1:4318":                     false, "http://": false, "grpc://127.0.0.1:4317": false, "": false,
	} {
		if err := otlp.CheckCollector(address); (err == nil) != ok {
			t.Errorf("%q: got %v, want ok: %v", address, err, ok)
		}
	}
}

func TestTheUserAndThePasswordOfAURLAreSentAndNotLogged(t *testing.T) {
	c := otlptest.New(t)
	r := start(t, strings.Replace(c.URL, "//", "//user:hunter2@", 1), 2*await.Limit)
	r.log.Info("", events.MessageSent.Attr(), "queue", "q", traceid.Attr(traceid.New(time.Now())))
	r.close(t)
	request := http.Request{Header: c.Header()}
	if user, password, _ := request.BasicAuth(); user != "user" || password != "hunter2" {
		t.Errorf("the collector got the headers %v", c.Header())
	}

	refusing := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.WriteHeader(http.StatusUnauthorized)
	}))
	defer refusing.Close()
	r = start(t, strings.Replace(refusing.URL, "//", "//user:hunter2@", 1), 2*await.Limit)
	r.log.Info("", events.MessageSent.Attr(), "queue", "q", traceid.Attr(traceid.New(time.Now())))
	r.close(t)
	log := r.warnings.String()
	if !strings.Contains(log, "spans cannot be exported") || strings.Contains(log, "hunter2") {
		t.Errorf("the log is %q", log)
	}
}
