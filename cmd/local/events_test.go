package main

import (
	"bufio"
	"encoding/json"
	"fmt"
	"net/http"
	"os/exec"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"restock/local/mariadb/mariadbtest"
	"restock/local/view/events"
	"restock/test/await"
)

// A program is a running `local -json`, with the events that it has written.
type program struct {
	*exec.Cmd
	stderr *strings.Builder
	ended  chan struct{} // closed at the end of its output

	mu     sync.Mutex
	more   chan struct{} // closed when events grows
	events []event
	wrong  []string // lines that are no events
}

// An event is a line of a program's output.
type event map[string]any

func (e event) text(key string) string {
	text, _ := e[key].(string)
	return text
}

func (e event) kind() events.Kind { return events.Kind(e.text(events.Key)) }

// startProgram starts a program in a folder. The end of the test interrupts it, and then kills it.
func startProgram(t *testing.T, dir string, args ...string) *program {
	t.Helper()
	mariadbtest.Require(t)
	p := &program{ended: make(chan struct{}), more: make(chan struct{})}
	p.Cmd, p.stderr = command(t, append(args, "-json")...)
	p.Dir = dir
	stdout, err := p.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := p.Start(); err != nil {
		t.Fatal(err)
	}
	go func() {
		defer close(p.ended)
		lines := bufio.NewScanner(stdout)
		lines.Buffer(nil, 1<<20)
		for lines.Scan() {
			p.addLine(lines.Bytes())
		}
	}()
	t.Cleanup(func() {
		_ = p.Process.Signal(syscall.SIGINT)
		select {
		case <-p.ended:
		case <-time.After(await.Limit):
			_ = p.Process.Kill()
		}
		_ = p.Wait()
		if t.Failed() {
			for _, e := range p.events {
				t.Log(e)
			}
			t.Log(p.stderr)
		}
	})
	return p
}

func (p *program) addLine(line []byte) {
	p.mu.Lock()
	defer p.mu.Unlock()
	var e event
	err := json.Unmarshal(line, &e)
	if err != nil || e.text("message") == "" || e.text("time") == "" || e.text("level") == "" {
		p.wrong = append(p.wrong, string(line))
		return
	}
	p.events = append(p.events, e)
	close(p.more)
	p.more = make(chan struct{})
}

// eventLimit is how long a test waits for an event. On a busy machine a build takes minutes.
const eventLimit = 8 * time.Minute

// await waits for the first event of a kind after the first `after` events. It returns the event,
// and the number of events up to it.
func (p *program) await(t *testing.T, after int, kind events.Kind) (e event, at int) {
	t.Helper()
	timeout := time.After(eventLimit)
	for {
		p.mu.Lock()
		all, more := p.events, p.more
		p.mu.Unlock()
		if i := slices.IndexFunc(all[after:], func(e event) bool { return e.kind() == kind }); i >= 0 {
			return all[after+i], after + i + 1
		}
		select {
		case <-more:
		case <-p.ended:
			t.Fatalf("the program ended without an event %q: %s", kind, p.stderr)
		case <-timeout:
			t.Fatalf("no event %q in %v", kind, eventLimit)
		}
	}
}

// interrupt ends the program with the signal of Ctrl-C.
func (p *program) interrupt(t *testing.T) {
	t.Helper()
	if err := p.Process.Signal(syscall.SIGINT); err != nil {
		t.Fatal(err)
	}
	<-p.ended
	if err := p.Wait(); err != nil {
		t.Errorf("after Ctrl-C: %v: %s", err, p.stderr)
	}
}

// A product is what the API tells about one.
type product struct {
	SKU   string
	Stock int
}

// onSale returns the first product on sale, so that the tests do not depend on the products of the
// stage dev.
func onSale(t *testing.T, api string) product {
	t.Helper()
	response, err := http.Get(api + "/products")
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	var list struct{ Products []product }
	if err := json.NewDecoder(response.Body).Decode(&list); err != nil || len(list.Products) == 0 {
		t.Fatalf("GET /products: %s (%v), want a product: the catalogue of dev has none", response.Status, err)
	}
	return list.Products[0]
}

// buy buys one piece of the product on sale, and returns the stock after the sale.
func buy(t *testing.T, api string) (left int) {
	t.Helper()
	order := fmt.Sprintf(`{"sku":%q}`, onSale(t, api).SKU)
	response, err := http.Post(api+"/checkout", "application/json", strings.NewReader(order))
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	var sale struct{ Stock *int }
	err = json.NewDecoder(response.Body).Decode(&sale)
	if err != nil || response.StatusCode != http.StatusOK || sale.Stock == nil {
		t.Fatalf("POST /checkout of %s: %s (%v)", order, response.Status, err)
	}
	return *sale.Stock
}

// idleFactory is the command line of a run whose factory delivers nothing during a test.
var idleFactory = append(slices.Clone(freePorts), "-factory-step", "1h")

func TestJSONHasTheErrorOfAFailedRun(t *testing.T) {
	p := startProgram(t, "../..", append(freePorts, "-stage", "nowhere")...)
	<-p.ended
	if err := p.Wait(); p.ProcessState.ExitCode() != exitFailure {
		t.Errorf("the program ended with %v, want exit code %d", err, exitFailure)
	}
	const want = `there is no stage "nowhere"`
	isError := func(e event) bool { return e.text("level") == "ERROR" && strings.HasPrefix(e.text("error"), want) }
	if len(p.events) != 1 || !isError(p.events[0]) {
		t.Errorf("got %v, want one error that begins with %q", p.events, want)
	}
}

func TestDataSurviveAKilledRunAndJSONHasEveryEvent(t *testing.T) {
	args := append(idleFactory, "-data", t.TempDir())
	first := startProgram(t, "../..", args...)
	ready, _ := first.await(t, 0, events.Ready)
	left := buy(t, ready.text("api"))

	second := startProgram(t, "../..", args...)
	<-second.ended
	err := second.Wait()
	inUse := strings.Contains(second.stderr.String(), "is used by another run")
	if second.ProcessState.ExitCode() != exitFailure || !inUse {
		t.Errorf("a second run with the same data: %v: %s, want that they are in use", err, second.stderr)
	}
	if err := first.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	<-first.ended

	third := startProgram(t, "../..", append(args, "-v")...)
	ready, _ = third.await(t, 0, events.Ready)
	for _, key := range []string{"api", "aws", "factory", "console"} {
		if response, err := http.Get(ready.text(key)); err != nil {
			t.Errorf("%s is %q: %v", key, ready.text(key), err)
		} else {
			response.Body.Close()
		}
	}
	if now := onSale(t, ready.text("api")).Stock; now != left {
		t.Errorf("the stock is %d, want %d as before the run was killed", now, left)
	}
	buy(t, ready.text("api"))
	third.interrupt(t)
	third.checkEvents(t)
}

// checkEvents checks that a program that has ended, with -v, wrote all its events, as JSON, and no
// password.
func (p *program) checkEvents(t *testing.T) {
	t.Helper()
	if len(p.wrong) > 0 || p.stderr.Len() > 0 {
		t.Errorf("the lines %q are no events; standard error has %q", p.wrong, p.stderr)
	}
	steps := map[events.Kind][]string{}
	for _, e := range p.events {
		if state := e.text("progress"); state != "" {
			steps[e.kind()] = append(steps[e.kind()], state)
		}
		if text := fmt.Sprint(e); strings.Contains(text, "@tcp(") || strings.Contains(text, "dsn") {
			t.Errorf("an event has the login of the database: %v", e)
		}
	}
	for _, step := range []events.Kind{events.Building, events.DatabaseStarting, events.FunctionRunning} {
		if got := steps[step]; !slices.Equal(got, []string{"begun", "done"}) {
			t.Errorf("%s: got the states %q, want begun and done", step, got)
		}
	}
}
