package run

import (
	"bytes"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	v4 "github.com/aws/aws-sdk-go-v2/aws/signer/v4"

	"restock/infra/graph"
	"restock/local/aws/iam"
)

const (
	calledARN = "arn:aws:lambda:eu-west-1:000000000000:function:called"
	restARN   = "arn:aws:execute-api:eu-west-1:000000000000:api"
)

// signedBy returns the services of a program whose role has the statements, and a request that the
// role has signed.
func signedBy(t *testing.T, statements, service, path string) (*services, *http.Request) {
	t.Helper()
	const role = "arn:aws:iam::000000000000:role/caller"
	authority, err := iam.New(iam.Config{Log: slog.New(slog.DiscardHandler), Graph: &graph.Graph{
		Region: "eu-west-1", Resources: []*graph.Resource{
			{Type: graph.Role, Name: "caller", ID: "caller", Outputs: map[string]any{"name": "caller", "arn": role}},
			{Type: graph.RolePolicy, Name: "caller", Outputs: map[string]any{
				"role": "caller", "policy": `{"Statement":[` + statements + `]}`,
			}},
		},
	}})
	if err != nil {
		t.Fatal(err)
	}
	c, release := authority.Issue(role, "caller")
	t.Cleanup(release)
	r := httptest.NewRequest("GET", "http://127.0.0.1"+path, nil)
	const empty = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
	if err := v4.NewSigner().SignHTTP(t.Context(), aws.Credentials{
		AccessKeyID: c.AccessKeyID, SecretAccessKey: c.SecretAccessKey, SessionToken: c.SessionToken,
	}, r, empty, service, "eu-west-1", time.Now()); err != nil {
		t.Fatal(err)
	}
	return &services{authority: authority}, r
}

func allow(action, on string) string {
	return `{"Effect":"Allow","Action":"` + action + `","Resource":"` + on + `"}`
}

func TestARequestNeedsThePermissionForItsStageAndPath(t *testing.T) {
	for _, c := range []struct {
		stage, path, on string
		allowed         bool
	}{
		{"prod", "/prod/notes", "/prod/GET/notes", true},
		{"prod", "/prod/notes", "/GET/prod/notes", false},
		{"prod", "/prod/notes", "/prod/GET/prod/notes", false},
		{"$default", "/notes", "/$default/GET/notes", true},
	} {
		s, r := signedBy(t, allow("execute-api:Invoke", restARN+c.on), "execute-api", c.path)
		if err := s.authorizeRequest(r, nil, "eu-west-1", restARN+"/"+c.stage); (err == nil) != c.allowed {
			t.Errorf("%+v: got %v", c, err)
		}
	}
}

func TestAFunctionURLNeedsTwoPermissions(t *testing.T) {
	for _, actions := range [][]string{
		{"lambda:InvokeFunctionUrl", "lambda:InvokeFunction"}, {"lambda:InvokeFunctionUrl"}, {"lambda:InvokeFunction"},
	} {
		statements := ""
		for i, action := range actions {
			statements += strings.Repeat(",", min(i, 1)) + allow(action, calledARN)
		}
		s, r := signedBy(t, statements, "lambda", "/")
		if err := s.authorizeURL(r, nil, "eu-west-1", calledARN); (err == nil) != (len(actions) == 2) {
			t.Errorf("with %q: got %v", actions, err)
		}
	}
}

func TestARESTAPIWithAPolicyIsNotServed(t *testing.T) {
	called := &graph.Resource{Type: graph.Function, Name: "called", Outputs: map[string]any{
		"arn": calledARN, "invokeArn": "called",
	}}
	method := &graph.Resource{Type: graph.RESTMethod, Name: "root", Outputs: map[string]any{
		"restApi": "api", "resourceId": "top", "httpMethod": "GET", "authorization": "NONE",
	}}
	integration := &graph.Resource{Type: graph.RESTIntegration, Name: "root", Outputs: map[string]any{
		"restApi": "api", "resourceId": "top", "httpMethod": "GET", "type": "AWS_PROXY", "uri": "called",
	}}
	s := &services{}
	s.functions.Store(&functions{calledARN: nil})
	routes := func(log *bytes.Buffer, api *graph.Resource, more ...*graph.Resource) int {
		r := &Run{config: Config{Log: slog.New(slog.NewTextHandler(log, nil))}}
		g := &graph.Graph{Resources: append(more, api, called, method, integration)}
		return len(r.restRoutes(g, s, api, restARN+"/prod"))
	}
	rest := func(policy string) *graph.Resource {
		return &graph.Resource{
			Type: graph.RESTAPI, Name: "notes", ID: "api", Source: "main.go:3",
			Outputs: map[string]any{"policy": policy, "rootResourceId": "top"},
		}
	}
	var log bytes.Buffer
	if n := routes(&log, rest("")); n != 1 {
		t.Errorf("without a policy: got %d routes, want 1; the log is\n%s", n, log.String())
	}
	attached := &graph.Resource{Type: graph.RESTAPIPolicy, Name: "notes", Outputs: map[string]any{"restApiId": "api"}}
	for name, n := range map[string]int{
		"a policy": routes(&log, rest("{}")), "an attached policy": routes(&log, rest(""), attached),
	} {
		if n > 0 {
			t.Errorf("%s: got %d routes, want none", name, n)
		}
	}
	const reason = `name=notes reason="the run does not evaluate the policy of a REST API" declared_in=main.go:3`
	if strings.Count(log.String(), reason) != 2 {
		t.Errorf("the log is\n%s\nwant two lines with %s", log.String(), reason)
	}
}

func TestAFunctionURLThatAWSRefusesIsNamed(t *testing.T) {
	url := &graph.Resource{Type: graph.FunctionURL, Name: "called", Source: "main.go:5"}
	for _, c := range []struct {
		action, principal string
		warned            bool
	}{
		{"lambda:InvokeFunction", "*", false},
		{"lambda:InvokeFunctionUrl", "*", true},
		{"lambda:InvokeFunction", "sns.amazonaws.com", true},
	} {
		var log bytes.Buffer
		r := &Run{config: Config{Log: slog.New(slog.NewTextHandler(&log, nil))}}
		r.warnNotPublic(&graph.Graph{Resources: []*graph.Resource{{Type: graph.Permission, Outputs: map[string]any{
			"action": c.action, "principal": c.principal, "function": calledARN,
		}}}}, url, "called")
		if warned := strings.Contains(log.String(), "declared_in=main.go:5"); warned != c.warned {
			t.Errorf("%+v: the log is %q", c, log.String())
		}
	}
}
