package rules

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"restock/infra/graph"
	"restock/infra/policy"
	"restock/infra/policy/evaluation"
)

const cloudWatch = "cloudwatch.amazonaws.com"

// checkAlarms checks that every alarm has an action, and that CloudWatch may do it: publish to a
// topic of the stack, and use the key of the topic. Otherwise the alarm changes its state, and
// nobody learns of it.
// https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/Notify_Users_Alarm_Changes.html
// CloudWatch may not use AWS's own key for SNS, whose policy nobody can change:
// https://docs.aws.amazon.com/sns/latest/dg/sns-key-management.html#compatibility-with-aws-services
func checkAlarms(i *inspection) {
	alarms := map[*graph.Resource][]*graph.Resource{} // by topic
	for _, alarm := range slices.Concat(i.OfType(graph.MetricAlarm), i.OfType(graph.CompositeAlarm)) {
		if len(alarm.Strings("alarmActions")) == 0 {
			i.report(alarm, "set alarmActions to the ARN of a topic of the stack: topic.Arn",
				"it has no alarmActions: nobody learns of it")
		}
		for _, property := range []string{"alarmActions", "okActions", "insufficientDataActions"} {
			// https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/API_PutMetricAlarm.html
			if n := len(alarm.Strings(property)); n > 5 {
				i.report(alarm, "delete some", "its %s are %d, want 5 at most", property, n)
			}
			for _, action := range alarm.Strings(property) {
				topic := i.Find(graph.Topic, "arn", action)
				if topic == nil {
					i.report(alarm, "set "+property+" to the ARN of a topic of the stack: topic.Arn",
						"its %s name %q, which is no topic of the stack: nobody learns of it", property, action)
				} else if !slices.Contains(alarms[topic], alarm) {
					alarms[topic] = append(alarms[topic], alarm)
				}
			}
		}
	}
	for _, topic := range i.OfType(graph.Topic) {
		i.checkPublishing(topic, alarms[topic])
	}
}

// checkPublishing checks that CloudWatch may publish to a topic on behalf of alarms.
func (i *inspection) checkPublishing(topic *graph.Resource, alarms []*graph.Resource) {
	refused := slices.DeleteFunc(slices.Clone(alarms), func(alarm *graph.Resource) bool {
		source := cmp.Or(alarm.String("arn"), graph.MetricAlarm.ARN(i.Region, alarm.String("name")))
		return i.mayServe(cloudWatch, source, "sns:Publish", topic.String("arn"))
	})
	if len(refused) > 0 {
		i.report(topic, "allow it in the topic's policy, with a condition on aws:SourceArn or aws:SourceAccount",
			"its policy does not let %s publish for %s: nobody learns of them", cloudWatch, someOf("alarm", refused))
	}
	if len(alarms) == 0 || topic.String("kmsMasterKeyId") == "" {
		return // the rule encrypted reports a topic without a key
	}
	key := i.Find(graph.Key, "arn", topic.String("kmsMasterKeyId"))
	if key == nil {
		i.report(topic, "encrypt it with a key of the stack whose policy lets "+cloudWatch+" use it",
			"it is encrypted with %s, which CloudWatch may not use: nobody learns of %s",
			topic.String("kmsMasterKeyId"), someOf("alarm", alarms))
		return
	}
	policies := i.policies.Of("", key.String("arn"))
	source := graph.MetricAlarm.ARN(i.Region, alarms[0].String("name"))
	for _, action := range policy.Actions("key", "encrypt") {
		q := evaluation.ByService(cloudWatch, source, action, key.String("arn"))
		if !policies.Evaluate(q).Allowed {
			i.report(key, "allow the action to "+cloudWatch+" in the key's policy",
				"its policy does not let %s use %s for topic %s: nobody learns of %s", cloudWatch, action, topic.Name,
				someOf("alarm", alarms))
		}
	}
}

// someOf names the first resource, and counts the others: "alarm api-errors and 3 others".
func someOf(kind string, resources []*graph.Resource) string {
	text := kind + " " + resources[0].Name
	if others := len(resources) - 1; others > 0 {
		text += fmt.Sprintf(" and %d others", others)
	}
	return text
}

// logActions are what CloudWatch Logs does with the key of a log group:
// https://docs.aws.amazon.com/AmazonCloudWatch/latest/logs/encrypt-log-data-kms.html
var logActions = []string{
	"kms:Encrypt", "kms:Decrypt", "kms:ReEncryptFrom", "kms:ReEncryptTo",
	"kms:GenerateDataKey", "kms:GenerateDataKeyWithoutPlaintext", "kms:DescribeKey",
}

// checkKeys checks the policies of keys: the account administers the key, and CloudWatch Logs may
// use it for the stack's log groups, and for those of no other account. Without the first, nobody
// could ever change or delete the key:
// https://docs.aws.amazon.com/kms/latest/developerguide/key-policy-default.html
// Without the second, CloudWatch refuses to make the log groups:
// https://docs.aws.amazon.com/AmazonCloudWatch/latest/logs/encrypt-log-data-kms.html
func checkKeys(i *inspection) {
	for _, key := range i.OfType(graph.Key) {
		arn := key.String("arn")
		root := "arn:aws:iam::" + graph.AccountID + ":root"
		policies := i.policies.Of("", arn)
		if i.hasPolicy(key) && !policies.Evaluate(evaluation.ByRole(root, "", "kms:PutKeyPolicy", arn)).Allowed {
			i.report(key, "let the account's root do kms:* in the key's policy",
				"its policy does not let the account administer it: KMS refuses the key")
		}
		var groups []*graph.Resource
		for _, group := range i.OfType(graph.LogGroup) {
			if group.String("kmsKeyId") == arn {
				groups = append(groups, group)
			}
		}
		service := "logs." + i.Region + ".amazonaws.com"
		allows := func(action, group string) bool {
			q := evaluation.ByService(service, group, action, arn)
			q.Context["kms:encryptioncontext:aws:logs:arn"] = []string{group}
			return policies.Evaluate(q).Allowed
		}
		for _, action := range logActions {
			refused := slices.DeleteFunc(slices.Clone(groups), func(group *graph.Resource) bool {
				return allows(action, group.String("arn"))
			})
			if len(refused) > 0 {
				i.report(key, "allow the action to "+service+" in the key's policy, for the log groups' ARNs",
					"its policy does not let %s use %s for %s: CloudWatch Logs refuses to make them", service, action,
					someOf("log group", refused))
			}
			stranger := strings.Replace(graph.LogGroup.ARN(i.Region, "any"), graph.AccountID, "111111111111", 1)
			if allows(action, stranger) {
				i.report(key, "add a condition on kms:EncryptionContext:aws:logs:arn to the statement",
					"its policy lets %s use %s for log groups of every account", service, action)
			}
		}
	}
}

// hasPolicy reports whether the program gives a key a policy, in the key or in a separate resource.
// Otherwise KMS gives it the default policy:
// https://docs.aws.amazon.com/kms/latest/developerguide/key-policy-default.html
func (i *inspection) hasPolicy(key *graph.Resource) bool {
	ofKey := func(r *graph.Resource) bool {
		id := r.String("keyId")
		return id == key.ID || id == key.String("arn")
	}
	return key.String("policy") != "" || slices.ContainsFunc(i.OfType(graph.KeyPolicy), ofKey)
}
