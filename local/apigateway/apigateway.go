// Package apigateway is a stand-in for an Amazon API Gateway HTTP API: it
// routes requests to functions and speaks payload format version 2.0 with them.
//
// What it does follows
// https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api.html;
// where that says nothing, the comment names the observation it follows.
package apigateway

import (
	"context"
	"crypto/rand"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"sync"
	"time"
)

const (
	// DefaultStage is the stage whose name is not part of the path.
	DefaultStage = "$default"

	// MaxTimeout is the longest that a route may wait for its function, and
	// what a route waits that says nothing.
	// https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-quotas.html
	MaxTimeout = 30 * time.Second

	// MinTimeout is the shortest integration timeout that AWS accepts.
	// https://docs.aws.amazon.com/apigatewayv2/latest/api-reference/apis-apiid-integrations.html
	MinTimeout = 50 * time.Millisecond

	// MaxPayload is the largest request body in bytes (10 MB).
	// https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-quotas.html
	MaxPayload = 10 << 20
)

// Invoker runs a function once: the payload is its event, the result its
// answer, both JSON. An error means that the function failed, or that it was
// not run: one that wraps an error whose method Throttled() bool returns true
// says that there was no capacity to run it.
//
// The context ends when the API is closed, not when the client goes away or
// the integration times out: on AWS a function that was started runs on.
type Invoker interface {
	Invoke(ctx context.Context, payload []byte) ([]byte, error)
}

// Route sends the requests that match Key to Function.
type Route struct {
	// Key is "METHOD /path", "ANY /path" or "$default". A segment of the path
	// may be a variable, "{sku}"; the last may be greedy, "{proxy+}".
	Key string
	// Timeout is the integration timeout, from MinTimeout to MaxTimeout;
	// 0 means MaxTimeout.
	Timeout  time.Duration
	Function Invoker
}

// Config describes one HTTP API. All fields but Log are required.
type Config struct {
	APIID     string
	Stage     string // DefaultStage, or a name that is then the path's first segment
	Region    string
	AccountID string
	Routes    []Route
	// Log takes one record a request, "api request": at Debug for a GET that
	// went well, at Warn when the API had to answer with an error of its own
	// because of the function, and at Info otherwise. Nil discards them.
	Log *slog.Logger
}

// API is an http.Handler that serves one HTTP API.
type API struct {
	cfg    Config
	log    *slog.Logger
	routes []route // most specific first

	ctx    context.Context // ends every invocation; see Close
	cancel context.CancelFunc

	mu          sync.Mutex // guards the next two
	closed      bool
	invocations sync.WaitGroup // grows only while closed is false
}

// New returns the API that cfg describes. It fails when a field is missing, a
// route key is malformed, two routes would match the same requests, or a
// timeout is out of range.
func New(cfg Config) (*API, error) {
	for _, field := range []struct{ name, value string }{
		{"APIID", cfg.APIID}, {"Stage", cfg.Stage}, {"Region", cfg.Region}, {"AccountID", cfg.AccountID},
	} {
		if field.value == "" {
			return nil, fmt.Errorf("configuring the HTTP API: %s is empty", field.name)
		}
	}
	routes, err := parseRoutes(cfg.Routes)
	if err != nil {
		return nil, fmt.Errorf("configuring the HTTP API %s: %w", cfg.APIID, err)
	}
	log := cfg.Log
	if log == nil {
		log = slog.New(slog.DiscardHandler)
	}
	ctx, cancel := context.WithCancel(context.Background())
	return &API{cfg: cfg, log: log, routes: routes, ctx: ctx, cancel: cancel}, nil
}

// Close ends the invocations in flight and returns when they have ended.
// Requests that come later are answered with 503. It may be called again.
func (a *API) Close() {
	a.mu.Lock()
	a.closed = true
	a.mu.Unlock()
	a.cancel()
	a.invocations.Wait()
}

// ServeHTTP answers one request.
func (a *API) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	start := time.Now()
	id := newRequestID()
	res, routeKey, err := a.respond(r, w, id, start)
	w.Header().Set("Apigw-Requestid", id)
	res.writeTo(w)

	level := slog.LevelInfo
	switch {
	case err != nil:
		level = slog.LevelWarn
	case res.status < 400 && (r.Method == http.MethodGet || r.Method == http.MethodHead):
		level = slog.LevelDebug // pages poll
	}
	attrs := []slog.Attr{
		slog.String("method", r.Method),
		slog.String("path", r.URL.Path),
		slog.String("route", routeKey),
		slog.Int("status", res.status),
		slog.Duration("duration", time.Since(start)),
		slog.String("request_id", id),
	}
	if err != nil {
		attrs = append(attrs, slog.String("error", err.Error()))
	}
	a.log.LogAttrs(r.Context(), level, "api request", attrs...)
}

// respond decides the answer. The error is for the log: what went wrong with
// the function behind an answer that tells the client nothing about it.
func (a *API) respond(r *http.Request, w http.ResponseWriter, id string, start time.Time) (response, string, error) {
	path, ok := a.inStage(r.URL)
	if !ok {
		return failure(http.StatusNotFound), "", nil
	}
	rt, params, ok := match(a.routes, r.Method, path)
	if !ok {
		return failure(http.StatusNotFound), "", nil
	}

	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, MaxPayload))
	if tooLarge := (*http.MaxBytesError)(nil); errors.As(err, &tooLarge) {
		return failure(http.StatusRequestEntityTooLarge), rt.key, nil
	}
	if err != nil { // the client broke off: nobody is there to read the answer
		return failure(http.StatusBadRequest), rt.key, fmt.Errorf("reading the request's body: %w", err)
	}

	event, err := json.Marshal(a.event(r, rt.key, params, body, id, start))
	if err != nil {
		return failure(http.StatusInternalServerError), rt.key, fmt.Errorf("encoding the event: %w", err)
	}
	output, err := a.invoke(rt, event)
	if err != nil {
		return failure(statusOf(err)), rt.key, err
	}
	res, err := parseResponse(output)
	if err != nil {
		return failure(http.StatusInternalServerError), rt.key, err
	}
	return res, rt.key, res.warning
}

var (
	errTimeout = errors.New("the function did not answer within the integration timeout")
	errClosed  = errors.New("the API is closed")
)

// statusOf maps what became of an invocation to what the client is told. An
// integration timeout is 503 in an HTTP API, not the 504 of a REST API; seen
// in https://github.com/serverless/serverless/issues/11222.
func statusOf(err error) int {
	var t interface{ Throttled() bool }
	switch {
	case errors.Is(err, errTimeout), errors.Is(err, errClosed):
		return http.StatusServiceUnavailable
	case errors.As(err, &t) && t.Throttled():
		return http.StatusServiceUnavailable
	default:
		return http.StatusInternalServerError
	}
}

// invoke runs the route's function and waits for its answer, for as long as
// the route's timeout allows. A function that takes longer runs on unheard.
func (a *API) invoke(rt route, event []byte) ([]byte, error) {
	type result struct {
		output []byte
		err    error
	}
	done := make(chan result, 1)

	a.mu.Lock()
	if a.closed {
		a.mu.Unlock()
		return nil, errClosed
	}
	a.invocations.Go(func() {
		output, err := rt.function.Invoke(a.ctx, event)
		done <- result{output, err}
	})
	a.mu.Unlock()

	timeout := time.NewTimer(rt.timeout)
	defer timeout.Stop()
	select {
	case res := <-done:
		if res.err != nil {
			return nil, fmt.Errorf("invoking the function of %q: %w", rt.key, res.err)
		}
		return res.output, nil
	case <-timeout.C:
		return nil, fmt.Errorf("invoking the function of %q: %w of %v", rt.key, errTimeout, rt.timeout)
	}
}

// newRequestID returns an id of the form that HTTP APIs use, such as
// "JKJaXmPLvHcESHA=".
func newRequestID() string {
	var b [11]byte
	rand.Read(b[:]) // never fails
	return base64.StdEncoding.EncodeToString(b[:])
}
