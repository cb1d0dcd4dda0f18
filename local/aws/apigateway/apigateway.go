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
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"slices"
	"sync"
	"time"

	"golang.org/x/time/rate"
)

// defaultKey is the key of the route that takes what no other route does.
const defaultKey = "$default"

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

	// MaxPayload is the largest request body in bytes (10 MB), and MaxHeader the most that the request line and the values of the
	// headers may take together, in bytes.
	// https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-quotas.html
	MaxPayload = 10 << 20
	MaxHeader  = 10240

	// MaxEvent is the largest event in bytes (6 MB), the body in it, which Lambda takes.
	// https://docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html
	MaxEvent = 6 << 20
)

// What a Route's Authorization may be.
// https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-access-control.html
const (
	AuthorizationNone = "NONE"
	AuthorizationIAM  = "AWS_IAM"
)

// Invoker runs a function once: the payload is its event, the result its
// answer, both JSON. An error means that the function failed, or that it was
// not run: one that wraps an error whose method Throttled() bool returns true
// says that there was no capacity to run it. Its method Reason() string, where
// it has one, tells people why.
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
	Timeout time.Duration
	// Authorization is AuthorizationNone or AuthorizationIAM; empty means AuthorizationNone.
	Authorization string
	Function      Invoker
	// DeclaredIn is where the route is declared, for people who look for one that is missing beside it.
	DeclaredIn string
}

// Config describes one HTTP API. The first five fields are required.
type Config struct {
	APIID     string
	Stage     string // DefaultStage, or a name that is then the path's first segment
	Region    string
	AccountID string
	Routes    []Route

	// StageVariables reach the functions in their events.
	StageVariables map[string]string
	// CORS is nil where it is not configured: the functions' own headers then pass.
	CORS *CORS
	// Throttling of the stage; nil means DefaultThrottling.
	Throttling *Throttling
	// ThrottlingSetting says where Throttling is set, for the person who reads that a request was turned away. May be empty.
	ThrottlingSetting string
	// TurnedAway, where it is not nil, is called with the id of each request that the API turns away because there is no room for it,
	// and why, before the request is answered. It may be called from many goroutines.
	TurnedAway func(requestID, reason string)
	// AccessLogFormat is the format of a line in the access log, with $context variables. Each request is then a record "access"
	// of Log, at Info, with the attribute line. Empty is no access log.
	AccessLogFormat string
	// Authorize decides on a request, whose body has been read, to a route with AuthorizationIAM; its error, which is logged, refuses it.
	// With nil New refuses such routes.
	Authorize func(r *http.Request, body []byte, route Route) error

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
	bucket *rate.Limiter

	toldMethods sync.Map // what tellOtherMethods has told

	ctx    context.Context // ends every invocation; see Close
	cancel context.CancelFunc

	mu          sync.Mutex // guards the next two
	closed      bool
	invocations sync.WaitGroup // grows only while closed is false
}

// New returns the API that cfg describes. It fails when a field is missing, a
// route key is malformed, two routes would match the same requests, a
// timeout is out of range, or where AWS, or this package, refuses a setting.
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
	throttling := DefaultThrottling
	if cfg.Throttling != nil {
		throttling = *cfg.Throttling
	}
	log := cfg.Log
	if log == nil {
		log = slog.New(slog.DiscardHandler)
	}
	ctx, cancel := context.WithCancel(context.Background())
	return &API{cfg: cfg, log: log, routes: routes, bucket: throttling.limiter(), ctx: ctx, cancel: cancel}, nil
}

func (cfg Config) validate() error {
	for _, r := range cfg.Routes {
		switch r.Authorization {
		case "", AuthorizationNone:
		case AuthorizationIAM:
			if cfg.Authorize == nil {
				return fmt.Errorf("route %q: its authorization is %s, and nothing here decides on that", r.Key, r.Authorization)
			}
		default:
			return fmt.Errorf("route %q: its authorization is %s, which is not known here", r.Key, r.Authorization)
		}
	}
	if c := cfg.CORS; c != nil && c.AllowCredentials && slices.Contains(c.AllowOrigins, "*") {
		// AWS's words: https://github.com/aws/aws-cdk/issues/9076
		return errors.New("allow-credentials is not supported if 'allow-origin' is *")
	}
	if t := cfg.Throttling; t != nil && (t.RatePerSecond < 0 || t.Burst < 0) {
		return fmt.Errorf("its throttling, %v requests a second and %d at once, is negative", t.RatePerSecond, t.Burst)
	}
	if size := len(cfg.AccessLogFormat); size > MaxAccessLogFormat {
		return fmt.Errorf("the access log's format has %d bytes; at most %d are allowed", size, MaxAccessLogFormat)
	}
	return nil
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

// newRequestID returns an id of the form that HTTP APIs use, such as
// "JKJaXmPLvHcESHA=".
func newRequestID() string {
	var b [11]byte
	_, _ = rand.Read(b[:]) // never fails
	return base64.StdEncoding.EncodeToString(b[:])
}
