package apigateway

import (
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
