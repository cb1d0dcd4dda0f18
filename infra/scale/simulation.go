package scale

import (
	"math/rand/v2"
	"slices"
	"time"
)

// Simulate lets a rush happen. The same seed gives the same outcome.
func Simulate(stage Stage, design Design, rush Rush, durations Durations, seed uint64) (Outcome, error) {
	for _, v := range []interface{ validate() error }{stage, design, rush} {
		if err := v.validate(); err != nil {
			return Outcome{}, err
		}
	}
	// #nosec G404 -- chance that can be repeated
	s := &simulation{stage: stage, design: design, durations: durations, random: rand.New(rand.NewPCG(seed, 0)), tokens: float64(stage.Burst)}
	s.connections = &resource{clock: &s.clock, capacity: stage.Connections}
	s.processors = &resource{clock: &s.clock, capacity: stage.Processors}
	for i := range design.Buckets {
		share := rush.Stock / design.Buckets
		if i < rush.Stock%design.Buckets {
			share++
		}
		s.rows = append(s.rows, &row{resource: resource{clock: &s.clock, capacity: 1}, stock: share})
	}
	s.arrive(rush, 0)
	s.clock.run()
	return s.result(), nil
}

// A simulation is a rush on its way.
type simulation struct {
	clock     clock
	stage     Stage
	design    Design
	durations Durations
	random    *rand.Rand

	tokens     float64 // of API Gateway's bucket
	tokensAt   time.Duration
	busy, warm int // instances
	nextBucket int

	connections, processors *resource
	rows                    []*row

	waiting []reservation // in the queue
	serving int           // consumers at work

	out     Outcome
	answers []time.Duration
}

// A row holds a share of the product's stock.
type row struct {
	resource
	stock int
}

type reservation struct{ asked time.Duration }

// mean draws a duration around a mean.
func (s *simulation) mean(d time.Duration) time.Duration {
	return time.Duration(s.random.ExpFloat64() * float64(d))
}

// arrive lets a buyer come, and after him the next: at random, so that how many come in a second varies as among people.
func (s *simulation) arrive(rush Rush, wait time.Duration) {
	s.clock.after(wait, func() {
		if s.clock.now >= rush.Duration {
			return
		}
		s.enter()
		s.arrive(rush, time.Duration(s.random.ExpFloat64()/rush.BuyersPerSecond*float64(time.Second)))
	})
}

// enter is API Gateway, and Lambda's admission.
func (s *simulation) enter() {
	s.tokens = min(float64(s.stage.Burst), s.tokens+(s.clock.now-s.tokensAt).Seconds()*s.stage.RatePerSecond)
	s.tokensAt = s.clock.now
	if s.tokens < 1 {
		s.out.Throttled++
		return
	}
	s.tokens--
	if s.busy == s.stage.Instances {
		s.out.Unavailable++
		return
	}
	s.busy++
	s.out.PeakInstances = max(s.out.PeakInstances, s.busy)
	var start time.Duration
	if s.busy > s.warm {
		s.warm++
		start = s.durations.ColdStart
	}
	asked := s.clock.now
	s.clock.after(start+s.mean(s.durations.Function), func() {
		if s.design.Reservations > 0 {
			s.clock.after(s.mean(s.durations.Enqueue), func() { s.busy--; s.reserve(reservation{asked}) })
			return
		}
		s.checkout(asked)
	})
}

// checkout is one call to the database: a connection, a processor for the statements, and the row from the decrement to the commit. A row that
// has no more is not held: the next bucket is asked, and when there is none, the buyer is refused.
func (s *simulation) checkout(asked time.Duration) {
	bucket := s.nextBucket
	s.nextBucket = (s.nextBucket + 1) % len(s.rows)
	s.connections.use(func(disconnect func()) {
		s.clock.after(s.durations.RoundTrip, func() {
			s.sell(bucket, 1, func(sold int) {
				disconnect()
				s.busy--
				s.answer(asked, sold == 1)
			})
		})
	})
}

// sell takes up to so many pieces from the rows, beginning with one, in as many transactions as it takes.
func (s *simulation) sell(bucket, want int, done func(sold int)) {
	var from func(tried, got int)
	from = func(tried, got int) {
		if got == want || tried == len(s.rows) {
			done(got)
			return
		}
		r := s.rows[(bucket+tried)%len(s.rows)]
		s.work(func() {
			if r.stock == 0 { // read without the lock
				from(tried+1, got)
				return
			}
			r.use(func(release func()) {
				take := min(want-got, r.stock)
				r.stock -= take
				if take == 0 {
					release()
					from(tried+1, got)
					return
				}
				s.clock.after(s.mean(s.durations.Commit), func() {
					release()
					s.out.LastSale = s.clock.now
					from(tried+1, got+take)
				})
			})
		})
	}
	from(0, 0)
}

// work is the database's part of a checkout that waits for nobody.
func (s *simulation) work(then func()) {
	s.processors.use(func(release func()) {
		s.clock.after(s.mean(s.durations.Processor), func() { release(); then() })
	})
}

// reserve takes a buyer down, who is served later.
func (s *simulation) reserve(r reservation) {
	s.waiting = append(s.waiting, r)
	s.out.PeakQueue = max(s.out.PeakQueue, len(s.waiting))
	s.serve()
}

// serve lets a consumer a bucket serve what is in the queue, a batch in a transaction.
func (s *simulation) serve() {
	if s.serving == len(s.rows) || len(s.waiting) == 0 {
		return
	}
	s.serving++
	bucket := s.nextBucket
	s.nextBucket = (s.nextBucket + 1) % len(s.rows)
	batch := s.waiting[:min(len(s.waiting), s.design.Reservations)]
	s.waiting = s.waiting[len(batch):]
	s.clock.after(s.mean(s.durations.Function)+s.durations.RoundTrip, func() {
		s.sell(bucket, len(batch), func(sold int) {
			for i, r := range batch {
				s.answer(r.asked, i < sold)
			}
			s.serving--
			s.serve()
		})
	})
	s.serve()
}

func (s *simulation) answer(asked time.Duration, sold bool) {
	if sold {
		s.out.Sold++
	} else {
		s.out.Refused++
	}
	s.answers = append(s.answers, s.clock.now-asked)
}

func (s *simulation) result() Outcome {
	o := s.out
	slices.Sort(s.answers)
	if n := len(s.answers); n > 0 {
		o.P50, o.P99 = s.answers[n/2], s.answers[n*99/100]
	}
	if o.Sold > 0 {
		o.SoldPerSecond = float64(o.Sold) / o.LastSale.Seconds()
	}
	for _, r := range s.rows {
		o.PeakInLine = max(o.PeakInLine, r.peakLine)
		o.RowBusy = max(o.RowBusy, r.share(o.LastSale))
	}
	o.PeakConnections = s.connections.peakInUse
	o.ProcessorsBusy = s.processors.share(s.clock.now)
	return o
}
