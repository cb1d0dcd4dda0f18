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
			i.report(r, "allow sts:AssumeRole to lambda.amazonaws.com in the role's assumeRolePolicy",
				"lambda.amazonaws.com may not assume its role %s: Lambda refuses the function",
				arn)
		}
	}
	for _, r := range i.OfType(graph.Role) {
		boundary, set := r.Outputs["permissionsBoundary"].(string)
		if set && !strings.HasPrefix(boundary, "arn:aws:iam::") {
			i.report(r, "set permissionsBoundary to the ARN of a policy, or leave it out", "its "+
				"permissionsBoundary is %q: IAM refuses the role", boundary)
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

// checkDocuments checks that the principals, actions and conditions in policies exist, and that
// resources are ARNs. IAM refuses unknown principals. It accepts actions that do not exist: the
// statement allows nothing.
// https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_principal.html
func checkDocuments(i *inspection) {
	for _, r := range i.Resources {
		for _, property := range documents(r) {
			var document struct {
				Statement []struct {
					Action, Resource evaluation.Texts
					Principal        evaluation.Principal
					Condition        map[string]map[string]evaluation.Texts
				}
			}
			if text, _ := r.Inputs[property].(string); json.Unmarshal([]byte(text), &document) != nil {
				continue
			}
			for _, s := range document.Statement {
				for _, p := range s.Principal.AWS {
					if !accountOrIdentity.MatchString(p) {
						i.report(r, "use an account, or the ARN of its root, of a role or of a user, "+
							"without a region, like arn:aws:iam::123456789012:root",
							"its %s has the principal %q: IAM refuses it", property, p)
					}
				}
				i.checkConditions(r, property, s.Condition)
				// https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_resource.html
				for _, resource := range s.Resource {
					if identity := r.Type == graph.RolePolicy || r.Type == graph.ManagedPolicy; identity &&
						!strings.HasPrefix(resource, "*") && !strings.HasPrefix(resource, "arn:") {
						if of := i.withoutFacts(r); of != nil {
							i.report(r, "add a row of the type, with the form of its ARNs",
								"its %s has the resource %q: the table facts of infra/graph does not know "+
									"the ARN of %s %s", property, resource, of.Type, of.Name)
							continue
						}
						i.report(r, "use an ARN", "its %s has the resource %q: IAM refuses what is no ARN", property,
							resource)
					}
				}
				for _, a := range s.Action {
					service, action, _ := strings.Cut(a, ":")
					known := actions[service]
					if known != nil && !strings.Contains(a, "*") && !slices.Contains(known, action) {
						i.report(r, "correct the name of the action",
							"its %s has the action %s, which %s does not have: the statement allows "+
								"nothing",
							property, a, service)
					}
				}
			}
		}
	}
}

// documents returns the names of a resource's inputs that look like policies, sorted.
func documents(r *graph.Resource) (names []string) {
	for name, value := range r.Inputs {
		text, _ := value.(string)
		if strings.HasPrefix(text, "{") && strings.Contains(text, `"Statement"`) {
			names = append(names, name)
		}
	}
	slices.Sort(names)
	return names
}

// withoutFacts returns a resource that r depends on, and whose ARN a recording cannot know.
func (i *inspection) withoutFacts(r *graph.Resource) *graph.Resource {
	for _, of := range i.Resources {
		isAWS := strings.HasPrefix(string(of.Type), graph.AWS)
		if isAWS && !of.Type.HasFacts() && slices.Contains(r.Dependencies, of.URN) {
			return of
		}
	}
	return nil
}

// conditionOperator matches the operators of conditions:
// https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_condition_operators.html
var conditionOperator = regexp.MustCompile(`^(Null|(For(AllValues|AnyValue):)?(String(Not)?(Equals(IgnoreCase)?|` +
	`Like)|Arn(Not)?(Equals|Like)|Bool|BinaryEquals|(Not)?IpAddress|(Numeric|Date)((Not)?Equals|LessThan(Equals)?|` +
	`GreaterThan(Equals)?))(IfExists)?)$`)

// globalKeys are the condition keys that requests of many services have, in lower case. A key that
// ends with a slash is a prefix.
// https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_condition-keys.html
var globalKeys = strings.Fields(`assumedroot calledvia calledviafirst calledvialast chatbotsourcearn currenttime
	ec2instancesourceprivateipv4 ec2instancesourcevpc epochtime federatedprovider multifactorauthage
	multifactorauthpresent principalaccount principalarn principalisawsservice principalorgid principalorgpaths
	principalservicename principalservicenameslist principaltag/ principaltype referer requestedregion requesttag/
	resourceaccount resourceorgid resourceorgpaths resourcetag/ securetransport signinsessionarn sourceaccount
	sourcearn sourceidentity sourceip sourceorgid sourceorgpaths sourcevpc sourcevpcarn sourcevpce tagkeys
	tokenissuetime useragent userid username viaawsservice vpceaccount vpceorgid vpceorgpaths vpcsourceip`)

// checkConditions checks that the operators and keys of a statement's conditions exist. IAM refuses
// an unknown operator. It accepts an unknown key, which no request has: the statement then applies
// to no request, or to all.
func (i *inspection) checkConditions(
	r *graph.Resource, property string, conditions map[string]map[string]evaluation.Texts,
) {
	for _, operator := range slices.Sorted(maps.Keys(conditions)) {
		if !conditionOperator.MatchString(operator) {
			i.report(r, "use an operator like StringEquals, ArnLike or Bool",
				"its %s has the condition operator %s, which does not exist: IAM refuses it", property, operator)
		}
		for _, key := range slices.Sorted(maps.Keys(conditions[operator])) {
			service, name, _ := strings.Cut(strings.ToLower(key), ":")
			known := slices.ContainsFunc(globalKeys, func(global string) bool {
				return name == global || strings.HasSuffix(global, "/") && strings.HasPrefix(name, global)
			})
			if service == "aws" && !known {
				i.report(r, "use a key of IAM's list of global condition keys, or add it in infra/rules/roles.go",
					"its %s has the condition key %s, which the rules do not know: no request has a key that does "+
						"not exist", property, key)
			}
		}
	}
}
