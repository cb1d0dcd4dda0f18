// Package await lets tests wait for a condition, for as long as a slow machine needs.
package await

import (
	"testing"
	"time"
)

// Limit is how long a test waits before it fails. It only stops a test that would never end. Even a
// slow machine needs far less, so the verdict does not depend on the machine's speed.
const Limit = 10 * time.Minute

// A test checks a condition again after firstPause, and then after pauses that double up to
// longestPause. So a test that waits for a second does not keep a processor busy with queries.
const firstPause, longestPause = time.Millisecond, 50 * time.Millisecond

// Until waits until a condition holds. After Limit the test fails and ends. The failure text
// contains what, for example "the queue is empty".
func Until(tb testing.TB, what string, holds func() bool) {
	tb.Helper()
	pause := firstPause
	for began := time.Now(); !holds(); pause = min(2*pause, longestPause) {
		if time.Since(began) > Limit {
			tb.Fatalf("waited %v in vain until %s", Limit, what)
		}
		if err := tb.Context().Err(); err != nil {
			tb.Fatalf("the test ended before %s", what)
		}
		time.Sleep(pause)
	}
}

// Receive waits for a value from a channel. It fails the test as Until does.
func Receive[T any](tb testing.TB, what string, values <-chan T) (value T) {
	tb.Helper()
	limit := time.NewTimer(Limit)
	defer limit.Stop()
	select {
	case value = <-values:
	case <-limit.C:
		tb.Fatalf("waited %v in vain until %s", Limit, what)
	}
	return value
}
