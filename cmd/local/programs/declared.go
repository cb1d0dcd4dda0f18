package programs

import (
	"strings"

	"restock/infra/graph"
	"restock/infra/policy/evaluation"
	"restock/local/aws/iam"
)

// ruleFiles are the files in which the shop declares what a rule checks, if these are not the files
// of the resource that breaks the rule. For example, package stack creates functions and their
// grants from the declarations in package lambdas.
var ruleFiles = map[string]string{
	"grant":             "lambdas/environment.go, infra/policy/grants.go",
	"dead-letter-queue": "infra/stack/messaging.go, infra/stack/alarms.go",
	"filter":            "lambdas/lambdas.go, lambdas/topics.go",
	"route":             "lambdas/lambdas.go, infra/stack/triggers.go",
	"authorization":     "lambdas/lambdas.go, infra/stack/triggers.go",
	"schedule":          "infra/stack/triggers.go",
	"rotation":          "lambdas/environment.go, infra/stack/triggers.go",
	"event-source":      "infra/stack/triggers.go, lambdas/lambdas.go, lambdas/environment.go",
	"environment":       "lambdas/environment.go",
	"runtime":           "infra/stack/function.go",
	"connections":       "Pulumi.<stage>.yaml",
	"reachable":         "infra/stack/network.go",
	"endpoint-policy":   "infra/stack/network.go",
	"value":             "lambdas/environment.go, infra/stack/grants.go",
	"metric":            "infra/stack/metrics.go, infra/stack/alarms.go",
	"order":             "infra/stack/stack.go, infra/stack/function.go",
	"document":          "infra/policy/grants.go",
}

func declaredIn(rule string, _ *graph.Resource) string { return ruleFiles[rule] }

// Files with the statements of the shop's policies.
const (
	boundaryFile    = "bootstrap/permissions.go"
	permissionsFile = "infra/stack/triggers.go"
	queueGrantsFile = "infra/policy/grants.go"
	grantsFile      = "lambdas/environment.go"
)

// missingIn returns the file, and the place in it, where a missing statement belongs.
func missingIn(n iam.Need) string {
	switch n.Policy {
	case evaluation.Boundary:
		return boundaryFile + ", in the boundary of the functions' roles"
	case evaluation.Resource:
		if strings.HasPrefix(n.Resource, "arn:aws:lambda:") {
			return permissionsFile + ", as a lambda.Permission"
		}
	case evaluation.Identity:
		switch {
		case strings.HasPrefix(n.Resource, "arn:aws:sqs:"):
			return queueGrantsFile + ", in the grants of the function's queue"
		case n.Variable != "":
			return grantsFile + ", as a grant beside " + n.Variable
		default:
			return grantsFile + ", as a grant beside the variable that names the resource"
		}
	}
	return ""
}
