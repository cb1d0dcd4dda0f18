package console

import (
	"testing"

	"restock/infra/policy/evaluation"
)

func TestAPermissionSaysItsCondition(t *testing.T) {
	t.Parallel()
	for text, condition := range map[string]map[string]map[string]evaluation.Texts{
		"": nil,
		"StringEquals aws:SourceVpc vpc-1 or vpc-2 and StringLike ec2:Vpc vpc-*": {
			"StringLike": {"ec2:Vpc": {"vpc-*"}}, "StringEquals": {"aws:SourceVpc": {"vpc-1", "vpc-2"}},
		},
	} {
		s := evaluation.Statement{Effect: "Allow", Action: evaluation.Texts{"ec2:Describe*"}, Condition: condition}
		if got := newPicture(Graph{}).permission(s).Condition; got != text {
			t.Errorf("got the condition %q, want %q", got, text)
		}
	}
}
