// Package cost estimates what a stage costs in a month, from what the Pulumi program declares and a dated table of prices.
//
// It knows three sorts of resources: those with a price, those that are free, and all others, which it lists as not priced: nothing
// is free because nobody thought of it.
package cost

import (
	"cmp"
	"fmt"
	"slices"

	"restock/infra/graph"
)

// An Estimate is what a stage costs, before taxes.
type Estimate struct {
	Stage       string      `json:"stage"`
	Region      string      `json:"region"`
	PricesDate  string      `json:"pricesDate"` // year-month-day
	Assumptions Assumptions `json:"assumptions"`

	// Fixed are what a month costs without one checkout, PerMillion what a million checkouts add: the largest first.
	Fixed           []Line `json:"fixed"`
	PerMillion      []Line `json:"perMillionCheckouts"`
	FixedTotal      Money  `json:"fixedTotal"`
	PerMillionTotal Money  `json:"perMillionCheckoutsTotal"`
	// Month is the total at the assumed number of checkouts.
	Month Money `json:"month"`

	// Unpriced are what is declared, may cost something, and is in no line.
	Unpriced []string `json:"unpriced"`
	// Unconfirmed are the prices in use that nothing confirms.
	Unconfirmed []Price `json:"-"`
}

// A Line is what one resource, or one sort of use, costs. Amounts are in micro-dollars.
type Line struct {
	What   string `json:"what"`
	Detail string `json:"detail"` // the quantity, in words
	Cost   Money  `json:"cost"`
}

// A Stage is what is estimated: a recorded graph, not a preview, whose ids are unknown.
type Stage struct {
	Name   string
	Region string
	Graph  *graph.Graph
}

// New estimates a stage. It fails if the prices are another region's, if a resource is of a class or a sort that has no price where
// others have, or if an assumption is out of range.
func New(s Stage, prices Prices, a Assumptions) (*Estimate, error) {
	if s.Region != prices.Region {
		return nil, fmt.Errorf("estimating stage %s: it is in %s, and the prices are of %s: add a table for that region in infra/cost/prices.go", s.Name, s.Region, prices.Region)
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

// atVolume is what an amount per million checkouts is in a month.
func (e *Estimate) atVolume(perMillion Money) Money {
	return perMillion.scale(e.Assumptions.CheckoutsPerMonth, million)
}

// byCost sorts the largest first; equal ones as they came.
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

// price is the price of a quantity; the price is noted as used.
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

// perCheckouts adds a line for a million checkouts. What is not used has none.
func (e *estimator) perCheckouts(p Price, quantity int64, detail string, values ...any) {
	if quantity > 0 {
		e.perMillion = append(e.perMillion, Line{p.Name, fmt.Sprintf(detail, values...), e.price(p, quantity)})
	}
}
