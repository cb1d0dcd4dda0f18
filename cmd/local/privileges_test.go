package main

import (
	"encoding/json"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"restock/infra/policy/usage"
	"restock/local/run"
)

func TestPrivilegesComparesGrantsWithCalls(t *testing.T) {
	file := filepath.Join(t.TempDir(), run.UsageFile)
	var out strings.Builder
	err := comparePrivileges(t.Context(), []string{file}, &out)
	if err == nil || !strings.Contains(err.Error(), "no run has added calls") {
		t.Errorf("without a file: got %v, want an error that says how to measure", err)
	}
	var o options
	o.flags()
	declared, err := o.privileges(t.Context(), usage.Counts{})
	if err != nil {
		t.Fatal(err)
	}
	var used usage.Grant
	for _, g := range declared.Grants {
		if g.Action == "sns:Publish" && strings.HasSuffix(g.Caller, "/ads") {
			used = g
		}
	}
	text, err := json.Marshal(usage.Counts{
		Times:  map[usage.Call]int{{Role: used.Caller, Action: used.Action, Resource: used.Resource}: 7},
		Judged: []string{"secretsmanager", "sns", "sqs"}, Lost: 2,
	})
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(file, text, 0o600); err != nil {
		t.Fatal(err)
	}
	if err := comparePrivileges(t.Context(), []string{file}, &out); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{
		`^2 calls are not recorded`,
		`RolePolicy ads +2 +arn:\S+/ads +sns:Publish +arn:\S+ +7 times`,
		`RolePolicy ads +1 +arn:\S+/ads +secretsmanager:GetSecretValue +arn:\S+ +never`,
		`RolePolicy ads +\d +arn:\S+/ads +logs:PutLogEvents +arn:\S+ +not measurable here: on AWS, Lambda writes`,
		`The narrowest sufficient policy of arn:\S+/ads:\n\{`,
	} {
		if !regexp.MustCompile(want).MatchString(out.String()) {
			t.Errorf("the command prints\n%s\nwant %s", &out, want)
		}
	}
	out.Reset()
	var got privileges
	if err := comparePrivileges(t.Context(), []string{"-json", file, file}, &out); err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal([]byte(out.String()), &got); err != nil {
		t.Fatal(err)
	}
	narrowest := got.Policies[used.Caller].Statement
	if got.Lost != 4 || len(narrowest) == 0 || narrowest[0].Action[0] != used.Action ||
		narrowest[0].Resource[0] != used.Resource {
		t.Errorf("two files: got %d lost, and %+v; want 4, and the used grant first", got.Lost, narrowest)
	}
}
