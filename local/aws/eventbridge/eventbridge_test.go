package eventbridge_test

import (
	"context"
	"encoding/json"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"

	"restock/local/aws/awsapi"
	"restock/local/aws/eventbridge"
	"restock/local/aws/sns"
)

// put sends entries to a service with rules, and returns the answer.
func put(t *testing.T, entries string, rules ...eventbridge.Rule) string {
	t.Helper()
	s := eventbridge.New("eu-west-1", slog.New(slog.DiscardHandler))
	s.Start(rules)
	r := httptest.NewRequest("POST", "/", strings.NewReader(`{"Entries":[`+entries+`]}`))
	r.Header.Set("X-Amz-Target", "AWSEvents.PutEvents")
	r.Header.Set("Content-Type", "application/x-amz-json-1.1")
	w := httptest.NewRecorder()
	awsapi.NewHandler(slog.New(slog.DiscardHandler), s.API()).ServeHTTP(w, r)
	if w.Code != http.StatusOK {
		t.Fatalf("PutEvents answers %d %s", w.Code, w.Body)
	}
	return w.Body.String()
}

const sold = `{"Source":"shop","DetailType":"Sold","Detail":"{\"sku\":\"a\",\"units\":3}","Time":86400}`

func TestRulesPassEventsOnThatMatchTheirPattern(t *testing.T) {
	for _, c := range []struct {
		bus, pattern string
		matches      bool
	}{
		{"", `{"source":["shop"],"detail-type":["Sold"],"detail":{"units":[{"numeric":[">",2]}]}}`, true},
		{"arn:aws:events:eu-west-1:000000000000:event-bus/default", `{"detail":{"sku":[{"prefix":"a"}]}}`, true},
		{"", `{"source":["other"]}`, false},
		{"", `{"account":["000000000000"],"region":["eu-west-1"],"detail":{"size":[{"exists":false}]}}`, true},
		{"", `{"a":[1],"b":[1],"c":[1],"d":[1],"e":[1],"f":[1]}`, false}, // more keys than SNS accepts
		{"other", `{"source":["shop"]}`, false},
	} {
		pattern, err := sns.ParsePattern(c.pattern)
		if err != nil {
			t.Fatal(err)
		}
		var got []byte
		put(t, sold, eventbridge.Rule{
			Bus: c.bus, Pattern: pattern, Send: func(_ context.Context, event []byte) { got = event },
		})
		if (got != nil) != c.matches {
			t.Errorf("bus %q, pattern %s: got the event %s, want one: %v", c.bus, c.pattern, got, c.matches)
		}
		if got == nil {
			continue
		}
		var event map[string]any
		if err := json.Unmarshal(got, &event); err != nil {
			t.Fatal(err)
		}
		if event["time"] != "1970-01-02T00:00:00Z" || event["detail-type"] != "Sold" || event["id"] == "" {
			t.Errorf("got the event %s", got)
		}
	}
}

func TestAnEventNeedsThePermissionForItsBus(t *testing.T) {
	api := eventbridge.New("eu-west-1", slog.New(slog.DiscardHandler)).API()
	needs := func(entries string) ([]awsapi.Permission, error) {
		return api.Authorization.Permissions("PutEvents", func(in any) error {
			return json.Unmarshal([]byte(`{"Entries":[`+entries+`]}`), in)
		})
	}
	got, err := needs(sold + `,{"EventBusName":"orders"},{"EventBusName":"arn:aws:events:a:1:event-bus/b"}`)
	want := []awsapi.Permission{
		{Action: "events:PutEvents", Resource: "arn:aws:events:eu-west-1:000000000000:event-bus/default"},
		{Action: "events:PutEvents", Resource: "arn:aws:events:eu-west-1:000000000000:event-bus/orders"},
		{Action: "events:PutEvents", Resource: "arn:aws:events:a:1:event-bus/b"},
	}
	if err != nil || !slices.Equal(got, want) {
		t.Errorf("got %v, %v; want %v", got, err, want)
	}
	for _, entries := range []string{"", sold + strings.Repeat(","+sold, 10)} {
		if _, err := needs(entries); err == nil {
			t.Errorf("a call with the entries %s is allowed", entries)
		}
	}
}

func TestEventsThatEventBridgeRefuses(t *testing.T) {
	const begin = `{"Source":"shop","DetailType":"Sold"`
	for entry, want := range map[string]string{
		sold:                      `{"FailedEntryCount":0,"Entries":[{"EventId":"`,
		begin + `}`:               `"ErrorCode":"InvalidArgument"`,
		begin + `,"Detail":"[]"}`: `"ErrorCode":"MalformedDetail"`,
		strings.Replace(sold, "shop", "aws.s3", 1): `"ErrorCode":"NotAuthorizedForSourceException"`,
	} {
		if got := put(t, entry); !strings.Contains(got, want) {
			t.Errorf("%s: got %s, want %s in it", entry, got, want)
		}
	}
}
