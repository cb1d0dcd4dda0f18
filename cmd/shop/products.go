package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/google/uuid"
	"github.com/spf13/pflag"

	"restock/internal/merchant"
	"restock/internal/shop"
)

// showProducts prints a table of products.
func (s *session) showProducts(products []merchant.Product) {
	if len(products) == 0 {
		fmt.Fprintln(s.out, "There are no products. Create the first one:")
		fmt.Fprintf(s.out, "    %s SKU --name … --price … --factory … --order-up-to … --stock …\n", s.line("create"))
		fmt.Fprintln(s.out, "The factories are in the stage's catalogue, a file in lambdas/catalogues.")
		return
	}
	t := table{right: []int{1, 2, 3, 4, 6, 7, 8, 10}}
	t.row("SKU", "STOCK", "WAITING", "BINS", "ON ORDER", "EXPECTED", "PRICE", "REORDER AT", "UP TO", "AUTOMATIC",
		"SUGGESTION", "NAME")
	for _, p := range products {
		t.row(p.SKU, amount(p.Stock), amount(p.Waiting), strconv.Itoa(p.Bins), amount(p.OnOrder),
			s.expected(p), price(p.Price, p.Currency), amount(p.ReorderPoint), amount(p.OrderUpTo),
			yes(p.Automatic), amount(p.Suggestion), p.Name)
	}
	t.writeTo(s.out)
	for _, p := range products {
		s.adviseBins(p)
	}
}

// expected says when the quantity on order should arrive, or since when it is late.
func (s *session) expected(p merchant.Product) string {
	if !p.ExpectedAt.IsZero() && p.ExpectedAt.Before(s.now()) {
		return "overdue since " + s.moment(p.ExpectedAt)
	}
	return s.moment(p.ExpectedAt)
}

// adviseBins says how a product may sell faster if its buyers waited for each other.
func (s *session) adviseBins(p merchant.Product) {
	if !p.WaitedAt.IsZero() {
		fmt.Fprintf(s.out, "\nBuyers of %s waited for each other at %s. More bins may help: %s\n",
			p.SKU, s.moment(p.WaitedAt), s.line("set", p.SKU, "--bins", strconv.Itoa(p.MoreBins())))
	}
}

// showProduct prints one product in full.
func (s *session) showProduct(p merchant.Product) {
	t := table{}
	t.row("product", p.SKU)
	t.row("name", p.Name)
	for _, language := range slices.Sorted(maps.Keys(p.Names)) {
		t.row("name, "+language, p.Names[language])
	}
	if !p.ArchivedAt.IsZero() {
		t.row("archived", s.moment(p.ArchivedAt))
	}
	t.row("price", price(p.Price, p.Currency)+" "+p.Currency)
	t.row("bins", strconv.Itoa(p.Bins))
	t.row("max per sale", orNone(p.MaxPerSale))
	t.row("stock", amount(p.Stock))
	if p.Waiting > 0 {
		t.row("waiting", amount(p.Waiting))
	}
	t.row("on order", amount(p.OnOrder))
	t.row("expected", s.expected(p))
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

// product makes a call that answers with a product, and shows the product and notes about it.
func (s *session) product(ctx context.Context, k call, notes ...func(merchant.Product)) error {
	var p merchant.Product
	k.into = &p
	if err := s.client.do(ctx, k); err != nil {
		return err
	}
	return s.show(p, func() {
		s.showProduct(p)
		for _, note := range notes {
			note(p)
		}
	})
}

// products reads all products.
func (s *session) products(ctx context.Context) (answer merchant.Products, err error) {
	return answer, s.client.do(ctx, call{method: http.MethodGet, path: "/merchant/products", into: &answer})
}

// skus completes a SKU.
func skus(ctx context.Context, s *session) (all []string) {
	answer, _ := s.products(ctx) // without an answer there is nothing to complete
	for _, p := range answer.Products {
		all = append(all, p.SKU+"\t"+p.Name)
	}
	return all
}

func productsCommand() command {
	var low, archived bool
	return command{name: "products", arguments: "[SKU]",
		summary:  "all products with their stock, or one product in full",
		examples: "products --local\nproducts --local --low\nproducts --local CP-502101 --json",
		most:     1, complete: skus,
		flags: func(f *pflag.FlagSet) {
			f.BoolVar(&low, "low", false, "only products whose stock is at the reorder point or below")
			f.BoolVar(&archived, "archived", false, "only archived products, which other lists leave out")
		},
		run: func(ctx context.Context, s *session, arguments []string) error {
			answer, err := s.products(ctx)
			if err != nil {
				return err
			}
			if len(arguments) == 0 {
				answer.Products = slices.DeleteFunc(answer.Products, func(p merchant.Product) bool {
					return p.ArchivedAt.IsZero() == archived
				})
			} else {
				isOther := func(p merchant.Product) bool { return p.SKU != arguments[0] }
				if answer.Products = slices.DeleteFunc(answer.Products, isOther); len(answer.Products) == 0 {
					return fmt.Errorf("there is no product %q: %s lists them", arguments[0], s.line("products"))
				}
			}
			if archived && len(answer.Products) == 0 && !s.json {
				fmt.Fprintln(s.out, "No product is archived.")
				return nil
			}
			if low {
				answer.Products = slices.DeleteFunc(answer.Products, func(p merchant.Product) bool {
					return p.Stock > p.ReorderPoint
				})
				switch {
				case len(answer.Products) > 0 || s.json && len(arguments) == 0:
				case len(arguments) > 0:
					return fmt.Errorf("the stock of %s is not low", arguments[0])
				default:
					fmt.Fprintln(s.out, "No product is low.")
					return nil
				}
			}
			if len(arguments) == 0 {
				return s.show(answer, func() { s.showProducts(answer.Products) })
			}
			return s.show(answer.Products[0], func() { s.showProduct(answer.Products[0]) })
		}}
}

// changes are the fields of a request, one for each flag that was given.
type changes map[string]any

func (c changes) flags(f *pflag.FlagSet) {
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
	number("order-up-to", "order_up_to", "order as much as raises the stock and the quantity on order to `n`")
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

func (c changes) number(f *pflag.FlagSet, name, field, usage string) {
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
		summary: "a new product", more: "The shop orders it by itself, unless you add --automatic=false. " +
			"The other defaults: --stock 0,\n--bins 1, --lot-size 1, --reorder-point 0, --min-order 0, " +
			"--max-per-sale 0, and the lead time of the stage.",
		examples: "create --local CP-502105 --name 크림도너츠 --price 2200 --factory FF-500293 --order-up-to 100 --stock 60",
		least:    1, most: 1,
		flags: func(f *pflag.FlagSet) {
			fields.flags(f)
			fields.number(f, "stock", "stock", "`n` are on hand")
		},
		run: func(ctx context.Context, s *session, arguments []string) error {
			if err := checkSKU(arguments[0]); err != nil {
				return err
			}
			for _, flag := range []string{"name", "price", "factory", "order-up-to"} {
				if _, given := fields[strings.ReplaceAll(flag, "-", "_")]; !given {
					return usagef("--%s is missing: %s explains the flags", flag, s.line("create", "-h"))
				}
			}
			if _, said := fields["automatic"]; !said {
				fields["automatic"] = true
			}
			fields["sku"] = arguments[0]
			return s.product(ctx, call{method: http.MethodPost, path: "/merchant/products", body: fields})
		}}
}

func setCommand() command {
	fields := changes{}
	return command{name: "set", arguments: "SKU --FLAG VALUE …",
		summary: "change a product or its policy", least: 1, most: 1, complete: skus,
		more: "--language says which language --name is in. An empty name removes the name in that language.",
		examples: "set --local CP-502101 --price 19900\nset --local CP-502101 --reorder-point 20 --order-up-to 100\n" +
			"set --local CP-502101 --language en --name \"Busan doughnut\"",
		flags: func(f *pflag.FlagSet) {
			fields.flags(f)
			f.Func("language", "--name is the name in a language, by its `tag`: en", func(value string) error {
				fields["language"] = value
				return nil
			})
		},
		run: func(ctx context.Context, s *session, arguments []string) error {
			if err := checkSKU(arguments[0]); err != nil {
				return err
			}
			if len(fields) == 0 {
				return usagef("set what of %s? %s lists the flags", arguments[0], s.line("set", "-h"))
			}
			return s.product(ctx, call{method: http.MethodPatch, path: productPath(arguments[0]), body: fields})
		}}
}

func archiveCommand() command {
	var undo bool
	return command{name: "archive", arguments: "SKU",
		summary: "take a product out of the shop; its books stay",
		more: "The shop no longer lists, sells or orders the product. It must have no stock and no open order.\n" +
			"Stock that comes all the same, from a late delivery or a count, puts it on sale again.",
		examples: "archive --local CP-502103\narchive --local CP-502103 --undo\nproducts --local --archived",
		least:    1, most: 1, complete: skus,
		flags: func(f *pflag.FlagSet) {
			f.BoolVar(&undo, "undo", false, "put an archived product on sale again")
		},
		run: func(ctx context.Context, s *session, arguments []string) error {
			if err := checkSKU(arguments[0]); err != nil {
				return err
			}
			return s.product(ctx, call{method: http.MethodPatch, path: productPath(arguments[0]),
				body: changes{"archived": !undo}}, func(p merchant.Product) {
				if undo && !p.Automatic {
					fmt.Fprintf(s.out, "The shop does not order it by itself. To change that: %s\n",
						s.line("set", p.SKU, "--automatic"))
				}
			})
		}}
}

func adjustCommand() command {
	var reason, key string
	to := -1
	return command{name: "adjust", arguments: "SKU ±N|--to N --reason …",
		summary:  "correct the stock after counting it",
		more:     "±N is the difference, --to the stock that you counted. shop undo takes an adjustment back.",
		examples: "adjust --local CP-502101 -3 --reason damaged\nadjust --local CP-502101 --to 97 --reason counted",
		least:    1, most: 2, complete: skus,
		flags: func(f *pflag.FlagSet) {
			f.StringVar(&reason, "reason", "", "`why`: damaged, counted, lost; the ledger keeps it")
			f.Func("to", "`n` are on hand; the shop books the difference", func(value string) (err error) {
				if to, err = strconv.Atoi(value); err != nil || to < 0 {
					return errors.New("not a stock: it must be 0 or more")
				}
				return nil
			})
			keyFlag(f, &key)
		},
		run: func(ctx context.Context, s *session, arguments []string) error {
			if err := checkSKU(arguments[0]); err != nil {
				return err
			}
			body := map[string]any{"reason": reason}
			switch {
			case (len(arguments) == 2) == (to >= 0):
				return usagef("give either a change of the stock, like -3 or +5, or --to and the counted stock")
			case to >= 0:
				body["to"] = to
			default:
				quantity, err := strconv.Atoi(arguments[1])
				if err != nil || quantity == 0 {
					return usagef("%q is not a change of the stock, like -3 or +5", arguments[1])
				}
				if !strings.ContainsAny(arguments[1], "+-") {
					return usagef("%s has no sign: give the change of the stock, like -3 or +5, "+
						"or --to %[1]s if %[1]s are on hand", arguments[1])
				}
				body["quantity"] = quantity
			}
			if strings.TrimSpace(reason) == "" {
				return usagef("--reason is missing: say why the stock of %s changes, like --reason damaged",
					arguments[0])
			}
			return s.adjusted(ctx, call{
				method: http.MethodPost, path: productPath(arguments[0]) + "/adjustments",
				key: cmp.Or(key, uuid.NewString()), body: body,
			})
		}}
}

func undoCommand() command {
	return command{name: "undo", arguments: "SKU NUMBER", summary: "take an adjustment back, once",
		more: "NUMBER is the adjustment's number in the ledger. The ledger keeps both entries: the undo is the\n" +
			"opposite adjustment, and its reason names the number.",
		examples: "undo --local CP-502101 17", least: 2, most: 2, complete: skus,
		run: func(ctx context.Context, s *session, arguments []string) error {
			if err := checkSKU(arguments[0]); err != nil {
				return err
			}
			number, err := strconv.ParseInt(arguments[1], 10, 64)
			if err != nil || number < 1 {
				return usagef("%q is not the number of an adjustment: %s lists them",
					arguments[1], s.line("ledger", arguments[0]))
			}
			return s.adjusted(ctx, call{
				method: http.MethodPost, path: fmt.Sprintf("%s/adjustments/%d/undo", productPath(arguments[0]), number),
				once: true,
			})
		}}
}

// adjusted makes a call that answers with an adjustment, and shows it.
func (s *session) adjusted(ctx context.Context, k call) error {
	var a merchant.Adjusted
	k.into = &a
	if err := s.client.do(ctx, k); err != nil {
		return err
	}
	return s.show(a, func() {
		switch e := a.Adjustment; {
		case e.Number == 0:
			fmt.Fprintf(s.out, "%s: the stock is %s already, nothing is booked\n", a.SKU, amount(a.Stock))
		case e.Repeated:
			fmt.Fprintf(s.out, "%s: %s → %s was booked before; nothing is changed now\n", a.SKU, amount(e.Before),
				amount(e.After))
		default:
			fmt.Fprintf(s.out, "%s: %s → %s; to take it back: %s\n", a.SKU, amount(e.Before), amount(e.After),
				s.line("undo", a.SKU, strconv.FormatInt(e.Number, 10)))
		}
		if o := a.Opened; o.Quantity > 0 {
			fmt.Fprintf(s.out, "The stock is at the reorder point or below: the shop opened production order %s "+
				"of %s.\n", o.ID, amount(o.Quantity))
		}
		s.showProduct(a.Product)
	})
}

// keyFlag is the flag --key of a command that can be repeated.
func keyFlag(f *pflag.FlagSet, key *string) {
	f.Func("key", "the `key` of an earlier attempt that may have been booked", func(value string) error {
		// A blank key, for example from an unset variable, must not become a new one: the change
		// would be booked twice.
		if strings.TrimSpace(value) == "" || strings.Contains(value, ",") {
			return errors.New("a key is not blank and has no comma; leave --key out to book a new one")
		}
		*key = value
		return nil
	})
}

// checkSKU refuses a text that cannot be a SKU: it would name another path of the API.
func checkSKU(sku string) error {
	if !shop.IsSKU(sku) {
		return usagef("%q is not a SKU: a SKU has letters, digits, dots, dashes and underscores, like CP-502101", sku)
	}
	return nil
}

func productPath(sku string) string { return "/merchant/products/" + url.PathEscape(sku) }
