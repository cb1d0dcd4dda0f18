package main

import (
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"
)

// A table is written in columns as wide as their widest cell. Text whose letters are two cells wide on a terminal, as names in Korean are,
// belongs in the last column, which nothing stands behind.
type table struct {
	right []int // columns whose cells end in line: amounts
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
			widths[i] = max(widths[i], utf8.RuneCountInString(cell))
		}
	}
	for _, row := range t.rows {
		var line strings.Builder
		for i, cell := range row {
			if i > 0 {
				line.WriteString("  ")
			}
			padding := strings.Repeat(" ", widths[i]-utf8.RuneCountInString(cell))
			if slices.Contains(t.right, i) {
				line.WriteString(padding + cell)
			} else {
				line.WriteString(cell + padding)
			}
		}
		fmt.Fprintln(w, strings.TrimRight(line.String(), " "))
	}
}

// none is what stands where there is nothing to say.
const none = "-"

// amount writes a number in groups of three digits.
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

// change writes an amount with its sign.
func change(n int) string {
	if n > 0 {
		return "+" + amount(n)
	}
	return amount(n)
}

// orNone writes an amount of which 0 means that there is none.
func orNone(n int) string {
	if n == 0 {
		return none
	}
	return amount(n)
}

// span writes a time in whole seconds, without what is 0 at its end: 2h.
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

// moment writes a time in the terminal's time zone.
func (t terminal) moment(at time.Time) string {
	if at.IsZero() {
		return none
	}
	return at.In(t.location).Format(time.DateTime)
}
