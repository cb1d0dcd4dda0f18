package main

import (
	"bytes"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"
)

// Clocks change at midnight in some countries: a day has no midnight in spring, and two in autumn.
func TestADayBeginsWithItsFirstMoment(t *testing.T) {
	for _, c := range []struct{ zone, day, want string }{
		{"Asia/Seoul", "2026-11-28", "2026-11-28T00:00:00+09:00"},
		{"America/Santiago", "2026-09-05", "2026-09-05T00:00:00-04:00"},
		{"America/Santiago", "2026-09-06", "2026-09-06T01:00:00-03:00"},
		{"Africa/Cairo", "2026-04-24", "2026-04-24T01:00:00+03:00"},
		{"America/Havana", "2026-11-01", "2026-11-01T00:00:00-04:00"},
		{"Australia/Lord_Howe", "2026-10-04", "2026-10-04T00:00:00+10:30"},
	} {
		zone, err := time.LoadLocation(c.zone)
		if err != nil {
			t.Fatal(err)
		}
		at := testTerminal(nil, nil)
		at.location = zone
		day, err := at.day(c.day)
		if err != nil {
			t.Fatal(err)
		}
		if got := at.begins(day).Format(time.RFC3339); got != c.want {
			t.Errorf("%s, %s: begins at %s, want %s", c.zone, c.day, got, c.want)
		}
	}
}

func TestAReportAsksForEachDayOnce(t *testing.T) {
	var asked []string
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		asked = append(asked, r.FormValue("from"), r.FormValue("to"))
		fmt.Fprint(w, `{"products":[{"sku":"A","name":"+A","sales":1,"units":1}]}`)
	}))
	t.Cleanup(server.Close)
	santiago, err := time.LoadLocation("America/Santiago")
	if err != nil {
		t.Fatal(err)
	}
	var out, said bytes.Buffer
	terminal := testTerminal(&out, &said)
	terminal.location = santiago
	code := terminal.run(t.Context(), []string{"--ready", ready(t, server.URL, server.URL),
		"report", "--from", "2026-09-04", "--to", "2026-09-08", "--csv"})
	moments := []string{"2026-09-04T00:00:00-04:00", "2026-09-05T00:00:00-04:00", "2026-09-06T01:00:00-03:00",
		"2026-09-07T00:00:00-03:00", "2026-09-08T00:00:00-03:00", "2026-09-09T00:00:00-03:00"}
	var want []string
	rows := "\ufeffday,sku,name,sales,units,revenue,currency\n"
	for i, moment := range moments[1:] {
		want = append(want, moments[i], moment)
		rows += moments[i][:len(time.DateOnly)] + ",A,'+A,1,1,0,\n"
	}
	if code != 0 || !slices.Equal(asked, want) || out.String() != rows {
		t.Errorf("ended with %d and %q, asked for\n%q, wrote\n%s\nwant\n%q\n%s", code, &said, asked, &out, want, rows)
	}
}

// Excel takes a file without the mark for one in an old code page.
func TestExportsHaveAByteOrderMark(t *testing.T) {
	a := newAPI(t, example)
	out, said, code := typed(t, "--ready", ready(t, a.url, a.url), "export")
	if code != 0 || !strings.HasPrefix(out, "\ufeffsku,name,") {
		t.Errorf("ended with %d %q and wrote %.20q, want a mark and the columns", code, said, out)
	}
	if out, _, _ := typed(t, "export", "-h"); !strings.Contains(out, "formula") {
		t.Errorf("the help is %s, want it to say what happens to names that are formulas", out)
	}
}

func TestAProductThatIsNotLowExists(t *testing.T) {
	a := newAPI(t, map[string]answer{"GET /merchant/products": {200,
		`{"products":[` + donut + `,{"sku":"FULL","stock":5,"reorder_point":4}]}`}})
	where := ready(t, a.url, a.url)
	for _, c := range []struct {
		args, want string
		code       int
	}{
		{"--low FULL", "shop: the stock of FULL is not low\n", 1},
		{"--low NONE", `shop: there is no product "NONE"`, 1},
		{"NONE", `shop: there is no product "NONE"`, 1},
		{"--low CP-502101", "product        CP-502101\n", 0},
		{"FULL", "product        FULL\n", 0},
	} {
		out, said, code := typed(t, append([]string{"--ready", where, "products"}, strings.Fields(c.args)...)...)
		if code != c.code || !strings.Contains(out+said, c.want) {
			t.Errorf("shop products %s ended with %d and %q, want %d and %q", c.args, code, out+said, c.code, c.want)
		}
	}
}

func TestADryRunWithoutAnAnswerChangedNothing(t *testing.T) {
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.WriteHeader(http.StatusServiceUnavailable)
		fmt.Fprint(w, `{"message":"Not confirmed","code":"outcome_unknown"}`)
	}))
	t.Cleanup(server.Close)
	file := filepath.Join(t.TempDir(), "products.csv")
	if err := os.WriteFile(file, []byte("sku\nA\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, dry := range []bool{true, false} {
		_, said, code := typed(t, "--ready", ready(t, server.URL, server.URL), "import", file,
			fmt.Sprint("--dry-run=", dry))
		if strings.Contains(said, "may have been booked") == dry || (code == exitUnavailable) != dry {
			t.Errorf("dry run: %v; ended with %d and %q", dry, code, said)
		}
	}
}
