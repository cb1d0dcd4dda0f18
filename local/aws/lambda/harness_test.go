package lambda_test

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"syscall"
	"testing"
	"time"

	"restock/local/aws/lambda"
	"restock/test/await"
)

// executable is the program of testdata/function.
var executable string

func TestMain(m *testing.M) {
	dir, err := os.MkdirTemp("", "restock-lambda-test-")
	if err == nil {
		err = lambda.Build(context.Background(), ".", dir, "./testdata/function")
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	executable = filepath.Join(dir, "function")
	code := m.Run()
	os.RemoveAll(dir)
	os.Exit(code)
}

// newHost starts a host. It gives functions a minute to start, because a busy machine is slower
// than Lambda.
func newHost(t *testing.T, c lambda.Config) *lambda.Host {
	t.Helper()
	c.InitTimeout = cmp.Or(c.InitTimeout, time.Minute)
	c.Region, c.AccountID = "ap-northeast-2", "000000000000"
	h, err := lambda.NewHost(c)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = h.Close(t.Context()) }) // the context has ended, so Close kills the rest
	return h
}

// add deploys the test's function. change, if not nil, changes its declaration.
func add(t *testing.T, h *lambda.Host, change func(*lambda.Function)) *lambda.Deployed {
	t.Helper()
	f := lambda.Function{Name: "function", Executable: executable, Timeout: time.Minute}
	if change != nil {
		change(&f)
	}
	d, err := h.Add(f)
	if err != nil {
		t.Fatal(err)
	}
	return d
}

// answer is the answer of testdata/function.
type answer struct {
	PID         int
	Invocations int
	RequestID   string
	FunctionARN string
	TraceID     string
	Deadline    int64
	Dir         string
	TempDir     string
	Left        []string
	Child       int
	Environment []string
}

func invoke(ctx context.Context, d *lambda.Deployed, event string) (answer, error) {
	out, err := d.Invoke(ctx, []byte(event))
	if err != nil {
		return answer{}, err
	}
	var a answer
	return a, json.Unmarshal(out, &a)
}

func mustInvoke(t *testing.T, d *lambda.Deployed, event string) answer {
	t.Helper()
	a, err := invoke(t.Context(), d, event)
	if err != nil {
		t.Fatal(err)
	}
	return a
}

func functionError(t *testing.T, err error) *lambda.FunctionError {
	t.Helper()
	var e *lambda.FunctionError
	if !errors.As(err, &e) {
		t.Fatalf("got %v, want a FunctionError", err)
	}
	return e
}

// hang invokes the function on an event that it never answers, and returns the error. Only this
// invocation has a short timeout: on a busy machine it is too short for any other one.
func hang(t *testing.T, d *lambda.Deployed, timeout time.Duration) *lambda.FunctionError {
	t.Helper()
	before := d.Timeout
	d.Timeout = timeout
	_, err := d.Invoke(t.Context(), []byte(`{"do":"hang"}`))
	d.Timeout = before
	return functionError(t, err)
}

func gone(pid int) bool { return errors.Is(syscall.Kill(pid, 0), syscall.ESRCH) }

// gate is a server that blocks the functions that call it until it opens.
type gate struct {
	arrived chan struct{}
	open    chan struct{}
	event   string // makes the function call the gate
}

func newGate(t *testing.T) *gate {
	t.Helper()
	g := &gate{arrived: make(chan struct{}, 100), open: make(chan struct{})}
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		g.arrived <- struct{}{}
		select {
		case <-g.open:
		case <-r.Context().Done():
		}
	}))
	t.Cleanup(func() { server.CloseClientConnections(); server.Close() })
	g.event = fmt.Sprintf(`{"do":"call","url":%q}`, server.URL)
	return g
}

// invocations is a number of concurrent invocations.
type invocations struct {
	wg      sync.WaitGroup
	mu      sync.Mutex
	answers []answer
	errs    []error
}

func (g *gate) invoke(ctx context.Context, d *lambda.Deployed, n int) *invocations {
	var all invocations
	for range n {
		all.wg.Go(func() {
			a, err := invoke(ctx, d, g.event)
			all.mu.Lock()
			defer all.mu.Unlock()
			if err != nil {
				all.errs = append(all.errs, err)
			} else {
				all.answers = append(all.answers, a)
			}
		})
	}
	return &all
}

func (all *invocations) pids() []int {
	all.wg.Wait()
	var pids []int
	for _, a := range all.answers {
		pids = append(pids, a.PID)
	}
	slices.Sort(pids)
	return slices.Compact(pids)
}

// await waits until n functions are at the gate.
func (g *gate) await(t *testing.T, n int) {
	t.Helper()
	for i := range n {
		await.Receive(t, fmt.Sprintf("%d functions are at the gate: %d are", n, i), g.arrived)
	}
}
