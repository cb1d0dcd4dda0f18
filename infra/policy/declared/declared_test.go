package declared

import (
	"strings"
	"testing"

	"restock/infra/graph"
	"restock/infra/policy/evaluation"
)

const (
	role     = "arn:aws:iam::000000000000:role/stock"
	session  = "arn:aws:sts::000000000000:assumed-role/stock/stock"
	function = "arn:aws:lambda:eu-west-1:000000000000:function:stock"
	queue    = "arn:aws:sqs:eu-west-1:000000000000:stock_queue"
	topic    = "arn:aws:sns:eu-west-1:000000000000:stock_empty"
	secret   = "arn:aws:secretsmanager:eu-west-1:000000000000:secret:key-AbCdEf"
	managed  = "arn:aws:iam::000000000000:policy/managed"
	rule     = "arn:aws:events:eu-west-1:000000000000:rule/minute"
)

func resource(token graph.Type, name string, outputs map[string]any) *graph.Resource {
	return &graph.Resource{URN: string(token) + "::" + name, Type: token, Name: name, Outputs: outputs}
}

// things are the resources that policies are attached to.
func things(more ...*graph.Resource) *graph.Graph {
	return &graph.Graph{Region: "eu-west-1", Resources: append(more,
		resource(graph.Role, "stock", map[string]any{"name": "stock", "arn": role}),
		resource(graph.Function, "stock", map[string]any{"name": "stock", "arn": function, "role": role}),
		resource(graph.Queue, "stock_queue", map[string]any{"name": "stock_queue", "arn": queue, "url": "https://queue"}),
		resource(graph.Topic, "stock_empty", map[string]any{"name": "stock_empty", "arn": topic}),
		resource(graph.Secret, "key", map[string]any{"name": "key", "arn": secret}),
	)}
}

func read(t *testing.T, g *graph.Graph) *Policies {
	t.Helper()
	p, err := Read(g)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

const (
	own      = `{"Statement":{"Effect":"Allow","Action":"*","Resource":"*"}}`
	everyone = `{"Statement":{"Effect":"Allow","Principal":"*","Action":"*","Resource":"*"}}`
)

func TestPoliciesOfAResource(t *testing.T) {
	for _, c := range []struct {
		name string
		r    *graph.Resource
		on   string
	}{
		{"a queue's", resource(graph.QueuePolicy, "p", map[string]any{"queueUrl": "https://queue", "policy": everyone}), queue},
		{"a topic's", resource(graph.TopicPolicy, "p", map[string]any{"arn": topic, "policy": everyone}), topic},
		{"a secret's", resource(graph.SecretPolicy, "p", map[string]any{"secretArn": secret, "policy": everyone}), secret},
		{"one in a queue", resource(graph.Queue, "q", map[string]any{"arn": queue + "2", "policy": everyone}), queue + "2"},
		{"one in a topic", resource(graph.Topic, "t", map[string]any{"arn": topic + "2", "policy": everyone}), topic + "2"},
		{"one in a secret", resource(graph.Secret, "s", map[string]any{"arn": secret + "2", "policy": everyone}), secret + "2"},
	} {
		p := read(t, things(c.r))
		for _, on := range []string{queue, queue + "2", topic, topic + "2", secret, secret + "2", ""} {
			got := p.Of("", on).Evaluate(evaluation.ByService("sns.amazonaws.com", topic, "a:b", on))
			if got.Allowed != (on == c.on) {
				t.Errorf("%s: allowed on %s: %v, want it on %s alone", c.name, on, got.Allowed, c.on)
			}
		}
	}
}

func TestPoliciesOfARole(t *testing.T) {
	policy := func(arn string) *graph.Resource {
		return resource(graph.ManagedPolicy, "managed", map[string]any{"arn": arn, "policy": own})
	}
	attachment := resource(graph.RolePolicyAttachment, "a", map[string]any{"role": "stock", "policyArn": managed})
	for _, c := range []struct {
		name string
		more []*graph.Resource
		want bool
	}{
		{"none", nil, false},
		{"its own", []*graph.Resource{resource(graph.RolePolicy, "p", map[string]any{"role": "stock", "policy": own})}, true},
		{"another role's", []*graph.Resource{resource(graph.RolePolicy, "p", map[string]any{"role": "sweep", "policy": own})}, false},
		{"one attached", []*graph.Resource{policy(managed), attachment}, true},
		{"one not attached", []*graph.Resource{policy(managed)}, false},
		{"another one attached", []*graph.Resource{policy(managed + "2"), attachment}, false},
	} {
		got := read(t, things(c.more...)).Of(role, queue).Evaluate(evaluation.ByRole(role, session, "sqs:SendMessage", queue))
		if got.Allowed != c.want {
			t.Errorf("%s: allowed %v, want %v", c.name, got.Allowed, c.want)
		}
	}
}

func TestPermissionsOfAFunction(t *testing.T) {
	for _, c := range []struct {
		name    string
		outputs map[string]any
		want    bool
	}{
		{"by its name", map[string]any{"function": "stock", "sourceArn": rule}, true},
		{"by its ARN", map[string]any{"function": function, "sourceArn": rule}, true},
		{"for every source", map[string]any{"function": "stock"}, true},
		{"for sources by a pattern", map[string]any{"function": "stock", "sourceArn": "arn:aws:events:*:000000000000:rule/*"}, true},
		{"for everybody", map[string]any{"function": "stock", "principal": "*"}, true},
		{"for sources of the account", map[string]any{"function": "stock", "sourceAccount": "000000000000"}, true},
		{"of another function", map[string]any{"function": "sweep", "sourceArn": rule}, false},
		{"for another source", map[string]any{"function": "stock", "sourceArn": rule + "2"}, false},
		{"for sources of another account", map[string]any{"function": "stock", "sourceAccount": "1"}, false},
		{"for another service", map[string]any{"function": "stock", "principal": "sns.amazonaws.com"}, false},
		{"for a role", map[string]any{"function": "stock", "principal": role}, false},
		{"for another action", map[string]any{"function": "stock", "action": "lambda:GetFunction"}, false},
		{"for a version", map[string]any{"function": "stock", "qualifier": "1"}, false},
		{"for an organization", map[string]any{"function": "stock", "principal": "*", "principalOrgId": "o-1"}, false},
	} {
		outputs := map[string]any{"action": "lambda:InvokeFunction", "principal": "events.amazonaws.com"}
		for k, v := range c.outputs {
			outputs[k] = v
		}
		p := read(t, things(resource(graph.Permission, "p", outputs)))
		got := p.Of("", function).Evaluate(evaluation.ByService("events.amazonaws.com", rule, "lambda:InvokeFunction", function))
		if got.Allowed != c.want {
			t.Errorf("%s: %v: allowed %v, want %v", c.name, c.outputs, got.Allowed, c.want)
		}
	}
}

func TestBoundaryOfARole(t *testing.T) {
	g := things(resource(graph.RolePolicy, "p", map[string]any{"role": "stock", "policy": own}))
	g.Find(graph.Role, "name", "stock").Outputs["permissionsBoundary"] = managed
	p := read(t, g)
	if got := p.UnknownBoundaries(); len(got) != 1 || got[0] != managed {
		t.Errorf("unknown boundaries are %q, want %q", got, managed)
	}
	q := evaluation.ByRole(role, session, "sqs:SendMessage", queue)
	if got := p.Of(role, queue).Evaluate(q); !got.Allowed {
		t.Errorf("a boundary that nobody knows: %+v, want it not judged", got)
	}
	d, err := evaluation.Parse(evaluation.Boundary, strings.Replace(own, `"*"`, `"sns:*"`, 1))
	if err != nil {
		t.Fatal(err)
	}
	p.AddManaged(managed, d)
	if got := p.Of(role, queue).Evaluate(q); got.Allowed || got.By != evaluation.Boundary || len(p.UnknownBoundaries()) > 0 {
		t.Errorf("a boundary that does not allow it: %+v, unknown %q; want it denied by the boundary", got, p.UnknownBoundaries())
	}
}

func TestTrustOfARole(t *testing.T) {
	g := things()
	g.Find(graph.Role, "name", "stock").Outputs["assumeRolePolicy"] = `{"Statement":{"Effect":"Allow","Principal":{"Service":"lambda.amazonaws.com"},"Action":"sts:AssumeRole"}}`
	got := read(t, g).Trust(role).Evaluate(evaluation.ByService("lambda.amazonaws.com", function, "sts:AssumeRole", role))
	if !got.Allowed || got.Policy != "Role stock" {
		t.Errorf("got %+v, want it allowed by Role stock", got)
	}
}

func TestUnreadablePolicyIsNamedAndTheOthersAreThere(t *testing.T) {
	p, err := Read(things(
		resource(graph.QueuePolicy, "broken", map[string]any{"queueUrl": "https://queue", "policy": "{"}),
		resource(graph.TopicPolicy, "whole", map[string]any{"arn": topic, "policy": everyone}),
	))
	if err == nil || !strings.Contains(err.Error(), "QueuePolicy broken: its policy is not a policy document") {
		t.Errorf("got %v, want an error that names the policy", err)
	}
	if got := p.Of("", topic).Evaluate(evaluation.ByService("sns.amazonaws.com", topic, "a:b", topic)); !got.Allowed {
		t.Errorf("the topic's policy is lost: %+v", got)
	}
}
