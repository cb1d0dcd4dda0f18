package local_test

import (
	"maps"
	"net/http"
	"regexp"
	"slices"
	"strings"
	"testing"

	"restock/infra/graph"
	"restock/infra/policy/usage"
	"restock/local"
	"restock/local/run"
	"restock/test/module"
)

// start starts the program in examples/plain. Runs with the same build folder link it once.
func start(t *testing.T, buildDir string, edit func(*run.Config)) *local.Stack {
	t.Helper()
	p, err := run.External("../examples/plain")
	if err != nil {
		t.Fatal(err)
	}
	return local.Start(t, p, p.Dir, func(c *run.Config) {
		c.BuildDir = buildDir
		edit(c)
	})
}

// post sends a note to the program's API.
func post(t *testing.T, s *local.Stack) (status int) {
	t.Helper()
	response, err := http.Post(s.Endpoints().API+"/notes", "text/plain", strings.NewReader("buy sugar"))
	if err != nil {
		t.Fatal(err)
	}
	response.Body.Close()
	return response.StatusCode
}

func TestProgramWithAMainOfItsOwn(t *testing.T) {
	buildDir := module.Kept(t, "..", "plain")
	t.Run("runs", func(t *testing.T) { runsPlain(t, buildDir) })
	t.Run("is refused what its role may not do", func(t *testing.T) { refusesPlain(t, buildDir) })
}

func runsPlain(t *testing.T, buildDir string) {
	r := start(t, buildDir, func(c *run.Config) { c.Edit = addAPIs })
	if status := post(t, r); status != http.StatusAccepted || r.Undelivered() != 1 {
		t.Errorf("got the status %d and %d messages in the queue, want 202 and 1; the log:\n%s",
			status, r.Undelivered(), r.Log())
	}
	for part, path := range map[string]string{"api=\"REST API\"": "/prod/any/thing", "api=\"function URL\"": "/"} {
		url := regexp.MustCompile(part + ` stage=\S+ url=(\S+)`).FindStringSubmatch(r.Log())
		if url == nil {
			t.Fatalf("the log names no address of %s:\n%s", part, r.Log())
		}
		before := r.Undelivered()
		response, err := http.Post(url[1]+path, "text/plain", strings.NewReader("buy sugar"))
		if err != nil {
			t.Fatal(err)
		}
		response.Body.Close()
		if response.StatusCode != http.StatusAccepted || r.Undelivered() != before+1 {
			t.Errorf("%s: got the status %d, want 202 and a message; the log:\n%s",
				part, response.StatusCode, r.Log())
		}
	}
	const notRun = `name=root reason="the run has no authorizers: its authorization is CUSTOM" declared_in=main.go:2`
	if !strings.Contains(r.Log(), notRun) {
		t.Errorf("the log is\n%s\nwant a line with %s", r.Log(), notRun)
	}
	answer, err := r.Invoke(t.Context(), "writer", []byte(`{"body": "buy flour"}`))
	if err != nil || !strings.Contains(string(answer), `"statusCode":202`) {
		t.Errorf("the function answers %s, %v; want the status 202", answer, err)
	}
	made := func(c usage.Call) bool {
		return c.Action == "sqs:SendMessage" && strings.HasSuffix(c.Resource, ":notes")
	}
	if calls := slices.Collect(maps.Keys(r.Usage().Times)); !slices.ContainsFunc(calls, made) {
		t.Errorf("the run has allowed %v, want sqs:SendMessage among them", calls)
	}
	if denied := r.Denied(); len(denied) > 0 {
		t.Errorf("the run has refused %q", denied)
	}
	if strings.Contains(r.Log(), "rule=parent") {
		t.Errorf("the log has violations of this project's style:\n%s", r.Log())
	}
}

// addAPIs adds a REST API and a function URL to the program. The function does not look at what
// differs in their events.
func addAPIs(g *graph.Graph) {
	writer := g.Named(graph.Function, "writer")
	writer.Outputs["timeout"] = 29.0 // instead of 3 s, for a busy machine
	for _, r := range []*graph.Resource{
		{Type: graph.RESTAPI, Name: "rest", ID: "rest", Outputs: map[string]any{
			"executionArn": "arn:aws:execute-api:us-east-1:000000000000:rest", "rootResourceId": "top",
		}},
		{Type: graph.RESTResource, Name: "all", ID: "all", Outputs: map[string]any{
			"restApi": "rest", "parentId": "top", "pathPart": "{proxy+}",
		}},
		{Type: graph.RESTMethod, Name: "any", ID: "any", Outputs: map[string]any{
			"restApi": "rest", "resourceId": "all", "httpMethod": "ANY", "authorization": "NONE",
		}},
		{Type: graph.RESTMethod, Name: "root", ID: "root", Source: "main.go:2", Outputs: map[string]any{
			"restApi": "rest", "resourceId": "top", "httpMethod": "GET", "authorization": "CUSTOM",
		}},
		{Type: graph.RESTIntegration, Name: "any", ID: "any-writer", Outputs: map[string]any{
			"restApi": "rest", "resourceId": "all", "httpMethod": "ANY", "type": "AWS_PROXY",
			"uri": writer.String("invokeArn"),
		}},
		{Type: graph.RESTStage, Name: "prod", ID: "prod", Outputs: map[string]any{
			"restApi": "rest", "stageName": "prod",
		}},
		{Type: graph.Permission, Name: "rest", ID: "rest", Outputs: map[string]any{
			"action": "lambda:InvokeFunction", "function": writer.String("name"),
			"principal": "apigateway.amazonaws.com",
			"sourceArn": "arn:aws:execute-api:us-east-1:000000000000:rest/*/*/*",
		}},
		{Type: graph.FunctionURL, Name: "writer", ID: "writer", Outputs: map[string]any{
			"functionName": writer.String("name"), "authorizationType": "NONE",
		}},
	} {
		r.URN = "urn:pulumi:dev::plain::" + string(r.Type) + "::" + r.Name
		g.Resources = append(g.Resources, r)
	}
	slices.SortFunc(g.Resources, func(a, b *graph.Resource) int { return strings.Compare(a.URN, b.URN) })
}

func refusesPlain(t *testing.T, buildDir string) {
	r := start(t, buildDir, func(c *run.Config) {
		c.Edit = func(g *graph.Graph) {
			policies := func(r *graph.Resource) bool { return r.Type == graph.RolePolicy }
			g.Resources = slices.DeleteFunc(g.Resources, policies)
			g.Resources = append(g.Resources, &graph.Resource{
				URN: "urn:pulumi:dev::plain::aws:glue/job:Job::notes", Type: "aws:glue/job:Job",
				Name: "notes", ID: "notes", Source: "main.go:99",
			})
		}
	})
	if status := post(t, r); status != http.StatusInternalServerError {
		t.Errorf("got the status %d, want 500", status)
	}
	want := regexp.MustCompile(`sqs:SendMessage.*arn:aws:sqs:us-east-1:000000000000:notes.*main\.go:\d+`)
	if denied := r.Denied(); len(denied) != 1 || !want.MatchString(denied[0]) {
		t.Errorf("the run has refused %q, want one call that matches %s", denied, want)
	}
	const notRun = `msg="declared, but not run here" type=aws:glue/job:Job name=notes reason="the run has no ` +
		`stand-in for this type" declared_in=main.go:99`
	if !strings.Contains(r.Log(), notRun) {
		t.Errorf("the log is\n%s\nwant a line with %s", r.Log(), notRun)
	}
}
