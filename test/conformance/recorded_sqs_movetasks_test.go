package conformance

import (
	"encoding/json"
	"testing"
)

// queue creates a queue with attributes, and returns its URL and its ARN.
func (r *Recorded) queue(attributes attributeMap) (url, arn string) {
	r.Helper()
	create := input{"QueueName": unique("queue"), "Attributes": attributes}
	url = r.call("sqs", "CreateQueue", create).ok().text("QueueUrl")

	r.Cleanup(func() { r.call("sqs", "DeleteQueue", input{"QueueUrl": url}) })
	got := r.call("sqs", "GetQueueAttributes", input{"QueueUrl": url, "AttributeNames": []string{"QueueArn"}}).ok()
	arn, _ = got.members["Attributes"].(map[string]any)["QueueArn"].(string)
	return url, arn
}

// redrivePolicy returns the attributes of a queue whose messages go to a dead-letter queue.
func redrivePolicy(deadLetterQueue string, maxReceiveCount int) attributeMap {
	policy, _ := json.Marshal(map[string]any{
		"deadLetterTargetArn": deadLetterQueue, "maxReceiveCount": maxReceiveCount,
	})
	return attributeMap{"RedrivePolicy": string(policy)}
}

func TestRecordedSQSMoveTasks(t *testing.T) {
	checkRecorded(t, "sqs/test_sqs_move_task", []recording{
		{"test_source_needs_redrive_policy", "2024-04-30", func(r *Recorded) {
			_, source := r.queue(nil)
			_, destination := r.queue(nil)
			r.call("sqs", "StartMessageMoveTask", input{"SourceArn": source, "DestinationArn": destination}).
				refused(400, "InvalidParameterValue", "Source queue must be configured as a Dead Letter Queue.")
		}},
		{"test_cancel_with_invalid_task_handle", "2024-04-30", func(r *Recorded) {
			r.differs(statusAndCode, "to be mended")
			r.differs(errorText, "to be mended")
			r.call("sqs", "CancelMessageMoveTask", input{"TaskHandle": "foobared"}).
				refused(400, "InvalidParameterValue", "Value for parameter TaskHandle is invalid.")
		}},
	})
}
