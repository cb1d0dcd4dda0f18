package journal_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"log/slog"
	"testing"

	"github.com/google/uuid"

	"restock/internal/message"
	"restock/internal/shop"
	"restock/lambdas/journal"
)

// FuzzJournal holds that what happened is a line of JSON whatever strangers have written into it, and that none of it becomes a
// measurement, or says another thing than it did.
func FuzzJournal(f *testing.F) {
	for _, text := range []string{
		"CP-502101", "a\nb", `{"level":"ERROR","msg":"x"}`, `","level":"ERROR","_aws":{"CloudWatchMetrics":[]},"x":"`, "\x1b[31m\r", "\u2028\u2029\u202e", "\xff\xfe", "\x00", "",
	} {
		f.Add(text, 1)
	}
	f.Fuzz(func(t *testing.T, text string, quantity int) {
		var out bytes.Buffer
		j := journal.New(slog.New(slog.NewJSONHandler(&out, nil)), "restock/test")
		ctx := shop.WithCorrelation(t.Context(), text)
		order := shop.ProductionOrder{ID: uuid.Max, SKU: text, Quantity: quantity, Factory: text, Correlation: text}
		j.Refused(ctx, shop.Sale{SKU: text, Quantity: quantity})
		j.Adjusted(ctx, shop.Adjustment{SKU: text, Reason: text, IdempotencyKey: text}, shop.Adjusted{})
		j.Requested(ctx, message.New(order), uuid.Max, text)
		j.RequestFailed(ctx, text, text, errors.New(text))
		j.Notified(ctx, shop.Notice{Order: order, Subject: text})
		want := []struct{ level, message string }{{"INFO", "refused"}, {"WARN", "stock adjusted"}, {"INFO", "factory asked"}, {"ERROR", "record failed"}, {"INFO", "people told"}}
		got := bytes.SplitAfter(bytes.TrimSuffix(out.Bytes(), []byte("\n")), []byte("\n"))
		if len(got) != len(want) {
			t.Fatalf("%q: got %d lines, want %d:\n%s", text, len(got), len(want), &out)
		}
		for i, line := range got {
			var read struct {
				Level   string `json:"level"`
				Message string `json:"msg"`
				AWS     *struct {
					CloudWatchMetrics []struct{ Namespace string }
				} `json:"_aws"`
			}
			measured := i != 1 && i != 4
			if err := json.Unmarshal(line, &read); err != nil || read.Level != want[i].level || read.Message != want[i].message || (read.AWS != nil) != measured || measured && read.AWS.CloudWatchMetrics[0].Namespace != "restock/test" {
				t.Errorf("%q: got %s, %v; want %s %s", text, line, err, want[i].level, want[i].message)
			}
		}
	})
}
