package main

import (
	"strings"
	"testing"
)

func TestWideLettersKeepColumnsAligned(t *testing.T) {
	table := table{right: []int{1}}
	table.row("NAME", "도넛", "STATUS")
	table.row("부산도너츠", "5", "open")
	table.row("🍩", "1,200", "closed")
	var got strings.Builder
	table.writeTo(&got)
	const want = "NAME         도넛  STATUS\n부산도너츠      5  open\n🍩          1,200  closed\n"
	if got.String() != want {
		t.Errorf("got\n%s\nwant\n%s", got.String(), want)
	}
}

func TestPricesHaveTheDecimalsOfTheirCurrency(t *testing.T) {
	for _, c := range []struct {
		minor          int64
		currency, want string
	}{
		{19900, "KRW", "19,900"}, {19900, "USD", "199.00"}, {5, "USD", "0.05"}, {123456705, "EUR", "1,234,567.05"},
		{1 << 53, "USD", "90,071,992,547,409.92"}, {1234, "JPY", "1,234"}, {1234567, "KWD", "1,234.567"},
		{1234, "none", "1,234"},
	} {
		if got := price(c.minor, c.currency); got != c.want {
			t.Errorf("%d %s: got %s, want %s", c.minor, c.currency, got, c.want)
		}
	}
}
