package conformance

import (
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sqs"
	"github.com/aws/aws-sdk-go-v2/service/sqs/types"
)

const nonExistentQueue = "AWS.SimpleQueueService.NonExistentQueue"

func TestSQSQueues(t *testing.T) {
	check(t, []conformanceCase{
		{"a queue's URL ends in its name, and is found by it", sqsAPI + "GetQueueUrl.html", func(t *T) {
			q := newQueue(t, nil)
			got, err := q.GetQueueUrl(t.Context(), &sqs.GetQueueUrlInput{QueueName: aws.String(q.name())})
			t.ok(err)
			if *got.QueueUrl != q.url || !strings.HasSuffix(q.url, "/"+q.name()) {
				t.Errorf("got URL %s, want %s, ending in %s", *got.QueueUrl, q.url, q.name())
			}
		}},
		{"a queue has the documented defaults", sqsAPI + "CreateQueue.html", func(t *T) {
			q := newQueue(t, nil)
			for name, want := range map[string]string{
				"DelaySeconds": "0", "MaximumMessageSize": "1048576", "MessageRetentionPeriod": "345600",
				"ReceiveMessageWaitTimeSeconds": "0", "VisibilityTimeout": "30",
				"ApproximateNumberOfMessages": "0", "ApproximateNumberOfMessagesNotVisible": "0",
				"ApproximateNumberOfMessagesDelayed": "0",
			} {
				if got := q.attribute(name); got != want {
					t.Errorf("%s: got %q, want %q", name, got, want)
				}
			}
		}},
		{"a new queue is encrypted with SQS's keys", sqsGuide + "sqs-configure-sqs-sse-queue.html", func(t *T) {
			if got := newQueue(t, nil).attribute("SqsManagedSseEnabled"); got != "true" {
				t.Errorf("SqsManagedSseEnabled: got %q, want true", got)
			}
		}},
		{"attributes that are set are listed, others are not", sqsAPI + "GetQueueAttributes.html", func(t *T) {
			q := newQueue(t, attributes{"KmsMasterKeyId": "alias/aws/sqs"})
			got, err := q.GetQueueAttributes(t.Context(), &sqs.GetQueueAttributesInput{QueueUrl: &q.url,
				AttributeNames: []types.QueueAttributeName{"All"}})
			t.ok(err)
			if key := got.Attributes["KmsMasterKeyId"]; key != "alias/aws/sqs" {
				t.Errorf("KmsMasterKeyId: got %q, want alias/aws/sqs", key)
			}
			for _, name := range []string{"Policy", "RedrivePolicy", "RedriveAllowPolicy"} {
				if value, ok := got.Attributes[name]; ok {
					t.Errorf("%s: got %q, want it not to be there", name, value)
				}
			}
		}},
		{"creating a queue again with the same attributes gives its URL", sqsAPI + "CreateQueue.html", func(t *T) {
			q := newQueue(t, attributes{"VisibilityTimeout": "31"})
			again, err := q.CreateQueue(t.Context(), &sqs.CreateQueueInput{QueueName: aws.String(q.name()),
				Attributes: attributes{"VisibilityTimeout": "31"}})
			t.ok(err)
			if *again.QueueUrl != q.url {
				t.Errorf("got URL %s, want %s", *again.QueueUrl, q.url)
			}
		}},
		{"creating a queue again with another attribute is refused", sqsAPI + "CreateQueue.html", func(t *T) {
			q := newQueue(t, attributes{"VisibilityTimeout": "31"})
			_, err := q.CreateQueue(t.Context(), &sqs.CreateQueueInput{QueueName: aws.String(q.name()),
				Attributes: attributes{"VisibilityTimeout": "32"}})
			t.refused(err, "QueueAlreadyExists", "QueueNameExists")
		}},
		{"a queue's name has only letters, digits, - and _", sqsAPI + "CreateQueue.html", func(t *T) {
			_, err := sqsClient().CreateQueue(t.Context(), &sqs.CreateQueueInput{QueueName: aws.String("a b")})
			t.refused(err, "InvalidParameterValue")
		}},
		{"an unknown attribute cannot be set", sqsAPI + "SetQueueAttributes.html", func(t *T) {
			t.refused(newQueue(t, nil).set(attributes{"Colour": "red"}), "InvalidAttributeName")
		}},
		{"an unknown attribute cannot be read", sqsAPI + "GetQueueAttributes.html", func(t *T) {
			q := newQueue(t, nil)
			_, err := q.GetQueueAttributes(t.Context(), &sqs.GetQueueAttributesInput{QueueUrl: &q.url,
				AttributeNames: []types.QueueAttributeName{"Colour"}})
			t.refused(err, "InvalidAttributeName")
		}},
		{"an attribute outside its range is refused", sqsAPI + "SetQueueAttributes.html", func(t *T) {
			q := newQueue(t, nil)
			for name, value := range map[string]string{
				"VisibilityTimeout": "43201", "DelaySeconds": "901", "MessageRetentionPeriod": "59",
				"ReceiveMessageWaitTimeSeconds": "21", "MaximumMessageSize": "1023",
			} {
				t.refused(q.set(attributes{name: value}), "InvalidAttributeValue")
			}
		}},
		{"a changed attribute takes effect", sqsAPI + "SetQueueAttributes.html", func(t *T) {
			q := newQueue(t, nil)
			t.ok(q.set(attributes{"VisibilityTimeout": "0", "MaximumMessageSize": "2048"}))
			if got := q.attribute("MaximumMessageSize"); got != "2048" {
				t.Errorf("MaximumMessageSize: got %q, want 2048", got)
			}
			q.send("x")
			q.receiveOne()
			q.receiveOne() // the new timeout of 0 has not hidden it
			created, err := strconv.Atoi(q.attribute("CreatedTimestamp"))
			t.ok(err)
			modified, err := strconv.Atoi(q.attribute("LastModifiedTimestamp"))
			t.ok(err)
			if modified < created {
				t.Errorf("LastModifiedTimestamp: got %d, before CreatedTimestamp %d", modified, created)
			}
		}},
		{"a deleted queue is gone", sqsAPI + "DeleteQueue.html", func(t *T) {
			q := newQueue(t, nil)
			_, err := q.DeleteQueue(t.Context(), &sqs.DeleteQueueInput{QueueUrl: &q.url})
			t.ok(err)
			_, err = q.trySend(&sqs.SendMessageInput{MessageBody: aws.String("x")})
			t.refused(err, nonExistentQueue)
			_, err = q.ReceiveMessage(t.Context(), &sqs.ReceiveMessageInput{QueueUrl: &q.url})
			t.refused(err, nonExistentQueue)
			_, err = q.GetQueueUrl(t.Context(), &sqs.GetQueueUrlInput{QueueName: aws.String(q.name())})
			t.refused(err, nonExistentQueue)
		}},
		{"a deleted queue's name is reserved for 60 seconds", sqsAPI + "DeleteQueue.html", func(t *T) {
			q := newQueue(t, nil)
			_, err := q.DeleteQueue(t.Context(), &sqs.DeleteQueueInput{QueueUrl: &q.url})
			t.ok(err)
			_, err = q.CreateQueue(t.Context(), &sqs.CreateQueueInput{QueueName: aws.String(q.name())})
			t.refused(err, "AWS.SimpleQueueService.QueueDeletedRecently")
		}},
		{"queues are listed by prefix, in pages of MaxResults", sqsAPI + "ListQueues.html", func(t *T) {
			client, prefix := sqsClient(), unique("list")
			var want []string
			for _, suffix := range []string{"-a", "-b", "-c"} {
				created, err := client.CreateQueue(t.Context(),
					&sqs.CreateQueueInput{QueueName: aws.String(prefix + suffix)})
				t.ok(err)
				want = append(want, *created.QueueUrl)
			}
			var got []string
			pages := 0
			for p := sqs.NewListQueuesPaginator(client, &sqs.ListQueuesInput{QueueNamePrefix: &prefix,
				MaxResults: aws.Int32(2)}); p.HasMorePages(); pages++ {
				page, err := p.NextPage(t.Context())
				t.ok(err)
				got = append(got, page.QueueUrls...)
			}
			slices.Sort(got)
			if !slices.Equal(got, want) || pages != 2 {
				t.Errorf("got %v on %d pages, want %v on 2", got, pages, want)
			}
			for _, url := range want {
				_, err := client.DeleteQueue(t.Context(), &sqs.DeleteQueueInput{QueueUrl: &url})
				t.ok(err)
			}
		}},
		{"a purge deletes all messages", sqsAPI + "PurgeQueue.html", func(t *T) {
			q := newQueue(t, nil)
			q.send("a")
			q.receiveOne()
			q.send("b")
			_, err := q.PurgeQueue(t.Context(), &sqs.PurgeQueueInput{QueueUrl: &q.url})
			t.ok(err)
			for _, count := range []string{"ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible"} {
				t.eventually(count+" is 0", func() bool { return q.attribute(count) == "0" })
			}
		}},
		{"a second purge within 60 seconds is refused", sqsAPI + "PurgeQueue.html", func(t *T) {
			q := newQueue(t, nil)
			_, err := q.PurgeQueue(t.Context(), &sqs.PurgeQueueInput{QueueUrl: &q.url})
			t.ok(err)
			_, err = q.PurgeQueue(t.Context(), &sqs.PurgeQueueInput{QueueUrl: &q.url})
			t.refused(err, "AWS.SimpleQueueService.PurgeQueueInProgress")
		}},
	})
}
