package programs

import (
	"os"
	"slices"
	"strings"
	"testing"

	"restock/infra/policy/evaluation"
	"restock/infra/rules"
	"restock/local/aws/iam"
)

func TestNamedFilesExist(t *testing.T) {
	files := []string{boundaryFile, permissionsFile, queueGrantsFile, grantsFile}
	for rule, list := range ruleFiles {
		if !slices.ContainsFunc(rules.All(), func(r rules.Rule) bool { return r.Name == rule }) {
			t.Errorf("there is no rule %s", rule)
		}
		files = append(files, strings.Split(list, ", ")...)
	}
	for _, file := range files {
		if strings.HasPrefix(file, "Pulumi.") {
			continue
		}
		if _, err := os.Stat("../../../" + file); err != nil {
			t.Error(err)
		}
	}
}

func TestRefusalNamesTheFileOfTheShopsDeclarations(t *testing.T) {
	const secret, queue = "arn:aws:secretsmanager:eu:0:secret:callback-key", "arn:aws:sqs:eu:0:stock_queue"
	for _, c := range []struct {
		need iam.Need
		want string // empty: the file that declares the role or the resource
	}{
		{iam.Need{Policy: evaluation.Identity, Resource: secret, Variable: "CALLBACK_KEY_SECRET"},
			"lambdas/environment.go, as a grant beside CALLBACK_KEY_SECRET"},
		{iam.Need{Policy: evaluation.Identity, Resource: secret},
			"lambdas/environment.go, as a grant beside the variable that names the resource"},
		{iam.Need{Policy: evaluation.Identity, Resource: queue},
			"infra/policy/grants.go, in the grants of the function's queue"},
		{iam.Need{Policy: evaluation.Boundary, Resource: secret},
			"bootstrap/permissions.go, in the boundary of the functions' roles"},
		{iam.Need{Policy: evaluation.Resource, Resource: "arn:aws:lambda:eu:0:function:stock"},
			"infra/stack/triggers.go, as a lambda.Permission"},
		{iam.Need{Policy: evaluation.Resource, Resource: queue}, ""},
		{iam.Need{Policy: evaluation.Trust}, ""},
	} {
		if got := missingIn(c.need); got != c.want {
			t.Errorf("%+v: got %q, want %q", c.need, got, c.want)
		}
	}
}
