package console_test

import (
	"reflect"
	"testing"
	"time"

	"restock/infra/policy/evaluation"
	"restock/local/aws/sqs"
	"restock/local/view/console"
	"restock/local/view/events"
	"restock/test/await"
)

func TestAFunctionShowsWhatItMayDoAndItsEnvironmentWithoutSecrets(t *testing.T) {
	t.Parallel()
	h := newHarness(t)
	built := time.Date(2026, 11, 29, 12, 0, 0, 0, time.UTC)
	document, err := evaluation.Parse(evaluation.Identity, `{"Version":"2012-10-17","Statement":[
		{"Effect":"Allow","Action":["sqs:ReceiveMessage","sqs:DeleteMessage"],"Resource":"arn:aws:sqs:eu:0:q"},
		{"Effect":"Allow","Action":"logs:PutLogEvents","Resource":"arn:aws:logs:eu:0:log-group:stock:*"},
		{"Effect":"Deny","NotAction":"sqs:*","Resource":"*"}]}`)
	if err != nil {
		t.Fatal(err)
	}
	err = h.Console.Run(console.Stack{
		Graph: picture(), Secrets: func() []string { return []string{"hunter2"} },
		Functions: console.Functions{Declared: func(name string) (console.Declaration, bool) {
			return console.Declaration{
				DeclaredIn: "infra/f.go:1", Source: "lambdas/stock", Built: built, Role: "arn:aws:iam::0:role/stock",
				Environment: map[string]string{
					"QUEUE": "https://sqs/q", "KEY_SECRET": "arn:aws:secretsmanager:eu:0:secret:key",
					"LOGIN":       "is hunter2",
					"DB_PASSWORD": "1234", "DSN": "mysql://root:toor@db/shop",
					"DB_PASS": "1234", "DB_PWD": "1234", "REDIS_AUTH": "1234", "GO_DSN": "app:p@/w@tcp(db:3306)/shop",
				},
				Policies: []evaluation.Document{document},
			}, name == "stock"
		}},
	})
	if err != nil {
		t.Fatal(err)
	}
	var got struct{ Facts console.Facts }
	h.Get(t, "/nodes/function:stock", &got)
	want := console.Facts{
		DeclaredIn: "infra/f.go:1", Source: "lambdas/stock", Role: "arn:aws:iam::0:role/stock",
		Environment: []console.Variable{
			{Name: "DB_PASS", Value: "(hidden)"}, {Name: "DB_PASSWORD", Value: "(hidden)"},
			{Name: "DB_PWD", Value: "(hidden)"}, {Name: "DSN", Value: "mysql://(hidden)@db/shop"},
			{Name: "GO_DSN", Value: "(hidden)@tcp(db:3306)/shop"},
			{Name: "KEY_SECRET", Value: "arn:aws:secretsmanager:eu:0:secret:key"},
			{Name: "LOGIN", Value: "is (hidden)"}, {Name: "QUEUE", Value: "https://sqs/q"},
			{Name: "REDIS_AUTH", Value: "(hidden)"},
		},
		May: []console.Permission{
			{Effect: "Allow", Actions: []string{"sqs:ReceiveMessage", "sqs:DeleteMessage"},
				On: []console.Target{{Text: "q", Node: "queue:q"}}},
			{Effect: "Allow", Actions: []string{"logs:PutLogEvents"},
				On: []console.Target{{Text: "log-group:stock:*"}}},
			{Effect: "Deny", Actions: []string{"all except sqs:*"}, On: []console.Target{{Text: "everything"}}},
		},
		Builds: []console.Build{{State: "ok", Time: built}},
	}
	if !reflect.DeepEqual(got.Facts, want) {
		t.Errorf("got\n%+v\nwant\n%+v", got.Facts, want)
	}
	h.Console.Built(console.Build{State: "building", What: []string{"stock"}})
	h.Console.Built(console.Build{State: "failed", What: []string{"stock"}, Error: "syntax error", Time: built})
	h.Get(t, "/nodes/function:stock", &got)
	if b := got.Facts.Builds; len(b) != 1 || b[0].State != "failed" || b[0].Error != "syntax error" {
		t.Errorf("got the builds %+v, want the failed one", b)
	}
}

// TestAResourceShowsWhoMayDoWhat reads the facts of a bucket, and the counts of its calls.
func TestAResourceShowsWhoMayDoWhat(t *testing.T) {
	t.Parallel()
	h := newHarness(t)
	document, err := evaluation.Parse(evaluation.Identity, `{"Version":"2012-10-17","Statement":[
		{"Effect":"Allow","Action":["s3:GetObject","s3:PutObject"],"Resource":"arn:aws:s3:::files/*"},
		{"Effect":"Allow","Action":"sqs:ReceiveMessage","Resource":"*"},
		{"Effect":"Deny","Action":"s3:PutObject","Resource":"arn:aws:s3:::files/old/*"}]}`)
	if err != nil {
		t.Fatal(err)
	}
	const node, edge = "bucket:files", "function:stock>bucket:files"
	g := picture()
	g.Nodes = append(g.Nodes, console.Node{
		ID: node, Kind: console.KindBucket, Label: "files", Name: "files", Service: "s3", ARN: "arn:aws:s3:::files",
	})
	g.Edges = append(g.Edges, console.Edge{ID: edge, From: "function:stock", To: node})
	if err := h.Console.Run(console.Stack{Graph: g, Functions: console.Functions{
		Declared: func(name string) (console.Declaration, bool) {
			return console.Declaration{Policies: []evaluation.Document{document}}, name == "stock"
		},
	}}); err != nil {
		t.Fatal(err)
	}
	h.Log.Debug("a call", "part", "aws", "function", "stock", "service", "s3", "operation", "GetObject",
		"resources", "arn:aws:s3:::files/a arn:aws:s3:::files/b", events.AWSCallAnswered.Attr())
	h.Log.Warn("denied", "part", "iam", "function", "stock", "action", "s3:DeleteObject",
		"resource", "arn:aws:s3:::files/a", events.AccessDenied.Attr())
	var state struct {
		Counters map[string]map[string]int
		Denials  []console.Denial
	}
	await.Until(t, "both calls are counted", func() bool {
		h.Get(t, "/state", &state)
		return state.Counters[node]["denied"] == 1
	})
	if state.Counters[node]["calls"] != 1 || state.Denials[0].Edge != edge {
		t.Errorf("got %v and %+v, want one call, and the denial on the edge", state.Counters[node], state.Denials)
	}
	var got struct{ Resource console.ResourceFacts }
	h.Get(t, "/nodes/"+node, &got)
	grant := func(effect, part string, actions ...string) console.Grant {
		return console.Grant{Node: "function:stock", Permission: console.Permission{
			Effect: effect, Actions: actions, On: []console.Target{{Text: "files/" + part, Node: node}},
		}}
	}
	want := console.ResourceFacts{ARN: "arn:aws:s3:::files", Who: []console.Grant{
		grant("Allow", "*", "s3:GetObject", "s3:PutObject"), grant("Deny", "old/*", "s3:PutObject"),
	}}
	if !reflect.DeepEqual(got.Resource, want) {
		t.Errorf("got\n%+v\nwant\n%+v", got.Resource, want)
	}
}

func TestAQueueHasItsDepthAndAgeOverTheRun(t *testing.T) {
	t.Parallel()
	h := newHarness(t)
	q, dlq := queues(t)
	for range 3 {
		if _, err := q.Send(sqs.SendInput{Body: "x"}); err != nil {
			t.Fatal(err)
		}
	}
	if err := h.Console.Run(console.Stack{Graph: picture(), Queues: []*sqs.Queue{q, dlq}}); err != nil {
		t.Fatal(err)
	}
	await.Until(t, "the queue has a depth and an age", func() bool {
		var got struct{ Series console.Series }
		h.Get(t, "/nodes/queue:q", &got)
		messages, oldest := got.Series.Values["messages"], got.Series.Values["oldest_s"]
		last := len(messages) - 2 // the last second may not be over
		return last >= 0 && len(oldest) == len(messages) && messages[last] == 3 && oldest[last] > 0
	})
}
