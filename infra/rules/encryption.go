package rules

import (
	"regexp"
	"restock/infra/graph"
	"restock/infra/policy/evaluation"
	"strings"
)

// checkEncrypted checks that databases, topics, queues and log groups are encrypted. AWS always
// encrypts secrets.
//
// A database cannot be encrypted later; it must be replaced:
// https://docs.aws.amazon.com/AmazonRDS/latest/UserGuide/Overview.Encryption.html
// SNS encrypts a topic only if the topic has a key:
// https://docs.aws.amazon.com/sns/latest/dg/sns-server-side-encryption.html
// SQS encrypts a queue with its own keys or with one of KMS:
// https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/sqs-server-side-encryption.html
// CloudWatch encrypts log groups with its own key. Only with a key of the stack does the account
// decide who may read logs, and see who did:
// https://docs.aws.amazon.com/AmazonCloudWatch/latest/logs/encrypt-log-data-kms.html
func checkEncrypted(i *inspection) {
	for _, r := range i.OfType(graph.Database) {
		if !r.Bool("storageEncrypted") {
			i.report(r, "set storageEncrypted to true", "storageEncrypted is false, want true: the disk and the "+
				"snapshots are readable")
		}
	}
	for _, r := range i.OfType(graph.Topic) {
		if r.String("kmsMasterKeyId") == "" {
			i.report(r, "set kmsMasterKeyId to a key, like alias/aws/sns",
				"kmsMasterKeyId is empty, want a key: SNS stores messages "+
					"in the clear")
		}
		i.checkKeyName(r)
	}
	for _, r := range i.OfType(graph.Queue) {
		if !r.Bool("sqsManagedSseEnabled") && r.String("kmsMasterKeyId") == "" {
			i.report(r, "set sqsManagedSseEnabled to true",
				"sqsManagedSseEnabled is false and kmsMasterKeyId is empty, want one of them: SQS stores messages in "+
					"the clear")
		}
		i.checkKeyName(r)
	}
	for _, r := range i.OfType(graph.LogGroup) {
		if i.Find(graph.Key, "arn", r.String("kmsKeyId")) == nil {
			i.report(r, "set kmsKeyId to the ARN of a key of the stack: key.Arn",
				"kmsKeyId is %q, want a key of the stack", r.String("kmsKeyId"))
		}
	}
}

// callsOfData are the calls that send or return a resource's data.
var callsOfData = map[graph.Type][]string{
	graph.Queue:  {"sqs:SendMessage", "sqs:ReceiveMessage"},
	graph.Topic:  {"sns:Publish"},
	graph.Secret: {"secretsmanager:GetSecretValue", "secretsmanager:PutSecretValue"},
}

// checkEncryptedTransport checks that policies refuse connections without TLS, even to a role that
// may do everything, and that the database and its proxy do so too.
// https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_condition-keys.html#condition-keys-securetransport
// https://docs.aws.amazon.com/AmazonRDS/latest/UserGuide/mariadb-ssl-connections.require-ssl.html
func checkEncryptedTransport(i *inspection) {
	for token, calls := range callsOfData {
		for _, r := range i.OfType(token) {
			arn := r.String("arn")
			for _, call := range calls {
				request := evaluation.ByRole("arn:aws:iam::"+graph.AccountID+":role/any", "", call, arn)
				request.Context["aws:securetransport"] = []string{"false"}
				if d := i.policies.Of("", arn).Evaluate(request); d.Allowed || d.Statement == nil {
					i.report(r, "deny it in the policy of the resource, with the condition "+
						`"Bool": {"aws:SecureTransport": "false"}`, "its policy does not deny %s over a connection "+
						"without TLS", call)
				}
			}
		}
	}
	for _, r := range i.OfType(graph.Database) {
		if got := i.parameter(r, "require_secure_transport"); got != "1" && got != "ON" {
			i.report(r, "set require_secure_transport to 1"+i.inGroup(r),
				"%s, want 1: the server accepts passwords and data in the clear",
				i.parameterIs(r, "require_secure_transport"))
		}
	}
	for _, r := range i.OfType(graph.Proxy) {
		if !r.Bool("requireTls") {
			i.report(r, "set requireTls to true", "requireTls is false, want true: the proxy accepts passwords and "+
				"data in the clear")
		}
	}
}

// keyID matches the ids of keys.
var keyID = regexp.MustCompile(`^(mrk-[0-9a-f]{32}|[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12})$`)

// checkKeyName checks that the key of a topic or a queue is an id, an ARN or an alias.
// https://docs.aws.amazon.com/kms/latest/developerguide/concepts.html#key-id
func (i *inspection) checkKeyName(r *graph.Resource) {
	name := r.String("kmsMasterKeyId")
	if name != "" && !strings.HasPrefix(name, "alias/") && !strings.HasPrefix(name, "arn:") &&
		!keyID.MatchString(name) && byID(i.Graph, graph.Key, name) == nil {
		i.report(r, "begin an alias with alias/",
			"kmsMasterKeyId is %q, which is no id, no ARN and no alias of a key: KMS does not find it", name)
	}
}
