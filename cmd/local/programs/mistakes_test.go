package programs_test

import (
	"bytes"
	"io"
	"log/slog"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"

	"restock/cmd/local/programs"
	"restock/infra/graph"
	"restock/test/await"
)

// A protocol is a log that can be asked what it says.
type protocol struct {
	mu   sync.Mutex
	text bytes.Buffer
}

func (p *protocol) Write(line []byte) (int, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.text.Write(line)
}

// line is the first line that says all of something; empty if there is none.
func (p *protocol) line(says ...string) string {
	p.mu.Lock()
	defer p.mu.Unlock()
	for line := range strings.Lines(p.text.String()) {
		if !slices.ContainsFunc(says, func(s string) bool { return !strings.Contains(line, s) }) {
			return line
		}
	}
	return ""
}

// remove takes a resource out of a graph, by the end of its type and its name.
func remove(kind, name string) func(*graph.Graph) {
	return func(g *graph.Graph) {
		g.Resources = slices.DeleteFunc(g.Resources, func(r *graph.Resource) bool { return r.Type.Short() == kind && r.Name == name })
	}
}

// change changes a text that a resource was declared with.
func change(kind, name, property, old, new string) func(*graph.Graph) {
	return func(g *graph.Graph) {
		for _, r := range g.Resources {
			if r.Type.Short() == kind && r.Name == name {
				r.Outputs[property] = strings.ReplaceAll(r.String(property), old, new)
			}
		}
	}
}

// variable changes the name of a function's variable, as a slip of the pen does.
func variable(function, old, new string) func(*graph.Graph) {
	return func(g *graph.Graph) {
		for _, r := range g.OfType(graph.Function) {
			if variables, _ := r.Object("environment")["variables"].(map[string]any); r.Name == function {
				variables[new] = variables[old]
				delete(variables, old)
			}
		}
	}
}

// visibility is how many seconds the queue hides a message.
func visibility(seconds float64) func(*graph.Graph) {
	return func(g *graph.Graph) {
		for _, r := range g.OfType(graph.Queue) {
			if r.Name == "stock_queue" {
				r.Outputs["visibilityTimeoutSeconds"] = seconds
			}
		}
	}
}

// The mistakes that earlier builders found in a console, each made once in the real stack: the run refuses it by name and says where it belongs;
// and when it runs nevertheless, it fails as on AWS, and the run names what is missing.
var mistakes = []struct {
	name   string
	make   func(*graph.Graph)
	refuse []string // what the refusal says, in one line

	// What is done with the run, and how it ends. An empty path is a run that does not start.
	method, path string
	status       int
	says         []string // one line of the log, or of the error that it does not start with
}{
	{
		"a role that may not read the secret", change("RolePolicy", "sales-api", "policy", "secretsmanager:GetSecretValue", "secretsmanager:DescribeSecret"),
		[]string{"grant: ", "Function sales-api", "secretsmanager:GetSecretValue", "DATABASE_SECRET", "lambdas/environment.go"},
		"GET", "/product/donut", 503,
		[]string{"access denied", "Allow secretsmanager:GetSecretValue on arn:aws:secretsmanager:ap-northeast-2:000000000000:secret:database-", "lambdas/environment.go, as a grant beside DATABASE_SECRET"},
	},
	{
		"a role that may not publish", change("RolePolicy", "sales-api", "policy", "sns:Publish", "sns:GetTopicAttributes"),
		[]string{"grant: ", "Function sales-api", "sns:Publish", "STOCK_EMPTY_TOPIC", "lambdas/environment.go"},
		"POST", "/checkout", 200,
		[]string{"access denied", "Allow sns:Publish on arn:aws:sns:ap-northeast-2:000000000000:stock_empty", "as a grant beside STOCK_EMPTY_TOPIC"},
	},
	{
		"a queue without a policy", remove("QueuePolicy", "stock_queue"),
		[]string{"subscription: ", "Queue stock_queue", "does not let topic arn:aws:sns:ap-northeast-2:000000000000:stock_empty send", "infra/stack/messaging.go"},
		"POST", "/checkout", 200,
		[]string{"access denied", "Allow sqs:SendMessage on arn:aws:sqs:ap-northeast-2:000000000000:stock_queue to sns.amazonaws.com where aws:SourceArn", "infra/stack/messaging.go"},
	},
	{
		"a route for GET alone", change("Route", "POST /checkout", "routeKey", "POST /checkout", "GET /checkout"),
		[]string{"route: ", "Function sales-api", `its route "POST /checkout" leads nowhere`, "lambdas/lambdas.go"},
		"POST", "/checkout", 200, // the default route leads to the same function, which serves by the path
		[]string{"would not work on AWS", `its route \"POST /checkout\" leads nowhere`},
	},
	{
		"an API that may not invoke", remove("Permission", "sales-api-api"),
		[]string{"route: ", "Function sales-api", "no permission lets apigateway.amazonaws.com invoke it", "infra/stack/triggers.go"},
		"GET", "/products", 500,
		[]string{"access denied", "Allow lambda:InvokeFunction on arn:aws:lambda:ap-northeast-2:000000000000:function:sales-api to apigateway.amazonaws.com", "infra/stack/triggers.go"},
	},
	{
		"another handler than the code's", change("Function", "sales-api", "handler", "bootstrap", "index.handler"),
		[]string{"runtime: ", "Function sales-api", `handler is "index.handler", want bootstrap`, "infra/stack/function.go"},
		"", "", 0, []string{"function sales-api", `handler "index.handler"`},
	},
	{
		"a variable by another name", variable("setup", "DATABASE_SECRET", "DB_SECRET"),
		[]string{"environment: ", "Function setup", "variable DATABASE_SECRET, from secret.database, is not set", "lambdas/environment.go"},
		"", "", 0, []string{"setup", "DATABASE_SECRET"},
	},
	{
		"an endpoint that is missing", remove("VpcEndpoint", "sns"),
		[]string{"reachable: ", "Function sales-api", "it does not reach sns: the VPC has no interface endpoint for sns", "infra/stack/network.go"},
		"POST", "/checkout", 200, // the sale stands; its message waits for the sweep
		[]string{"no way through the network", "sales-api", "the VPC has no interface endpoint for sns", "infra/stack/network.go"},
	},
	{
		"a database that lets nobody in", remove("SecurityGroupIngressRule", "functions-to-database"),
		[]string{"reachable: ", "database database", "security group database has no ingress rule from security group functions on tcp 3306", "infra/stack/network.go"},
		"", "", 0, []string{"running function setup", "security group database has no ingress rule from security group functions on tcp 3306"},
	},
	{
		"a visibility timeout shorter than the function's", visibility(5),
		[]string{"visibility-timeout: ", "Queue stock_queue", "visibility timeout is 5 s, want 60 s or more", "infra/stack/messaging.go"},
		"", "", 0, []string{"visibility timeout is 5s, less than the function's timeout of 10s"},
	},
}

func TestMistakesAreRefusedByNameBeforeAnythingStarts(t *testing.T) {
	for _, m := range mistakes {
		t.Run(m.name, func(t *testing.T) {
			t.Parallel()
			c := config(t)
			c.Edit = m.make
			r, err := programs.Start(t.Context(), c)
			if err == nil {
				r.Close()
				t.Fatal("it started")
			}
			for line := range strings.Lines(err.Error()) {
				if !slices.ContainsFunc(m.refuse, func(s string) bool { return !strings.Contains(line, s) }) {
					return
				}
			}
			t.Errorf("got %v, want one line that says all of %q", err, m.refuse)
		})
	}
}

func TestMistakesFailAsOnAWSAndTheRunNamesThem(t *testing.T) {
	for _, m := range mistakes {
		t.Run(m.name, func(t *testing.T) {
			t.Parallel()
			said := &protocol{}
			c := config(t)
			c.Unchecked = true
			c.Log = slog.New(slog.NewTextHandler(io.MultiWriter(said, t.Output()), &slog.HandlerOptions{Level: slog.LevelWarn}))
			c.Edit = func(g *graph.Graph) {
				m.make(g)
				hurrySetup(g)
			}
			if m.path == "" {
				r, err := programs.Start(t.Context(), c)
				if err == nil {
					r.Close()
					t.Fatal("it started")
				}
				if all := err.Error() + said.text.String(); slices.ContainsFunc(m.says, func(s string) bool { return !strings.Contains(all, s) }) {
					t.Errorf("it did not start with %v, want it to say %q", err, m.says)
				}
				return
			}
			s := start(t, c)
			await.Until(t, "somebody says "+strings.Join(m.says, " … "), func() bool {
				request, err := http.NewRequestWithContext(t.Context(), m.method, s.API+m.path, nil)
				if err != nil {
					t.Fatal(err)
				}
				response, err := http.DefaultClient.Do(request)
				if err != nil {
					t.Fatal(err)
				}
				response.Body.Close()
				if response.StatusCode != m.status && response.StatusCode != http.StatusConflict { // the shelf is empty after three
					t.Fatalf("%s %s got %s, want %d", m.method, m.path, response.Status, m.status)
				}
				return said.line(m.says...) != ""
			})
		})
	}
}

// hurrySetup has setup wait for seconds where it would wait for minutes. It needs one to ask the database for the first time.
func hurrySetup(g *graph.Graph) {
	for _, r := range g.OfType(graph.Function) {
		if r.Name == "setup" && len(g.OfType(graph.SecurityGroupIngressRule)) < 2 {
			r.Outputs["timeout"] = 5.0
		}
	}
}
