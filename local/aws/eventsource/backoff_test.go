package eventsource

import (
	"testing"
	"testing/synctest"
	"time"
)

func TestBackoffDoublesUntilTheFirstSuccess(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var b backoff
		for _, want := range []time.Duration{500 * time.Millisecond, time.Second, 2 * time.Second, 4 * time.Second,
			8 * time.Second, 10 * time.Second, 10 * time.Second} {
			b.failed()
			begin := time.Now()
			if !b.wait(t.Context()) || time.Since(begin) != want {
				t.Errorf("failure %d: paused %v, want %v", b.failures, time.Since(begin), want)
			}
		}
		b.failed()
		b.succeeded()
		if got := b.pause(); got != 0 {
			t.Errorf("pause after a success: got %v, want none", got)
		}
		b.failed()
		if got := b.pause(); got != firstPause {
			t.Errorf("pause after a success and a failure: got %v, want %v", got, firstPause)
		}
		for range 100 {
			b.failed()
		}
		if got := b.pause(); got != maxPause {
			t.Errorf("pause after 100 failures: got %v, want %v", got, maxPause)
		}
	})
}
