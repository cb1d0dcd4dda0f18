package purchasing

import (
	"bytes"
	"context"
	"encoding/json"
	"log/slog"
	"net/url"
	"slices"
	"strings"
	"testing"

	"github.com/aws/aws-lambda-go/events"
	"github.com/aws/aws-lambda-go/lambda"
	"github.com/google/uuid"

	"restock/internal/factory"
	"restock/lambdas/journal"
	"restock/test/fuzzing"
)

// body returns the body of a record that [record] makes.
func body(tb testing.TB, order, count string) string {
	tb.Helper()
	var m events.SQSMessage
	if err := json.Unmarshal([]byte(record("", order, count)), &m); err != nil {
		tb.Fatal(err)
	}
	return m.Body
}

func newSigner(tb testing.TB) factory.Signer {
	tb.Helper()
	signer, err := factory.NewSigner([]byte(strings.Repeat("k", 32)))
	if err != nil {
		tb.Fatal(err)
	}
	return signer
}

func TestRandomInputs(t *testing.T) { fuzzing.Targets(t) }

// FuzzRecords checks a batch of two records. Each one must become a request to the factory with a
// signed callback, be dropped because it has expired, or stay in the queue, independently of the
// other one. Each event must stay one line of the log.
func FuzzRecords(f *testing.F) {
	good := body(f, "0190d6a8-f000-7000-8000-000000000001", "100")
	f.Add(good, body(f, "0190d6a8-f000-7000-8000-000000000002", "7"))
	f.Add(good, body(f, "0190d6a8-f000-7000-8000-000000000001", "-7"))
	f.Add(good, strings.Replace(good, "9999", "2026", 1))
	f.Add(good, strings.Replace(good, `\"}"`, `\",\"correlation_id\":\"a\\nb\\u001b[31m&quantity=9\"}"`, 1))
	f.Add(good, strings.Replace(good, `"Notification"`, `"UnsubscribeConfirmation"`, 1))
	f.Add(good, strings.Replace(good, "CP-502101", `a\n{\"level\":\"ERROR\"}`, 1))
	f.Add(`{}`, "\x00\xff")
	f.Add(`{"Type":"Notification","Message":"`+strings.Repeat("[", 1000), "")
	signer := newSigner(f)
	f.Fuzz(func(t *testing.T, first, second string) {
		var out bytes.Buffer
		asked := &fake{produce: accept}
		p := newPurchasing(asked)
		p.Journal = journal.New(slog.New(slog.NewJSONHandler(&out, nil)), "restock/test")
		records := []events.SQSMessage{{MessageId: "1", Body: first}, {MessageId: "2", Body: second}}
		event, err := json.Marshal(events.SQSEvent{Records: records})
		if err != nil {
			t.Fatal(err)
		}
		answer, err := lambda.NewHandler(p.Handle).Invoke(context.Background(), event)
		var response events.SQSEventResponse
		if err != nil || json.Unmarshal(answer, &response) != nil {
			t.Fatalf("got %s, %v", answer, err)
		}
		failed := []string{}
		for _, f := range response.BatchItemFailures {
			failed = append(failed, f.ItemIdentifier)
		}
		expired := bytes.Count(out.Bytes(), []byte(`"msg":"request expired"`))
		if !slices.IsSorted(failed) || len(slices.Compact(slices.Clone(failed))) != len(failed) ||
			len(failed)+len(asked.asked)+expired != 2 {
			t.Errorf("%q and %q: %q failed, %d expired, and the factory was asked %d times",
				first, second, failed, expired, len(asked.asked))
		}
		if first == good && slices.Contains(failed, "1") {
			t.Errorf("%q made a good record fail", second)
		}
		for _, r := range asked.asked {
			callback, err := url.Parse(string(r.CallbackURL))
			if err != nil || callback.Host != "shop.example" || !strings.HasSuffix(callback.Path, "/receipt") ||
				callback.Query().Get("quantity") != r.ProductCnt || len(callback.Query()["quantity"]) != 1 {
				t.Errorf("the factory got the callback %q, %v", string(r.CallbackURL), err)
				continue
			}
			parts := strings.Split(callback.Path, "/")
			_, err = signer.Verify(uuid.MustParse(parts[2]), uuid.MustParse(parts[4]), callback.Query())
			if err != nil {
				t.Errorf("the signature of the callback %q is not valid: %v", string(r.CallbackURL), err)
			}
		}
		lines := 0
		for line := range bytes.Lines(out.Bytes()) {
			lines++
			if !json.Valid(line) {
				t.Errorf("the log has the line %q", line)
			}
		}
		if lines != 2 {
			t.Errorf("%q and %q: the log has %d lines, want one a record:\n%s", first, second, lines, &out)
		}
	})
}
