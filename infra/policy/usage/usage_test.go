package usage_test

import (
	"encoding/json"
	"fmt"
	"reflect"
	"slices"
	"strings"
	"testing"

	"restock/infra/graph"
	"restock/infra/policy"
	"restock/infra/policy/evaluation"
	"restock/infra/policy/usage"
)

const (
	account = graph.AccountID
	role    = "arn:aws:iam::" + account + ":role/stock"
	session = "arn:aws:sts::" + account + ":assumed-role/stock/stock"
	queue   = "arn:aws:sqs:eu-west-1:" + account + ":stock_queue"
	topic   = "arn:aws:sns:eu-west-1:" + account + ":stock_empty"
	logs    = "arn:aws:logs:eu-west-1:" + account + ":log-group:stock:*"
)

func document(t *testing.T, statements ...policy.Statement) string {
	t.Helper()
	if len(statements) == 0 {
		return "" // no policy
	}
	text, err := json.Marshal(policy.New(statements...))
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

func allow(resource string, actions ...string) policy.Statement {
	return policy.Statement{Effect: "Allow", Action: actions, Resource: []string{resource}}
}

func by(service string, s policy.Statement) policy.Statement {
	s.Principal = &policy.Principal{Service: service}
	return s
}

// program declares a role that a service assumes, and a queue.
func program(t *testing.T, service string, rolePolicy, queuePolicy []policy.Statement) *graph.Graph {
	t.Helper()
	resource := func(token graph.Type, name string, outputs map[string]any) *graph.Resource {
		return &graph.Resource{URN: string(token) + name, Type: token, Name: name, Outputs: outputs}
	}
	trust := policy.Statement{Effect: "Allow", Principal: &policy.Principal{Service: service},
		Action: []string{"sts:AssumeRole"}}
	return &graph.Graph{Resources: []*graph.Resource{
		resource(graph.Role, "stock", map[string]any{
			"name": "stock", "arn": role, "assumeRolePolicy": document(t, trust),
		}),
		resource(graph.RolePolicy, "stock", map[string]any{"role": "stock", "policy": document(t, rolePolicy...)}),
		resource(graph.Queue, "stock_queue", map[string]any{"arn": queue, "url": "https://queue"}),
		resource(graph.QueuePolicy, "stock_queue", map[string]any{
			"queueUrl": "https://queue", "policy": document(t, queuePolicy...),
		}),
	}}
}

func byRole(action, resource string) usage.Call {
	return usage.Call{Role: role, Session: session, Action: action, Resource: resource}
}

func counts(calls map[usage.Call]int) usage.Counts {
	return usage.Counts{Times: calls, Judged: []string{"sns", "sqs"}}
}

func TestGrantsAreComparedWithCalls(t *testing.T) {
	deny := allow(queue, "sqs:PurgeQueue")
	deny.Effect = "Deny"
	fromTopic := by("sns.amazonaws.com", allow(queue, "sqs:SendMessage"))
	fromTopic.Condition = policy.Condition{"ArnEquals": {"aws:SourceArn": topic}}
	g := program(t, "lambda.amazonaws.com", []policy.Statement{
		allow(queue, "sqs:ReceiveMessage", "sqs:DeleteMessage"), allow("*", "sns:*"),
		allow(logs, "logs:PutLogEvents"), deny,
		allow("arn:aws:dynamodb:eu-west-1:"+account+":table/t", "dynamodb:GetItem"),
	}, []policy.Statement{fromTopic, by("cloudwatch.amazonaws.com", allow(queue, "sqs:SendMessage"))})
	grants, err := usage.Grants(g, counts(map[usage.Call]int{
		byRole("sqs:ReceiveMessage", queue): 2,
		byRole("sns:Publish", topic):        1, byRole("sns:Subscribe", topic): 3,
		{Service: "sns.amazonaws.com", Source: topic, Action: "sqs:SendMessage", Resource: queue}:       5,
		{Service: "sns.amazonaws.com", Source: topic + "2", Action: "sqs:SendMessage", Resource: queue}: 7,
		{Service: "lambda.amazonaws.com", Source: "f", Action: "sts:AssumeRole", Resource: role}:        1,
		{Service: "lambda.amazonaws.com", Source: "f", Action: "sts:AssumeRole", Resource: role + "2"}:  1,
	}), usage.Justification{"RolePolicy stock", "sqs:DeleteMessage", ":stock_queue", "for a person"},
		usage.Justification{"RolePolicy stock", "sqs:ReceiveMessage", ":ads_queue", "of another queue"})
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, g := range grants {
		got = append(got, fmt.Sprintf("%s %d %s %s: %d unused=%v %s%s", g.Policy, g.Statement, g.Caller, g.Action,
			g.Times, g.Unused(), g.Unmeasured, g.Justified))
	}
	want := []string{
		"QueuePolicy stock_queue 1 sns.amazonaws.com sqs:SendMessage: 5 unused=false ",
		"QueuePolicy stock_queue 2 cloudwatch.amazonaws.com sqs:SendMessage: 0 unused=false " +
			"no run calls as cloudwatch.amazonaws.com",
		"Role stock 1 lambda.amazonaws.com sts:AssumeRole: 1 unused=false ",
		"RolePolicy stock 1 " + role + " sqs:ReceiveMessage: 2 unused=false ",
		"RolePolicy stock 1 " + role + " sqs:DeleteMessage: 0 unused=true for a person",
		"RolePolicy stock 2 " + role + " sns:*: 4 unused=false ",
		"RolePolicy stock 3 " + role + " logs:PutLogEvents: 0 unused=false " +
			"on AWS, Lambda writes the log with the function's role",
		"RolePolicy stock 5 " + role + " dynamodb:GetItem: 0 unused=false no run has checked calls of dynamodb",
	}
	if !slices.Equal(got, want) {
		t.Errorf("got\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
}

// A service of AWS may use such a grant on the caller's behalf: the run checks direct calls only.
func TestAGrantThatAWSUsesItselfIsNotUnusedWithAModelOfItsService(t *testing.T) {
	key := "arn:aws:kms:eu-west-1:" + account + ":key/k"
	g := program(t, "lambda.amazonaws.com", []policy.Statement{allow(key, "kms:Decrypt")}, nil)
	measured := usage.Counts{Judged: []string{"kms"}}
	grants, err := usage.Grants(g, measured)
	if err != nil || len(grants) != 2 || grants[1].Unused() {
		t.Errorf("got %+v, %v; want a grant of kms:Decrypt that is not measured", grants, err)
	}
	narrowest, err := usage.Narrowest(g, measured)
	if s := narrowest[role].Statement; err != nil || len(s) != 1 || s[0].Action[0] != "kms:Decrypt" {
		t.Errorf("got %+v, %v; want the declared statement", narrowest, err)
	}
}

// One list has no form for "all but these, and not those": the statement stays as it is.
func TestAStatementOfAllButSomeActionsStaysAsItIs(t *testing.T) {
	const allBut = `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","NotAction":["s3:*"],"Resource":["*"]}]}`
	g := program(t, "lambda.amazonaws.com", nil, nil)
	g.OfType(graph.RolePolicy)[0].Outputs["policy"] = allBut
	narrowest, err := usage.Narrowest(g, counts(map[usage.Call]int{byRole("sns:Publish", topic): 1}))
	if err != nil {
		t.Fatal(err)
	}
	text, err := json.Marshal(narrowest[role])
	if err != nil || string(text) != allBut {
		t.Errorf("got\n%s, %v; want\n%s", text, err, allBut)
	}
}

func TestNobodyAssumesTheRoleOfAServiceThatRunsDoNotHave(t *testing.T) {
	g := program(t, "rds.amazonaws.com", []policy.Statement{allow(queue, "sqs:SendMessage")}, nil)
	grants, err := usage.Grants(g, counts(nil))
	if err != nil {
		t.Fatal(err)
	}
	for _, g := range grants {
		if want := map[string]string{"Role stock": "no run calls as rds.amazonaws.com",
			"RolePolicy stock": "no run assumes the role"}[g.Policy]; g.Unmeasured != want {
			t.Errorf("%s: unmeasured is %q, want %q", g.Policy, g.Unmeasured, want)
		}
	}
	narrowest, err := usage.Narrowest(g, counts(nil))
	if err != nil || len(narrowest[role].Statement) != 1 ||
		narrowest[role].Statement[0].Action[0] != "sqs:SendMessage" {
		t.Errorf("got %+v, %v; want the declared policy", narrowest, err)
	}
}

// The narrowest policy allows the role's calls and nothing else, and is valid.
func TestNarrowestPolicy(t *testing.T) {
	deny := policy.Statement{Effect: "Deny", Action: []string{"ec2:DescribeSubnets"}, Resource: []string{"*"},
		Condition: policy.Condition{"Null": {policy.SourceFunctionARN: "false"}}}
	ours := allow("*", "sns:*")
	ours.Condition = policy.Condition{"StringEquals": {"aws:PrincipalAccount": account}}
	g := program(t, "lambda.amazonaws.com", []policy.Statement{
		allow(queue, "sqs:ReceiveMessage", "sqs:DeleteMessage"), ours, allow(topic, "sns:Publish"),
		allow(logs, "logs:CreateLogStream", "logs:PutLogEvents"), deny,
	}, nil)
	other := byRole("sqs:ReceiveMessage", queue)
	other.Session += "2"
	calls := map[usage.Call]int{
		byRole("sqs:ReceiveMessage", queue): 2, other: 1, byRole("sns:Publish", topic): 1,
		byRole("sns:Subscribe", topic): 3, byRole("sns:Publish", topic+"2"): 1,
		{Role: role + "2", Action: "sqs:DeleteMessage", Resource: queue}: 1,
	}
	narrowest, err := usage.Narrowest(g, counts(calls))
	if err != nil {
		t.Fatal(err)
	}
	text, err := json.Marshal(narrowest[role])
	if err != nil {
		t.Fatal(err)
	}
	const condition = `,"Condition":{"StringEquals":{"aws:PrincipalAccount":["` + account + `"]}}}`
	want := `{"Version":"2012-10-17","Statement":[` + strings.Join([]string{
		`{"Effect":"Allow","Action":["sqs:ReceiveMessage"],"Resource":["` + queue + `"]}`,
		`{"Effect":"Allow","Action":["sns:Publish"],"Resource":["` + topic + `2"]` + condition,
		`{"Effect":"Allow","Action":["sns:Publish","sns:Subscribe"],"Resource":["` + topic + `"]` + condition,
		`{"Effect":"Allow","Action":["logs:CreateLogStream","logs:PutLogEvents"],"Resource":["` + logs + `"]}`,
		`{"Effect":"Deny","Action":["ec2:DescribeSubnets"],"Resource":["*"],"Condition":{"Null":{` +
			`"lambda:SourceFunctionArn":["false"]}}}`,
	}, ",") + `]}`
	if string(text) != want {
		t.Errorf("got\n%s\nwant\n%s", text, want)
	}
	parsed, err := evaluation.Parse(evaluation.Identity, string(text))
	if err != nil {
		t.Fatal(err)
	}
	for call := range calls {
		is := evaluation.Policies{Identity: []evaluation.Document{parsed}}.Evaluate(call.Request())
		if is.Allowed != (call.Role == role) {
			t.Errorf("%+v: allowed %v", call, is.Allowed)
		}
	}
}

func TestCountsOfRunsAreAdded(t *testing.T) {
	call, other := byRole("sns:Publish", topic), byRole("sns:Publish", queue)
	first := usage.Counts{Times: map[usage.Call]int{call: 1}, Judged: []string{"sns"}, Lost: 1}
	first.Add(usage.Counts{Times: map[usage.Call]int{call: 2, other: 3}, Judged: []string{"sns", "sqs"}, Lost: 2})
	want := usage.Counts{Times: map[usage.Call]int{call: 3, other: 3}, Judged: []string{"sns", "sqs"}, Lost: 3}
	if !reflect.DeepEqual(first, want) {
		t.Errorf("got %+v, want %+v", first, want)
	}
	text, err := json.Marshal(want)
	if err != nil {
		t.Fatal(err)
	}
	var read usage.Counts
	if err := json.Unmarshal(text, &read); err != nil || !reflect.DeepEqual(read, want) {
		t.Errorf("written and read: got %+v, %v; want %+v", read, err, want)
	}
}

func TestARecordIsBounded(t *testing.T) {
	var r usage.Record
	const invented, known = 10_010, 10_000
	for n := range invented {
		r.Made(byRole("sns:Publish", fmt.Sprint(n)))
	}
	r.Made(byRole("sns:Publish", "0"))
	got := r.Counts()
	if len(got.Times) != known || got.Lost != invented-known || got.Times[byRole("sns:Publish", "0")] != 2 {
		t.Errorf("got %d calls, %d lost, the first %d times; want %d, %d, 2", len(got.Times), got.Lost,
			got.Times[byRole("sns:Publish", "0")], known, invented-known)
	}
	more := usage.Counts{Times: map[usage.Call]int{byRole("sns:Publish", "0"): 3, byRole("sns:Publish", "more"): 2}}
	lost := got.Lost
	got.Add(more)
	if len(got.Times) != known || got.Lost != lost+2 || got.Times[byRole("sns:Publish", "0")] != 5 {
		t.Errorf("added to a full record: got %d calls, %d lost, want %d, %d", len(got.Times), got.Lost, known, lost+2)
	}
}

// Each object that S3 encrypts has an encryption context of its own.
func TestCallsThatDifferInTheirEncryptionContextAreOneCall(t *testing.T) {
	var r usage.Record
	call := byRole("kms:Decrypt", "arn:aws:kms:eu-west-1:"+account+":key/a")
	for n := range 2 {
		c := call
		c.EncryptionContext = fmt.Sprintf(`{"aws:s3:arn":"arn:aws:s3:::photos/%d"}`, n)
		r.Made(c)
	}
	if got := r.Counts(); len(got.Times) != 1 || got.Times[call] != 2 {
		t.Errorf("got %+v, want %+v twice", got.Times, call)
	}
}
