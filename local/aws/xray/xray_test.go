package xray_test

import (
	"log/slog"
	"net"
	"strings"
	"testing"
	"time"

	"restock/local/aws/xray"
	"restock/local/view/events"
)

const format = `{"format": "json", "version": 1}` + "\n"

// send sends datagrams to a daemon, and returns what it logs.
func send(t *testing.T, datagrams ...string) []events.Event {
	t.Helper()
	records := events.NewStream[events.Event](100)
	d, err := xray.Start(slog.New(events.NewHandler(records, slog.LevelDebug)))
	if err != nil {
		t.Fatal(err)
	}
	defer d.Close()
	conn, err := net.Dial("udp", d.Address())
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	const end = "the end"
	for _, datagram := range append(datagrams, format+`{`+ids+`"name":"`+end+`"}`) {
		if _, err := conn.Write([]byte(datagram)); err != nil {
			t.Fatal(err)
		}
	}
	logged := records.Subscribe(0)
	defer logged.Close()
	var got []events.Event
	for {
		batch, err := logged.Next(t.Context(), 1)
		if err != nil {
			t.Fatal(err)
		}
		if batch.Values[0].Message == end {
			return got
		}
		got = append(got, batch.Values[0])
	}
}

func attrs(e events.Event) map[string]string {
	m := map[string]string{}
	for _, a := range e.Attrs {
		m[a.Key] = a.Value.String()
	}
	return m
}

const ids = `"id":"70de5b6f19ff9a0a","trace_id":"1-581cf771-a006649127e371903a2de979","parent_id":"53995c3f42cd8ad8",` +
	`"start_time":1478293361.271,"end_time":1478293361.449,`

func TestASubsegmentIsLoggedWithItsSpanAndTimes(t *testing.T) {
	got := send(t, format+`{"name":"restock@db",`+ids+`"fault":true,"annotations":{"function":"sales-api",`+
		`"correlation_id":"R"},"sql":{"sanitized_query":"CALL sell(?, ?)"},"metadata":{"x":"hunter2"},`+
		`"cause":{"exceptions":[{"message":"hunter2"}]}}`)[0]
	if got.Kind != events.SubsegmentRecorded || got.Message != "CALL sell" ||
		!got.Time.Equal(time.UnixMilli(1478293361449)) {
		t.Errorf("got %+v", got)
	}
	a := attrs(got)
	for key, want := range map[string]string{
		"span":     "1-581cf771-a006649127e371903a2de979/70de5b6f19ff9a0a/53995c3f42cd8ad8",
		"duration": "178ms", "function": "sales-api", "correlation_id": "R", "statement": "CALL sell(?, ?)",
		"database": "restock@db", "failed": "fault",
	} {
		if a[key] != want {
			t.Errorf("%s is %q, want %q", key, a[key], want)
		}
	}
	for key, value := range a {
		if strings.Contains(value, "hunter2") {
			t.Errorf("%s is %q: it may be secret", key, value)
		}
	}
}

func TestCallsAndRequestsAreNamed(t *testing.T) {
	all := send(t, format+`{"name":"SNS",`+ids+`"aws":{"operation":"Publish"}}`,
		format+`{"name":"factory.example",`+ids+`"http":{"request":{"method":"POST",`+
			`"url":"https://user:hunter2@factory.example/api?signature=hunter2"},"response":{"status":201}}}`)
	if all[0].Message != "SNS Publish" || attrs(all[0])["operation"] != "Publish" {
		t.Errorf("got %+v", all[0])
	}
	a := attrs(all[1])
	if all[1].Message != "POST factory.example" || a["url"] != "https://factory.example/api" || a["status"] != "201" {
		t.Errorf("got %+v, want a URL without secrets", all[1])
	}
}

// A function of another program may use an SDK of X-Ray, which sends more forms of documents.
func TestDocumentsOfOtherProgramsAreLogged(t *testing.T) {
	began := strings.Replace(ids, `"end_time":1478293361.449,`, `"in_progress":true,`, 1)
	const part = `"start_time":1478293361.3,"end_time":1478293361.4`
	got := send(t, format+`{`+began+`"name":"begun"}`,
		format+`{`+ids+`"name":"outer","annotations":{"tries":2,"cold":true,"function":"stock"},"subsegments":[`+
			`{"id":"1111111111111111","name":"inner",`+part+`,"subsegments":[`+
			`{"id":"2222222222222222","name":"innermost",`+part+`}]}]}`,
		format+`{`+began+`"name":"open","subsegments":[{"id":"3333333333333333","name":"closed",`+part+`}]}`)
	want := [][2]string{
		{"outer", "70de5b6f19ff9a0a/53995c3f42cd8ad8"}, {"inner", "1111111111111111/70de5b6f19ff9a0a"},
		{"innermost", "2222222222222222/1111111111111111"}, {"closed", "3333333333333333/70de5b6f19ff9a0a"},
	}
	if len(got) != len(want) {
		t.Fatalf("got %d events, want %d: %+v", len(got), len(want), got)
	}
	for i, w := range want {
		if span := attrs(got[i])["span"]; got[i].Message != w[0] || !strings.HasSuffix(span, w[1]) {
			t.Errorf("got %s with the span %s, want %s with %s", got[i].Message, span, w[0], w[1])
		}
	}
	if a := attrs(got[0]); a["function"] != "stock" {
		t.Errorf("the function is %q, want stock", a["function"])
	}
}

func TestAMalformedDatagramCausesAWarning(t *testing.T) {
	for _, datagram := range []string{
		"", "hello", format, format + "{", `{"format":"json","version":2}` + "\n{" + ids + `"name":"x"}`,
		format + `{"name":"x"}`, format + `{` + strings.Replace(ids, "70de5b6f19ff9a0a", "70de", 1) + `"name":"x"}`,
		format + `{` + ids + `"name":"x","subsegments":[{"name":"without an id"}]}`,
		format + `{` + strings.Replace(ids, `"end_time":1478293361.449`, `"end_time":1`, 1) +
			`"name":"x"}`,
	} {
		all := send(t, datagram)
		got := all[len(all)-1]
		if got.Level != slog.LevelWarn || got.Kind != "" {
			t.Errorf("%q: got %+v, want a warning", datagram, got)
		}
	}
}
