package main

import (
	"cmp"
	"context"
	"errors"
	"flag"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/google/uuid"

	"restock/internal/merchant"
)

// showProducts prints a table of products.
func (s *session) showProducts(products []merchant.Product) {
	if len(products) == 0 {
		fmt.Fprintln(s.out, "There are no products. Create the first one:")
		fmt.Fprintln(s.out, "    shop create SKU --name … --price … --factory … --order-up-to … --stock …")
		fmt.Fprintln(s.out, "The factories are in the stage's catalogue, a file in lambdas/catalogues.")
		return
	}
	t := table{right: []int{1, 2, 3, 5, 6, 7, 9}}
	t.row("SKU", "STOCK", "BINS", "ON ORDER", "EXPECTED", "PRICE", "REORDER AT", "UP TO", "AUTOMATIC", "SUGGESTION",
		"NAME")
	for _, p := range products {
		t.row(p.SKU, amount(p.Stock), strconv.Itoa(p.Bins), amount(p.OnOrder), s.moment(p.ExpectedAt),
			price(p.Price, p.Currency), amount(p.ReorderPoint),
			amount(p.OrderUpTo), yes(p.Automatic), amount(p.Suggestion), p.Name)
	}
	t.writeTo(s.out)
	for _, p := range products {
		s.adviseBins(p)
	}
}

// adviseBins says how a product may sell faster if its buyers waited for each other.
func (s *session) adviseBins(p merchant.Product) {
	if !p.WaitedAt.IsZero() {
		fmt.Fprintf(s.out, "\nBuyers of %s waited for each other at %s. More bins may help: "+
			"shop set %s --bins %d\n", p.SKU, s.moment(p.WaitedAt), p.SKU, p.MoreBins())
	}
}

// showProduct prints one product in full.
func (s *session) showProduct(p merchant.Product) {
	t := table{}
	t.row("product", p.SKU)
	t.row("name", p.Name)
	t.row("price", price(p.Price, p.Currency)+" "+p.Currency)
	t.row("bins", strconv.Itoa(p.Bins))
	t.row("max per sale", orNone(p.MaxPerSale))
	t.row("stock", amount(p.Stock))
	t.row("on order", amount(p.OnOrder))
	t.row("expected", s.moment(p.ExpectedAt))
	t.row("suggestion", amount(p.Suggestion))
	t.row("automatic", yes(p.Automatic))
	t.row("reorder point", amount(p.ReorderPoint))
	t.row("order up to", amount(p.OrderUpTo))
	t.row("lot size", amount(p.LotSize))
	t.row("minimum order", orNone(p.MinimumOrder))
	t.row("lead time", span(time.Duration(p.LeadTimeSeconds)*time.Second))
	t.row("factory", p.Factory)
	t.writeTo(s.out)
	s.adviseBins(p)
}

// product makes a call that answers with a product, and shows the product.
func (s *session) product(ctx context.Context, k call) error {
	var p merchant.Product
	k.into = &p
	if err := s.client.do(ctx, k); err != nil {
		return err
	}
	return s.show(p, func() { s.showProduct(p) })
}

func productsCommand() command {
	return command{name: "products", arguments: "[SKU]",
		summary: "all products with their stock, or one product in full", most: 1,
		run: func(ctx context.Context, s *session, arguments []string) error {
			var answer merchant.Products
			if err := s.client.do(ctx, call{
				method: http.MethodGet, path: "/merchant/products", into: &answer,
			}); err != nil {
				return err
			}
			if len(arguments) == 0 {
				return s.show(answer, func() { s.showProducts(answer.Products) })
			}
			at := slices.IndexFunc(answer.Products, func(p merchant.Product) bool { return p.SKU == arguments[0] })
			if at < 0 {
				return fmt.Errorf("there is no product %q", arguments[0])
			}
			return s.show(answer.Products[at], func() { s.showProduct(answer.Products[at]) })
		}}
}

// changes are the fields of a request, one for each flag that was given.
type changes map[string]any

func (c changes) flags(f *flag.FlagSet) {
	text := func(name, field, usage string) {
		f.Func(name, usage, func(value string) error { c[field] = value; return nil })
	}
	number := func(name, field, usage string) { c.number(f, name, field, usage) }
	text("name", "name", "its `name`")
	number("price", "price", "its price in minor `units` of the shop's currency: 1990 is ₩1,990 or $19.90")
	number("bins", "bins", "keep the stock in `n` bins, 1 to 64; more bins sell faster")
	number("max-per-sale", "max_per_sale", "at most `n` a sale; 0: no limit")
	text("factory", "factory", "the `identifier` of the factory that makes it")
	number("reorder-point", "reorder_point", "order when the stock and the quantity on order fall to `n`")
	number("order-up-to", "order_up_to", "order as much as raises them to `n`")
	number("lot-size", "lot_size", "the factory makes whole lots of `n`")
	number("min-order", "minimum_order", "order `n` at least; 0: no minimum")
	f.Func("lead-time", "the `time` that the factory takes, like 40s or 2h", func(value string) error {
		d, err := time.ParseDuration(value)
		if err != nil || d%time.Second != 0 {
			return errors.New("not a time in whole seconds, like 40s or 2h")
		}
		c["lead_time_seconds"] = int64(d / time.Second)
		return nil
	})
	f.BoolFunc("automatic", "order by itself; =false: only suggest", func(value string) error {
		b, err := strconv.ParseBool(value)
		if err != nil {
			return errors.New("neither true nor false")
		}
		c["automatic"] = b
		return nil
	})
}

func (c changes) number(f *flag.FlagSet, name, field, usage string) {
	f.Func(name, usage, func(value string) error {
		n, err := strconv.ParseInt(value, 10, 64)
		if err != nil {
			return errors.New("not an integer from -2^63 to 2^63-1")
		}
		c[field] = n
		return nil
	})
}

func createCommand() command {
	fields := changes{}
	return command{name: "create", arguments: "SKU --name … --price … --factory … --order-up-to …",
		summary: "a new product", least: 1, most: 1,
		flags: func(f *flag.FlagSet) {
			fields.flags(f)
			fields.number(f, "stock", "stock", "`n` are on hand")
		},
		run: func(ctx context.Context, s *session, arguments []string) error {
			fields["sku"] = arguments[0]
			return s.product(ctx, call{method: http.MethodPost, path: "/merchant/products", body: fields})
		}}
}

func setCommand() command {
	fields := changes{}
	return command{name: "set", arguments: "SKU --price … --reorder-point … …",
		summary: "change a product or its policy", least: 1, most: 1, flags: fields.flags,
		run: func(ctx context.Context, s *session, arguments []string) error {
			if len(fields) == 0 {
				return usagef("set what of %s? shop set -h lists the flags", arguments[0])
			}
			return s.product(ctx, call{method: http.MethodPatch, path: productPath(arguments[0]), body: fields})
		}}
}

func adjustCommand() command {
	var reason, key string
	return command{name: "adjust", arguments: "SKU ±N --reason …", summary: "correct the stock after counting it",
		least: 2, most: 2,
		flags: func(f *flag.FlagSet) {
			f.StringVar(&reason, "reason", "", "`why`: damaged, counted, lost; the ledger keeps it")
			f.Func("key", "the `key` of an earlier adjustment that may have been booked", func(value string) error {
				// A blank key, for example from an unset variable, must not become a new one: the
				// adjustment would be booked twice.
				if strings.TrimSpace(value) == "" || strings.Contains(value, ",") {
					return errors.New("a key is not blank and has no comma; leave --key out to book a new adjustment")
				}
				key = value
				return nil
			})
		},
		run: func(ctx context.Context, s *session, arguments []string) error {
			quantity, err := strconv.Atoi(arguments[1])
			if err != nil || quantity == 0 {
				return usagef("%q is not a change of the stock, like -3 or +5", arguments[1])
			}
			if strings.TrimSpace(reason) == "" {
				return usagef("say why the stock of %s changes: --reason damaged", arguments[0])
			}
			key = cmp.Or(key, uuid.NewString())
			err = s.product(ctx, call{
				method: http.MethodPost, path: productPath(arguments[0]) + "/adjustments", key: key,
				body: map[string]any{"quantity": quantity, "reason": reason},
			})
			var refused *refusal
			if err != nil && (!errors.As(err, &refused) || refused.status >= http.StatusInternalServerError) {
				return fmt.Errorf("%w; it may have been booked: repeat it with --key %s to book it only once", err, key)
			}
			return err
		}}
}

func productPath(sku string) string { return "/merchant/products/" + url.PathEscape(sku) }
