package console

import (
	"context"
	"log/slog"
	"regexp"
	"strings"
	"testing"

	"restock/local/view/events"
)

// shop is a picture of a stack like the shop's.
func shop() Graph {
	node := func(kind, name, arn string) Node {
		service := map[string]string{
			KindAPI: "execute-api", KindFunction: "lambda", KindTopic: "sns", KindQueue: "sqs",
			KindDeadLetterQueue: "sqs", KindSecrets: "secretsmanager", KindSchedule: "events",
		}[kind]
		return Node{ID: NodeID(kind, name), Kind: kind, Label: name, Name: name, ARN: arn, Service: service}
	}
	g := Graph{
		Nodes: []Node{
			node(KindCallers, "buyers", ""),
			node(KindAPI, "shop", ""),
			node(KindFunction, "sales-api", "arn:aws:lambda:eu:0:function:sales-api"),
			node(KindFunction, "stock", "arn:aws:lambda:eu:0:function:stock"),
			node(KindFunction, "stock-increase", "arn:aws:lambda:eu:0:function:stock-increase"),
			node(KindFunction, "sweep", "arn:aws:lambda:eu:0:function:sweep"),
			node(KindTopic, "stock_empty", "arn:aws:sns:eu:0:stock_empty"),
			node(KindQueue, "stock_queue", "arn:aws:sqs:eu:0:stock_queue"),
			node(KindQueue, "deliveries_queue", "arn:aws:sqs:eu:0:deliveries_queue"),
			node(KindDeadLetterQueue, "stock_queue_dlq", "arn:aws:sqs:eu:0:stock_queue_dlq"),
			node(KindDatabase, "database", ""),
			node(KindSecrets, "secrets", ""),
			node(KindSchedule, "sweep", "arn:aws:events:eu:0:rule/sweep"),
			node(KindFactory, "factory", ""),
		},
		Routes: map[string]string{
			"POST /checkout": "function:sales-api", "POST /receipts/{order}": "function:stock-increase",
		},
	}
	for _, e := range [][2]string{
		{"callers:buyers", "api:shop"}, {"api:shop", "function:sales-api"}, {"api:shop", "function:stock-increase"},
		{"api:shop", "queue:deliveries_queue"},
		{"function:sales-api", "topic:stock_empty"}, {"topic:stock_empty", "queue:stock_queue"},
		{"queue:stock_queue", "function:stock"}, {"queue:stock_queue", "dead-letter-queue:stock_queue_dlq"},
		{"function:stock", "factory:factory"}, {"factory:factory", "api:shop"},
		{"function:sales-api", "database:database"}, {"function:sales-api", "secrets:secrets"},
		{"schedule:sweep", "function:sweep"},
	} {
		g.Edges = append(g.Edges, Edge{ID: EdgeID(e[0], e[1]), From: e[0], To: e[1]})
	}
	return g
}

// observed is an observer of the shop, with a log whose events it observes.
type observed struct {
	*observer
	log      *slog.Logger
	records  *events.Subscription[events.Event]
	reworded bool // replaces the text of every message
}

// business is the Business of the shop.
var business = Business{
	Meaning: func(kind string, attrs map[string]any) (m Meaning) {
		switch kind {
		case "production_order_opened":
			m.Notable = true
		case "sale_made":
			m.Notable, m.Text, m.Mark = true, func(string) string { return "the last piece sold" }, "sold out"
		}
		return m
	},
	Objects: []string{"production_order", "lot"},
}

func newObserved() *observed {
	records := events.NewStream[events.Event](1 << 16)
	o := &observed{
		observer: newObserver(business), log: slog.New(events.NewHandler(records, slog.LevelDebug)),
		records: records.Subscribe(0),
	}
	o.show(shop())
	return o
}

// messageOf matches the message in a function's line.
var messageOf = regexp.MustCompile(`"message":"[^"]*"`)

func reworded(r events.Event) string {
	if r.Kind == events.FunctionLine {
		return messageOf.ReplaceAllString(r.Message, `"message":"reworded"`)
	}
	return "reworded"
}

// part returns the logger of a part of the run.
func (o *observed) part(name string) *slog.Logger { return o.log.With("part", name) }

// logs logs an event of a part of the run. The message is the kind's name.
func (o *observed) logs(level slog.Level, part string, kind events.Kind, attrs ...any) {
	message := strings.ReplaceAll(string(kind), "_", " ")
	o.part(part).Log(context.Background(), level, message, append(attrs, kind.Attr())...)
}

func (o *observed) debug(part string, kind events.Kind, attrs ...any) {
	o.logs(slog.LevelDebug, part, kind, attrs...)
}

func (o *observed) info(part string, kind events.Kind, attrs ...any) {
	o.logs(slog.LevelInfo, part, kind, attrs...)
}

func (o *observed) warn(part string, kind events.Kind, attrs ...any) {
	o.logs(slog.LevelWarn, part, kind, attrs...)
}

// taken observes the events that were logged since the last call, and returns them.
func (o *observed) taken(t testing.TB) (taken []*Event) {
	t.Helper()
	batch, err := o.records.Read(1 << 20)
	if err != nil || batch.Dropped > 0 {
		t.Fatalf("%d records were dropped (%v)", batch.Dropped, err)
	}
	for _, r := range batch.Values {
		if o.reworded {
			r.Message = reworded(r)
		}
		if e := o.observer.take(r); e != nil {
			taken = append(taken, e)
		}
	}
	return taken
}
