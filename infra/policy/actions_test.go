package policy_test

import (
	"io/fs"
	"os"
	"path/filepath"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/service/secretsmanager"
	"github.com/aws/aws-sdk-go-v2/service/sns"
	"github.com/aws/aws-sdk-go-v2/service/sqs"
	"github.com/aws/aws-sdk-go-v2/service/sts"
)

// clients are the clients of services whose actions have the names of their operations.
// https://docs.aws.amazon.com/service-authorization/latest/reference/reference_policies_actions-resources-contextkeys.html
var clients = map[string]any{
	"secretsmanager": &secretsmanager.Client{}, "sns": &sns.Client{}, "sqs": &sqs.Client{}, "sts": &sts.Client{},
}

// conditionKeys look like actions.
var conditionKeys = []string{"secretsmanager:BlockPublicPolicy"}

var action = regexp.MustCompile(`"(secretsmanager|sns|sqs|sts):([A-Z][A-Za-z]+)"`)

// A misspelt action in a grant allows nothing, and one in a rule is never found. AWS accepts both.
func TestAWSHasTheActionsThatTheCodeNames(t *testing.T) {
	root, found := os.DirFS("../.."), map[string]bool{}
	for _, folder := range []string{"infra", "lambdas", "local", "bootstrap"} {
		err := fs.WalkDir(root, folder, func(path string, entry fs.DirEntry, err error) error {
			if err != nil || entry.IsDir() || filepath.Ext(path) != ".go" || strings.HasSuffix(path, "_test.go") {
				return err
			}
			text, err := fs.ReadFile(root, path)
			for _, m := range action.FindAllStringSubmatch(string(text), -1) {
				found[m[1]] = true
				_, has := reflect.TypeOf(clients[m[1]]).MethodByName(m[2])
				if !has && !slices.Contains(conditionKeys, m[1]+":"+m[2]) {
					t.Errorf("%s names the action %s:%s, and the service has no such operation", path, m[1], m[2])
				}
			}
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	if len(found) != len(clients) {
		t.Errorf("the code names actions of %v only: is the pattern still right?", found)
	}
}
