package conformance

import (
	"fmt"
	"strings"
	"testing"
)

// entries returns n entries of a batch, each with an id.
func entries(n int, others func(n int) input) []input {
	list := make([]input, n)
	for i := range list {
		list[i] = others(i)
		list[i]["Id"] = fmt.Sprint("message-", i)
	}
	return list
}

func TestRecordedSQSBatches(t *testing.T) {
	const tooMany = "Maximum number of entries per request are 10. You have sent 20."
	const invalidID = "A batch entry id can only contain alphanumeric characters, hyphens and underscores. " +
		"It can be at most 80 letters long."
	body := func(n int) input { return input{"MessageBody": fmt.Sprint("message-", n)} }
	invalid := func(operation, id string) func(r *Recorded) {
		return func(r *Recorded) {
			url, _ := r.queue(nil)
			entry := input{"Id": id, "ReceiptHandle": "testHandle1"}
			if operation == "SendMessageBatch" {
				entry = input{"Id": id, "MessageBody": "messageBody"}
			}
			r.sqs(operation, input{"QueueUrl": url, "Entries": []input{entry}}).
				failed(400, "AWS.SimpleQueueService.InvalidBatchEntryId", invalidID)
		}
	}
	// tooLarge calls an operation for 20 received messages.
	tooLarge := func(operation string, parameters input) func(r *Recorded) {
		return func(r *Recorded) {
			url, _ := r.queue(nil)
			var handles []any
			for range 2 {
				r.sqs("SendMessageBatch", input{"QueueUrl": url, "Entries": entries(10, body)}).ok()
				for _, m := range r.receive(url, input{"MaxNumberOfMessages": 10}).messages() {
					handles = append(handles, m["ReceiptHandle"])
				}
			}
			batch := entries(len(handles), func(n int) input {
				entry := input{"ReceiptHandle": handles[n]}
				for name, value := range parameters {
					entry[name] = value
				}
				return entry
			})
			r.sqs(operation, input{"QueueUrl": url, "Entries": batch}).
				failed(400, "AWS.SimpleQueueService.TooManyEntriesInBatchRequest", tooMany)
		}
	}
	const deletion, longID = "test_delete_message_batch_invalid_msg_id[*", "testLongId"
	checkRecorded(t, "sqs/test_sqs", inBothProtocols([]recording{
		{"test_send_message_batch[*]", "2024-04-30", func(r *Recorded) {
			url, _ := r.queue(nil)
			r.sqs("SendMessageBatch", input{"QueueUrl": url, "Entries": entries(2, body)}).answered(nil)
			r.receive(url, nil).answered(one(received(anyUUID, "message-0")))
			r.receive(url, nil).answered(one(received(anyUUID, "message-1")))
			r.receive(url, nil).answered(exactly{})
		}},
		{"test_send_batch_receive_multiple[*]", "2024-04-30", func(r *Recorded) {
			url, _ := r.queue(nil)
			r.sqs("SendMessageBatch", input{"QueueUrl": url, "Entries": entries(2, body)}).answered(nil)
			r.sendMessage(url, "message-2")
			got := bodies(r.receive(url, input{"MaxNumberOfMessages": 3}).messages())
			r.fact("sqs", "ReceiveMessage", members, "the bodies", fmt.Sprint(got), "[message-0 message-1 message-2]")
		}},
		{"test_send_message_batch_with_empty_list[sqs]", "2024-04-30", func(r *Recorded) {
			url, _ := r.queue(nil)
			r.sqs("SendMessageBatch", input{"QueueUrl": url, "Entries": []input{}}).
				refused(400, "AWS.SimpleQueueService.EmptyBatchRequest", "")
		}},
		{"test_send_message_batch_with_oversized_contents[*]", "2025-08-19", func(r *Recorded) {
			url, _ := r.queue(nil)
			r.sqs("SendMessageBatch", input{"QueueUrl": url, "Entries": []input{
				{"Id": "1", "MessageBody": strings.Repeat("a", 1<<20-len("kStringx")),
					"MessageAttributes": input{"k": str("x")}},
				{"Id": "2", "MessageBody": "a"},
			}}).failed(400, "AWS.SimpleQueueService.BatchRequestTooLong",
				"Batch requests cannot be longer than 1048576 bytes. You have sent 1048577 bytes.")
		}},
		{"test_send_message_batch_with_oversized_contents_with_updated_maximum_message_size[*]", "2024-04-30",
			func(r *Recorded) {
				url, _ := r.queue(nil)
				r.setAttributes(url, attributeMap{"MaximumMessageSize": "2048"}).answered(nil)
				r.sqs("SendMessageBatch", input{"QueueUrl": url, "Entries": []input{
					{"Id": "1", "MessageBody": strings.Repeat("a", 2048-len("kStringx")),
						"MessageAttributes": input{"k": str("x")}},
					{"Id": "2", "MessageBody": "a"},
				}}).answered(exactly{"Successful": []any{
					exactly{"Id": "1", "MessageId": anyUUID, "MD5OfMessageBody": "f44facf5a7ee0af446ecf3e0f854441e",
						"MD5OfMessageAttributes": "a45daa70926828a2f0a1db3418e6feb4"},
					exactly{"Id": "2", "MessageId": anyUUID, "MD5OfMessageBody": "0cc175b9c0f1b6a831c399e269772661"},
				}})
			}},
		{"test_send_batch_message_size", "2024-04-30", func(r *Recorded) {
			url, _ := r.queue(attributeMap{"MaximumMessageSize": "1024"})
			r.sqs("SendMessageBatch", input{"QueueUrl": url, "Entries": entries(2, func(n int) input {
				return input{"MessageBody": strings.Repeat("a", 1024+n)}
			})}).answered(exactly{
				"Successful": []any{exactly{"Id": "message-0", "MessageId": anyUUID,
					"MD5OfMessageBody": "c9a34cfc85d982698c6ac89f76071abd"}},
				"Failed": []any{exactly{"Id": "message-1", "SenderFault": true, "Code": "InvalidParameterValue",
					"Message": "One or more parameters cannot be validated. " +
						"Reason: Message must be shorter than 1024 bytes."}},
			})
		}},
		{"test_too_many_entries_in_batch_request[*]", "2024-04-30", func(r *Recorded) {
			url, _ := r.queue(nil)
			r.sqs("SendMessageBatch", input{"QueueUrl": url, "Entries": entries(20, body)}).
				failed(400, "AWS.SimpleQueueService.TooManyEntriesInBatchRequest", tooMany)
		}},
		{"test_delete_message_batch_with_too_large_batch[*]", "2024-04-30", tooLarge("DeleteMessageBatch", nil)},
		{"test_change_message_visibility_batch_with_too_large_batch[*]", "2024-04-30",
			tooLarge("ChangeMessageVisibilityBatch", input{"VisibilityTimeout": 123})},
		{"test_invalid_batch_id[*]", "2024-04-30", invalid("SendMessageBatch", "message:1")},
		{deletion + "-]", "2024-04-30", invalid("DeleteMessageBatch", "")},
		{deletion + "-invalid:id]", "2024-04-30", invalid("DeleteMessageBatch", "invalid:id")},
		{deletion + "-" + strings.Repeat(longID, 10) + "]", "2024-04-30",
			invalid("DeleteMessageBatch", strings.Repeat(longID, 10))},
	}))
}
