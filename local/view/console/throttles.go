package console

import (
	"cmp"
	"slices"
	"time"
)

// maxThrottles is how many different reasons the console keeps for each node.
const maxThrottles = 20

// A Throttle is a limit that a node has reached, once or many times.
type Throttle struct {
	Reason string    `json:"reason"` // the limit, and the setting that sets it
	Times  int       `json:"times"`
	Last   time.Time `json:"last"`
}

// throttled counts a request that a part had no capacity for. The caller holds the lock.
func (o *observer) throttled(node, reason string, at time.Time) {
	o.count(node, "throttled", 1)
	o.seriesOf(node).add(sumThrottles, at, 1)
	if o.throttles[node] == nil {
		o.throttles[node] = map[string]Throttle{}
	}
	known, is := o.throttles[node][reason]
	if is || len(o.throttles[node]) < maxThrottles {
		o.throttles[node][reason] = Throttle{reason, known.Times + 1, at}
	}
}

// throttlesOf returns the limits that a node has reached, the latest first.
func (o *observer) throttlesOf(node string) []Throttle {
	o.mu.Lock()
	defer o.mu.Unlock()
	var list []Throttle
	for _, t := range o.throttles[node] {
		list = append(list, t)
	}
	slices.SortFunc(list, func(a, b Throttle) int {
		return cmp.Or(b.Last.Compare(a.Last), cmp.Compare(a.Reason, b.Reason))
	})
	return list
}
