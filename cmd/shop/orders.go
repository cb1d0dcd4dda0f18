package main

import (
	"cmp"
	"context"
	"fmt"
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/google/uuid"
	"github.com/spf13/pflag"

	"restock/internal/merchant"
	"restock/internal/shop"
)

// A page selects a part of a list.
type page struct {
	limit  int
	before string
}

func (p *page) flags(f *pflag.FlagSet) {
	f.IntVar(&p.limit, "limit", merchant.DefaultPage, "list at most `n`")
	f.StringVar(&p.before, "before", "", "go on `where` the last list ended: the value that it printed")
}

// list requests pages of a list until it has as many items as wanted. It returns where the list
// goes on, or "" at its end. add keeps the items of one answer, and returns their number.
func list[Answer any](ctx context.Context, s *session, p page, path string, query url.Values,
	add func(Answer) (had int, next string)) (next string, err error) {
	if p.limit < 1 {
		return "", usagef("--limit %d is invalid: it must be 1 or more", p.limit)
	}
	next = p.before
	for left := p.limit; left > 0; {
		query.Set("limit", strconv.Itoa(min(left, merchant.MaxPage)))
		if next != "" {
			query.Set("before", next)
		}
		var answer Answer
		if err := s.client.do(ctx, call{
			method: http.MethodGet, path: path, query: query, into: &answer,
		}); err != nil {
			return "", err
		}
		had, after := add(answer)
		if next, left = after, left-had; next == "" {
			break
		}
	}
	return next, nil
}

// more tells a person how to see the rest of a list: with the same command, from where it ended.
func (s *session) more(next string, arguments ...string) {
	if next != "" {
		line := append([]string{s.command.Name()}, arguments...)
		fmt.Fprintf(s.out, "There are more: %s%s --before %s\n",
			s.line(line...), given(s.command.LocalFlags(), "before"), next)
	}
}

func ordersCommand() command {
	var p page
	var sku, status string
	return command{name: "orders", arguments: "[--sku SKU] [--status STATUS]",
		summary:  "production orders, the newest first",
		examples: "orders --local\norders --local --sku CP-502101 --status open",
		flags: func(f *pflag.FlagSet) {
			f.StringVar(&sku, "sku", "", "of this `product` alone")
			f.StringVar(&status, "status", "", "with this `status` alone: "+statuses())
			p.flags(f)
		},
		run: func(ctx context.Context, s *session, _ []string) error {
			if status != "" && !slices.Contains(shop.OrderStatuses, shop.OrderStatus(status)) {
				return usagef("no status %q: %s", status, statuses())
			}
			query := url.Values{}
			for name, value := range map[string]string{"sku": sku, "status": status} {
				if value != "" {
					query.Set(name, value)
				}
			}
			all := merchant.ProductionOrders{Orders: []merchant.ProductionOrder{}}
			var err error
			add := func(a merchant.ProductionOrders) (int, string) {
				all.Orders = append(all.Orders, a.Orders...)
				return len(a.Orders), a.Next
			}
			all.Next, err = list(ctx, s, p, "/merchant/production-orders", query, add)
			if err != nil {
				return err
			}
			return s.show(all, func() {
				t := table{right: []int{4, 5, 6}}
				t.row("OPENED", "ORDER", "SKU", "STATUS", "QUANTITY", "RECEIVED", "ASKS", "CLOSED", "FACTORY")
				for _, o := range all.Orders {
					t.row(s.moment(o.OpenedAt), o.ID.String(), o.SKU, string(o.Status), amount(o.Quantity),
						amount(o.Received), amount(o.Asks), s.moment(o.ClosedAt), o.Factory)
				}
				t.writeTo(s.out)
				s.more(all.Next)
			})
		}}
}

// statuses names all states of a production order.
func statuses() string {
	var all []string
	for _, status := range shop.OrderStatuses {
		all = append(all, string(status))
	}
	return strings.Join(all, ", ")
}

// order makes a call that answers with a production order, and shows the order.
func (s *session) order(ctx context.Context, k call) error {
	var o merchant.ProductionOrder
	k.into = &o
	if err := s.client.do(ctx, k); err != nil {
		return err
	}
	return s.show(o, func() {
		t := table{}
		t.row("order", o.ID.String())
		t.row("product", o.SKU)
		t.row("status", string(o.Status))
		t.row("quantity", amount(o.Quantity))
		t.row("received", amount(o.Received))
		t.row("factory", o.Factory)
		t.row("opened", s.moment(o.OpenedAt))
		t.row("published", s.moment(o.PublishedAt))
		t.row("asked", fmt.Sprintf("%s, %s", times(o.Asks), s.moment(o.AskedAt)))
		t.row("closed", s.moment(o.ClosedAt))
		t.row("correlation", cmp.Or(o.Correlation, none))
		t.writeTo(s.out)
	})
}

func times(n int) string {
	if n == 1 {
		return "once"
	}
	return amount(n) + " times"
}

func orderCommand() command {
	return command{name: "order", arguments: "ORDER", summary: "one production order", least: 1, most: 1,
		more:     shortened,
		examples: "order --local 0197a000-0000-7000-8000-000000000002\norder --local 0197a000",
		run: func(ctx context.Context, s *session, arguments []string) error {
			id, err := s.orderID(ctx, arguments[0])
			if err != nil {
				return err
			}
			return s.order(ctx, call{method: http.MethodGet, path: orderPath(id)})
		}}
}

func openCommand() command {
	return command{name: "open", arguments: "SKU [N]",
		summary: "open a production order; N defaults to what the policy suggests", least: 1, most: 2,
		examples: "open --local CP-502101\nopen --local CP-502101 200", complete: skus,
		run: func(ctx context.Context, s *session, arguments []string) error {
			if err := checkSKU(arguments[0]); err != nil {
				return err
			}
			body := map[string]any{"sku": arguments[0]}
			if len(arguments) == 2 {
				quantity, err := strconv.Atoi(arguments[1])
				if err != nil || quantity < 1 {
					return usagef("%q is not a quantity: it must be 1 or more", arguments[1])
				}
				body["quantity"] = quantity
			}
			return s.order(ctx, call{method: http.MethodPost, path: "/merchant/production-orders", body: body})
		}}
}

func cancelCommand() command {
	return command{name: "cancel", arguments: "ORDER",
		summary: "cancel an open production order; a later delivery is booked all the same", least: 1, most: 1,
		more:     shortened,
		examples: "cancel --local 0197a000-0000-7000-8000-000000000002",
		run: func(ctx context.Context, s *session, arguments []string) error {
			id, err := s.orderID(ctx, arguments[0])
			if err != nil {
				return err
			}
			return s.order(ctx, call{method: http.MethodPost, path: orderPath(id) + "/cancellation"})
		}}
}

const shortened = "The beginning of the order's id is enough, if no other order's id begins so."

var idPrefix = regexp.MustCompile(`^([0-9a-f]-?){4,32}$`)

// orderID completes the beginning of an order's id.
func (s *session) orderID(ctx context.Context, text string) (string, error) {
	text = strings.ToLower(text)
	if !idPrefix.MatchString(text) {
		return "", usagef("%q is not the id of an order, nor its first four letters or more: %s lists them",
			text, s.line("orders"))
	}
	if len(text) == len(uuid.Nil.String()) {
		return text, nil
	}
	var found merchant.ProductionOrders
	query := url.Values{"prefix": {text}, "limit": {"2"}}
	err := s.client.do(ctx, call{
		method: http.MethodGet, path: "/merchant/production-orders", query: query, into: &found,
	})
	switch {
	case err != nil:
		return "", err
	case len(found.Orders) == 0:
		return "", fmt.Errorf("no order's id begins with %s: %s lists them", text, s.line("orders"))
	case len(found.Orders) > 1:
		return "", fmt.Errorf("the ids of several orders begin with %s, like %s and %s: give more of it",
			text, found.Orders[0].ID, found.Orders[1].ID)
	}
	return found.Orders[0].ID.String(), nil
}

func orderPath(id string) string { return "/merchant/production-orders/" + url.PathEscape(id) }

func ledgerCommand() command {
	var p page
	return command{name: "ledger", arguments: "SKU", summary: "every change of a product's stock, the newest first",
		examples: "ledger --local CP-502101\nledger --local CP-502101 --limit 200 --json",
		least:    1, most: 1, flags: p.flags, complete: skus,
		run: func(ctx context.Context, s *session, arguments []string) error {
			if err := checkSKU(arguments[0]); err != nil {
				return err
			}
			all := merchant.Ledger{SKU: arguments[0], Entries: []merchant.LedgerEntry{}}
			var err error
			add := func(a merchant.Ledger) (int, string) {
				all.Entries = append(all.Entries, a.Entries...)
				return len(a.Entries), a.Next
			}
			all.Next, err = list(ctx, s, p, productPath(arguments[0])+"/ledger", url.Values{}, add)
			if err != nil {
				return err
			}
			return s.show(all, func() {
				t := table{right: []int{1, 2, 3}}
				t.row("TIME", "BIN", "NUMBER", "QUANTITY", "CAUSE", "REFERENCE", "REASON")
				for _, e := range all.Entries {
					reference := none
					if e.Reference != [16]byte{} {
						reference = e.Reference.String()
					}
					t.row(s.moment(e.At), strconv.Itoa(e.Bin), strconv.FormatInt(e.Number, 10), change(e.Quantity),
						e.Cause, reference, cmp.Or(e.Reason, none))
				}
				t.writeTo(s.out)
				s.more(all.Next, arguments...)
			})
		}}
}
