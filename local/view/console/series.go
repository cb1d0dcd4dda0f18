package console

import (
	"slices"
	"time"
)

const (
	// maxPoints is how many points a series has at most.
	maxPoints = 120
	// firstWidth is the time between two points at the beginning of a run.
	firstWidth = time.Second
)

// The values of a series. A sum counts what happened since the previous point; a peak is the
// highest value since then.
const (
	sumInvocations = "invocations"
	sumErrors      = "errors"
	sumThrottles   = "throttles"
	peakDuration   = "duration_ms"
	peakMemory     = "memory_mb"
	peakMessages   = "messages"
	peakOldest     = "oldest_s" // the age of the oldest message, in seconds
)

// A series has values of a node over the whole run. If the run grows too long for its points, two
// points become one.
type series struct {
	began  time.Time
	width  time.Duration
	values map[string][]float64 // by name
}

func newSeries(began time.Time) *series {
	return &series{began: began, width: firstWidth, values: map[string][]float64{}}
}

// add adds to the sum of a value.
func (s *series) add(name string, at time.Time, n float64) { *s.point(name, at) += n }

// peak raises a value to n.
func (s *series) peak(name string, at time.Time, n float64) {
	p := s.point(name, at)
	*p = max(*p, n)
}

// point returns the point of a value at a time.
func (s *series) point(name string, at time.Time) *float64 {
	i := s.index(at)
	s.values[name] = extended(s.values[name], i+1)
	return &s.values[name][i]
}

// index returns the index of the point at a time, and makes points wider until the time has one.
func (s *series) index(at time.Time) int {
	for at.Sub(s.began) >= maxPoints*s.width {
		s.width *= 2
		for name, values := range s.values {
			s.values[name] = halved(values, name)
		}
	}
	return max(0, int(at.Sub(s.began)/s.width))
}

// halved makes one point of each two.
func halved(values []float64, name string) []float64 {
	half := make([]float64, 0, len(values)/2+1)
	for pair := range slices.Chunk(values, 2) {
		switch name {
		case sumInvocations, sumErrors, sumThrottles:
			half = append(half, pair[0]+pair[len(pair)-1]*float64(len(pair)-1))
		default:
			half = append(half, slices.Max(pair))
		}
	}
	return half
}

func extended(values []float64, length int) []float64 {
	return append(values, make([]float64, max(0, length-len(values)))...)
}

// A Series has the values of a node since the run began, at equal distances. All lists have the
// same length.
type Series struct {
	Began   time.Time            `json:"began"`
	WidthMS float64              `json:"width_ms"` // the time between two points
	Values  map[string][]float64 `json:"values"`
}

// shown returns the values with names, up to a time.
func (s *series) shown(now time.Time, names ...string) *Series {
	length := s.index(now) + 1
	shown := Series{Began: s.began.UTC(), WidthMS: milliseconds(s.width), Values: map[string][]float64{}}
	for _, name := range names {
		shown.Values[name] = extended(slices.Clone(s.values[name]), length)
	}
	return &shown
}

// sample adds the state of the queues to their series once in firstWidth, until the console closes.
func (c *Console) sample() {
	tick := time.NewTicker(firstWidth)
	defer tick.Stop()
	for {
		c.observer.sample(time.Now(), c.current().Queues)
		select {
		case <-tick.C:
		case <-c.ctx.Done():
			return
		}
	}
}
