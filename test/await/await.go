// Package await lets tests wait for a condition, for as long as a slow machine needs.
package await

import (
	"testing"
	"time"
)

// Limit is how long a test waits before it fails. It only ends a test that would never end: no
// machine is so slow that it needs as much, so the verdict does not depend on it.
const Limit = 3 * time.Minute

// interval is the time between two looks.
const interval = 5 * time.Millisecond

// Until waits until a condition holds. The test fails, and ends, if it never does; what completes
// the sentence "waited in vain until …".
func Until(tb testing.TB, what string, holds func() bool) {
	tb.Helper()
	for began := time.Now(); !holds(); time.Sleep(interval) {
		if time.Since(began) > Limit {
			tb.Fatalf("waited %v in vain until %s", Limit, what)
		}
		if err := tb.Context().Err(); err != nil {
			tb.Fatalf("the test ended before %s", what)
		}
	}
}

// Receive waits for a value of a channel, as Until waits for a condition.
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
