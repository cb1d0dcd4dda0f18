package rules

import (
	"testing"

	"restock/infra/graph"
)

func TestPoliciesAllowWhatIAMWould(t *testing.T) {
	const queue, topic = "arn:aws:sqs:r:000000000000:q", "arn:aws:sns:r:000000000000:t"
	q := request{service: "sns.amazonaws.com", action: "sqs:SendMessage", resource: queue, source: topic}
	const allow = `{"Effect":"Allow","Principal":{"Service":"sns.amazonaws.com"},"Action":"sqs:SendMessage","Resource":"` + queue + `"`
	for _, c := range []struct {
		name, statements string
		want             bool
	}{
		{"nothing", `[]`, false},
		{"one statement, not in a list", allow + `}`, true},
		{"lists of actions, resources and services", `[{"Effect":"Allow","Principal":{"Service":["a","sns.amazonaws.com"]},"Action":["a","sqs:SendMessage"],"Resource":["a","` + queue + `"]}]`, true},
		{"an action in another case", `{"Effect":"Allow","Principal":"*","Action":"SQS:sendmessage","Resource":"*"}`, true},
		{"a wildcard", `{"Effect":"Allow","Principal":{"AWS":"*"},"Action":"sqs:Send*","Resource":"arn:aws:sqs:?:*:q"}`, true},
		{"a wildcard is of the whole text", `{"Effect":"Allow","Principal":"*","Action":"sqs:Send","Resource":"*"}`, false},
		{"another service", `{"Effect":"Allow","Principal":{"Service":"events.amazonaws.com"},"Action":"*","Resource":"*"}`, false},
		{"another resource", `{"Effect":"Allow","Principal":"*","Action":"*","Resource":"` + queue + `2"}`, false},
		{"all but another action", `{"Effect":"Allow","Principal":"*","NotAction":"sqs:ReceiveMessage","Resource":"*"}`, true},
		{"all but this action", `{"Effect":"Allow","Principal":"*","NotAction":"sqs:SendMessage","Resource":"*"}`, false},
		{"all but this resource", `{"Effect":"Allow","Principal":"*","Action":"*","NotResource":"` + queue + `"}`, false},
		{"its source", allow + `,"Condition":{"ArnLike":{"AWS:SourceArn":"arn:aws:sns:*:000000000000:*"}}}`, true},
		{"another source", allow + `,"Condition":{"ArnEquals":{"aws:SourceArn":"` + topic + `2"}}}`, false},
		{"one of two sources", allow + `,"Condition":{"ArnEquals":{"aws:SourceArn":["x","` + topic + `"]}}}`, true},
		{"both conditions must hold", allow + `,"Condition":{"ArnEquals":{"aws:SourceArn":"` + topic + `"},"StringEquals":{"aws:SourceAccount":"1"}}}`, false},
		{"a condition that is not understood", allow + `,"Condition":{"IpAddress":{"aws:SourceIp":"10.0.0.0/8"}}}`, false},
		{"an operator that is not understood", allow + `,"Condition":{"DateLessThan":{"aws:SourceArn":"2030-01-01"}}}`, false},
		{"a deny goes first", `[` + allow + `},{"Effect":"Deny","Principal":"*","Action":"sqs:*","Resource":"*"}]`, false},
		{"a deny of calls without TLS", `[` + allow + `},{"Effect":"Deny","Principal":"*","Action":"*","Resource":"*","Condition":{"Bool":{"aws:SecureTransport":false}}}]`, true},
		{"a deny of other accounts", `[` + allow + `},{"Effect":"Deny","Principal":"*","Action":"*","Resource":"*","Condition":{"StringNotEquals":{"aws:SourceAccount":"000000000000"}}}]`, true},
		{"a deny of this account", `[` + allow + `},{"Effect":"Deny","Principal":"*","Action":"*","Resource":"*","Condition":{"StringNotEqualsIfExists":{"aws:SourceAccount":"1"}}}]`, false},
		{"a deny that is not understood", `[` + allow + `},{"Effect":"Deny","Principal":"*","Action":"*","Resource":"*","Condition":{"IpAddress":{"aws:SourceIp":"10.0.0.0/8"}}}]`, false},
	} {
		d, err := parsePolicy(&graph.Resource{Outputs: map[string]any{"policy": `{"Statement":` + c.statements + `}`}}, "policy")
		if err != nil {
			t.Errorf("%s: %v", c.name, err)
		} else if got := d.allows(q); got != c.want {
			t.Errorf("%s: %s allows it: %v, want %v", c.name, c.statements, got, c.want)
		}
	}
}
