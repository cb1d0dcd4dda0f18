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
	"restock/test/fuzzing"
)

func TestRandomInputs(t *testing.T) { fuzzing.Targets(t) }

// FuzzJournal checks that each event is one line of JSON with its own level, message and metrics,
// even if strangers chose the texts in it.
func FuzzJournal(f *testing.F) {
	for _, text := range []string{
		"CP-502101", "a\nb", `{"level":"ERROR","msg":"x"}`, `","level":"ERROR","_aws":{"CloudWatchMetrics":[]},"x":"`,
		"\x1b[31m\r", "\u2028\u2029\u202e", "\xff\xfe", "\x00", "",
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
		j.DeliveryFailed(ctx, text, text, errors.New(text))
		want := []struct {
			level, message string
			measured       bool
		}{
			{"INFO", "refused", true}, {"WARN", "stock adjusted", false}, {"INFO", "factory asked", true},
			{"ERROR", "record failed", true}, {"INFO", "people notified", false},
			{"ERROR", "delivery not booked", true},
		}
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
			w := want[i]
			err := json.Unmarshal(line, &read)
			if err != nil || read.Level != w.level || read.Message != w.message || (read.AWS != nil) != w.measured ||
				w.measured && read.AWS.CloudWatchMetrics[0].Namespace != "restock/test" {
				t.Errorf("%q: got %s, %v; want %s %s, measured: %t", text, line, err, w.level, w.message, w.measured)
			}
		}
	})
}
