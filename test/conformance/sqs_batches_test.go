package conformance

import (
	"slices"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sqs"
	"github.com/aws/aws-sdk-go-v2/service/sqs/types"
)

const sendMessageBatch = sqsAPI + "SendMessageBatch.html"

func (q queue) sendBatch(entries ...types.SendMessageBatchRequestEntry) (*sqs.SendMessageBatchOutput, error) {
	if entries == nil {
		entries = []types.SendMessageBatchRequestEntry{}
	}
	return q.SendMessageBatch(q.t.Context(), &sqs.SendMessageBatchInput{QueueUrl: &q.url, Entries: entries})
}

func batchEntry(id, body string) types.SendMessageBatchRequestEntry {
	return types.SendMessageBatchRequestEntry{Id: &id, MessageBody: &body}
}

func TestSQSBatches(t *testing.T) {
	check(t, []conformanceCase{
		{"each message of a batch succeeds or fails by itself", sendMessageBatch, func(t *T) {
			q := newQueue(t, nil)
			out, err := q.sendBatch(batchEntry("good", "x"), batchEntry("bad", "a\x01b"), batchEntry("fine", "y"))
			t.ok(err)
			if len(out.Successful) != 2 || len(out.Failed) != 1 || *out.Failed[0].Id != "bad" ||
				!out.Failed[0].SenderFault || *out.Failed[0].Code != "InvalidMessageContents" {
				t.Fatalf("got successful %+v, failed %+v; want good and fine, and bad", out.Successful, out.Failed)
			}
			t.eventually("two messages are there",
				func() bool { return q.attribute("ApproximateNumberOfMessages") == "2" })
		}},
		{"an empty batch is refused", sendMessageBatch, func(t *T) {
			_, err := newQueue(t, nil).sendBatch()
			t.refused(err, "AWS.SimpleQueueService.EmptyBatchRequest")
		}},
		{"a batch has at most 10 entries", sendMessageBatch, func(t *T) {
			var entries []types.SendMessageBatchRequestEntry
			for _, id := range strings.Split("abcdefghijk", "") {
				entries = append(entries, batchEntry(id, "x"))
			}
			_, err := newQueue(t, nil).sendBatch(entries...)
			t.refused(err, "AWS.SimpleQueueService.TooManyEntriesInBatchRequest")
		}},
		{"the entries of a batch have different ids", sendMessageBatch, func(t *T) {
			_, err := newQueue(t, nil).sendBatch(batchEntry("a", "x"), batchEntry("a", "y"))
			t.refused(err, "AWS.SimpleQueueService.BatchEntryIdsNotDistinct")
		}},
		{"an entry's id has only letters, digits, - and _", sqsAPI + "SendMessageBatchRequestEntry.html", func(t *T) {
			_, err := newQueue(t, nil).sendBatch(batchEntry("a b", "x"))
			t.refused(err, "AWS.SimpleQueueService.InvalidBatchEntryId")
		}},
		{"the messages of a batch are at most 1 MiB together", sendMessageBatch, func(t *T) {
			half := strings.Repeat("x", 600<<10)
			_, err := newQueue(t, nil).sendBatch(batchEntry("a", half), batchEntry("b", half))
			t.refused(err, "AWS.SimpleQueueService.BatchRequestTooLong")
		}},
		{"each message of a batch has its own delay", sendMessageBatch, func(t *T) {
			q := newQueue(t, nil)
			later := batchEntry("later", "later")
			later.DelaySeconds = 600
			_, err := q.sendBatch(batchEntry("now", "now"), later)
			t.ok(err)
			if got := q.receiveOne(); *got.Body != "now" {
				t.Errorf("received %q, want now", *got.Body)
			}
		}},
		{"each deletion of a batch succeeds or fails by itself", sqsAPI + "DeleteMessageBatch.html", func(t *T) {
			q := newQueue(t, nil)
			q.send("x")
			out, err := q.DeleteMessageBatch(t.Context(), &sqs.DeleteMessageBatchInput{QueueUrl: &q.url,
				Entries: []types.DeleteMessageBatchRequestEntry{
					{Id: aws.String("good"), ReceiptHandle: q.receiveOne().ReceiptHandle},
					{Id: aws.String("bad"), ReceiptHandle: aws.String("nonsense")},
				}})
			t.ok(err)
			if len(out.Successful) != 1 || *out.Successful[0].Id != "good" || len(out.Failed) != 1 ||
				*out.Failed[0].Code != "ReceiptHandleIsInvalid" {
				t.Errorf("got successful %+v, failed %+v; want good, and bad with ReceiptHandleIsInvalid",
					out.Successful, out.Failed)
			}
		}},
		{"visibility timeouts change in batches", sqsAPI + "ChangeMessageVisibilityBatch.html", func(t *T) {
			q := newQueue(t, attributes{"VisibilityTimeout": "600"})
			_, err := q.sendBatch(batchEntry("a", "a"), batchEntry("b", "b"))
			t.ok(err)
			var entries []types.ChangeMessageVisibilityBatchRequestEntry
			t.eventually("both messages are received", func() bool {
				for _, m := range q.receive(1) {
					entries = append(entries, types.ChangeMessageVisibilityBatchRequestEntry{Id: m.Body,
						ReceiptHandle: m.ReceiptHandle, VisibilityTimeout: 0})
				}
				return len(entries) == 2
			})
			out, err := q.ChangeMessageVisibilityBatch(t.Context(),
				&sqs.ChangeMessageVisibilityBatchInput{QueueUrl: &q.url, Entries: entries})
			t.ok(err)
			var done []string
			for _, s := range out.Successful {
				done = append(done, *s.Id)
			}
			if slices.Sort(done); !slices.Equal(done, []string{"a", "b"}) {
				t.Errorf("changed %q, want a and b", done)
			}
			t.eventually("both messages are visible",
				func() bool { return q.attribute("ApproximateNumberOfMessages") == "2" })
		}},
	})
}
