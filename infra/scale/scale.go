// Package scale simulates a rush of buyers on a stage: what API Gateway throttles, what Lambda has no instance for, how long buyers
// stand in line for the hot product's row, and what the database can do in a second.
//
// It is for questions whose parts are simple and whose sum is not: a line before a lock holds instances, which hold connections, which
// turn buyers away who would only have been told that there is nothing left. How long the parts take is measured (make bench) or
// assumed, and said with the result.
package scale

import (
	"errors"
	"fmt"
	"time"
)

// A Stage is what bounds a rush.
type Stage struct {
	Name string

	RatePerSecond float64 // of API Gateway's throttling, requests
	Burst         int     // requests
	Instances     int     // of sales-api at once
	Connections   int     // that the database holds for them; fewer than instances behind a proxy alone
	Processors    int     // of the database
}

// Durations are what the parts of a checkout take. Where a mean is said, single ones vary around it, exponentially distributed.
type Durations struct {
	ColdStart time.Duration `json:"coldStart"` // of an instance: init, secret, first connection
	Function  time.Duration `json:"function"`  // mean: API Gateway and the function, around the call to the database
	RoundTrip time.Duration `json:"roundTrip"` // from the function to the database and back
	Processor time.Duration `json:"processor"` // mean: of one of the database's processors, for one checkout
	Commit    time.Duration `json:"commit"`    // mean: until the sale is on disk, in two zones where the stage has them; the row is held for it
	Enqueue   time.Duration `json:"enqueue"`   // mean: a message into a queue, where buyers are taken down and served later
}

// A Design is how stock is kept.
type Design struct {
	Name string
	// Buckets are the rows that a product's stock is split over. Each sells for itself; 1 is the design here.
	Buckets int
	// Reservations are taken down in a queue and served later, in batches of so many, by one consumer a bucket. 0: buyers are served at once.
	Reservations int
}

// A Rush is buyers who come for one product, each for one piece, and do not come again.
type Rush struct {
	BuyersPerSecond float64
	Duration        time.Duration
	Stock           int
}

// An Outcome is what became of a rush. Of all buyers each is in exactly one of the first five.
type Outcome struct {
	Sold        int // were sold what they wanted
	Refused     int // were told that there is no more
	Throttled   int // got 429 of API Gateway
	Unavailable int // got 503: Lambda had no instance

	SoldPerSecond   float64       // until the last sale
	LastSale        time.Duration // after the rush began
	P50, P99        time.Duration // from a buyer's request to the answer, of those who were sold or refused
	PeakInstances   int
	PeakConnections int // in use
	PeakInLine      int // before the hot rows
	PeakQueue       int // reservations not served yet
	RowBusy         float64
	ProcessorsBusy  float64 // both 0 to 1, until the last answer
}

func (s Stage) validate() error {
	if s.RatePerSecond <= 0 || s.Burst < 1 || s.Instances < 1 || s.Connections < 1 || s.Processors < 1 {
		return fmt.Errorf("stage %s: throttling, instances, connections and processors must be positive: %+v", s.Name, s)
	}
	return nil
}

func (d Design) validate() error {
	if d.Buckets < 1 || d.Reservations < 0 {
		return fmt.Errorf("design %s: a product's stock is in a row at least, and a batch is not negative: %+v", d.Name, d)
	}
	return nil
}

func (r Rush) validate() error {
	const most = 10_000_000 // buyers, whose answers are kept
	if r.BuyersPerSecond <= 0 || r.Duration <= 0 || r.Stock < 0 {
		return errors.New("a rush has buyers, takes a while, and its stock is not negative")
	}
	if n := r.BuyersPerSecond * r.Duration.Seconds(); n > most {
		return fmt.Errorf("a rush of %.0f buyers is too large to simulate: %d at most", n, most)
	}
	return nil
}
