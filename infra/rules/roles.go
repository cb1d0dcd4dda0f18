package rules

import (
	"encoding/json"
	"maps"
	"regexp"
	"slices"
	"strings"

	"restock/infra/graph"
	"restock/infra/policy/evaluation"
)

// checkRoles checks that Lambda may assume the role of a function, and that a boundary is the ARN
// of a policy. The rules route and proxy-secrets check the roles of integrations and proxies.
// https://docs.aws.amazon.com/lambda/latest/dg/lambda-intro-execution-role.html
func checkRoles(i *inspection) {
	for _, r := range i.OfType(graph.Function) {
		arn := r.String("role")
		if i.Find(graph.Role, "arn", arn) == nil {
			continue // the rule reference reports it
		}
		q := evaluation.ByService("lambda.amazonaws.com", r.String("arn"), "sts:AssumeRole", arn)
		if !i.policies.Trust(arn).Evaluate(q).Allowed {
			i.report(r, "allow it in the role's assumeRolePolicy", "lambda.amazonaws.com may not assume its role %s",
				arn)
		}
	}
	for _, r := range i.OfType(graph.Role) {
		boundary, set := r.Outputs["permissionsBoundary"].(string)
		if set && !strings.HasPrefix(boundary, "arn:aws:iam::") {
			i.report(r, "set it to the ARN of a policy, or leave it out", "its permissionsBoundary is %q", boundary)
		}
	}
}

// actions are all actions of the services whose resources hold the shop's data:
// https://docs.aws.amazon.com/service-authorization/latest/reference/list_amazonsqs.html
// https://docs.aws.amazon.com/service-authorization/latest/reference/list_amazonsns.html
// https://docs.aws.amazon.com/service-authorization/latest/reference/list_awssecretsmanager.html
var actions = map[string][]string{
	"sqs": strings.Fields(`AddPermission CancelMessageMoveTask ChangeMessageVisibility CreateQueue DeleteMessage
		DeleteQueue GetQueueAttributes GetQueueUrl ListDeadLetterSourceQueues ListMessageMoveTasks ListQueueTags
		ListQueues PurgeQueue ReceiveMessage RemovePermission SendMessage SetQueueAttributes StartMessageMoveTask
		TagQueue UntagQueue`),
	"sns": strings.Fields(`AddPermission CheckIfPhoneNumberIsOptedOut ConfirmSubscription CreatePlatformApplication
		CreatePlatformEndpoint CreateSMSSandboxPhoneNumber CreateTopic DeleteEndpoint DeletePlatformApplication
		DeleteSMSSandboxPhoneNumber DeleteTopic GetDataProtectionPolicy GetEndpointAttributes
		GetPlatformApplicationAttributes GetSMSAttributes GetSMSSandboxAccountStatus GetSubscriptionAttributes
		GetTopicAttributes ListEndpointsByPlatformApplication ListOriginationNumbers ListPhoneNumbersOptedOut
		ListPlatformApplications ListSMSSandboxPhoneNumbers ListSubscriptions ListSubscriptionsByTopic
		ListTagsForResource ListTopics OptInPhoneNumber Publish PutDataProtectionPolicy RemovePermission
		SetEndpointAttributes SetPlatformApplicationAttributes SetSMSAttributes SetSubscriptionAttributes
		SetTopicAttributes Subscribe TagResource Unsubscribe UntagResource VerifySMSSandboxPhoneNumber`),
	"secretsmanager": strings.Fields(`BatchGetSecretValue CancelRotateSecret CreateSecret DeleteResourcePolicy
		DeleteSecret DescribeSecret GetRandomPassword GetResourcePolicy GetSecretValue ListSecretVersionIds ListSecrets
		PutResourcePolicy PutSecretValue RemoveRegionsFromReplication ReplicateSecretToRegions RestoreSecret
		RotateSecret StopReplicationToReplica TagResource UntagResource UpdateSecret UpdateSecretVersionStage
		ValidateResourcePolicy`),
}

// accountOrIdentity matches an account, or the ARN of an identity, in a statement's principal.
var accountOrIdentity = regexp.MustCompile(
	`^(\*|\d{12}|arn:aws:iam::\d{12}:(root|(role|user)/.+)|arn:aws:sts::\d{12}:(assumed-role|federated-user)/.+)$`)

// checkDocuments checks that the principals and the actions in policies exist. IAM refuses unknown
// principals. It accepts actions that do not exist: the statement allows nothing.
// https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_principal.html
func checkDocuments(i *inspection) {
	for _, r := range i.Resources {
		for _, property := range slices.Sorted(maps.Keys(r.Inputs)) {
			text, _ := r.Inputs[property].(string)
			var document struct {
				Statement []struct {
					Action    evaluation.Texts
					Principal evaluation.Principal
				}
			}
			if !strings.HasPrefix(text, "{") || !strings.Contains(text, `"Statement"`) ||
				json.Unmarshal([]byte(text), &document) != nil {
				continue
			}
			for _, s := range document.Statement {
				for _, p := range s.Principal.AWS {
					if !accountOrIdentity.MatchString(p) {
						i.report(r, "use an account, or the ARN of its root, of a role or of a user",
							"its %s has the principal %q: IAM refuses it", property, p)
					}
				}
				for _, a := range s.Action {
					service, action, _ := strings.Cut(a, ":")
					known := actions[service]
					if known != nil && !strings.Contains(a, "*") && !slices.Contains(known, action) {
						i.report(r, "use an action of "+service, "its %s has the action %s, which does not exist",
							property, a)
					}
				}
			}
		}
	}
}
