package apigateway

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"slices"
	"strings"
	"time"

	"restock/local/aws/awsapi"
	"restock/local/aws/traceid"
	"restock/local/view/events"
)

// exchange is a request, its answer, and the steps between them.
type exchange struct {
	request *http.Request
	id      string
	start   time.Time
	span    traceid.Span
	route   string // the route's key; "" if no route matches

	invoked bool          // the function was called
	latency time.Duration // the function's duration

	response response
	notFound string // why the API has answered 404, for the log; "" if it has not
	err      error  // the cause of an error that the client does not see; for the log
}

// ServeHTTP answers one request.
func (a *API) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	x := &exchange{request: r, id: newRequestID(), start: time.Now(), span: spanOf(r.Header)}
	a.respond(x, w)
	if reason, ok := awsapi.Throttled(x.err); ok && a.cfg.Throttled != nil {
		a.cfg.Throttled(x.id, reason)
	}
	w.Header().Set("Apigw-Requestid", x.id)
	x.response.writeTo(w)
	a.logExchange(x)
}

// spanOf returns the span of a request. It continues the trace that the client names, in the form
// of X-Ray as HTTP APIs do, or in that of the W3C, which HTTP APIs only pass on.
func spanOf(h http.Header) traceid.Span {
	if parent, ok := traceid.Parse(h.Get("X-Amzn-Trace-Id")); ok {
		return parent.Child()
	}
	if values := h.Values(traceid.Traceparent); len(values) == 1 { // the standard ignores several
		if parent, ok := traceid.ParseTraceparent(values[0]); ok {
			return parent.Child()
		}
	}
	return traceid.New(time.Now())
}

// respond determines the answer.
func (a *API) respond(x *exchange, w http.ResponseWriter) {
	r := x.request
	refuse := func(status int, err error) { x.response, x.err = a.failure(status, err), err }

	// The documentation names the limit but no status. HTTP has 431 for it.
	if headerSize(r) > MaxHeader {
		refuse(http.StatusRequestHeaderFieldsTooLarge, nil)
		return
	}
	path, ok := a.inStage(r.URL)
	if !ok {
		refuse(http.StatusNotFound, nil)
		x.notFound = fmt.Sprintf("the stage %s serves paths below /%s only", a.cfg.Stage, a.cfg.Stage)
		return
	}
	rt, params, ok := match(a.routes, r.Method, path)
	limit := a.limit
	if ok && rt.limit != nil {
		limit = rt.limit
	}
	if !limit.take() {
		refuse(http.StatusTooManyRequests, limit.exceeded())
		return
	}
	if a.cfg.CORS != nil && isPreflight(r) {
		x.response = a.cfg.CORS.preflight(r)
		return
	}
	if !ok || rt.Key == defaultKey {
		a.warnOfOtherMethods(r.Method, path)
	}
	if !ok {
		refuse(http.StatusNotFound, nil)
		x.notFound = fmt.Sprintf("the stage %s has no route for %s %s", a.cfg.Stage, r.Method, path)
		return
	}
	x.route = rt.Key
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, MaxPayload))
	if tooLarge := (*http.MaxBytesError)(nil); errors.As(err, &tooLarge) {
		refuse(http.StatusRequestEntityTooLarge, nil)
		return
	}
	if err != nil { // the client hung up and cannot read the answer
		refuse(http.StatusBadRequest, fmt.Errorf("reading the request's body: %w", err))
		return
	}
	if rt.Authorization == AuthorizationIAM {
		// The signature covers the body. For every kind of error, the client gets "Forbidden":
		// https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-access-control-iam.html
		if err := a.cfg.Authorize(r, body, rt.Route); err != nil {
			refuse(http.StatusForbidden, fmt.Errorf("authorizing the request: %w", err))
			return
		}
	} else if a.cfg.AuthorizeAnybody != nil {
		if err := a.cfg.AuthorizeAnybody(r); err != nil {
			refuse(http.StatusForbidden, fmt.Errorf("authorizing the request: %w", err))
			return
		}
	}
	if rt.Action != nil {
		a.call(x, rt, params, body)
		return
	}
	var content any
	if a.cfg.REST {
		content = a.restEvent(x, rt, params, body)
	} else {
		content = a.event(x, rt.Key, params, body)
	}
	event, err := json.Marshal(content)
	if err != nil {
		refuse(http.StatusInternalServerError, fmt.Errorf("encoding the event: %w", err))
		return
	}
	if len(event) > MaxEvent {
		// Lambda refuses it with 413. AWS does not document the answer of API Gateway.
		refuse(http.StatusRequestEntityTooLarge,
			fmt.Errorf("the event has %d bytes; Lambda takes %d: base64 adds a third to a body", len(event), MaxEvent))
		return
	}
	a.integrate(x, rt, event)
}

// warnOfOtherMethods logs, once for each path, that routes with the path exist for other methods
// only. A route may be missing, or be declared for GET only.
func (a *API) warnOfOtherMethods(method, path string) {
	var declared, files []string
	for _, other := range []string{http.MethodGet, http.MethodPost, http.MethodPut, http.MethodPatch,
		http.MethodDelete} {
		if rt, _, ok := match(a.routes, other, path); ok && other != method && rt.Key != defaultKey {
			declared = append(declared, rt.Key)
			if !slices.Contains(files, rt.DeclaredIn) {
				files = append(files, rt.DeclaredIn)
			}
		}
	}
	if len(declared) == 0 {
		return
	}
	// Clients may send arbitrary methods. All methods that no route can have count as one, to limit
	// the memory.
	known := method
	if !slices.Contains(methods, method) {
		known = ""
	}
	if _, warned := a.warnedMethods.LoadOrStore(known+" "+declared[0], true); !warned {
		a.log.Warn("no route for the method", "asked", method+" "+path, "declared", strings.Join(declared, ", "),
			"declared_in", strings.Join(files, ", "))
	}
}

// integrate answers with the answer of the route's function.
func (a *API) integrate(x *exchange, rt route, event []byte) {
	a.complete(x, rt, func(ctx context.Context) (response, error) {
		output, err := rt.Function.Invoke(ctx, event)
		if err != nil {
			return response{}, fmt.Errorf("invoking the function of %q: %w", rt.Key, err)
		}
		if a.cfg.REST {
			return parseProxyResponse(output)
		}
		return parseResponse(output)
	})
}

// complete answers with what ask returns, or with an error if ask fails or takes too long.
func (a *API) complete(x *exchange, rt route, ask func(context.Context) (response, error)) {
	asked := time.Now()
	res, err := a.inTime(x, rt, ask)
	x.invoked, x.latency = true, time.Since(asked)
	if err != nil {
		x.response, x.err = a.failure(a.statusOf(err), err), err
		return
	}
	if a.cfg.CORS != nil {
		a.cfg.CORS.decorate(x.request, res.header)
	}
	x.response, x.err = res, res.warning
}

// headerSize returns the size that the quota limits: the request line and the headers' values.
func headerSize(r *http.Request) int {
	size := len(r.Method) + len(" ") + len(r.RequestURI) + len(" ") + len(r.Proto) + len(r.Host)
	for _, values := range r.Header {
		for _, value := range values {
			size += len(value)
		}
	}
	return size
}

var (
	errTimeout = errors.New("no answer within the integration timeout")
	errClosed  = errors.New("the API is closed")
)

// statusOf returns the client's status for the error of an invocation. An HTTP API answers an
// integration timeout with 503, not with a REST API's 504; see
// https://github.com/serverless/serverless/issues/11222
func (a *API) statusOf(err error) int {
	_, throttled := awsapi.Throttled(err)
	switch {
	case errors.Is(err, errTimeout), errors.Is(err, errClosed):
		return http.StatusServiceUnavailable
	case throttled && a.cfg.FunctionURL:
		return http.StatusTooManyRequests
	case throttled:
		return http.StatusServiceUnavailable
	default:
		return http.StatusInternalServerError
	}
}

// inTime calls ask and waits for its answer up to the route's timeout. After the timeout, ask
// continues, and its answer is ignored.
func (a *API) inTime(x *exchange, rt route, ask func(context.Context) (response, error)) (response, error) {
	type result struct {
		response response
		err      error
	}
	done := make(chan result, 1)

	a.mu.Lock()
	if a.closed {
		a.mu.Unlock()
		return response{}, errClosed
	}
	a.invocations.Go(func() {
		ctx := traceid.With(a.ctx, x.span)
		res, err := ask(events.WithAttrs(ctx, slog.String("api_request_id", x.id)))
		done <- result{res, err}
	})
	a.mu.Unlock()

	timeout := time.NewTimer(rt.Timeout)
	defer timeout.Stop()
	select {
	case got := <-done:
		return got.response, got.err
	case <-timeout.C:
		return response{}, fmt.Errorf("waiting for the integration of %q: %w of %v", rt.Key, errTimeout, rt.Timeout)
	}
}
