package main

import (
	"fmt"
	"io"
	"math"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/mattn/go-runewidth"
	"golang.org/x/text/currency"
)

// A table aligns its columns. text/tabwriter cannot do it: it counts a Korean letter or an emoji as
// one cell of the terminal (they take two), and aligns all columns to the same side.
type table struct {
	right []int // the columns of numbers, which are aligned to the right
	rows  [][]string
}

func (t *table) row(cells ...string) { t.rows = append(t.rows, cells) }

func (t *table) writeTo(w io.Writer) {
	var widths []int
	for _, row := range t.rows {
		for i, cell := range row {
			if i == len(widths) {
				widths = append(widths, 0)
			}
			widths[i] = max(widths[i], runewidth.StringWidth(cell))
		}
	}
	for _, row := range t.rows {
		padded := make([]string, len(row))
		for i, cell := range row {
			fill := runewidth.FillRight
			if slices.Contains(t.right, i) {
				fill = runewidth.FillLeft
			}
			padded[i] = fill(cell, widths[i])
		}
		fmt.Fprintln(w, strings.TrimRight(strings.Join(padded, "  "), " "))
	}
}

// none is the text of a cell without a value.
const none = "-"

// amount formats a number in groups of three digits.
func amount[N int | int64](n N) string {
	digits := strconv.FormatInt(int64(n), 10)
	sign := ""
	if n < 0 {
		sign, digits = "-", digits[1:]
	}
	for i := len(digits) - 3; i > 0; i -= 3 {
		digits = digits[:i] + "," + digits[i:]
	}
	return sign + digits
}

// price formats a price with the decimals of its currency: 19900 is 19,900 in won and 199.00 in
// dollars. A currency that is unknown here is shown in minor units.
func price(minor int64, code string) string {
	unit, err := currency.ParseISO(code)
	if err != nil {
		return amount(minor)
	}
	digits, _ := currency.Standard.Rounding(unit)
	scale := int64(math.Pow10(digits))
	if scale == 1 {
		return amount(minor)
	}
	return fmt.Sprintf("%s.%0*d", amount(minor/scale), digits, minor%scale)
}

// change formats an amount with its sign.
func change(n int) string {
	if n > 0 {
		return "+" + amount(n)
	}
	return amount(n)
}

// orNone formats an amount, where 0 means that there is none.
func orNone(n int) string {
	if n == 0 {
		return none
	}
	return amount(n)
}

// span formats a time in whole seconds without trailing zero units: 2h, not 2h0m0s.
func span(d time.Duration) string {
	text := d.String()
	if strings.HasSuffix(text, "m0s") {
		text = strings.TrimSuffix(text, "0s")
	}
	if strings.HasSuffix(text, "h0m") {
		text = strings.TrimSuffix(text, "0m")
	}
	return text
}

func yes(b bool) string {
	if b {
		return "yes"
	}
	return "no"
}

var timestamp = regexp.MustCompile(`\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(Z|[+-]\d\d:\d\d)`)

// momentsIn formats the times in a text of the shop, which is also that of an email and has them in
// RFC 3339.
func (t terminal) momentsIn(text string) string {
	return timestamp.ReplaceAllStringFunc(text, func(found string) string {
		at, err := time.Parse(time.RFC3339, found)
		if err != nil {
			return found
		}
		return t.moment(at)
	})
}

// moment formats a time in the terminal's time zone, and names the zone.
func (t terminal) moment(at time.Time) string {
	if at.IsZero() {
		return none
	}
	return at.In(t.location).Format("2006-01-02 15:04:05 -07:00")
}
