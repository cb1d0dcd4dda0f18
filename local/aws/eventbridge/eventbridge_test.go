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

	"restock/local/aws/async"
	"restock/local/aws/awsapi"
	"restock/local/aws/eventbridge"
	"restock/local/aws/sns"
	"restock/local/aws/traceid"
	"restock/test/await"
)

// put sends entries to a service with rules, and returns the answer.
func put(t *testing.T, entries string, rules ...eventbridge.Rule) string {
	t.Helper()
	s := eventbridge.New("eu-west-1", slog.New(slog.DiscardHandler))
	s.Start(rules)
	return send(t, s, entries)
}

// send sends entries to a service, and returns the answer.
func send(t *testing.T, s *eventbridge.Service, entries string) string {
	t.Helper()
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

// A target is a function that is invoked. It records the trace of each invocation.
type target struct {
	began  chan traceid.Span
	invoke func(ctx context.Context)
}

func (f target) Invoke(ctx context.Context, _ []byte) ([]byte, error) {
	span, _ := traceid.From(ctx)
	f.began <- span
	f.invoke(ctx)
	return nil, nil
}

func TestAnInvocationIsAPartOfTheEventsTrace(t *testing.T) {
	const inEntry = "Root=1-5759e988-bd862e3fe1be46a994272793;Parent=53995c3f42cd8ad8;Sampled=1"
	s := eventbridge.New("eu-west-1", slog.New(slog.DiscardHandler))
	defer s.Close()
	f := target{make(chan traceid.Span, 1), func(context.Context) {}}
	pattern, err := sns.ParsePattern(`{"source":["shop"]}`)
	if err != nil {
		t.Fatal(err)
	}
	s.Start([]eventbridge.Rule{{Pattern: pattern, Send: func(ctx context.Context, event []byte) {
		if awsapi.TraceHeader(ctx) != inEntry {
			t.Errorf("a queue gets the trace header %q, want %q", awsapi.TraceHeader(ctx), inEntry)
		}
		s.Invoke(ctx, async.Invocation{Function: f, Event: event, Log: slog.New(slog.DiscardHandler)})
	}}})
	send(t, s, strings.Replace(sold, "{", `{"TraceHeader":"`+inEntry+`",`, 1))
	span := await.Receive(t, "the function is invoked", f.began)
	if span.Root != "1-5759e988-bd862e3fe1be46a994272793" || span.Parent != "53995c3f42cd8ad8" {
		t.Errorf("the function is invoked in the span %+v, want one of %s", span, inEntry)
	}
}

func TestCloseWaitsForInvocationsAndBeginsNone(t *testing.T) {
	s := eventbridge.New("eu-west-1", slog.New(slog.DiscardHandler))
	second := target{make(chan traceid.Span, 1), func(context.Context) {}}
	ended := false
	first := target{make(chan traceid.Span, 1), func(ctx context.Context) {
		<-ctx.Done() // the run closes, and the function still sends an event
		s.Invoke(t.Context(), async.Invocation{Function: second, Log: slog.New(slog.DiscardHandler)})
		ended = true
	}}
	s.Invoke(t.Context(), async.Invocation{Function: first, Log: slog.New(slog.DiscardHandler)})
	await.Receive(t, "the function is invoked", first.began)
	s.Close()
	if !ended || len(second.began) > 0 {
		t.Errorf("after Close, the first invocation has ended: %v; %d have begun since", ended, len(second.began))
	}
}
