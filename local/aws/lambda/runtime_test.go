package lambda

import (
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"syscall"
	"testing"
)

// A process that violates the order of the Runtime API gets an error, and does not affect others.
func TestRuntimeAPIKeepsItsOrder(t *testing.T) {
	h := &Host{instances: map[string]*instance{}}
	inst := &instance{
		id: "i", fn: &Deployed{},
		ready: make(chan struct{}, 1), initFailed: make(chan *FunctionError, 1), events: make(chan *delivery),
	}
	h.register(inst)
	server := httptest.NewServer(h.runtimeAPI())
	defer server.Close()

	const next = "GET /i/2018-06-01/runtime/invocation/next"
	request := func(route, body string) (status int, answer string) {
		t.Helper()
		method, path, _ := strings.Cut(route, " ")
		r, err := http.NewRequestWithContext(t.Context(), method, server.URL+path, strings.NewReader(body))
		if err != nil {
			t.Fatal(err)
		}
		response, err := server.Client().Do(r)
		if err != nil {
			t.Fatal(err)
		}
		defer response.Body.Close()
		b, err := io.ReadAll(response.Body)
		if err != nil {
			t.Fatal(err)
		}
		return response.StatusCode, string(b)
	}

	for _, step := range []struct {
		name   string
		route  string
		event  bool // an event is waiting
		status int
		answer string // part of the answer
	}{
		{name: "an instance that does not exist", route: "GET /x/2018-06-01/runtime/invocation/next", status: 403,
			answer: "InvalidInstance"},
		{name: "a response before any event", route: "POST /i/2018-06-01/runtime/invocation/r/response", status: 400,
			answer: "InvalidRequestID"},
		{name: "the first event", route: next, event: true, status: 200, answer: "payload"},
		{name: "the next event before the response", route: next, status: 403, answer: "InvalidStateTransition"},
		{name: "a response to another invocation", route: "POST /i/2018-06-01/runtime/invocation/other/response",
			status: 400, answer: "InvalidRequestID"},
		{name: "the response", route: "POST /i/2018-06-01/runtime/invocation/r/response", status: 202, answer: "OK"},
		{name: "the response again", route: "POST /i/2018-06-01/runtime/invocation/r/response", status: 400,
			answer: "InvalidRequestID"},
		{name: "an error after the response", route: "POST /i/2018-06-01/runtime/invocation/r/error", status: 400,
			answer: "InvalidRequestID"},
		{name: "the next event", route: next, event: true, status: 200, answer: "payload"},
		{name: "an init error", route: "POST /i/2018-06-01/runtime/init/error", status: 202, answer: "OK"},
		{name: "an init error again", route: "POST /i/2018-06-01/runtime/init/error", status: 403,
			answer: "InvalidStateTransition"},
	} {
		if step.event {
			inv := newInvocation(t.Context(), []byte("payload"))
			inv.requestID = "r"
			go func() { <-inst.ready; inst.events <- &delivery{inv: inv, written: make(chan bool, 1)} }()
		}
		status, answer := request(step.route, "{}")
		if status != step.status || !strings.Contains(answer, step.answer) {
			t.Fatalf("%s: got %d %s, want %d …%s…", step.name, status, answer, step.status, step.answer)
		}
	}
}

func TestRequestForAnEventThatIsBrokenOffCanBeMadeAgain(t *testing.T) {
	inst := &instance{ready: make(chan struct{}, 1)}
	for i := range 3 {
		if err := inst.next(); err != nil {
			t.Fatalf("request %d: %v", i, err)
		}
		if err := inst.next(); err == nil {
			t.Fatalf("request %d: a second one beside it was allowed", i)
		}
		inst.nextDone(nil) // interrupted
	}
	<-inst.ready
	select {
	case <-inst.ready:
		t.Error("the instance says more than once that it is ready: the next invocation would end at once")
	default:
	}
}

// brokenWriter is the answer on a connection whose other end has closed.
type brokenWriter struct{ http.ResponseWriter }

func (brokenWriter) Write([]byte) (int, error) { return 0, syscall.EPIPE }
func (brokenWriter) FlushError() error         { return syscall.EPIPE }

// bufferedWriter accepts all data, like net/http's writer, and fails when it flushes it to a closed
// connection.
type bufferedWriter struct{ http.ResponseWriter }

func (bufferedWriter) FlushError() error { return syscall.EPIPE }

func TestEventThatCannotBeWrittenIsGivenBackAndWrittenToTheNextRequest(t *testing.T) {
	inst := &instance{
		fn: &Deployed{}, log: slog.New(slog.DiscardHandler), ready: make(chan struct{}, 1),
		events: make(chan *delivery, 1),
	}
	inv := newInvocation(t.Context(), []byte("payload"))
	request := httptest.NewRequest("GET", "/next", nil)
	for i, w := range []http.ResponseWriter{brokenWriter{httptest.NewRecorder()},
		bufferedWriter{httptest.NewRecorder()}} {
		d := &delivery{inv: inv, written: make(chan bool, 1)}
		inst.events <- d
		serveNext(w, request, inst)
		if <-d.written {
			t.Errorf("answer %d: the event counts as written, though it was not", i)
		}
	}
	d := &delivery{inv: inv, written: make(chan bool, 1)}
	inst.events <- d
	w := httptest.NewRecorder()
	serveNext(w, request, inst)
	if !<-d.written || w.Body.String() != "payload" || inst.current != inv {
		t.Errorf("the next request got %d %s, want the event", w.Code, w.Body)
	}
	if err := inst.respond(inv.requestID, &answer{}); err != nil {
		t.Errorf("its answer is refused: %v", err)
	}
}

func TestALineThatIsReadAfterTheAnswerHasTheIDOfItsInvocation(t *testing.T) {
	var log strings.Builder
	inst := &instance{log: slog.New(slog.NewJSONHandler(&log, nil)), ready: make(chan struct{}, 1)}
	inst.logLine("stdout", "initialised")
	inv := newInvocation(t.Context(), nil)
	inst.nextDone(inv)
	if err := inst.respond(inv.requestID, &answer{}); err != nil {
		t.Fatal(err)
	}
	if err := inst.next(); err != nil {
		t.Fatal(err)
	}
	inst.logLine("stdout", "sold")
	first, second, _ := strings.Cut(log.String(), "\n")
	if strings.Contains(first, "request_id") || !strings.Contains(second, `"request_id":"`+inv.requestID+`"`) {
		t.Errorf("got\n%s\nwant the id %s in the second line alone", log.String(), inv.requestID)
	}
}

func TestErrorsThatRuntimesReport(t *testing.T) {
	for _, c := range []struct {
		body, header      string
		wantType, wantMsg string
	}{
		{`{"errorType":"T","errorMessage":"m"}`, "H", "T", "m"},
		{`{"errorMessage":"m"}`, "H", "H", "m"},
		{`not JSON`, "H", "H", "not JSON"},
		{``, "", "", ""},
	} {
		if e := reportedError([]byte(c.body), c.header); e.Type != c.wantType || e.Message != c.wantMsg {
			t.Errorf("body %q, header %q: got %q, %q, want %q, %q",
				c.body, c.header, e.Type, e.Message, c.wantType, c.wantMsg)
		}
	}
}
