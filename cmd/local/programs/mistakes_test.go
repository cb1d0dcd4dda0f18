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

// A textLog keeps the text of a log.
type textLog struct {
	mu   sync.Mutex
	text bytes.Buffer
}

func (p *textLog) Write(line []byte) (int, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.text.Write(line)
}

// line returns the first line that contains all texts, or "".
func (p *textLog) line(texts ...string) string {
	p.mu.Lock()
	defer p.mu.Unlock()
	for line := range strings.Lines(p.text.String()) {
		if containsAll(line, texts) {
			return line
		}
	}
	return ""
}

// containsAll reports whether a text contains all parts.
func containsAll(text string, parts []string) bool {
	return !slices.ContainsFunc(parts, func(s string) bool { return !strings.Contains(text, s) })
}

// remove removes a resource from a graph. kind is the last part of its type.
func remove(kind, name string) func(*graph.Graph) {
	return func(g *graph.Graph) {
		g.Resources = slices.DeleteFunc(g.Resources, func(r *graph.Resource) bool {
			return r.Type.Short() == kind && r.Name == name
		})
	}
}

// change replaces a text in a property of a resource.
func change(kind, name, property, old, new string) func(*graph.Graph) {
	return func(g *graph.Graph) {
		for _, r := range g.Resources {
			if r.Type.Short() == kind && r.Name == name {
				r.Outputs[property] = strings.ReplaceAll(r.String(property), old, new)
			}
		}
	}
}

// variable renames a variable of a function.
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

// visibility sets the queue's visibility timeout in seconds.
func visibility(seconds float64) func(*graph.Graph) {
	return func(g *graph.Graph) {
		for _, r := range g.OfType(graph.Queue) {
			if r.Name == "stock_queue" {
				r.Outputs["visibilityTimeoutSeconds"] = seconds
			}
		}
	}
}

// checkoutForGET declares the route of the checkout for GET.
func checkoutForGET(g *graph.Graph) {
	change("Route", "POST /checkout", "routeKey", "POST", "GET")(g)
	for _, stage := range g.OfType(graph.APIStage) {
		for _, own := range stage.Outputs["routeSettings"].([]any) {
			if own := own.(map[string]any); own["routeKey"] == "POST /checkout" {
				own["routeKey"] = "GET /checkout"
			}
		}
	}
}

// A mistake is a typical one, made once in the real stack. A run refuses to start with an error
// that names the mistake and its place. An unchecked run fails as on AWS, and its log names what is
// missing.
type mistake struct {
	name   string
	make   func(*graph.Graph)
	refuse []string // texts in one line of the refusal

	// The request that shows the mistake, and its answer. Without a path, the run does not start.
	method, path string
	status       int
	logs         []string // texts in one line of the log, or in the error of the start
}

// mayNotPublish is the mistake that TestEveryShortageEndsWithNewStock makes in an unchecked run.
var mayNotPublish = mistake{
	name:   "a role that may not publish",
	make:   change("RolePolicy", "sales-api", "policy", "sns:Publish", "sns:GetTopicAttributes"),
	refuse: []string{"grant: ", "Function sales-api", "sns:Publish", "STOCK_EMPTY_TOPIC", "lambdas/environment.go"},
	logs: []string{"access denied", "Allow sns:Publish on arn:aws:sns:ap-northeast-2:000000000000:stock_empty",
		"as a grant beside STOCK_EMPTY_TOPIC"},
}

var mistakes = []mistake{
	mayNotPublish,
	{
		"a role that may not read the secret",
		change("RolePolicy", "sales-api", "policy", "secretsmanager:GetSecretValue", "secretsmanager:DescribeSecret"),
		[]string{"grant: ", "Function sales-api", "secretsmanager:GetSecretValue", "DATABASE_SECRET",
			"lambdas/environment.go"},
		"GET", "/product/donut", 503,
		[]string{"access denied", "Allow secretsmanager:GetSecretValue on " +
			"arn:aws:secretsmanager:ap-northeast-2:000000000000:secret:database-",
			"lambdas/environment.go, as a grant beside DATABASE_SECRET"},
	},
	{
		"a queue without a policy", remove("QueuePolicy", "stock_queue"),
		[]string{"subscription: ", "Queue stock_queue",
			"does not let topic arn:aws:sns:ap-northeast-2:000000000000:restock-dev-stock_empty-145d05b send",
			"infra/stack/messaging.go"},
		"POST", "/checkout", 200,
		[]string{"access denied", "Allow sqs:SendMessage on arn:aws:sqs:ap-northeast-2:000000000000:stock_queue to " +
			"sns.amazonaws.com where aws:SourceArn", "infra/stack/messaging.go"},
	},
	{
		"a route for GET only", checkoutForGET,
		[]string{"route: ", "Function sales-api", `its route "POST /checkout" leads nowhere`, "lambdas/lambdas.go"},
		"POST", "/checkout", 200, // the default route has the same function
		[]string{"would not work on AWS", `its route \"POST /checkout\" leads nowhere`},
	},
	{
		"an API that may not send to its queue",
		change("RolePolicy", "stock-increase-api", "policy", "sqs:SendMessage", "sqs:ReceiveMessage"),
		[]string{"route: ", "Integration stock-increase", "its role does not allow sqs:SendMessage on " +
			"arn:aws:sqs:ap-northeast-2:000000000000:restock-dev-deliveries_queue-c04b617", "infra/stack/triggers.go"},
		"POST", "/production-orders/o/attempts/a/receipt?quantity=1&correlation=c&signature=s", 403,
		[]string{"access denied",
			"Allow sqs:SendMessage on arn:aws:sqs:ap-northeast-2:000000000000:deliveries_queue"},
	},
	{
		"an API whose role it may not assume",
		change("Role", "stock-increase-api", "assumeRolePolicy", "apigateway.amazonaws.com", "lambda.amazonaws.com"),
		[]string{"route: ", "Integration stock-increase", "apigateway.amazonaws.com may not assume its role"},
		"", "", 0, []string{"integration stock-increase: letting apigateway.amazonaws.com assume its role"},
	},
	{
		"an API that may not invoke", remove("Permission", "sales-api-api"),
		[]string{"route: ", "Function sales-api", "no permission lets apigateway.amazonaws.com invoke it",
			"infra/stack/triggers.go"},
		"GET", "/products", 500,
		[]string{"access denied", "Allow lambda:InvokeFunction on " +
			"arn:aws:lambda:ap-northeast-2:000000000000:function:sales-api to apigateway.amazonaws.com",
			"infra/stack/triggers.go"},
	},
	{
		"a wrong handler", change("Function", "sales-api", "handler", "bootstrap", "index.handler"),
		[]string{"runtime: ", "Function sales-api", `handler is "index.handler", want bootstrap`,
			"infra/stack/function.go"},
		"", "", 0, []string{"function sales-api", `handler "index.handler"`},
	},
	{
		"a renamed variable", variable("setup", "DATABASE_SECRET", "DB_SECRET"),
		[]string{"environment: ", "Function setup", "variable DATABASE_SECRET, from secret.database, is not set",
			"lambdas/environment.go"},
		"", "", 0, []string{"setup", "DATABASE_SECRET"},
	},
	{
		"a missing endpoint", remove("VpcEndpoint", "sns"),
		[]string{"reachable: ", "Function sales-api",
			"it does not reach sns: the VPC has no interface endpoint for sns", "infra/stack/network.go"},
		"POST", "/checkout", 200, // the sale is committed; the sweep publishes its message later
		[]string{"no way through the network", "sales-api", "the VPC has no interface endpoint for sns",
			"infra/stack/network.go"},
	},
	{
		"an endpoint that does not let a message pass",
		change("VpcEndpoint", "sns", "policy", "sns:Publish", "sns:GetTopicAttributes"),
		[]string{"endpoint-policy: ", "Function sales-api",
			"the policy of VpcEndpoint sns does not allow sns:Publish, which variable STOCK_EMPTY_TOPIC grants",
			"infra/stack/network.go"},
		"POST", "/checkout", 200,
		[]string{"access denied", "no VPC endpoint policy allows the sns:Publish action",
			"in the policy of VpcEndpoint sns"},
	},
	{
		"a database without an ingress rule", remove("SecurityGroupIngressRule", "functions-to-database"),
		[]string{"reachable: ", "database database",
			"security group database has no ingress rule from security group functions on tcp 3306",
			"infra/stack/network.go"},
		"", "", 0, []string{"running function setup",
			"security group database has no ingress rule from security group functions on tcp 3306"},
	},
	{
		"a visibility timeout shorter than the function's", visibility(5),
		[]string{"visibility-timeout: ", "Queue stock_queue", "visibility timeout is 5 s, want 60 s or more",
			"infra/stack/messaging.go"},
		"", "", 0, []string{"visibility timeout is 5s, less than the function's timeout of 10s"},
	},
}

func TestMistakesAreRefusedByNameBeforeAnythingStarts(t *testing.T) {
	for _, m := range mistakes {
		t.Run(m.name, func(t *testing.T) {
			t.Parallel()
			c := privateConfig(t)
			c.Edit = m.make
			r, err := programs.Start(t.Context(), c)
			if err == nil {
				r.Close()
				t.Fatal("the run started")
			}
			for line := range strings.Lines(err.Error()) {
				if containsAll(line, m.refuse) {
					return
				}
			}
			t.Errorf("got %v, want one line with all of %q", err, m.refuse)
		})
	}
}

func TestMistakesFailAsOnAWSAndTheRunNamesThem(t *testing.T) {
	for _, m := range mistakes {
		if m.name == mayNotPublish.name {
			continue
		}
		t.Run(m.name, func(t *testing.T) {
			t.Parallel()
			logged := &textLog{}
			c := config(t)
			c.Unchecked = true
			both := io.MultiWriter(logged, t.Output())
			c.Log = slog.New(slog.NewTextHandler(both, &slog.HandlerOptions{Level: slog.LevelWarn}))
			c.Edit = func(g *graph.Graph) {
				m.make(g)
				setTimeouts(g)
			}
			if m.path == "" {
				r, err := programs.Start(t.Context(), c)
				if err == nil {
					r.Close()
					t.Fatal("the run started")
				}
				if !containsAll(err.Error()+logged.text.String(), m.logs) {
					t.Errorf("the run did not start, with the error %v; want the texts %q", err, m.logs)
				}
				return
			}
			s := start(t, c)
			await.Until(t, "the log says "+strings.Join(m.logs, " … "), func() bool {
				request, err := http.NewRequestWithContext(t.Context(), m.method, s.API+m.path, nil)
				if err != nil {
					t.Fatal(err)
				}
				response, err := http.DefaultClient.Do(request)
				if err != nil {
					t.Fatal(err)
				}
				response.Body.Close()
				soldOut := response.StatusCode == http.StatusConflict // after three requests
				if response.StatusCode != m.status && !soldOut {
					t.Fatalf("%s %s got %s, want %d", m.method, m.path, response.Status, m.status)
				}
				return logged.line(m.logs...) != ""
			})
		})
	}
}

// setTimeouts shortens setup's timeout from minutes to seconds, if the database is unreachable. The
// first connection needs one second. The functions of the APIs get the most that an API waits for:
// on a busy machine they take longer than a buyer should wait.
func setTimeouts(g *graph.Graph) {
	for _, r := range g.OfType(graph.Function) {
		switch {
		case r.Name == "setup" && len(g.OfType(graph.SecurityGroupIngressRule)) < 2:
			r.Outputs["timeout"] = 20.0
		case r.Name == "sales-api" || r.Name == "merchant-api":
			r.Outputs["timeout"] = 29.0
		}
	}
}
