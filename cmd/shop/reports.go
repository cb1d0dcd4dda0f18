package main

import (
	"cmp"
	"context"
	"encoding/csv"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strconv"
	"time"

	"github.com/spf13/pflag"

	"restock/internal/merchant"
)

func factoriesCommand() command {
	return command{name: "factories", summary: "the factories that can make products",
		more:     "Their identifiers are the values of --factory. A factory comes from the stage's catalogue.",
		examples: "factories --local",
		run: func(ctx context.Context, s *session, _ []string) error {
			var all merchant.Factories
			if err := s.client.do(ctx, call{
				method: http.MethodGet, path: "/merchant/factories", into: &all,
			}); err != nil {
				return err
			}
			return s.show(all, func() {
				t := table{right: []int{1}}
				t.row("FACTORY", "PRODUCTS", "MANAGER", "NAME")
				for _, f := range all.Factories {
					t.row(f.Identifier, amount(f.Products), f.ManagerEmail, f.Name)
				}
				t.writeTo(s.out)
			})
		}}
}

func noticesCommand() command {
	var p page
	return command{name: "notices", summary: "what the shop told people: overdue, failed and short orders, surplus",
		examples: "notices --local --limit 5", flags: p.flags,
		run: func(ctx context.Context, s *session, _ []string) error {
			all := merchant.Notices{Notices: []merchant.Notice{}}
			var err error
			add := func(a merchant.Notices) (int, string) {
				all.Notices = append(all.Notices, a.Notices...)
				return len(a.Notices), a.Next
			}
			all.Next, err = list(ctx, s, p, "/merchant/notices", url.Values{}, add)
			if err != nil {
				return err
			}
			return s.show(all, func() {
				if len(all.Notices) == 0 {
					fmt.Fprintln(s.out, "There are no notices.")
				}
				for _, n := range all.Notices {
					sent := "not sent yet"
					switch at := s.moment(n.SentAt); {
					case at == s.moment(n.RaisedAt):
						sent = "sent"
					case !n.SentAt.IsZero():
						sent = "sent at " + at
					}
					fmt.Fprintf(s.out, "%s  %s (%s)\n  %s\n  %s\n",
						s.moment(n.RaisedAt), n.Subject, sent, s.momentsIn(n.Text), n.Advice)
				}
				s.more(all.Next)
			})
		}}
}

// day returns a day of the calendar, as midnight in UTC. It begins at [terminal.begins].
func (t terminal) day(text string) (time.Time, error) {
	year, month, today := t.now().In(t.location).Date()
	switch text {
	case "yesterday":
		today--
	case "today":
	default:
		day, err := time.Parse(time.DateOnly, text)
		if err != nil {
			return day, usagef("%q is not a day: it must be like 2026-11-28, today or yesterday", text)
		}
		return day, nil
	}
	return time.Date(year, month, today, 0, 0, 0, 0, time.UTC), nil
}

// begins returns the first moment of a day in the terminal's time zone. Some zones skip midnight:
// in Santiago, a day in September begins at one o'clock. Others have midnight twice. So it goes
// back from noon, in steps that divide the difference between any two zones.
func (t terminal) begins(day time.Time) time.Time {
	const step = 15 * time.Minute
	moment := time.Date(day.Year(), day.Month(), day.Day(), 12, 0, 0, 0, t.location)
	for moment.Add(-step).Day() == day.Day() {
		moment = moment.Add(-step)
	}
	return moment
}

// sales reads the sales of a day. A day of the time zone may have 23 or 25 hours.
func (s *session) sales(ctx context.Context, day time.Time) (answer merchant.Sales, err error) {
	query := url.Values{
		"from": {s.begins(day).Format(time.RFC3339)}, "to": {s.begins(day.AddDate(0, 0, 1)).Format(time.RFC3339)},
	}
	return answer, s.client.do(ctx, call{
		method: http.MethodGet, path: "/merchant/sales", query: query, into: &answer,
	})
}

// refusals says where refusals are.
const refusals = `Refused buyers are not in it: to refuse a buyer costs the database nothing, so it stores nothing.
The dashboard shows how many were refused (the metric Refusals), and the log of sales-api has a line
for each, with the product.`

func salesCommand() command {
	return command{name: "sales", arguments: "[DAY]", summary: "what was sold on a day, by product", most: 1,
		more: "DAY is like 2026-11-28, today or yesterday, in the time zone of this machine; the default is\n" +
			"today. shop report shows several days and writes CSV, shop ledger shows single sales.\n" + refusals,
		examples: "sales --local\nsales --local yesterday\nsales --local 2026-11-28 --json",
		run: func(ctx context.Context, s *session, arguments []string) error {
			text := "today"
			if len(arguments) > 0 {
				text = arguments[0]
			}
			day, err := s.day(text)
			if err != nil {
				return err
			}
			answer, err := s.sales(ctx, day)
			if err != nil {
				return err
			}
			return s.show(answer, func() {
				if len(answer.Products) == 0 {
					fmt.Fprintf(s.out, "Nothing was sold on %s.\n", day.Format(time.DateOnly))
					return
				}
				t, total := table{right: []int{1, 2, 3}}, merchant.ProductSales{Currency: answer.Products[0].Currency}
				fmt.Fprintf(s.out, "Sold from %s until %s, in %s:\n",
					s.moment(answer.From), s.moment(answer.To), total.Currency)
				t.row("SKU", "SALES", "UNITS", "REVENUE", "NAME")
				for _, p := range answer.Products {
					total.Sales += p.Sales
					total.Units += p.Units
					total.Revenue += p.Revenue
				}
				for _, p := range append(answer.Products, total) {
					t.row(cmp.Or(p.SKU, "total"), amount(p.Sales), amount(p.Units),
						price(p.Revenue, p.Currency), p.Name)
				}
				t.writeTo(s.out)
			})
		}}
}

// maxDays limits a report: each day is a request.
const maxDays = 92

// A reportRow is a product's sales on a day.
type reportRow struct {
	Day string `json:"day"`
	merchant.ProductSales
}

func reportCommand() command {
	var from, to string
	var asCSV bool
	return command{name: "report", summary: "units and revenue by product and day",
		more: fmt.Sprintf("Days are like 2026-11-28, today or yesterday, in the time zone of this machine; "+
			"%d at most.\n%s", maxDays, refusals),
		examples: "report --local\nreport --local --from 2026-11-01 --to yesterday --csv > november.csv",
		flags: func(f *pflag.FlagSet) {
			f.StringVar(&from, "from", "", "the first `day`; default: six days before the last")
			f.StringVar(&to, "to", "today", "the last `day`")
			f.BoolVar(&asCSV, "csv", false, "as CSV; revenue is in minor units of the currency")
		},
		run: func(ctx context.Context, s *session, _ []string) error {
			last, err := s.day(to)
			if err != nil {
				return err
			}
			first := last.AddDate(0, 0, -6)
			if from != "" {
				if first, err = s.day(from); err != nil {
					return err
				}
			}
			if first.After(last) || !first.AddDate(0, 0, maxDays).After(last) {
				return usagef("--from %s --to %s: it must be 1 to %d days",
					first.Format(time.DateOnly), last.Format(time.DateOnly), maxDays)
			}
			rows := []reportRow{}
			for day := first; !day.After(last); day = day.AddDate(0, 0, 1) {
				answer, err := s.sales(ctx, day)
				if err != nil {
					return err
				}
				for _, p := range answer.Products {
					rows = append(rows, reportRow{day.Format(time.DateOnly), p})
				}
			}
			if asCSV && !s.json {
				return s.reportCSV(rows)
			}
			return s.show(map[string]any{"days": rows}, func() {
				if len(rows) == 0 {
					fmt.Fprintf(s.out, "Nothing was sold from %s to %s.\n",
						first.Format(time.DateOnly), last.Format(time.DateOnly))
					return
				}
				t := table{right: []int{2, 3, 4}}
				t.row("DAY", "SKU", "SALES", "UNITS", "REVENUE", "NAME")
				for _, r := range rows {
					t.row(r.Day, r.SKU, amount(r.Sales), amount(r.Units), price(r.Revenue, r.Currency), r.Name)
				}
				t.writeTo(s.out)
			})
		}}
}

func (s *session) reportCSV(rows []reportRow) error {
	if _, err := io.WriteString(s.out, merchant.ByteOrderMark); err != nil {
		return fmt.Errorf("writing the report: %w", err)
	}
	out := csv.NewWriter(s.out)
	_ = out.Write([]string{"day", "sku", "name", "sales", "units", "revenue", "currency"}) // it keeps its first error
	for _, r := range rows {
		_ = out.Write([]string{r.Day, r.SKU, merchant.TextCell(r.Name), strconv.Itoa(r.Sales), strconv.Itoa(r.Units),
			strconv.FormatInt(r.Revenue, 10), r.Currency})
	}
	out.Flush()
	return out.Error()
}
