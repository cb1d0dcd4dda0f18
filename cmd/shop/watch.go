package main

import (
	"context"
	"fmt"
	"time"

	"github.com/spf13/pflag"

	"restock/internal/merchant"
)

// A changed is what watch prints: a product whose stock or order has changed.
type changed struct {
	At      time.Time `json:"at"`
	SKU     string    `json:"sku"`
	Stock   int       `json:"stock"`
	OnOrder int       `json:"on_order"`
	Was     seen      `json:"was"`
}

// A seen is what watch knows of a product.
type seen struct {
	Stock   int `json:"stock"`
	OnOrder int `json:"on_order"`
}

func watchCommand() command {
	var every time.Duration
	return command{name: "watch", arguments: "[SKU]", summary: "print changes of stock and orders until Ctrl-C",
		more: "It reads the products again and again. Between two readings several sales are one change.\n" +
			"It leaves out an archived product until its stock or order changes, unless SKU names it.",
		examples: "watch --local\nwatch --local CP-502101 --every 10s", most: 1, complete: skus,
		flags: func(f *pflag.FlagSet) {
			f.DurationVar(&every, "every", 2*time.Second, "the `time` between two readings, 1s at least")
		},
		run: func(ctx context.Context, s *session, arguments []string) error {
			if every < time.Second {
				return usagef("--every %v is too short: each reading is a request, 1s at least", every)
			}
			known := map[string]seen{}
			for first := true; ; first = false {
				answer, err := s.products(ctx)
				if ctx.Err() != nil {
					return nil // Ctrl-C is how a person ends it
				}
				if err != nil {
					return err
				}
				for _, p := range answer.Products {
					if len(arguments) > 0 && p.SKU != arguments[0] {
						continue
					}
					was, now := known[p.SKU], seen{p.Stock, p.OnOrder}
					known[p.SKU] = now
					show := was != now
					if first {
						show = p.ArchivedAt.IsZero() || len(arguments) > 0
					}
					if show {
						s.showChange(p, was, first)
					}
				}
				if len(known) == 0 && len(arguments) > 0 {
					return fmt.Errorf("there is no product %q: %s lists them", arguments[0], s.line("products"))
				}
				if s.wait(ctx, every) != nil {
					return nil
				}
			}
		}}
}

func (s *session) showChange(p merchant.Product, was seen, first bool) {
	if s.json {
		_ = s.encode(s.out, changed{s.now().UTC(), p.SKU, p.Stock, p.OnOrder, was})
		return
	}
	from := func(was, now int) string {
		if first || was == now {
			return amount(now)
		}
		return amount(was) + " → " + amount(now)
	}
	fmt.Fprintf(s.out, "%s  %s  stock %s  on order %s\n",
		s.moment(s.now()), p.SKU, from(was.Stock, p.Stock), from(was.OnOrder, p.OnOrder))
}
