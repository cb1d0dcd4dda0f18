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

// permissionsOnly are actions without an operation.
// https://docs.aws.amazon.com/service-authorization/latest/reference/list_awssecuritytokenservice.html
var permissionsOnly = []string{"sts:TagSession", "sts:SetSourceIdentity", "sts:SetContext"}

// covered are operations without an action: the action without "Batch" allows them.
// https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/sqs-batch-api.html
// https://docs.aws.amazon.com/service-authorization/latest/reference/list_amazonsns.html
var covered = []string{
	"sns:PublishBatch", "sqs:SendMessageBatch", "sqs:DeleteMessageBatch", "sqs:ChangeMessageVisibilityBatch",
}

// isAction reports whether a service has an action. An operation of a client has an input.
func isAction(service, name string) bool {
	action := service + ":" + name
	if slices.Contains(covered, action) || slices.Contains(permissionsOnly, action) {
		return slices.Contains(permissionsOnly, action)
	}
	method, has := reflect.TypeOf(clients[service]).MethodByName(name)
	return has && method.Type.NumIn() > 2 && method.Type.In(2).String() == "*"+service+"."+name+"Input"
}

func TestOnlySomeMethodsOfAClientAreActions(t *testing.T) {
	for action, want := range map[string]bool{
		"sqs:SendMessage": true, "sqs:SendMessageBatch": false, "sns:PublishBatch": false, "sns:Options": false,
		"secretsmanager:BatchGetSecretValue": true, "sts:AssumeRole": true, "sts:TagSession": true,
		"sts:TagSessions": false,
	} {
		service, name, _ := strings.Cut(action, ":")
		if got := isAction(service, name); got != want {
			t.Errorf("%s is an action: got %v, want %v", action, got, want)
		}
	}
}

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
				if !isAction(m[1], m[2]) && !slices.Contains(conditionKeys, m[1]+":"+m[2]) {
					t.Errorf("%s names the action %s:%s, and IAM has no such action", path, m[1], m[2])
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
