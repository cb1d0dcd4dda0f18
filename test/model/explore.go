package model

import (
	"fmt"
	"hash/maphash"
	"iter"
	"runtime"
	"slices"
	"sync"
)

// A system is what explore explores: a start, the steps from each state, and the rules.
type system[S comparable] struct {
	start S
	// steps lists what may happen next in a state.
	steps func(S) iter.Seq2[string, S]
	// allowed returns the rule that a step breaks, or nil.
	allowed func(before S, name string, after S) error
	// fair returns what happens next if nothing goes wrong any more, and everybody does what they
	// have to do. done says that nothing is left to do.
	fair func(S) (name string, next S, done bool)
}

// A Report is the result of an exploration.
type Report struct {
	States, Steps, Depth int
	// Broken is the rule that is broken, and Trace is the shortest way to it. Nil: none is broken.
	Broken error
	Trace  []string
}

// Explore explores the shop's protocol with the policy of the explorations. progress may be nil.
func Explore(b Bounds, limit int, progress func(Report)) (Report, error) {
	b.Policy = policy
	return explore(model{b, ours()}.system(), limit, progress)
}

// explore visits every state that can be reached from the start, in the order of the number of
// steps to it, on all cores. It stops at the end of the first level that breaks a rule. limit is
// the largest number of states: with more, explore returns an error. progress may be nil; explore
// calls it after each level.
//
// It keeps 64 bits of each state (hash compaction), so two states may be taken for one. With n
// states the probability that this has happened is about n²/2⁶⁵: one in 370,000 for ten million.
// The hash has another seed in each run, so a state that is missed once is not missed again.
func explore[S comparable](s system[S], limit int, progress func(Report)) (Report, error) {
	e := &explorer[S]{system: s, seed: maphash.MakeSeed()}
	for i := range e.seen {
		e.seen[i].from = map[uint64]uint64{}
		e.live[i].from = map[uint64]uint64{}
	}
	first := e.hash(s.start)
	e.seen[first%shards].add(first, first)
	r := Report{States: 1}
	for level := []S{s.start}; len(level) > 0; r.Depth++ {
		next, steps, broken := e.expand(level)
		r.Steps += steps
		if broken != nil {
			r.Broken, r.Trace = broken.rule, e.trace(broken)
			return r, nil
		}
		if r.States += len(next); r.States > limit {
			return r, fmt.Errorf("there are more than %d states at a depth of %d", limit, r.Depth)
		}
		if level = next; progress != nil {
			progress(r)
		}
	}
	return r, nil
}

// shards is the number of parts of a set, each with its own lock.
const shards = 256

// A shard maps the hash of a state to the hash of the state before it.
type shard struct {
	mu   sync.Mutex
	from map[uint64]uint64
}

// add reports whether a state is new.
func (s *shard) add(state, from uint64) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if _, seen := s.from[state]; seen {
		return false
	}
	s.from[state] = from
	return true
}

func (s *shard) has(state uint64) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	_, has := s.from[state]
	return has
}

type explorer[S comparable] struct {
	system[S]
	seed maphash.Seed
	seen [shards]shard
	live [shards]shard // the states of fair runs that ended
}

func (e *explorer[S]) hash(s S) uint64 { return maphash.Comparable(e.seed, s) }

// A broken rule has the step that breaks it, or, if a fair run does not end, none.
type broken[S any] struct {
	state S
	step  string
	rule  error
}

// expand returns the new states one step after a level.
func (e *explorer[S]) expand(level []S) (next []S, steps int, found *broken[S]) {
	var mu sync.Mutex // guards the results
	var all sync.WaitGroup
	for part := range slices.Chunk(level, len(level)/runtime.GOMAXPROCS(0)+1) {
		all.Go(func() {
			var states []S
			taken := 0
			var first *broken[S]
			for _, before := range part {
				if rule := e.ends(before); rule != nil && first == nil {
					first = &broken[S]{state: before, rule: rule}
				}
				hash := e.hash(before)
				for name, after := range e.steps(before) {
					taken++
					if rule := e.allowed(before, name, after); rule != nil && first == nil {
						first = &broken[S]{before, name, rule}
					}
					if h := e.hash(after); e.seen[h%shards].add(h, hash) {
						states = append(states, after)
					}
				}
			}
			mu.Lock()
			defer mu.Unlock()
			next, steps = append(next, states...), steps+taken
			if found == nil {
				found = first
			}
		})
	}
	all.Wait()
	return next, steps, found
}

// patience is the largest number of steps of a fair run.
const patience = 2000

// ends checks that the fair run from a state ends. It keeps the states of the run, because others
// lead to them too, but not the first one: explore visits that only once.
func (e *explorer[S]) ends(s S) error {
	var run []uint64
	for range patience {
		_, next, done := e.fair(s)
		h := e.hash(next)
		if done || e.live[h%shards].has(h) {
			for _, h := range run {
				e.live[h%shards].add(h, h)
			}
			return nil
		}
		run = append(run, h)
		s = next
	}
	return fmt.Errorf("a shortage ends in stock, or a person is told: after %d more steps without a fault it has not",
		patience)
}

// trace returns the steps from the start to a broken rule: it takes each step again whose state is
// on the way.
func (e *explorer[S]) trace(b *broken[S]) (names []string) {
	var way []uint64
	for h := e.hash(b.state); ; {
		way = append(way, h)
		from := e.seen[h%shards].from[h]
		if from == h {
			break
		}
		h = from
	}
	slices.Reverse(way)
	s := e.start
	for _, h := range way[1:] {
		for name, after := range e.steps(s) {
			if e.hash(after) == h {
				names, s = append(names, name), after
				break
			}
		}
	}
	if b.step != "" {
		return append(names, b.step)
	}
	for range 40 { // the fair run that does not end
		name, next, _ := e.fair(s)
		names, s = append(names, "without a fault: "+name), next
	}
	return names
}
