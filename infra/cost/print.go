package cost

import (
	"fmt"
	"io"
	"slices"
	"strings"
	"text/tabwriter"
)

// largest is the number of lines that Print marks as the largest.
const largest = 3

// Print writes the estimate for people.
func (e *Estimate) Print(w io.Writer) error {
	var out strings.Builder
	fmt.Fprintf(&out, "Stage %s, %s, prices of %s, in US dollars a month\n", e.Stage, e.Region, e.PricesDate)

	table := tabwriter.NewWriter(&out, 0, 0, 2, ' ', 0)
	section := func(title string, lines []Line, sum Money, month func(Money) Money) {
		fmt.Fprintf(table, "\n%s\n", title)
		for _, l := range lines {
			fmt.Fprintf(table, "  %s\t%s\t%12s\t%s\n", l.What, l.Detail, l.Cost, e.mark(month(l.Cost)))
		}
		fmt.Fprintf(table, "  total\t\t%12s\t\n", sum)
	}
	section("Without a checkout", e.Fixed, e.FixedTotal, func(m Money) Money { return m })
	section("For each million checkouts", e.PerMillion, e.PerMillionTotal, e.atVolume)
	if err := table.Flush(); err != nil {
		return err
	}
	fmt.Fprintf(&out, "\n%s a month with %s checkouts\n", e.Month, thousands(e.Assumptions.CheckoutsPerMonth))

	list := func(title string, items []string) {
		if len(items) > 0 {
			fmt.Fprintf(&out, "\n%s\n", title)
		}
		for _, item := range items {
			fmt.Fprintf(&out, "  %s\n", item)
		}
	}
	list("Not priced:", e.Unpriced)
	list("Assumed:", e.Assumptions.describe())
	var unconfirmed []string
	for _, p := range e.Unconfirmed {
		unconfirmed = append(unconfirmed, fmt.Sprintf("%s, %s: %s", p.Name, p.rate(), p.Source))
	}
	list("Prices from memory, to be looked up:", unconfirmed)

	// Lines without a last cell end in the table's padding.
	for line := range strings.Lines(out.String()) {
		if _, err := fmt.Fprintln(w, strings.TrimRight(line, " \n")); err != nil {
			return err
		}
	}
	return nil
}

// mark returns the rank and the share of a line, if it is one of the largest.
func (e *Estimate) mark(cost Money) string {
	var all []Money
	for _, l := range e.Fixed {
		all = append(all, l.Cost)
	}
	for _, l := range e.PerMillion {
		all = append(all, e.atVolume(l.Cost))
	}
	slices.Sort(all)
	slices.Reverse(all)
	rank := slices.Index(all, cost) + 1
	if cost == 0 || rank > largest {
		return ""
	}
	return fmt.Sprintf("<- #%d, %d%%", rank, (int64(cost)*100+int64(e.Month)/2)/int64(e.Month))
}

// rate returns the price in AWS's form: "$0.204 per instance-hour".
func (p Price) rate() string {
	amount := strings.TrimRight(fmt.Sprintf("%d.%06d", p.Amount/Dollar, p.Amount%Dollar), "0")
	return fmt.Sprintf("$%s per %s", strings.TrimSuffix(amount, "."), p.Unit)
}

// thousands formats a number with commas: 1,234,567.
func thousands(n int64) string {
	text := fmt.Sprint(n)
	for i := len(text) - 3; i > 0; i -= 3 {
		text = text[:i] + "," + text[i:]
	}
	return text
}

func gigabytes(n int64) string { return fmt.Sprintf("%.1f GB", float64(n)/gib) }
