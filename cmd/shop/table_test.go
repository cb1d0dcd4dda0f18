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
