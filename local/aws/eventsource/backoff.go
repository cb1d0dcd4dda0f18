package eventsource

import (
	"context"
	"sync"
	"time"
)

// The pause after the first failure, and the longest pause. AWS does not document Lambda's pauses.
const (
	firstPause = 500 * time.Millisecond
	maxPause   = 10 * time.Second
)

// backoff slows a mapping down while invocations fail, so that a broken function does not consume
// the queue. The pause doubles with each consecutive failure. The first success ends it.
type backoff struct {
	mu       sync.Mutex
	failures int       // consecutive
	until    time.Time // end of the pause after the last failure
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

// pause returns the remaining time of the pause.
func (b *backoff) pause() time.Duration {
	b.mu.Lock()
	defer b.mu.Unlock()
	return max(time.Until(b.until), 0)
}

// wait waits for the end of the pause. It returns false if ctx ends earlier.
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
