package main

import (
	"bytes"
	"context"
	"net/http"
	"strings"
	"testing"
	"time"
)

func TestARequestThatTheShopCannotTakeIsRepeatedWithTheSameKey(t *testing.T) {
	const adjustments = "POST /merchant/products/CP-502101/adjustments"
	for _, c := range []struct {
		name   string
		first  string // the body of the answers with status 503
		busy   int    // how many answers have it
		args   string
		code   int
		asked  int
		waited time.Duration
	}{
		{"once", `{"code":"unavailable"}`, 1, "adjust CP-502101 -3 --reason x", 0, 2, 7 * time.Second},
		{"twice, without a confirmation", `{"code":"outcome_unknown"}`, 2, "adjust CP-502101 -3 --reason x", 0, 3,
			14 * time.Second},
		{"by API Gateway", `{"message":"Service Unavailable"}`, 1, "adjust CP-502101 -3 --reason x", 0, 2,
			7 * time.Second},
		{"for too long", `{"code":"unavailable"}`, 9, "adjust CP-502101 -3 --reason x", 3, 3, 14 * time.Second},
		{"a change without a key", `{"code":"unavailable"}`, 1, "open CP-502101", 0, 2, 7 * time.Second},
		{"a change without a key and a confirmation", `{"code":"outcome_unknown"}`, 1, "open CP-502101", 4, 1, 0},
		{"a question", `{"code":"outcome_unknown"}`, 1, "products", 0, 2, 7 * time.Second},
	} {
		t.Run(c.name, func(t *testing.T) {
			a := newAPI(t, example)
			a.busy, a.busyBody = c.busy, c.first
			var out, said bytes.Buffer
			var waited time.Duration
			terminal := testTerminal(&out, &said)
			terminal.wait = func(_ context.Context, d time.Duration) error { waited += d; return nil }
			args := append([]string{"--ready", ready(t, a.url, a.url)}, strings.Fields(c.args)...)
			if code := terminal.run(t.Context(), args); code != c.code || len(a.asked) != c.asked ||
				waited != c.waited {
				t.Errorf("ended with %d, asked %d times, waited %v: %s; want %d, %d, %v",
					code, len(a.asked), waited, &said, c.code, c.asked, c.waited)
			}
			for _, asked := range a.asked {
				if asked.request == adjustments && (asked.key == "" || asked.key != a.asked[0].key) {
					t.Errorf("asked with the keys %q and %q, want one key", a.asked[0].key, asked.key)
				}
			}
		})
	}
}

// TestWatchLeavesOutArchivedProductsUntilTheyChange lets goods come for an archived product.
func TestWatchLeavesOutArchivedProductsUntilTheyChange(t *testing.T) {
	come := strings.Replace(cake, `"stock":1204`, `"stock":100`, 1)
	archived := strings.NewReplacer("{", `{"archived_at":"2026-11-20T03:00:00Z",`, "1204", "0").Replace(cake)
	const line = "2026-11-21 21:00:00 +09:00  CK-1  stock "
	for _, c := range []struct{ args, want string }{
		{"watch", line + "0 → 100  on order 0\n"},
		{"watch CK-1", line + "0  on order 0\n" + line + "0 → 100  on order 0\n"},
	} {
		a := newAPI(t, map[string]answer{"GET /merchant/products": {http.StatusOK, `{"products":[` + archived + `]}`}})
		ctx, interrupt := context.WithCancel(t.Context())
		defer interrupt()
		var out, said bytes.Buffer
		terminal, readings := testTerminal(&out, &said), 0
		terminal.wait = func(ctx context.Context, _ time.Duration) error {
			if readings++; readings == 2 {
				interrupt()
			}
			a.answers["GET /merchant/products"] = answer{http.StatusOK, `{"products":[` + come + `]}`}
			return ctx.Err()
		}
		code := terminal.run(ctx, append([]string{"--ready", ready(t, a.url, a.url)}, strings.Fields(c.args)...))
		if code != 0 || out.String() != c.want {
			t.Errorf("shop %s ended with %d, %s %s; want 0 and\n%s", c.args, code, &out, &said, c.want)
		}
	}
}

func TestWatchPrintsWhatChangesUntilItIsInterrupted(t *testing.T) {
	both := answer{http.StatusOK, `{"products":[` + cake + `,` + donut + `]}`}
	a := newAPI(t, map[string]answer{"GET /merchant/products": both})
	ctx, interrupt := context.WithCancel(t.Context())
	var out, said bytes.Buffer
	terminal, readings := testTerminal(&out, &said), 0
	terminal.wait = func(ctx context.Context, _ time.Duration) error {
		switch readings++; readings {
		case 2:
			sold := strings.Replace(cake, `"stock":1204`, `"stock":1201`, 1)
			a.answers["GET /merchant/products"] = answer{http.StatusOK, `{"products":[` + sold + `,` + donut + `]}`}
		case 4:
			interrupt()
		}
		return ctx.Err()
	}
	code := terminal.run(ctx, []string{"--ready", ready(t, a.url, a.url), "watch"})
	const want = "2026-11-21 21:00:00 +09:00  CK-1  stock 1,204  on order 0\n" +
		"2026-11-21 21:00:00 +09:00  CP-502101  stock 0  on order 60\n" +
		"2026-11-21 21:00:00 +09:00  CK-1  stock 1,204 → 1,201  on order 0\n"
	if code != 0 || out.String() != want || said.Len() > 0 {
		t.Errorf("ended with %d, %s %s; want 0 and\n%s", code, &out, &said, want)
	}
}
