package apigateway

import (
	"errors"
	"fmt"
	"sync"

	"golang.org/x/time/rate"
)

// Throttling limits the requests that a stage accepts.
// https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-throttling.html
type Throttling struct {
	// RatePerSecond is the long-run number of accepted requests a second. Burst is the number of
	// requests that may come at once. A value of 0 in either field refuses every request, as on
	// AWS.
	RatePerSecond float64
	Burst         int
}

// DefaultThrottling is the quota of an account in a region. It applies to a stage that declares no
// throttling.
// https://docs.aws.amazon.com/apigateway/latest/developerguide/limits.html
var DefaultThrottling = Throttling{RatePerSecond: 10_000, Burst: 5_000}

// bucket is a token bucket for concurrent use. A rate.Limiter trusts the order of the times that it
// gets: if a request with an earlier time arrives late, the limiter goes back to that time and
// grants the tokens of the interval again. So the lock covers reading the clock too.
type bucket struct {
	mu      sync.Mutex
	limiter *rate.Limiter
}

// take takes a token. It returns false if there is none.
func (b *bucket) take() bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.limiter.Allow()
}

// bucket returns the token bucket of a stage. The documentation names the algorithm. It does not
// say whether AWS keeps one bucket for each route; here the whole stage has one.
func (t Throttling) bucket() *bucket {
	if t.RatePerSecond == 0 {
		t.Burst = 0 // a rate.Limiter with the limit 0 accepts a first burst; AWS does not
	}
	return &bucket{limiter: rate.NewLimiter(rate.Limit(t.RatePerSecond), t.Burst)}
}

// A stageThrottled is the error of a request for which the stage has no token.
type stageThrottled struct{ reason string }

func (e *stageThrottled) Error() string   { return e.reason }
func (e *stageThrottled) Reason() string  { return e.reason }
func (e *stageThrottled) Throttled() bool { return true }

// throttled returns the error of a request for which the stage has no token.
func (cfg *Config) throttled() error {
	limits, setting := DefaultThrottling, "the account's quota"
	if cfg.Throttling != nil {
		limits, setting = *cfg.Throttling, cfg.ThrottlingSetting
	}
	reason := fmt.Sprintf("the stage %s lets %v requests a second pass, and %d at once", cfg.Stage,
		limits.RatePerSecond, limits.Burst)
	if setting != "" {
		reason += " (" + setting + ")"
	}
	return &stageThrottled{reason}
}

// turnedAway reports whether the stage or the function throttled a request, and returns the reason.
func turnedAway(err error) (reason string, ok bool) {
	var t interface {
		error
		Throttled() bool
	}
	if !errors.As(err, &t) || !t.Throttled() {
		return "", false
	}
	if told, ok := t.(interface{ Reason() string }); ok {
		return told.Reason(), true
	}
	return t.Error(), true
}
