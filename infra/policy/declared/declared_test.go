package declared

import (
	"maps"
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
	queueURL = "https://queue"
	topic    = "arn:aws:sns:eu-west-1:000000000000:stock_empty"
	secret   = "arn:aws:secretsmanager:eu-west-1:000000000000:secret:key-AbCdEf"
	managed  = "arn:aws:iam::000000000000:policy/managed"
	rule     = "arn:aws:events:eu-west-1:000000000000:rule/minute"
)

func resource(token graph.Type, name string, outputs map[string]any) *graph.Resource {
	return &graph.Resource{URN: string(token) + "::" + name, Type: token, Name: name, Outputs: outputs}
}

// fixture returns a graph of the resources that have the policies of these tests.
func fixture(more ...*graph.Resource) *graph.Graph {
	return &graph.Graph{Region: "eu-west-1", Resources: append(more,
		resource(graph.Role, "stock", map[string]any{"name": "stock", "arn": role}),
		resource(graph.Function, "stock", map[string]any{"name": "stock", "arn": function, "role": role}),
		resource(graph.Queue, "stock_queue", map[string]any{"name": "stock_queue", "arn": queue, "url": queueURL}),
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
		holder  graph.Type
		outputs map[string]any
		on      string
	}{
		{graph.QueuePolicy, map[string]any{"queueUrl": queueURL}, queue},
		{graph.TopicPolicy, map[string]any{"arn": topic}, topic},
		{graph.SecretPolicy, map[string]any{"secretArn": secret}, secret},
		{graph.Queue, map[string]any{"arn": queue + "2"}, queue + "2"},
		{graph.Topic, map[string]any{"arn": topic + "2"}, topic + "2"},
		{graph.Secret, map[string]any{"arn": secret + "2"}, secret + "2"},
	} {
		c.outputs["policy"] = everyone
		p := read(t, fixture(resource(c.holder, "p", c.outputs)))
		for _, on := range []string{queue, queue + "2", topic, topic + "2", secret, secret + "2", ""} {
			got := p.Of("", on).Evaluate(evaluation.ByService("sns.amazonaws.com", topic, "a:b", on))
			if got.Allowed != (on == c.on) {
				t.Errorf("%s: allowed on %s: %v, want it only on %s", c.holder, on, got.Allowed, c.on)
			}
		}
	}
}

func TestPoliciesOfARole(t *testing.T) {
	inline := func(role string) []*graph.Resource {
		return []*graph.Resource{resource(graph.RolePolicy, "p", map[string]any{"role": role, "policy": own})}
	}
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
		{"its own", inline("stock"), true},
		{"another role's", inline("sweep"), false},
		{"one attached", []*graph.Resource{policy(managed), attachment}, true},
		{"one not attached", []*graph.Resource{policy(managed)}, false},
		{"another one attached", []*graph.Resource{policy(managed + "2"), attachment}, false},
	} {
		request := evaluation.ByRole(role, session, "sqs:SendMessage", queue)
		got := read(t, fixture(c.more...)).Of(role, queue).Evaluate(request)
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
		{"for sources by a pattern",
			map[string]any{"function": "stock", "sourceArn": "arn:aws:events:*:000000000000:rule/*"}, true},
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
		maps.Copy(outputs, c.outputs)
		p := read(t, fixture(resource(graph.Permission, "p", outputs)))
		request := evaluation.ByService("events.amazonaws.com", rule, "lambda:InvokeFunction", function)
		got := p.Of("", function).Evaluate(request)
		if got.Allowed != c.want {
			t.Errorf("%s: %v: allowed %v, want %v", c.name, c.outputs, got.Allowed, c.want)
		}
	}
}

func TestBoundaryOfARole(t *testing.T) {
	g := fixture(resource(graph.RolePolicy, "p", map[string]any{"role": "stock", "policy": own}))
	g.Find(graph.Role, "name", "stock").Outputs["permissionsBoundary"] = managed
	p := read(t, g)
	if got := p.UnknownBoundaries(); len(got) != 1 || got[0] != managed {
		t.Errorf("unknown boundaries are %q, want %q", got, managed)
	}
	q := evaluation.ByRole(role, session, "sqs:SendMessage", queue)
	if got := p.Of(role, queue).Evaluate(q); !got.Allowed {
		t.Errorf("an unknown boundary: got %+v, want the request allowed", got)
	}
	d, err := evaluation.Parse(evaluation.Boundary, strings.Replace(own, `"*"`, `"sns:*"`, 1))
	if err != nil {
		t.Fatal(err)
	}
	p.AddManaged(managed, d)
	got, unknown := p.Of(role, queue).Evaluate(q), p.UnknownBoundaries()
	if got.Allowed || got.By != evaluation.Boundary || len(unknown) > 0 {
		t.Errorf("a boundary that does not allow it: %+v, unknown %q; want it denied by the boundary", got, unknown)
	}
}

func TestTrustOfARole(t *testing.T) {
	g := fixture()
	g.Find(graph.Role, "name", "stock").Outputs["assumeRolePolicy"] = `{"Statement":{
		"Effect":"Allow","Principal":{"Service":"lambda.amazonaws.com"},"Action":"sts:AssumeRole"}}`
	request := evaluation.ByService("lambda.amazonaws.com", function, "sts:AssumeRole", role)
	got := read(t, g).Trust(role).Evaluate(request)
	if !got.Allowed || got.Policy != "Role stock" {
		t.Errorf("got %+v, want it allowed by Role stock", got)
	}
}

func TestReadReturnsReadablePoliciesWithTheError(t *testing.T) {
	p, err := Read(fixture(
		resource(graph.QueuePolicy, "broken", map[string]any{"queueUrl": queueURL, "policy": "{"}),
		resource(graph.TopicPolicy, "whole", map[string]any{"arn": topic, "policy": everyone}),
	))
	if err == nil || !strings.Contains(err.Error(), "QueuePolicy broken: its policy is not a policy document") {
		t.Errorf("got %v, want an error that names the policy", err)
	}
	if got := p.Of("", topic).Evaluate(evaluation.ByService("sns.amazonaws.com", topic, "a:b", topic)); !got.Allowed {
		t.Errorf("the topic's policy is missing: %+v", got)
	}
}

func TestAnAPIHasOnePolicy(t *testing.T) {
	for policy, refused := range map[string]bool{allowAll: true, "": false} {
		api := resource(graph.RESTAPI, "notes", map[string]any{"policy": policy})
		api.ID, api.Source = "api", "api.go:1"
		attached := resource(graph.RESTAPIPolicy, "open", map[string]any{"restApiId": "api", "policy": allowAll})
		attached.Source = "policy.go:2"
		_, err := Read(fixture(api, attached))
		if refused != (err != nil) {
			t.Errorf("an API with the policy %q and a RestApiPolicy: got %v", policy, err)
		}
		for _, want := range []string{"RestApi notes and RestApiPolicy open", "api.go:1, policy.go:2"} {
			if err != nil && !strings.Contains(err.Error(), want) {
				t.Errorf("got %v, want %q in it", err, want)
			}
		}
	}
}

const allowAll = `{"Statement":[{"Effect":"Allow","Principal":"*","Action":"execute-api:Invoke","Resource":"*"}]}`

// The policy of an endpoint, and the keys of the network, count for calls that pass the endpoint.
func TestACallPassesTheEndpointThatServesEachSubnet(t *testing.T) {
	const role, policy = "arn:aws:iam::000000000000:role/read", `{"Statement":{"Effect":"Allow","Principal":"*",` +
		`"Action":"*","Resource":"*"}}`
	resource := func(token graph.Type, id string, outputs map[string]any) *graph.Resource {
		return &graph.Resource{Type: token, ID: id, Name: id, Outputs: outputs}
	}
	endpoint := func(id string, outputs map[string]any) *graph.Resource {
		outputs["vpcId"], outputs["serviceName"], outputs["policy"] = "vpc", "com.amazonaws.eu-west-1.s3", policy
		return resource(graph.VPCEndpoint, id, outputs)
	}
	private := endpoint("interface", map[string]any{"vpcEndpointType": "Interface", "privateDnsEnabled": true})
	public := endpoint("without DNS", map[string]any{"vpcEndpointType": "Interface"})
	both := endpoint("gateway", map[string]any{"routeTableIds": []any{"table-a", "table-b"}})
	one := endpoint("gateway of a", map[string]any{"routeTableIds": []any{"table-a"}})
	for _, c := range []struct {
		endpoints []*graph.Resource
		want      string // id; empty for none
	}{
		{[]*graph.Resource{private}, "interface"},
		{[]*graph.Resource{public}, ""},
		{[]*graph.Resource{both}, "gateway"},
		{[]*graph.Resource{one}, ""},
		{[]*graph.Resource{private, both}, "interface"},
		{[]*graph.Resource{both, private}, "interface"},
		{[]*graph.Resource{both, public}, "gateway"},
	} {
		g := &graph.Graph{Resources: append(c.endpoints,
			resource(graph.Function, "read", map[string]any{
				"role": role, "vpcConfig": map[string]any{"subnetIds": []any{"a", "b"}},
			}),
			resource(graph.Subnet, "a", map[string]any{"vpcId": "vpc", "cidrBlock": "10.0.0.0/24"}),
			resource(graph.Subnet, "b", map[string]any{"vpcId": "vpc", "cidrBlock": "10.0.1.0/24"}),
			resource(graph.RouteTableAssociation, "a", map[string]any{"subnetId": "a", "routeTableId": "table-a"}),
			resource(graph.RouteTableAssociation, "b", map[string]any{"subnetId": "b", "routeTableId": "table-b"}),
		)}
		p, err := Read(g)
		if err != nil {
			t.Fatal(err)
		}
		want := evaluation.VPCEndpoint{}
		if c.want != "" {
			want = evaluation.VPCEndpoint{ID: c.want, VPC: "vpc", SourceIP: "10.0.0.4 10.0.1.4"}
		}
		through := p.Through(role, "s3:GetObject", "arn:aws:s3:::files/a").Endpoint
		if got := p.Endpoint(role, "s3:GetObject"); got != want || (through != nil) != (c.want != "") ||
			through != nil && through.Name != "VpcEndpoint "+c.want {
			t.Errorf("got %+v and the policy %+v, want %+v", got, through, want)
		}
	}
}
