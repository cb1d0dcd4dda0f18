package xray_test

import (
	"log/slog"
	"net"
	"strings"
	"testing"
	"time"

	"restock/local/aws/xray"
	"restock/local/view/events"
	"restock/test/await"
)

const format = `{"format": "json", "version": 1}` + "\n"

// send sends datagrams to a daemon, and returns what it logs once it has logged as many records.
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
	for _, datagram := range datagrams {
		if _, err := conn.Write([]byte(datagram)); err != nil {
			t.Fatal(err)
		}
	}
	await.Until(t, "the daemon has logged the datagrams", func() bool {
		return records.Latest() >= uint64(len(datagrams))
	})
	logged := records.Subscribe(0)
	defer logged.Close()
	batch, err := logged.Read(100)
	if err != nil {
		t.Fatal(err)
	}
	return batch.Values
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

func TestAMalformedDatagramCausesAWarning(t *testing.T) {
	for _, datagram := range []string{
		"", "hello", format, format + "{", `{"format":"json","version":2}` + "\n{" + ids + `"name":"x"}`,
		format + `{"name":"x"}`, format + `{` + strings.Replace(ids, `"end_time":1478293361.449`, `"end_time":1`, 1) +
			`"name":"x"}`,
	} {
		got := send(t, datagram)[0]
		if got.Level != slog.LevelWarn || got.Kind != "" {
			t.Errorf("%q: got %+v, want a warning", datagram, got)
		}
	}
}
