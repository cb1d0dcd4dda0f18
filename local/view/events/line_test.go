package events_test

import (
	"fmt"
	"log/slog"
	"testing"

	"restock/local/view/events"
)

func TestReadLineKeepsTheOrderOfFields(t *testing.T) {
	for _, c := range []struct{ text, want string }{
		{`{"timestamp":"t","level":"WARN","event":"goods_received","message":"goods received",` +
			`"sku":"CP-502101","quantity":100,"requestId":"r","again":true}`,
			"WARN goods_received goods received r [sku=CP-502101 quantity=100 again=true]"},
		{`{"level":"WARN","message":"sold","stock":2,"Sales":1,"_aws":{"CloudWatchMetrics":[]}}`,
			"WARN  sold  [stock=2 Sales=1]"},
		{`{"level":3,"event":4,"message":"a","x":null}`, "INFO  a  [x=<nil>]"},
		{`{"message":"a"} `, "INFO  a  []"},
	} {
		l, ok := events.ReadLine(c.text)
		got := fmt.Sprint(l.Level, " ", l.Kind, " ", l.Message, " ", l.RequestID, " ", l.Attrs)
		if !ok || got != c.want {
			t.Errorf("%s: got %q, %v; want %q", c.text, got, ok, c.want)
		}
	}
	for _, text := range []string{"", "a", "5", `["message"]`, `{}`, `{"msg":"a"}`, `{"message":5}`, `{"message":"a"`,
		`{"message":"a","b`, `{"message":"a"} b`, `{"message":"a"}{}`, ` {"message":"a"}`} {
		if l, ok := events.ReadLine(text); ok {
			t.Errorf("%s: got %+v, want that ReadLine refuses it", text, l)
		}
	}
}

func TestUnmeasuredLeavesOutMetrics(t *testing.T) {
	const metrics = `"_aws":{"Timestamp":1,"CloudWatchMetrics":[{"Namespace":"n","Dimensions":[["Product"]],` +
		`"Metrics":[{"Name":"Stock","Unit":"Count"}]}]}`
	for _, c := range []struct {
		text, want string
		none       bool
	}{
		{`{"message":"stock","event":"stock_measured","Product":"CP-502101","Stock":3,` + metrics + `}`,
			"[Product=CP-502101]", true},
		{`{"message":"sold","quantity":2,"Stock":3,` + metrics + `}`, "[quantity=2]", false},
		{`{"message":"sold","quantity":2}`, "[quantity=2]", false},
		{`{"message":"sold","quantity":2,"_aws":"text"}`, "[quantity=2]", false},
	} {
		l, _ := events.ReadLine(c.text)
		if attrs, none := l.Unmeasured(); fmt.Sprint(attrs) != c.want || none != c.none {
			t.Errorf("%s: got %v, %v; want %s, %v", c.text, attrs, none, c.want, c.none)
		}
	}
}

func TestAnEventHasTheKindOfItsRecord(t *testing.T) {
	s := events.NewStream[events.Event](10)
	log := slog.New(events.NewHandler(s, slog.LevelInfo)).With("part", "lambda")
	log.Info("a process has started", events.InstanceStarted.Attr(), "pid", 7)
	log.Info("of no kind")
	got := published(t, s)
	if got[0].Kind != events.InstanceStarted || fmt.Sprint(got[0].Attrs) != "[part=lambda pid=7]" || got[1].Kind != "" {
		t.Errorf("got %+v", got)
	}
}
