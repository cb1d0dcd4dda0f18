package eventsource

import (
	"context"
	"sync"
	"time"
)

// How long polling pauses after a failure, and at most after many. Lambda does not say how long it backs off.
const (
	firstPause = 500 * time.Millisecond
	maxPause   = 10 * time.Second
)

// backoff slows a mapping down while invocations fail, so that a broken function does not burn through the queue. The
// pause doubles with each failure in a row and is over with the first success.
type backoff struct {
	mu       sync.Mutex
	failures int       // in a row
	until    time.Time // when the pause after the last one ends
}

func (b *backoff) failed() {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.failures++
	pause := maxPause
	if shift := b.failures - 1; shift < 16 {
		pause = min(firstPause<<shift, maxPause)
	}
	b.until = time.Now().Add(pause)
}

func (b *backoff) succeeded() {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.failures, b.until = 0, time.Time{}
}

// pause is how long the pause still lasts.
func (b *backoff) pause() time.Duration {
	b.mu.Lock()
	defer b.mu.Unlock()
	return max(time.Until(b.until), 0)
}

// wait returns when the pause is over, or false when ctx ends first.
func (b *backoff) wait(ctx context.Context) bool {
	for {
		pause := b.pause()
		if pause == 0 {
			return ctx.Err() == nil
		}
		select {
		case <-time.After(pause):
		case <-ctx.Done():
			return false
		}
	}
}
