package run

import (
	"bytes"
	"log/slog"
	"maps"
	"strings"
	"testing"

	"restock/infra/graph"
	"restock/local/aws/awsapi"
	"restock/local/aws/standin"
)

// granted is a program with a function whose role has a policy.
func granted(statements string) *graph.Graph {
	resource := func(token graph.Type, name string, outputs map[string]any) *graph.Resource {
		outputs["name"] = name
		return &graph.Resource{
			URN: string(token) + "::" + name, Type: token, Name: name, Outputs: outputs, Source: "refund.go:7",
		}
	}
	return &graph.Graph{Resources: []*graph.Resource{
		resource(graph.Function, "refund", map[string]any{"role": "arn:aws:iam::0:role/refund"}),
		resource(graph.Role, "refund", map[string]any{"arn": "arn:aws:iam::0:role/refund"}),
		resource(graph.RolePolicy, "refund", map[string]any{
			"role": "refund", "policy": `{"Version":"2012-10-17","Statement":[` + statements + `]}`,
		}),
		resource("aws:dynamodb/table:Table", "refunds", map[string]any{}),
	}}
}

func TestTheRunNamesWhatAFunctionMayCallAndNothingServes(t *testing.T) {
	const (
		table  = `"Resource":"arn:aws:dynamodb:eu-west-1:0:table/refunds"`
		warned = `a function may call a service that this run has no stand-in for: its calls will fail" part=aws ` +
			`function=refund service=dynamodb may="dynamodb:PutItem, dynamodb:GetItem on ` +
			`arn:aws:dynamodb:eu-west-1:0:table/refunds" declared_in=refund.go:7 options="run an emulator of it on ` +
			`this machine, and start the local run with AWS_ENDPOINT_URL_DYNAMODB=http://127.0.0.1:<port>; add a ` +
			`stand-in, as docs/stand-ins.md shows; or leave it, and handle the error"`
	)
	emulator := map[string]string{"AWS_ENDPOINT_URL_DYNAMODB": "http://127.0.0.1:8000"}
	for name, c := range map[string]struct {
		statements string
		emulators  map[string]string
		want       string // "": no line about the function
	}{
		"a table": {`{"Effect":"Allow","Action":["dynamodb:PutItem","dynamodb:GetItem"],` + table + `}`, nil, warned},
		"a table with an emulator": {`{"Effect":"Allow","Action":"dynamodb:PutItem",` + table + `}`, emulator,
			`calls go to an emulator, which does not check the function's permissions" part=aws function=refund ` +
				`service=dynamodb`},
		"a denial":         {`{"Effect":"Deny","Action":"dynamodb:PutItem",` + table + `}`, nil, ""},
		"a served service": {`{"Effect":"Allow","Action":"sqs:SendMessage","Resource":"*"}`, nil, ""},
		"a log":            {`{"Effect":"Allow","Action":"logs:PutLogEvents","Resource":"*"}`, nil, ""},
	} {
		var log bytes.Buffer
		r := &Run{config: Config{Log: slog.New(slog.NewTextHandler(&log, nil)), Emulators: c.emulators}}
		s := &services{program: &program{graph: granted(c.statements)}, standIns: []standin.StandIn{
			{Service: "sqs", APIs: make([]awsapi.Service, 1)},
			{Service: "lambda", Types: []graph.Type{graph.Function, graph.Role, graph.RolePolicy}},
		}}
		if err := r.reportNotRun(s); err != nil {
			t.Fatal(err)
		}
		types, line, _ := strings.Cut(log.String(), "\n")
		if !strings.Contains(types, `declared, but not run here" kinds=Table`) {
			t.Errorf("%s: got %s, want the type of the table", name, types)
		}
		if !strings.Contains(line, c.want) || c.want == "" && line != "" {
			t.Errorf("%s: got %s\nwant %s", name, line, c.want)
		}
	}
}

func TestFunctionsGetTheEmulatorsOfServicesThatTheRunDoesNotServe(t *testing.T) {
	s := &services{standIns: []standin.StandIn{{Service: "sqs", APIs: make([]awsapi.Service, 1)}}}
	got := s.emulators(Emulators([]string{
		"HOME=/root", "AWS_ENDPOINT_URL=http://127.0.0.1:1", "AWS_ENDPOINT_URL_SQS=http://127.0.0.1:2",
		"AWS_ENDPOINT_URL_DYNAMODB=http://localhost:8000", "AWS_ENDPOINT_URL_SSM=http://[::1]:3",
		"AWS_ENDPOINT_URL_S3=https://storage.example.com",
	}))
	want := map[string]string{
		"AWS_ENDPOINT_URL_DYNAMODB": "http://localhost:8000", "AWS_ENDPOINT_URL_SSM": "http://[::1]:3",
	}
	if !maps.Equal(got, want) {
		t.Errorf("got %v, want %v", got, want)
	}
}
