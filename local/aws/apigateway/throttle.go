package apigateway

import (
	"errors"
	"fmt"
	"sync"
	"time"
)

// Throttling bounds the requests that a stage lets through.
// https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-throttling.html
type Throttling struct {
	// RatePerSecond is how many requests a second pass in the long run, Burst how many may come at once. With 0 of either
	// nothing passes, as on AWS.
	RatePerSecond float64
	Burst         int
}

// DefaultThrottling is an account's in a region, which holds where a stage declares nothing.
// https://docs.aws.amazon.com/apigateway/latest/developerguide/limits.html
var DefaultThrottling = Throttling{RatePerSecond: 10_000, Burst: 5_000}

// bucket is a token bucket, the algorithm that the documentation names. It is one for the whole stage; whether AWS keeps one a route
// is not documented.
type bucket struct {
	Throttling

	mu     sync.Mutex
	tokens float64
	filled time.Time // when tokens was right
}

func newBucket(t Throttling) *bucket {
	return &bucket{Throttling: t, tokens: float64(t.Burst), filled: time.Now()}
}

// A stageThrottled is the error of a request that the stage has no token for.
type stageThrottled struct{ reason string }

func (e *stageThrottled) Error() string   { return e.reason }
func (e *stageThrottled) Reason() string  { return e.reason }
func (e *stageThrottled) Throttled() bool { return true }

// throttled is the error of a request that finds no token.
func (cfg *Config) throttled() error {
	limits, setting := DefaultThrottling, "the account's quota"
	if cfg.Throttling != nil {
		limits, setting = *cfg.Throttling, cfg.ThrottlingSetting
	}
	reason := fmt.Sprintf("the stage %s lets %v requests a second pass, and %d at once", cfg.Stage, limits.RatePerSecond, limits.Burst)
	if setting != "" {
		reason += " (" + setting + ")"
	}
	return &stageThrottled{reason}
}

// turnedAway tells whether an error says that there was no room for the request, at the stage or at the function, and why.
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

// take takes a token, if there is one.
func (b *bucket) take(now time.Time) bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	if passed := now.Sub(b.filled).Seconds(); passed > 0 {
		b.tokens = min(float64(b.Burst), b.tokens+passed*b.RatePerSecond)
		b.filled = now
	}
	if b.tokens < 1 || b.RatePerSecond == 0 {
		return false
	}
	b.tokens--
	return true
}
