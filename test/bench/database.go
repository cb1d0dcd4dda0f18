package main

import (
	"context"
	"fmt"
	"math"

	"restock/test/rds"
)

// maxBins is the most bins of a product.
const maxBins = 64

// measureDatabases compares whole checkouts with the bare UPDATE that every checkout needs, on each
// kind of database. See BenchmarkCheckout in package mysql.
func (b *bench) measureDatabases(ctx context.Context) (measured []section, err error) {
	for _, kind := range rds.Kinds {
		all, err := b.goBench(ctx, "./internal/mysql", "Checkout/database="+string(kind), "-benchtime=30x")
		if err != nil {
			return nil, err
		}
		s, err := checkouts(kind, all)
		if err != nil {
			return nil, err
		}
		measured = append(measured, s)
		b.step()
	}
	return measured, nil
}

// checkouts makes a section of the metrics of one kind of database.
func checkouts(kind rds.Kind, all map[string]map[string]float64) (section, error) {
	name := func(network string) string { return fmt.Sprintf("Checkout/database=%s/network=%s", kind, network) }
	m, found := all[name("0s")]
	if !found {
		return section{}, fmt.Errorf("there is no result of the benchmark %s: %v", name("0s"), all)
	}
	s := section{
		Title:    fmt.Sprintf("Checkouts on a database %s", kind.Title()),
		Database: fmt.Sprintf("%s, %.0f connections, 30 rounds", kind.Title(), m["connections"]),
	}
	commit := result{What: "the bare UPDATE of one row on one connection", Value: m["commit-µs"] / 1000, Unit: "ms"}
	if standby := m["standby-µs"]; standby > 0 {
		commit.Note = "it waits for the standby for " + shown(standby/1000, "ms")
	}
	s.Rows = []result{commit, {What: "bare UPDATEs of one row", Value: m["update/s"], Unit: "/s"}}
	most := 0
	for bins := 1; bins <= maxBins; bins++ {
		name := fmt.Sprintf("bins=%d", bins)
		if rate, found := m[name+"/s"]; found {
			what := fmt.Sprintf("checkouts of one product, %d %s", bins, plural(bins, "bin"))
			s.Rows = append(s.Rows, result{What: what, Value: rate, Unit: "/s"},
				ratio(m, what+", for each bare UPDATE", name, "update", ratioGoal(kind, bins)))
			most = bins
		}
	}
	var evenly *goal // only with the most bins
	if kind == rds.MultiAZ && most == maxBins {
		evenly = atLeast(0.9)
	}
	s.Rows = append(s.Rows,
		result{What: "checkouts of 100 products", Value: m["products=100/s"], Unit: "/s"},
		ratio(m, "checkouts of 100 products, for each bare UPDATE of 100 products", "products=100", "update-100", nil),
		ratio(m, fmt.Sprintf("checkouts of one product, %d %s, for each checkout of 100 products", most,
			plural(most, "bin")), fmt.Sprintf("bins=%d", most), "products=100", evenly),
		result{
			What:  "refusals for each checkout of one product, 1 bin",
			Value: m["refusal/s"] / m["bins=1/s"], Unit: "×", Goal: atLeast(1), Note: shown(m["refusal/s"], "/s"),
		},
	)
	for _, network := range []string{"500µs", "1ms"} {
		m, found := all[name(network)]
		if !found {
			continue // not measured on every kind
		}
		s.Rows = append(s.Rows,
			ratio(m, fmt.Sprintf("checkouts of one product, 1 bin, for each bare UPDATE; a round trip of %.0f µs",
				m["roundtrip-µs"]), "bins=1", "update", nil),
			result{
				What:  "round trips for a checkout, counted on the wire",
				Value: math.Round(m["roundtrips/checkout"]*100) / 100, Goal: atMost(1),
			})
	}
	return s, nil
}

// ratioGoal returns the goal for checkouts of one product, divided by bare UPDATEs of one row.
func ratioGoal(kind rds.Kind, bins int) *goal {
	switch {
	case kind == rds.MultiAZ && bins == maxBins:
		return atLeast(10)
	case kind == rds.MultiAZ && bins == 1:
		return atLeast(0.9)
	case kind == rds.NoLog && bins == 1:
		return atLeast(0.55)
	}
	return nil
}

// ratio is the result for two kinds of work in the same round: the median, with the quartiles.
func ratio(m map[string]float64, what, name, base string, goal *goal) result {
	unit := name + "/" + base
	return result{
		What: what, Value: m[unit], Unit: "×", Goal: goal,
		Note: fmt.Sprintf("%s to %s in the middle half of the rounds",
			shown(m[unit+"-p25"], "×"), shown(m[unit+"-p75"], "×")),
	}
}

func plural(n int, noun string) string {
	if n == 1 {
		return noun
	}
	return noun + "s"
}
