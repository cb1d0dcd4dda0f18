// Package apigateway is a stand-in for an Amazon API Gateway HTTP API. It routes requests to
// functions with payload format version 2.0. It also serves REST APIs: see Config.REST.
//
// It follows https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api.html. Where the
// documentation says nothing, a comment names the observation that the code follows.
package apigateway

import (
	"context"
	"crypto/rand"
	"encoding/base64"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"slices"
	"sync"
	"time"
)

// defaultKey is the key of the route for requests that match no other route.
const defaultKey = "$default"

const (
	// DefaultStage is the stage whose name is not part of the path.
	DefaultStage = "$default"

	// MaxTimeout is the longest integration timeout, and the default.
	// https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-quotas.html
	MaxTimeout = 30 * time.Second

	// MinTimeout is the shortest integration timeout that AWS accepts.
	// https://docs.aws.amazon.com/apigatewayv2/latest/api-reference/apis-apiid-integrations.html
	MinTimeout = 50 * time.Millisecond

	// MaxPayload limits a request's body, in bytes (10 MB).
	// https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-quotas.html
	MaxPayload = 10 << 20
	// MaxHeader limits the request line and the values of the headers together, in bytes.
	MaxHeader = 10240

	// MaxEvent limits the event that Lambda accepts, with the body in it, in bytes (6 MB).
	// https://docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html
	MaxEvent = 6 << 20
)

// The values of a Route's Authorization.
// https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-access-control.html
const (
	AuthorizationNone = "NONE"
	AuthorizationIAM  = "AWS_IAM"
)

// Invoker runs a function once. The payload is the event and the result is the answer; both are
// JSON. An error means that the function failed or did not run. If the error wraps one whose method
// Throttled() bool returns true, there was no capacity to run the function. Its method Reason()
// string, if it has one, describes the reason to people.
//
// The context ends when the API is closed. It does not end when the client hangs up or the
// integration times out: on AWS a running function continues.
type Invoker interface {
	Invoke(ctx context.Context, payload []byte) ([]byte, error)
}

// Route sends the requests that match Key to Function or Action. One of the two is nil.
type Route struct {
	// Key is "METHOD /path", "ANY /path" or "$default". A segment of the path may be a variable,
	// "{sku}"; the last one may be greedy, "{proxy+}".
	Key string
	// Timeout is the integration timeout, from MinTimeout to MaxTimeout;
	// 0 means MaxTimeout.
	Timeout time.Duration
	// Authorization is AuthorizationNone or AuthorizationIAM; empty means AuthorizationNone.
	Authorization string
	Function      Invoker
	Action        *Action
	// Throttling is the route's own limit; nil means that the route shares the stage's.
	Throttling *Throttling
	// DeclaredIn names the place of the route's declaration, for people who look for a missing
	// route.
	DeclaredIn string
}

// Config describes one HTTP API. The first five fields are required.
type Config struct {
	APIID     string
	Stage     string // DefaultStage, or a name that becomes the path's first segment
	Region    string
	AccountID string
	Routes    []Route

	// REST makes the API a REST API with Lambda proxy integrations: its events and answers have
	// payload format 1.0, and its own errors are those of REST APIs.
	REST bool

	// FunctionURL makes the API a function URL, which answers 429 if the function is throttled.
	// https://docs.aws.amazon.com/lambda/latest/dg/urls-configuration.html#urls-throttling
	FunctionURL bool

	// DeclaredIn names the place of the stage's declaration, for people who look for a missing
	// route.
	DeclaredIn string
	// StageVariables are part of the functions' events.
	StageVariables map[string]string
	// CORS is the CORS configuration. If it is nil, the functions' own headers pass through.
	CORS *CORS
	// Throttling is the limit of all routes without one of their own, together; nil means
	// DefaultThrottling.
	Throttling *Throttling
	// Throttled, if not nil, is called for each request that is throttled by the stage or by the
	// function's concurrency, before it is answered. It gets the request's id and the reason. It
	// must be safe for concurrent use.
	Throttled func(requestID, reason string)
	// AccessLogFormat is the format of the access log's lines, with $context variables. Log gets
	// each line as a record "access" at Info with the attribute line. An empty format disables the
	// access log.
	AccessLogFormat string
	// Authorize decides on a request to a route with AuthorizationIAM. The request's body has been
	// read. An error refuses the request, and is logged. If Authorize is nil, New rejects such
	// routes.
	Authorize func(r *http.Request, body []byte, route Route) error
	// AuthorizeAnybody, if not nil, decides on a request to any other route. A REST API may have a
	// policy.
	AuthorizeAnybody func(r *http.Request) error

	// Log gets one record "api request" for each request. The level is Debug for a successful GET,
	// Warn if the API answered with its own error because of the function, and Info otherwise. Nil
	// discards the records.
	Log *slog.Logger
}

// API is an http.Handler that serves one HTTP API.
type API struct {
	cfg    Config
	log    *slog.Logger
	routes []route // the most specific first
	limit  *bucket // of the routes without one of their own

	warnedMethods sync.Map // what warnOfOtherMethods has logged

	ctx    context.Context // of the invocations, which outlive their requests; Close cancels it
	cancel context.CancelFunc

	mu          sync.Mutex // guards the next two fields
	closed      bool
	invocations sync.WaitGroup // Add requires that closed is false
}

// New returns the API that cfg describes. It fails if a field is missing, a route key is malformed,
// two routes match the same requests, a timeout is out of range, or AWS or this package does not
// support a setting.
func New(cfg Config) (*API, error) {
	for _, field := range []struct{ name, value string }{
		{"APIID", cfg.APIID}, {"Stage", cfg.Stage}, {"Region", cfg.Region}, {"AccountID", cfg.AccountID},
	} {
		if field.value == "" {
			return nil, fmt.Errorf("configuring the HTTP API: %s is empty", field.name)
		}
	}
	if err := cfg.validate(); err != nil {
		return nil, fmt.Errorf("configuring the HTTP API %s: %w", cfg.APIID, err)
	}
	routes, err := parseRoutes(cfg.Routes)
	if err != nil {
		return nil, fmt.Errorf("configuring the HTTP API %s: %w", cfg.APIID, err)
	}
	limit := newBucket("the stage "+cfg.Stage, cfg.Throttling)
	for i := range routes {
		if t := routes[i].Throttling; t != nil {
			routes[i].limit = newBucket("the route "+routes[i].Key, t)
		}
	}
	log := cfg.Log
	if log == nil {
		log = slog.New(slog.DiscardHandler)
	}
	ctx, cancel := context.WithCancel(context.Background())
	return &API{cfg: cfg, log: log, routes: routes, limit: limit, ctx: ctx, cancel: cancel}, nil
}

func (cfg Config) validate() error {
	for _, r := range cfg.Routes {
		switch r.Authorization {
		case "", AuthorizationNone:
		case AuthorizationIAM:
			if cfg.Authorize == nil {
				return fmt.Errorf("route %q: its authorization is %s, and Authorize is nil", r.Key, r.Authorization)
			}
		default:
			return fmt.Errorf("route %q: its authorization %s is unknown", r.Key, r.Authorization)
		}
	}
	if c := cfg.CORS; c != nil && c.AllowCredentials && slices.Contains(c.AllowOrigins, "*") {
		// This is AWS's text: https://github.com/aws/aws-cdk/issues/9076
		return errors.New("allow-credentials is not supported if 'allow-origin' is *")
	}
	if err := cfg.Throttling.validate(); err != nil {
		return err
	}
	if size := len(cfg.AccessLogFormat); size > MaxAccessLogFormat {
		return fmt.Errorf("the access log's format has %d bytes; at most %d are allowed", size, MaxAccessLogFormat)
	}
	return nil
}

// Close cancels the running invocations and waits for them. Later requests get 503. Close may be
// called again.
func (a *API) Close() {
	a.mu.Lock()
	a.closed = true
	a.mu.Unlock()
	a.cancel()
	a.invocations.Wait()
}

// newRequestID returns an id in the format of HTTP APIs, such as "JKJaXmPLvHcESHA=".
func newRequestID() string {
	var b [11]byte
	_, _ = rand.Read(b[:]) // never fails
	return base64.StdEncoding.EncodeToString(b[:])
}
