package apigateway

import (
	"fmt"
	"sync"

	"golang.org/x/time/rate"
)

// Throttling limits the requests that a stage or a route accepts.
// https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-throttling.html
type Throttling struct {
	// RatePerSecond is the long-run number of accepted requests a second. Burst is the number of
	// requests that may come at once. A value of 0 in either field refuses every request, as on
	// AWS.
	RatePerSecond float64
	Burst         int
	// Setting names the setting of these numbers, for the log record of a throttled request. May be
	// empty.
	Setting string
}

func (t *Throttling) validate() error {
	if t != nil && (t.RatePerSecond < 0 || t.Burst < 0) {
		return fmt.Errorf("its throttling, %v requests a second and %d at once, is negative", t.RatePerSecond, t.Burst)
	}
	return nil
}

// DefaultThrottling is the quota of an account in a region. It applies to a stage that declares no
// throttling.
// https://docs.aws.amazon.com/apigateway/latest/developerguide/limits.html
var DefaultThrottling = Throttling{RatePerSecond: 10_000, Burst: 5_000, Setting: "the account's quota"}

// bucket is a token bucket for concurrent use. A rate.Limiter trusts the order of the times that it
// gets: if a request with an earlier time arrives late, the limiter goes back to that time and
// grants the tokens of the interval again. So the lock covers reading the clock too.
type bucket struct {
	of     string // "the stage $default"
	limits Throttling

	mu      sync.Mutex
	limiter *rate.Limiter
}

// take takes a token. It returns false if there is none.
func (b *bucket) take() bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.limiter.Allow()
}

// newBucket returns the token bucket of a stage or a route; nil limits mean DefaultThrottling. The
// documentation names the algorithm. It does not say whether AWS keeps one bucket for each route
// that has no limit of its own. Here these routes share one.
func newBucket(of string, limits *Throttling) *bucket {
	b := &bucket{of: of, limits: DefaultThrottling}
	if limits != nil {
		b.limits = *limits
	}
	burst := b.limits.Burst
	if b.limits.RatePerSecond == 0 {
		burst = 0 // a rate.Limiter with the limit 0 accepts a first burst; AWS does not
	}
	b.limiter = rate.NewLimiter(rate.Limit(b.limits.RatePerSecond), burst)
	return b
}

// A limitExceeded is the error of a request for which there is no token.
type limitExceeded struct{ reason string }

func (e *limitExceeded) Error() string   { return e.reason }
func (e *limitExceeded) Reason() string  { return e.reason }
func (e *limitExceeded) Throttled() bool { return true }

// exceeded returns the error of a request for which the bucket has no token.
func (b *bucket) exceeded() error {
	reason := fmt.Sprintf("%s lets %v requests a second pass, and %d at once",
		b.of, b.limits.RatePerSecond, b.limits.Burst)
	if b.limits.Setting != "" {
		reason += " (" + b.limits.Setting + ")"
	}
	return &limitExceeded{reason}
}
