package main

import (
	"encoding/json"
	"slices"
	"testing"

	"restock/infra/policy"
	"restock/infra/policy/evaluation"
)

func TestADeploymentAdministersTheKeysOfItsStagesAlone(t *testing.T) {
	const role = "arn:aws:iam::000000000000:role/restock-delivery/deploy-pr"
	text, err := json.Marshal(permissionsOf(t, "deploy-pr"))
	if err != nil {
		t.Fatal(err)
	}
	document, err := evaluation.Parse(evaluation.Identity, string(text))
	if err != nil {
		t.Fatal(err)
	}
	ofStage := func(stage string) map[string][]string {
		return map[string][]string{"aws:resourcetag/project": {"restock"}, "aws:resourcetag/stage": {stage}}
	}
	untagged := map[string][]string{"aws:resourcetag/project": {}, "aws:resourcetag/stage": {}}
	for _, c := range []struct {
		name, action, key string
		resource          map[string][]string
		request           string // the stage in the request's tag
		want              bool
	}{
		{"its stage's key", "kms:PutKeyPolicy", "arn:aws:kms:ap-northeast-2:000000000000:key/a", ofStage("pr-12"), "",
			true},
		{"another stage's key", "kms:PutKeyPolicy", "arn:aws:kms:ap-northeast-2:000000000000:key/b", ofStage("prod"),
			"", false},
		{"another stage's key, by claiming it", "kms:TagResource", "arn:aws:kms:ap-northeast-2:000000000000:key/b",
			ofStage("prod"), "pr-12", false},
		{"the state's key", "kms:ScheduleKeyDeletion", keyARN, untagged, "", false},
		{"the state's key, by claiming it", "kms:TagResource", keyARN, untagged, "pr-12", false},
		{"the state's key, claimed", "kms:PutKeyPolicy", keyARN, ofStage("pr-12"), "", false},
		{"a new key", "kms:CreateKey", "*", untagged, "pr-12", true},
		{"a new key's tags", "kms:TagResource", "*", untagged, "pr-12", true},
		{"a new key of another stage", "kms:CreateKey", "*", untagged, "prod", false},
	} {
		q := evaluation.ByRole(role, "", c.action, c.key)
		q.Context["aws:requestedregion"] = []string{"ap-northeast-2"}
		for key, values := range c.resource {
			q.Context[key] = values
		}
		q.Context["aws:requesttag/project"], q.Context["aws:requesttag/stage"] = nil, nil
		if c.request != "" {
			q.Context["aws:requesttag/project"], q.Context["aws:requesttag/stage"] = []string{"restock"},
				[]string{c.request}
		}
		if got := (evaluation.Policies{Identity: []evaluation.Document{document}}).Evaluate(q); got.Allowed != c.want {
			t.Errorf("%s: %s is allowed: %v (by %+v), want %v", c.name, c.action, got.Allowed, got.Statement, c.want)
		}
	}
}

// permissionsOf returns the policy of a role.
func permissionsOf(t *testing.T, role string) policy.Document {
	t.Helper()
	all := permissions(t, record(t))
	document, ok := all[role]
	if !ok || !slices.ContainsFunc(document.Statement, func(s policy.Statement) bool { return len(s.Action) > 0 }) {
		t.Fatalf("there is no role %s", role)
	}
	return document
}
