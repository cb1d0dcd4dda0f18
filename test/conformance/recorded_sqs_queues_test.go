package conformance

import (
	"fmt"
	"strings"
	"testing"
)

// queueDefaults are the attributes of a new queue, except its ARN and others that a test sets.
func queueDefaults(arn string, others attributeMap) exactly {
	all := exactly{
		"ApproximateNumberOfMessages": "0", "ApproximateNumberOfMessagesDelayed": "0",
		"ApproximateNumberOfMessagesNotVisible": "0", "CreatedTimestamp": anySeconds, "DelaySeconds": "0",
		"LastModifiedTimestamp": anySeconds, "MaximumMessageSize": "1048576", "MessageRetentionPeriod": "345600",
		"QueueArn": arn, "ReceiveMessageWaitTimeSeconds": "0", "SqsManagedSseEnabled": "true",
		"VisibilityTimeout": "30",
	}
	for name, value := range others {
		all[name] = value
	}
	return exactly{"Attributes": all}
}

func nameOf(arn string) string { return arn[strings.LastIndex(arn, ":")+1:] }

func (r *Recorded) setAttributes(url string, attributes attributeMap) *answer {
	r.Helper()
	return r.sqs("SetQueueAttributes", input{"QueueUrl": url, "Attributes": attributes})
}

const fifoQueues = "FIFO queues: the tests of local/aws/sqs have the most important of these facts"

func TestRecordedSQSQueues(t *testing.T) {
	kmsKey := []string{"KmsMasterKeyId", "KmsDataKeyReusePeriodSeconds", "SqsManagedSseEnabled"}
	checkRecorded(t, "sqs/test_sqs", inBothProtocols([]recording{
		{"test_list_queues", "2024-04-30", func(r *Recorded) {
			prefix, urls := unique("list"), []any{}
			for _, name := range []string{"a-1", "a-2", "b-1"} {
				url := r.sqs("CreateQueue", input{"QueueName": prefix + name}).ok().text("QueueUrl")
				r.Cleanup(func() { r.sqs("DeleteQueue", input{"QueueUrl": url}) })
				r.sqs("GetQueueUrl", input{"QueueName": prefix + name}).answered(exactly{"QueueUrl": url})
				urls = append(urls, url)
			}
			list := func(prefix string) *answer { return r.sqs("ListQueues", input{"QueueNamePrefix": prefix}) }
			list(prefix + "a-").answered(exactly{"QueueUrls": urls[:2]})
			list(prefix + "b-").answered(exactly{"QueueUrls": urls[2:]})
			list(prefix + "nonexisting-").answered(exactly{})
		}},
		{"test_list_queues_pagination", "2025-03-19", func(r *Recorded) {
			prefix, urls := unique("list"), []any{}
			for n := range 10 {
				url := r.sqs("CreateQueue", input{"QueueName": fmt.Sprint(prefix, n)}).ok().text("QueueUrl")
				r.Cleanup(func() { r.sqs("DeleteQueue", input{"QueueUrl": url}) })
				urls = append(urls, url)
			}
			list := input{"QueueNamePrefix": prefix}
			r.sqs("ListQueues", list).answered(exactly{"QueueUrls": urls})
			list["MaxResults"] = 2
			first := r.sqs("ListQueues", list).answered(exactly{"QueueUrls": urls[:2], "NextToken": anyText})
			list["MaxResults"], list["NextToken"] = 10, first.text("NextToken")
			r.sqs("ListQueues", list).answered(exactly{"QueueUrls": urls[2:]})
		}},
		{"test_create_queue_and_get_attributes[*]", "2024-04-30", func(r *Recorded) {
			url, arn := r.queue(nil)
			want := exactly{"QueueArn": arn, "CreatedTimestamp": anySeconds, "VisibilityTimeout": "30"}
			r.attributes(url, "QueueArn", "CreatedTimestamp", "VisibilityTimeout").answered(exactly{"Attributes": want})
		}},
		{"test_create_queue_recently_deleted[*]", "2024-04-30", func(r *Recorded) {
			queue := input{"QueueName": unique("queue")}
			url := r.sqs("CreateQueue", queue).ok().text("QueueUrl")
			r.sqs("DeleteQueue", input{"QueueUrl": url}).answered(nil)
			r.sqs("CreateQueue", queue).refused(400, "AWS.SimpleQueueService.QueueDeletedRecently",
				"You must wait 60 seconds after deleting a queue before you can create another with the same name.")
		}},
		{"test_create_queue_with_different_attributes_raises_exception[*]", "2024-04-30", func(r *Recorded) {
			url, arn := r.queue(attributeMap{"ReceiveMessageWaitTimeSeconds": "1", "DelaySeconds": "1"})
			create := func(attributes attributeMap) *answer {
				return r.sqs("CreateQueue", input{"QueueName": nameOf(arn), "Attributes": attributes})
			}
			const exists = "A queue already exists with the same name and a different value for attribute DelaySeconds"
			create(nil).answered(exactly{"QueueUrl": url})
			create(attributeMap{"DelaySeconds": "1"}).answered(exactly{"QueueUrl": url})
			create(attributeMap{"ReceiveMessageWaitTimeSeconds": "1", "DelaySeconds": "2"}).
				failed(400, "QueueAlreadyExists", exists)
			r.setAttributes(url, attributeMap{"DelaySeconds": "2"}).answered(nil)
			create(attributeMap{"ReceiveMessageWaitTimeSeconds": "1", "DelaySeconds": "2"}).
				answered(exactly{"QueueUrl": url})
			create(attributeMap{"ReceiveMessageWaitTimeSeconds": "1", "DelaySeconds": "1"}).
				failed(400, "QueueAlreadyExists", exists)
		}},
		{"test_create_standard_queue_with_fifo_attribute_raises_error[*]", "2024-05-15", func(r *Recorded) {
			for _, c := range []struct{ attribute, value, text string }{
				{"FifoQueue", "false", "Unknown Attribute FifoQueue."},
				{"ContentBasedDeduplication", "false", "Unknown Attribute ContentBasedDeduplication."},
				{"DeduplicationScope", "queue",
					"You can specify the DeduplicationScope only when FifoQueue is set to true."},
				{"FifoThroughputLimit", "perQueue",
					"You can specify the FifoThroughputLimit only when FifoQueue is set to true."},
			} {
				set := attributeMap{c.attribute: c.value}
				r.sqs("CreateQueue", input{"QueueName": unique("queue"), "Attributes": set}).
					failed(400, "InvalidAttributeName", c.text)
			}
		}},
		{"test_create_and_update_queue_attributes[*]", "2025-08-19", func(r *Recorded) {
			set := attributeMap{"MessageRetentionPeriod": "604800", "ReceiveMessageWaitTimeSeconds": "10",
				"VisibilityTimeout": "20"}
			url, arn := r.queue(set)
			r.attributes(url, "All").answered(queueDefaults(arn, set))
			update := attributeMap{"MaximumMessageSize": "2048", "VisibilityTimeout": "69", "DelaySeconds": "420"}
			r.setAttributes(url, update).answered(nil)
			for name, value := range update {
				set[name] = value
			}
			r.attributes(url, "All").answered(queueDefaults(arn, set))
		}},
		{"test_set_queue_attributes_default_values[*]", "2025-12-10", func(r *Recorded) {
			url, arn := r.queue(nil)
			r.attributes(url, "All").answered(queueDefaults(arn, nil))
			key := attributeMap{"KmsMasterKeyId": "testKeyId", "KmsDataKeyReusePeriodSeconds": "6000"}
			r.setAttributes(url, key).answered(nil)
			key["SqsManagedSseEnabled"] = "false"
			r.attributes(url, "All").answered(queueDefaults(arn, key))
			none := attributeMap{"KmsMasterKeyId": "", "KmsDataKeyReusePeriodSeconds": "300"}
			r.setAttributes(url, none).answered(nil)
			r.attributes(url, "All").answered(queueDefaults(arn, attributeMap{"SqsManagedSseEnabled": "false"}))
		}},
		{"test_sse_queue_attributes[*]", "2024-04-30", func(r *Recorded) {
			for _, set := range []attributeMap{
				{"KmsMasterKeyId": "testKeyId", "KmsDataKeyReusePeriodSeconds": "6000",
					"SqsManagedSseEnabled": "false"},
				{"SqsManagedSseEnabled": "true"},
			} {
				url, _ := r.queue(nil)
				r.setAttributes(url, set).answered(nil)
				want := exactly{}
				for name, value := range set {
					want[name] = value
				}
				r.attributes(url, kmsKey...).answered(exactly{"Attributes": want})
			}
		}},
		{"test_sse_kms_and_sqs_are_mutually_exclusive[*]", "2024-04-30", func(r *Recorded) {
			url, _ := r.queue(nil)
			r.setAttributes(url, attributeMap{"KmsMasterKeyId": "testKeyId", "SqsManagedSseEnabled": "true"}).
				failed(400, "InvalidAttributeName", "You can use one type of server-side encryption (SSE) at one "+
					"time. You can either enable KMS SSE or SQS SSE.")
		}},
		{"test_set_unsupported_attribute_standard[*]", "2024-05-14", func(r *Recorded) {
			url, _ := r.queue(nil)
			for _, value := range []string{"true", "false"} {
				r.setAttributes(url, attributeMap{"FifoQueue": value}).
					failed(400, "InvalidAttributeName", "Unknown Attribute FifoQueue.")
			}
		}},
		{"test_set_empty_redrive_policy[*]", "2024-08-20", func(r *Recorded) {
			url, arn := r.queue(nil)
			empty, none := attributeMap{"RedrivePolicy": ""}, exactly{} // without an attribute, none are returned
			r.setAttributes(nameOf(arn), empty).answered(nil)
			r.attributes(nameOf(arn), "RedrivePolicy").answered(none)
			policy := attributeMap{"RedrivePolicy": `{"deadLetterTargetArn": "` + arn + `", "maxReceiveCount": "42"}`}
			r.setAttributes(url, policy).answered(nil)
			r.attributes(url, "RedrivePolicy").answered(exactly{"Attributes": exactly{"RedrivePolicy": anyText}})
			r.setAttributes(url, empty).answered(nil)
			r.attributes(url, "RedrivePolicy").answered(none)
		}},
		{"test_approximate_number_of_messages_not_visible[*]", "2025-09-26", func(r *Recorded) {
			url, _ := r.queue(attributeMap{"VisibilityTimeout": "60"})
			for range 6 {
				r.sendMessage(url, "message")
			}
			counts := func(visible, notVisible string) {
				r.attributes(url, "ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible",
					"ApproximateNumberOfMessagesDelayed").answered(exactly{"Attributes": exactly{
					"ApproximateNumberOfMessages": visible, "ApproximateNumberOfMessagesNotVisible": notVisible,
					"ApproximateNumberOfMessagesDelayed": "0"}})
			}
			visible := input{"QueueUrl": url, "ReceiptHandle": r.receive(url, nil).messages()[0]["ReceiptHandle"],
				"VisibilityTimeout": 0}
			counts("5", "1")
			r.sqs("ChangeMessageVisibility", visible).ok()
			counts("6", "0")
		}},
		{"test_tag_untag_queue[*]", "2024-04-30", func(r *Recorded) {
			url, _ := r.queue(nil)
			tags := attributeMap{"tag1": "value1", "tag2": "value2", "tag3": ""}
			r.sqs("TagQueue", input{"QueueUrl": url, "Tags": tags}).answered(nil)
			r.sqs("ListQueueTags", input{"QueueUrl": url}).
				answered(exactly{"Tags": exactly{"tag1": "value1", "tag2": "value2", "tag3": ""}})
			r.sqs("UntagQueue", input{"QueueUrl": url, "TagKeys": []string{"tag1", "tag3"}}).answered(nil)
			r.sqs("ListQueueTags", input{"QueueUrl": url}).answered(exactly{"Tags": exactly{"tag2": "value2"}})
			r.sqs("UntagQueue", input{"QueueUrl": url, "TagKeys": []string{"tag2"}}).answered(nil)
			r.sqs("ListQueueTags", input{"QueueUrl": url}).answered(exactly{})
		}},
		{"test_non_existent_queue", "2024-04-30", func(r *Recorded) {
			name := unique("queue")
			url := r.sqs("CreateQueue", input{"QueueName": name}).ok().text("QueueUrl")
			r.sqs("DeleteQueue", input{"QueueUrl": url}).answered(nil)
			const code = "AWS.SimpleQueueService.NonExistentQueue"
			r.attributes(url).failed(400, code, "The specified queue does not exist.")
			r.sqs("GetQueueUrl", input{"QueueName": name}).failed(400, code, "The specified queue does not exist.")
			r.callSQSQuery("GetQueueAttributes", input{"QueueUrl": url}).
				refused(400, code, "The specified queue does not exist for this wsdl version.")
		}},
		{"test_successive_purge_calls_fail[*]", "2024-04-30", func(r *Recorded) {
			url, arn := r.queue(nil)
			r.sqs("PurgeQueue", input{"QueueUrl": url}).answered(nil)
			r.sqs("PurgeQueue", input{"QueueUrl": url}).failed(403, "AWS.SimpleQueueService.PurgeQueueInProgress",
				"Only one PurgeQueue operation on "+nameOf(arn)+" is allowed every 60 seconds.")
		}},
	}),
		leftOut{74, fifoQueues},
		leftOut{2, "they are about AddPermission and RemovePermission, which nothing here calls"},
		leftOut{2, "they ask the query protocol for JSON instead of XML, which no SDK does"},
		leftOut{2, "their code is gone, and nothing but the date is recorded"},
		leftOut{2, "their developers marked them as wrong (a Lambda function that reads a queue)"},
	)
}
