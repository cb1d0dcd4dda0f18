package main

import (
	"context"
	"fmt"
)

// measureDatabase compares whole checkouts with the bare UPDATE that every checkout needs. See
// BenchmarkCheckout in package mysql.
func (b *bench) measureDatabase(ctx context.Context) (section, error) {
	s := section{Title: "A hot product: whole checkouts against the bare UPDATE, 16 connections, one server"}
	measured, err := b.goBench(ctx, "./internal/mysql", "Checkout", "-benchtime=30x")
	if err != nil {
		return s, err
	}
	b.step()
	for _, products := range []int{1, 100} {
		for _, network := range []string{"0s", "500µs", "1ms"} {
			name := fmt.Sprintf("Checkout/products=%d/network=%s", products, network)
			m, found := measured[name]
			if !found {
				return s, fmt.Errorf("there is no result of the benchmark %s: %v", name, measured)
			}
			ratio := result{
				What:  fmt.Sprintf("checkouts for each bare UPDATE, %d %s", products, plural(products)),
				Value: m["checkout/update"], Unit: "×",
				Note: fmt.Sprintf(
					"%.0f to %.0f of 100 in the middle half of 30 rounds; %s checkouts, %s updates, %s refusals",
					100*m["checkout/update-p25"], 100*m["checkout/update-p75"],
					shown(m["checkout/s"], "/s"), shown(m["update/s"], "/s"), shown(m["refusal/s"], "/s")),
			}
			if network == "0s" {
				ratio.Goal = atLeast(0.6)
				s.Rows = append(s.Rows, ratio, result{
					What:  fmt.Sprintf("refusals for each sale, %d %s", products, plural(products)),
					Value: m["refusal/s"] / m["checkout/s"], Unit: "×", Goal: atLeast(1),
				})
				continue
			}
			ratio.What += fmt.Sprintf(", a round trip of %.0f µs", m["roundtrip-µs"])
			s.Rows = append(s.Rows, ratio, result{
				What: "round trips for a checkout, counted on the wire", Value: m["roundtrips/checkout"],
				Goal: atMost(2),
			})
		}
	}
	return s, nil
}

func plural(products int) string {
	if products == 1 {
		return "product"
	}
	return "products"
}
