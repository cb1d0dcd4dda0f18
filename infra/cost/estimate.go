// Package cost estimates the monthly cost of a stage, from the resources that the Pulumi program
// declares and a dated table of prices.
//
// It knows resources with a price and free resources. It lists all others as not priced, so that no
// resource counts as free by mistake.
package cost

import (
	"cmp"
	"fmt"
	"slices"

	"restock/infra/graph"
)

// An Estimate is the cost of a stage, before taxes.
type Estimate struct {
	Stage       string      `json:"stage"`
	Region      string      `json:"region"`
	PricesDate  string      `json:"pricesDate"` // year-month-day
	Assumptions Assumptions `json:"assumptions"`

	// Fixed is the cost of a month without a checkout. PerMillion is the added cost of a million
	// checkouts. Both have the largest line first.
	Fixed           []Line `json:"fixed"`
	PerMillion      []Line `json:"perMillionCheckouts"`
	FixedTotal      Money  `json:"fixedTotal"`
	PerMillionTotal Money  `json:"perMillionCheckoutsTotal"`
	// Month is the total at the assumed number of checkouts.
	Month Money `json:"month"`

	// Unpriced are declared resources, or properties, that may cost something and are in no line.
	Unpriced []string `json:"unpriced"`
	// Unconfirmed are the used prices that are from memory.
	Unconfirmed []Price `json:"-"`
}

// A Line is the cost of a resource or of a kind of use.
type Line struct {
	What   string `json:"what"`
	Detail string `json:"detail"` // the quantity, in words
	Cost   Money  `json:"cost"`
}

// A Stage is a recorded graph to estimate. It must not be a preview, which has no ids.
type Stage struct {
	Name   string
	Region string
	Graph  *graph.Graph
}

// New estimates a stage. It fails if the prices are for another region, if the database's engine,
// storage or class has no price, or if an assumption is out of range.
func New(s Stage, prices Prices, a Assumptions) (*Estimate, error) {
	if s.Region != prices.Region {
		return nil, fmt.Errorf("estimating stage %s: it is in %s, but the prices are for %s: add a table for that "+
			"region in infra/cost/prices.go", s.Name, s.Region, prices.Region)
	}
	if err := a.validate(); err != nil {
		return nil, fmt.Errorf("estimating stage %s: %w", s.Name, err)
	}
	e := &estimator{Graph: s.Graph, prices: prices, assume: a, used: map[string]Price{}, alarms: map[string]int64{}}
	if err := e.resources(); err != nil {
		return nil, fmt.Errorf("estimating stage %s: %w", s.Name, err)
	}
	e.usage()

	estimate := &Estimate{
		Stage: s.Name, Region: s.Region, PricesDate: prices.Date.Format("2006-01-02"), Assumptions: a,
		Fixed: byCost(e.fixed), PerMillion: byCost(e.perMillion), Unpriced: append([]string{}, e.unpriced...),
	}
	estimate.FixedTotal, estimate.PerMillionTotal = total(e.fixed), total(e.perMillion)
	estimate.Month = estimate.FixedTotal + estimate.atVolume(estimate.PerMillionTotal)
	for _, p := range e.used {
		if p.Basis != Quoted {
			estimate.Unconfirmed = append(estimate.Unconfirmed, p)
		}
	}
	slices.SortFunc(estimate.Unconfirmed, func(a, b Price) int { return cmp.Compare(a.Name, b.Name) })
	return estimate, nil
}

// atVolume converts an amount per million checkouts to an amount per month.
func (e *Estimate) atVolume(perMillion Money) Money {
	return perMillion.scale(e.Assumptions.CheckoutsPerMonth, million)
}

// byCost sorts lines by cost, the largest first. Lines with equal cost keep their order.
func byCost(lines []Line) []Line {
	slices.SortStableFunc(lines, func(a, b Line) int { return cmp.Compare(b.Cost, a.Cost) })
	return lines
}

func total(lines []Line) (sum Money) {
	for _, l := range lines {
		sum += l.Cost
	}
	return sum
}

// An estimator collects lines.
type estimator struct {
	*graph.Graph
	prices Prices
	assume Assumptions

	fixed, perMillion []Line
	unpriced          []string
	used              map[string]Price // by name
	alarms            map[string]int64 // watched metrics, by the name of their price
}

// price returns the price of a quantity, and notes that the price is used.
func (e *estimator) price(p Price, quantity int64) Money {
	if quantity > 0 {
		e.used[p.Name] = p
	}
	return p.of(quantity)
}

// always adds a line that does not depend on checkouts.
func (e *estimator) always(what string, cost Money, detail string, values ...any) {
	e.fixed = append(e.fixed, Line{what, fmt.Sprintf(detail, values...), cost})
}

// perCheckouts adds a line for a million checkouts, unless the quantity is 0.
func (e *estimator) perCheckouts(p Price, quantity int64, detail string, values ...any) {
	if quantity > 0 {
		e.perMillion = append(e.perMillion, Line{p.Name, fmt.Sprintf(detail, values...), e.price(p, quantity)})
	}
}
