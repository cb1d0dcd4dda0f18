package console_test

import (
	"reflect"
	"testing"
	"time"

	"restock/infra/policy/evaluation"
	"restock/local/aws/sqs"
	"restock/local/view/console"
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
