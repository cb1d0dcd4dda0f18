package conformance

import (
	"maps"
	"strings"
	"testing"
)

// CloudFormation made these queues. The facts are about the queues: what SQS answers for their
// attributes.
func TestRecordedSQSQueuesOfStacks(t *testing.T) {
	// queueWith checks all attributes and the tags of a queue with a dead-letter queue.
	queueWith := func(maxReceiveCount int, tags, set attributeMap) func(r *Recorded) {
		return func(r *Recorded) {
			deadLetters, target := r.queue(attributeMap{"RedriveAllowPolicy": `{"redrivePermission":"allowAll"}`})
			r.attributes(deadLetters, "RedriveAllowPolicy").answered(exactly{"Attributes": exactly{
				"RedriveAllowPolicy": `{"redrivePermission":"allowAll"}`}})
			set, want := maps.Clone(set), maps.Clone(set)
			set["RedrivePolicy"] = redrivePolicy(target, maxReceiveCount)["RedrivePolicy"]
			want["RedrivePolicy"] = set["RedrivePolicy"]
			if set["KmsMasterKeyId"] != "" {
				want["SqsManagedSseEnabled"] = "false"
			}
			url, arn := r.queue(set)
			r.attributes(url, "All").answered(queueDefaults(arn, want))
			r.sqs("TagQueue", input{"QueueUrl": url, "Tags": tags}).ok()
			r.sqs("ListQueueTags", input{"QueueUrl": url}).answered(exactly{"Tags": tags})
		}
	}
	tags := func(environment, department string) attributeMap {
		return attributeMap{"Environment": environment, "Department": department}
	}
	deleted := func(r *Recorded) {
		url, arn := r.queue(nil)
		r.sqs("DeleteQueue", input{"QueueUrl": url}).answered(nil)
		r.sqs("GetQueueUrl", input{"QueueName": nameOf(arn)}).
			failed(400, "AWS.SimpleQueueService.NonExistentQueue", "The specified queue does not exist.")
	}
	checkRecorded(t, "sqs/resource_providers/test_aws_sqs_queue", []recording{
		{"test_create_standard_queue_with_required_properties", "2025-12-18", func(r *Recorded) {
			url, arn := r.queue(nil)
			r.attributes(url, "All").answered(queueDefaults(arn, nil))
		}},
		{"test_create_standard_queue_with_all_properties", "2025-12-18",
			queueWith(7, tags("Production", "Finance"), attributeMap{
				"DelaySeconds": "17", "MaximumMessageSize": "1234", "MessageRetentionPeriod": "13579",
				"ReceiveMessageWaitTimeSeconds": "18", "VisibilityTimeout": "45", "KmsMasterKeyId": "alias/aws/sqs",
				"KmsDataKeyReusePeriodSeconds": "297"})},
		{"test_update_standard_queue_modify_properties_in_place", "2025-12-18",
			queueWith(3, tags("Staging", "Sales"), attributeMap{
				"DelaySeconds": "16", "MaximumMessageSize": "4321", "MessageRetentionPeriod": "17539",
				"ReceiveMessageWaitTimeSeconds": "17", "VisibilityTimeout": "40", "SqsManagedSseEnabled": "true"})},
		{"test_update_standard_queue_add_properties_with_replacement", "2025-12-18", func(r *Recorded) {
			queueWith(4, tags("Pre-Test", "Marketing"), attributeMap{
				"DelaySeconds": "15", "MaximumMessageSize": "4444",
				"MessageRetentionPeriod": "17777", "ReceiveMessageWaitTimeSeconds": "14", "VisibilityTimeout": "35",
				"SqsManagedSseEnabled": "true"})(r)
			deleted(r)
		}},
		{"test_update_standard_queue_remove_some_properties", "2025-12-18",
			queueWith(7, attributeMap{"Environment": "Pre-Production"}, attributeMap{
				"DelaySeconds": "17", "MaximumMessageSize": "262144", "VisibilityTimeout": "43",
				"SqsManagedSseEnabled": "false"})},
		{"test_update_standard_queue_without_explicit_name", "2025-12-18", func(r *Recorded) {
			set := attributeMap{"MaximumMessageSize": "4321", "MessageRetentionPeriod": "17539",
				"ReceiveMessageWaitTimeSeconds": "17"}
			url, arn := r.queue(set)
			r.attributes(url, "All").answered(queueDefaults(arn, set))
		}},
		{"test_update_completely_remove_resource", "2025-12-18", deleted},
	}, leftOut{4, fifoQueues})
}

// policies checks that a queue returns the policies that were set, one after another. Each is a
// list of actions; nil removes the policy.
func policies(actions ...[]string) func(r *Recorded) {
	return func(r *Recorded) {
		url, arn := r.queue(nil)
		for _, allowed := range actions {
			set, want := "", exactly{}
			if allowed != nil {
				set = `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":"*","Action":["` +
					strings.Join(allowed, `","`) + `"],"Resource":"` + arn + `"}]}`
				want = exactly{"Attributes": exactly{"Policy": set}}
			}
			r.setAttributes(url, attributeMap{"Policy": set}).answered(nil)
			r.attributes(url, "Policy").answered(want)
		}
	}
}

var (
	sendActions    = []string{"sqs:SendMessage", "sqs:GetQueueAttributes", "sqs:GetQueueUrl"}
	receiveActions = append(sendActions[:3:3], "sqs:DeleteMessage", "sqs:ReceiveMessage")
	changeActions  = append(sendActions[:3:3], "sqs:ChangeMessageVisibility")
)

func TestRecordedSQSInlinePolicies(t *testing.T) {
	checkRecorded(t, "sqs/resource_providers/test_aws_sqs_queueinlinepolicy", []recording{
		{"test_create_sqs_with_inlinepolicy", "2025-12-18", policies(sendActions)},
		{"test_update_sqs_with_inlinepolicy", "2025-12-18", policies(sendActions, receiveActions)},
		{"test_update_sqs_remove_inlinepolicy", "2025-12-18", policies(sendActions, nil)},
	})
}

func TestRecordedSQSPolicies(t *testing.T) {
	checkRecorded(t, "sqs/resource_providers/test_aws_sqs_queuepolicy", []recording{
		{"test_sqs_queue_policy", "2025-12-18", policies(sendActions)},
		{"test_update_sqs_queuepolicy", "2025-12-18", policies(sendActions, receiveActions[:4])},
		{"test_update_add_two_additional_queues_to_policy", "2025-12-18", policies(nil, changeActions)},
		{"test_update_remove_two_queues_from_policy", "2025-12-18", policies(changeActions, nil)},
	})
}
