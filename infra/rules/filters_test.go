package rules_test

import (
	"fmt"
	"strings"
	"testing"

	"restock/infra/graph"
	"restock/infra/rules"
)

// filtered returns a topic with a subscription that has a filter.
func filtered(filter, scope string) *graph.Graph {
	return &graph.Graph{Resources: []*graph.Resource{
		{URN: "urn:pulumi:dev::restock::aws:sns/topic:Topic::t", Type: graph.Topic, Name: "t",
			Outputs: map[string]any{"arn": "arn:t"}},
		{URN: "urn:pulumi:dev::restock::aws:sns/topicSubscription:TopicSubscription::s",
			Type: graph.TopicSubscription, Name: "s", Outputs: map[string]any{
				"topic": "arn:t", "filterPolicy": filter, "filterPolicyScope": scope,
			}},
	}}
}

func TestFilters(t *testing.T) {
	const (
		refused = "SNS refuses it"
		empty   = "takes no message of topic t, whose messages have id, kind (big, small); or to"
	)
	declared := rules.Declarations{Topics: []rules.Topic{{Name: "t", Messages: []map[string][]string{
		{"kind": {"big", "small"}, "id": nil}, {"to": nil},
	}}}}
	many := `"` + strings.Join(strings.Fields(strings.Repeat("x ", 151)), `","`) + `"`
	for filter, want := range map[string]string{
		``:                                    "",
		`{}`:                                  "",
		`{"kind":["big"]}`:                    "",
		`{"kind":["huge","big"]}`:             "",
		`{"kind":["huge"]}`:                   empty,
		`{"kind":["Big"]}`:                    empty,
		`{"Kind":["big"]}`:                    empty,
		`{"kind":["big"],"id":["7"]}`:         "",
		`{"kind":["big"],"to":["a"]}`:         empty, // no message has both
		`{"kind":[{"prefix":"b"}]}`:           "",
		`{"kind":[{"prefix":"x"}]}`:           empty,
		`{"id":[{"prefix":"x"}]}`:             "",
		`{"kind":[{"anything-but":["big"]}]}`: "",
		`{"id":[{"numeric":[">=",100]}]}`:     empty, // the attribute is a String
		`{"id":[100]}`:                        empty,
		`{"id":[{"exists":true}]}`:            "",
		`{"id":[{"exists":false}]}`:           "", // messages with the attribute to
		`{"size":[{"exists":true}]}`:          empty,
		`{"$or":[{"id":["1"]},{"to":["a"]}]}`: "",
		`{"kind":"big"}`:                      refused,
		`{"kind":[]}`:                         refused,
		`{"kind":{"of":["big"]}}`:             refused,
		`kind=big`:                            refused,
		`["big"]`:                             refused,
		`{"kind":[` + many + `]}`:             refused,
		`{"a":[1],"b":[1],"c":[1],"d":[1],"e":[1],"f":[1]}`: refused,
	} {
		var got []string
		for _, v := range rules.Check(filtered(filter, "MessageAttributes"), declared) {
			if v.Rule == "filter" {
				got = append(got, v.Problem)
			}
		}
		if text := fmt.Sprint(got); len(got) > 1 || (want == "") != (len(got) == 0) || !strings.Contains(text, want) {
			t.Errorf("%s: got %s, want a violation that says %q", filter, text, want)
		}
	}
	for _, v := range rules.Check(filtered(`{"size":[1]}`, "MessageBody"), declared) {
		if v.Rule == "filter" {
			t.Errorf("nobody declares what bodies have: got %s", v)
		}
	}
}
