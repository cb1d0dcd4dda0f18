package rules

import (
	"regexp"
	"strings"

	"restock/infra/graph"
)

// suffix stands for what Pulumi appends to a logical name to make a name: a hyphen and seven hexadecimal digits.
// https://www.pulumi.com/docs/iac/concepts/resources/names/#autonaming
const suffix = "-0123abc"

// A nameLimit is what AWS takes as a name of a type of resource.
type nameLimit struct {
	output string
	length int
	form   *regexp.Regexp // of the whole name
	words  string         // the form, in words
	prefix string         // what it may not begin with
	named  bool           // only where the program gives a name: Pulumi makes none
}

const letters = "letters, digits, hyphens and underscores"

var (
	plainName = regexp.MustCompile(`^[A-Za-z0-9_-]+$`)
	roleName  = regexp.MustCompile(`^[\w+=,.@-]+$`)
	// rdsName is as RDS and Terraform's provider, which does not lower letters, take it.
	rdsName = regexp.MustCompile(`^[a-z](-?[a-z0-9])*$`)
)

// nameLimits are AWS's, by type:
//
//	function         https://docs.aws.amazon.com/lambda/latest/api/API_CreateFunction.html
//	permission       https://docs.aws.amazon.com/lambda/latest/api/API_AddPermission.html
//	role             https://docs.aws.amazon.com/IAM/latest/APIReference/API_CreateRole.html
//	role's policy    https://docs.aws.amazon.com/IAM/latest/APIReference/API_PutRolePolicy.html
//	queue            https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_CreateQueue.html
//	topic            https://docs.aws.amazon.com/sns/latest/api/API_CreateTopic.html
//	secret           https://docs.aws.amazon.com/secretsmanager/latest/apireference/API_CreateSecret.html
//	security group   https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_CreateSecurityGroup.html
//	database         https://docs.aws.amazon.com/AmazonRDS/latest/APIReference/API_CreateDBInstance.html
//	subnet group     https://docs.aws.amazon.com/AmazonRDS/latest/APIReference/API_CreateDBSubnetGroup.html
//	parameter group  https://docs.aws.amazon.com/AmazonRDS/latest/APIReference/API_CreateDBParameterGroup.html
//	log group        https://docs.aws.amazon.com/AmazonCloudWatchLogs/latest/APIReference/API_CreateLogGroup.html
//	rule             https://docs.aws.amazon.com/eventbridge/latest/APIReference/API_PutRule.html
//	API              https://docs.aws.amazon.com/apigatewayv2/latest/api-reference/apis.html
var nameLimits = map[string][]nameLimit{
	functionType:   {{output: "name", length: 64, form: plainName, words: letters}},
	permissionType: {{output: "statementId", length: 100, form: plainName, words: letters}},
	roleType:       {{output: "name", length: 64, form: roleName, words: "letters, digits and _+=,.@-"}},
	rolePolicyType: {{output: "name", length: 128, form: roleName, words: "letters, digits and _+=,.@-"}},
	queueType:      {{output: "name", length: 80, form: regexp.MustCompile(`^[A-Za-z0-9_-]+(\.fifo)?$`), words: letters}},
	topicType:      {{output: "name", length: 256, form: regexp.MustCompile(`^[A-Za-z0-9_-]+(\.fifo)?$`), words: letters}},
	secretType:     {{output: "name", length: 512, form: regexp.MustCompile(`^[A-Za-z0-9/_+=.@-]+$`), words: "letters, digits and /_+=.@-"}},
	securityGroupType: {{output: "name", length: 255, form: regexp.MustCompile(`^[A-Za-z0-9 ._:/()#,@\[\]+=&;{}!$*-]+$`), prefix: "sg-",
		words: "letters, digits, spaces and ._-:/()#,@[]+=&;{}!$*, and not to begin with sg-"}},
	databaseType: {
		{output: "identifier", length: 63, form: rdsName, words: "a small letter, then small letters, digits and single hyphens"},
		{output: "finalSnapshotIdentifier", length: 255, form: rdsName, words: "a small letter, then small letters, digits and single hyphens", named: true},
	},
	subnetGroupType:    {{output: "name", length: 255, form: regexp.MustCompile(`^[a-z][a-z0-9 ._-]*$`), words: "a small letter, then small letters, digits, spaces and ._-"}},
	parameterGroupType: {{output: "name", length: 255, form: rdsName, words: "a small letter, then small letters, digits and single hyphens"}},
	logGroupType:       {{output: "name", length: 512, form: regexp.MustCompile(`^[A-Za-z0-9._/#-]+$`), words: "letters, digits and ._-/#"}},
	scheduleRuleType:   {{output: "name", length: 64, form: regexp.MustCompile(`^[A-Za-z0-9._-]+$`), words: "letters, digits and ._-"}},
	apiType:            {{output: "name", length: 128, form: regexp.MustCompile(`^.+$`), words: "any text"}},
}

// checkNames holds that AWS takes the names that the program gives, and those that Pulumi makes of logical names.
func checkNames(i *inspection) {
	for _, r := range i.Resources {
		for _, limit := range nameLimits[r.Type] {
			name := deployedName(r, limit)
			if name == "" {
				continue
			}
			if len(name) > limit.length {
				i.report(r, "shorten its name", "its %s %q is %d characters long with what Pulumi appends, want %d at most", limit.output, name, len(name), limit.length)
			}
			if !limit.form.MatchString(name) || limit.prefix != "" && strings.HasPrefix(name, limit.prefix) {
				i.report(r, "give it another name", "its %s is %q, want %s", limit.output, name, limit.words)
			}
		}
	}
}

// deployedName is the name that AWS is given; empty if it is not given any.
func deployedName(r *graph.Resource, limit nameLimit) string {
	if name, _ := r.Inputs[limit.output].(string); name != "" || limit.named {
		return name
	}
	return r.Name + suffix
}
