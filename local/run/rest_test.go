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

func TestThePolicyOfARESTAPIDecidesAboutRequestsWithoutASignature(t *testing.T) {
	statement := func(effect, on string) string {
		return `{"Effect":"` + effect + `","Principal":"*","Action":"execute-api:Invoke","Resource":"` + on + `"}`
	}
	outside := func(network string) string {
		return strings.TrimSuffix(statement("Deny", "*"), "}") +
			`,"Condition":{"NotIpAddress":{"aws:SourceIp":"` + network + `"}}}`
	}
	const allowed = "Allow execute-api:Invoke"
	for _, c := range []struct{ statements, missing string }{
		{statement("Allow", "*"), ""},
		{statement("Allow", "execute-api:/prod/GET/notes"), ""},
		{statement("Allow", "execute-api:/prod/POST/*"), allowed + " on " + restARN + "/prod/GET/notes"},
		{statement("Allow", "*") + "," + statement("Deny", restARN+"/prod/GET/notes"), "an explicit deny"},
		{statement("Allow", "*") + "," + outside("192.0.2.0/24"), ""}, // the client of a test is 192.0.2.1
		{statement("Allow", "*") + "," + outside("203.0.113.0/24"), "an explicit deny"},
		{`{"Effect":"Allow","Principal":"*","Action":"*"}`, allowed},
		{statement("Allow", "*") + `,{"Effect":"Deny","Principal":"*","Action":"*"}`, "an explicit deny"},
		{`{"Effect":"Allow","Principal":{"AWS":"000000000000"},"Action":"*","Resource":"*"}`, allowed},
	} {
		policy := `{"Statement":[` + c.statements + `]}`
		api := func(policy string) *graph.Resource {
			outputs := map[string]any{"policy": policy, "executionArn": restARN}
			return &graph.Resource{Type: graph.RESTAPI, Name: "notes", ID: "api", Source: "main.go:3", Outputs: outputs}
		}
		attached := &graph.Resource{Type: graph.RESTAPIPolicy, Name: "notes", Outputs: map[string]any{
			"restApiId": "api", "policy": policy,
		}}
		for _, g := range []*graph.Graph{
			{Region: "eu-west-1", Resources: []*graph.Resource{api(policy)}},
			{Region: "eu-west-1", Resources: []*graph.Resource{api(""), attached}},
		} {
			var log bytes.Buffer
			authority, err := iam.New(iam.Config{Graph: g, Log: slog.New(slog.NewTextHandler(&log, nil))})
			if err != nil {
				t.Fatal(err)
			}
			s := &services{authority: authority}
			err = s.authorizeAnybody(g, g.Resources[0], restARN+"/prod")(httptest.NewRequest("GET", "/prod/notes", nil))
			if (err == nil) != (c.missing == "") {
				t.Errorf("%s: got %v", policy, err)
			}
			for _, want := range []string{c.missing, `declared_in="main.go:3, in the API's policy"`} {
				if err != nil && !strings.Contains(log.String(), want) {
					t.Errorf("%s: the log is %s, want %s in it", policy, log.String(), want)
				}
			}
		}
	}
	open := &graph.Resource{Type: graph.RESTAPI, ID: "api"}
	if (&services{}).authorizeAnybody(&graph.Graph{}, open, restARN+"/prod") != nil {
		t.Error("an API without a policy refuses requests")
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
