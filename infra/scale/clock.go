package scale

import (
	"container/heap"
	"time"
)

// A clock runs what is to happen in the order of its time.
type clock struct {
	now    time.Duration
	events eventHeap
	count  int
}

// after has something happen a while from now; what happens at the same time happens in the order of its planning.
func (c *clock) after(wait time.Duration, happens func()) {
	c.count++
	heap.Push(&c.events, event{at: c.now + wait, order: c.count, happens: happens})
}

// run lets happen all that was planned, and what that plans.
func (c *clock) run() {
	for c.events.Len() > 0 {
		e := heap.Pop(&c.events).(event)
		c.now = e.at
		e.happens()
	}
}

type event struct {
	at      time.Duration
	order   int
	happens func()
}

type eventHeap []event

func (h eventHeap) Len() int { return len(h) }
func (h eventHeap) Less(i, j int) bool {
	return h[i].at < h[j].at || h[i].at == h[j].at && h[i].order < h[j].order
}
func (h eventHeap) Swap(i, j int) { h[i], h[j] = h[j], h[i] }
func (h *eventHeap) Push(e any)   { *h = append(*h, e.(event)) }
func (h *eventHeap) Pop() any {
	old := *h
	last := old[len(old)-1]
	old[len(old)-1] = event{}
	*h = old[:len(old)-1]
	return last
}

// A resource is what only so many can use at once: a row's lock, processors, connections. Others stand in line, the first first.
type resource struct {
	clock    *clock
	capacity int
	inUse    int
	line     []func()

	peakInUse, peakLine int
	busy                time.Duration // summed over its users
}

// use calls then with a release, as soon as one is free.
func (r *resource) use(then func(release func())) {
	begin := func() {
		r.inUse++
		r.peakInUse = max(r.peakInUse, r.inUse)
		since := r.clock.now
		then(func() {
			r.busy += r.clock.now - since
			r.inUse--
			if len(r.line) > 0 {
				next := r.line[0]
				r.line = r.line[1:]
				next()
			}
		})
	}
	if r.inUse < r.capacity {
		begin()
		return
	}
	r.line = append(r.line, begin)
	r.peakLine = max(r.peakLine, len(r.line))
}

// share is how busy the resource was on average, 0 to 1.
func (r *resource) share(of time.Duration) float64 {
	if of <= 0 {
		return 0
	}
	return r.busy.Seconds() / (float64(r.capacity) * of.Seconds())
}
