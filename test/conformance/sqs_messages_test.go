package conformance

import (
	"maps"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sqs"
	"github.com/aws/aws-sdk-go-v2/service/sqs/types"
)

const (
	sendMessage    = sqsAPI + "SendMessage.html"
	receiveMessage = sqsAPI + "ReceiveMessage.html"
	visibility     = sqsGuide + "sqs-visibility-timeout.html"
	delays         = sqsGuide + "sqs-message-timers.html"
)

func text(value string) types.MessageAttributeValue {
	return types.MessageAttributeValue{DataType: aws.String("String"), StringValue: &value}
}

func TestSQSMessages(t *testing.T) {
	check(t, []conformanceCase{
		{"a message arrives as it was sent, with the digest of its body", sendMessage, func(t *T) {
			q := newQueue(t, nil)
			sent := q.send("도너츠 <&> \"🍩\"\n")
			got := q.receiveOne()
			if *got.Body != "도너츠 <&> \"🍩\"\n" || *got.MessageId != *sent.MessageId {
				t.Errorf("got %q with id %s, want what was sent with %s", *got.Body, *got.MessageId, *sent.MessageId)
			}
			if md5 := aws.ToString(q.send("hello").MD5OfMessageBody); md5 != "5d41402abc4b2a76b9719d911017c592" {
				t.Errorf("got MD5 %s of hello, want 5d41402abc4b2a76b9719d911017c592", md5)
			}
		}},
		{"attributes arrive with their types, and a digest", sqsGuide + "sqs-message-metadata.html", func(t *T) {
			q := newQueue(t, nil)
			sent, err := q.trySend(&sqs.SendMessageInput{MessageBody: aws.String("x"),
				MessageAttributes: map[string]types.MessageAttributeValue{
					"sku":   text("CP-502101"),
					"count": {DataType: aws.String("Number"), StringValue: aws.String("100")},
					"raw":   {DataType: aws.String("Binary.gif"), BinaryValue: []byte{0, 1, 255}},
				}})
			t.ok(err)
			// The digest of these attributes by the documented algorithm, calculated without an
			// SDK.
			if md5 := aws.ToString(sent.MD5OfMessageAttributes); md5 != "463f04d55adfb8283cc40177bc80b6d7" {
				t.Errorf("got MD5 %s of the attributes, want 463f04d55adfb8283cc40177bc80b6d7", md5)
			}
			got := q.receiveOne().MessageAttributes
			if len(got) != 3 || aws.ToString(got["count"].DataType) != "Number" ||
				aws.ToString(got["sku"].StringValue) != "CP-502101" ||
				string(got["raw"].BinaryValue) != "\x00\x01\xff" {
				t.Errorf("got attributes %+v, want the three that were sent", got)
			}
		}},
		{"a receiver gets the attributes that it names", receiveMessage, func(t *T) {
			q := newQueue(t, attributes{"VisibilityTimeout": "0"})
			_, err := q.trySend(&sqs.SendMessageInput{MessageBody: aws.String("x"),
				MessageAttributes: map[string]types.MessageAttributeValue{
					"a": text("1"), "foo.b": text("2"), "foo.c": text("3"),
				}})
			t.ok(err)
			for _, tt := range []struct{ names, want []string }{
				{nil, nil},
				{[]string{"a"}, []string{"a"}},
				{[]string{"foo.*"}, []string{"foo.b", "foo.c"}},
				{[]string{"All"}, []string{"a", "foo.b", "foo.c"}},
			} {
				got, err := q.ReceiveMessage(t.Context(), &sqs.ReceiveMessageInput{QueueUrl: &q.url,
					MessageAttributeNames: tt.names, WaitTimeSeconds: 5})
				t.ok(err)
				if len(got.Messages) != 1 {
					t.Fatalf("asked for %q: got %d messages, want 1", tt.names, len(got.Messages))
				}
				if names := slices.Sorted(maps.Keys(got.Messages[0].MessageAttributes)); !slices.Equal(names, tt.want) {
					t.Errorf("asked for %q: got %q, want %q", tt.names, names, tt.want)
				}
			}
		}},
		{"a message has its sender, its times and its receive count", receiveMessage, func(t *T) {
			q := newQueue(t, attributes{"VisibilityTimeout": "0"})
			before := time.Now().Add(-time.Minute)
			q.send("x")
			first, second := q.receiveOne().Attributes, q.receiveOne().Attributes
			for _, name := range []string{"SentTimestamp", "ApproximateFirstReceiveTimestamp"} {
				ms, err := strconv.ParseInt(first[name], 10, 64)
				if at := time.UnixMilli(ms); err != nil || at.Before(before) || at.After(before.Add(2*time.Minute)) ||
					second[name] != first[name] {
					t.Errorf("%s: got %q, then %q; want the time in milliseconds, twice the same", name, first[name],
						second[name])
				}
			}
			if first["ApproximateReceiveCount"] != "1" || second["ApproximateReceiveCount"] != "2" ||
				first["SenderId"] == "" {
				t.Errorf("got %v, then %v; want receive counts 1 and 2, and a sender", first, second)
			}
		}},
		{"a message needs a body", sendMessage, func(t *T) {
			q := newQueue(t, nil)
			_, err := q.trySend(&sqs.SendMessageInput{MessageBody: aws.String("")})
			t.refused(err, "MissingParameter", "MissingRequiredParameterException", "InvalidParameterValue")
		}},
		{"characters that XML does not allow are refused", sendMessage, func(t *T) {
			q := newQueue(t, nil)
			_, err := q.trySend(&sqs.SendMessageInput{MessageBody: aws.String("a\x01b")})
			t.refused(err, "InvalidMessageContents")
		}},
		{"the size limit counts the body and the attributes", sqsGuide + "quotas-messages.html", func(t *T) {
			q := newQueue(t, attributes{"MaximumMessageSize": "1024"})
			send := func(bytes int) error { // the attribute takes 14 of them: "key", "String" and "value"
				_, err := q.trySend(&sqs.SendMessageInput{MessageBody: aws.String(strings.Repeat("x", bytes-14)),
					MessageAttributes: map[string]types.MessageAttributeValue{"key": text("value")}})
				return err
			}
			t.ok(send(1024))
			t.refused(send(1025), "InvalidParameterValue")
		}},
		{"a message has at most 10 attributes", sqsGuide + "quotas-messages.html", func(t *T) {
			q, many := newQueue(t, nil), map[string]types.MessageAttributeValue{}
			for i := range 11 {
				many["a"+strconv.Itoa(i)] = text("x")
			}
			_, err := q.trySend(&sqs.SendMessageInput{MessageBody: aws.String("x"), MessageAttributes: many})
			t.refused(err, "InvalidParameterValue")
		}},
		{"an attribute's name may not begin with AWS.", sqsGuide + "sqs-message-metadata.html", func(t *T) {
			q := newQueue(t, nil)
			_, err := q.trySend(&sqs.SendMessageInput{MessageBody: aws.String("x"),
				MessageAttributes: map[string]types.MessageAttributeValue{"AWS.x": text("x")}})
			t.refused(err, "InvalidParameterValue")
		}},
		{"a delay hides a new message", delays, func(t *T) {
			q := newQueue(t, nil)
			_, err := q.trySend(&sqs.SendMessageInput{MessageBody: aws.String("x"), DelaySeconds: 1})
			t.ok(err)
			if got := q.attribute("ApproximateNumberOfMessagesDelayed"); got != "1" {
				t.Errorf("delayed messages: got %s, want 1", got)
			}
			q.none("during the delay")
			q.receiveOne()
		}},
		{"a message's delay overrides the queue's", delays, func(t *T) {
			q := newQueue(t, attributes{"DelaySeconds": "900"})
			q.send("the queue's")
			_, err := q.trySend(&sqs.SendMessageInput{MessageBody: aws.String("its own"), DelaySeconds: 1})
			t.ok(err)
			if got := q.receiveOne(); *got.Body != "its own" {
				t.Errorf("received %q, want its own", *got.Body)
			}
		}},
		{"a delay is at most 15 minutes", sendMessage, func(t *T) {
			q := newQueue(t, nil)
			_, err := q.trySend(&sqs.SendMessageInput{MessageBody: aws.String("x"), DelaySeconds: 901})
			t.refused(err, "InvalidParameterValue")
		}},
		{"a received message is hidden for the visibility timeout, then gets a new handle", visibility, func(t *T) {
			q := newQueue(t, attributes{"VisibilityTimeout": "600"})
			q.send("x")
			first := q.receiveOne()
			q.none("during the visibility timeout")
			if got := q.attribute("ApproximateNumberOfMessagesNotVisible"); got != "1" {
				t.Errorf("messages in flight: got %s, want 1", got)
			}
			t.ok(q.hide(first, 1)) // shortened only now: a slow machine may need seconds for the checks above
			second := q.receiveOne()
			if *second.MessageId != *first.MessageId || *second.ReceiptHandle == *first.ReceiptHandle {
				t.Errorf("received %s with handle %s, then %s with %s; want the same message, and another handle",
					*first.MessageId, *first.ReceiptHandle, *second.MessageId, *second.ReceiptHandle)
			}
		}},
		{"a receiver may choose another visibility timeout", receiveMessage, func(t *T) {
			q := newQueue(t, nil)
			q.send("x")
			_, err := q.ReceiveMessage(t.Context(), &sqs.ReceiveMessageInput{QueueUrl: &q.url, VisibilityTimeout: 1,
				WaitTimeSeconds: 5})
			t.ok(err)
			q.receiveOne()
		}},
		{"a visibility timeout can be ended and made longer", sqsAPI + "ChangeMessageVisibility.html", func(t *T) {
			q := newQueue(t, attributes{"VisibilityTimeout": "600"})
			q.send("x")
			t.ok(q.hide(q.receiveOne(), 0))
			again := q.receiveOne()
			t.ok(q.hide(again, 1200))
			q.none("after its visibility timeout was made longer")
		}},
		{"a visibility timeout is at most 12 hours", sqsAPI + "ChangeMessageVisibility.html", func(t *T) {
			q := newQueue(t, nil)
			q.send("x")
			t.refused(q.hide(q.receiveOne(), 43201), "InvalidParameterValue")
		}},
		{"only a message in flight has a visibility timeout", sqsAPI + "ChangeMessageVisibility.html", func(t *T) {
			q := newQueue(t, attributes{"VisibilityTimeout": "0"})
			q.send("x")
			first := q.receiveOne()
			q.receiveOne() // with another handle
			t.refused(q.hide(first, 10), "AWS.SimpleQueueService.MessageNotInflight")
		}},
		{"a waiting receiver gets a message when it comes", sqsGuide + "sqs-short-and-long-polling.html", func(t *T) {
			q := newQueue(t, attributes{"ReceiveMessageWaitTimeSeconds": "20"})
			got := make(chan int, 1)
			go func() { // the request does not name a waiting time: the queue's attribute applies
				received, err := q.ReceiveMessage(t.Context(), &sqs.ReceiveMessageInput{QueueUrl: &q.url})
				if err != nil {
					got <- -1
					return
				}
				got <- len(received.Messages)
			}()
			_, err := q.trySend(&sqs.SendMessageInput{MessageBody: aws.String("x"), DelaySeconds: 1})
			t.ok(err)
			if n := <-got; n != 1 {
				t.Errorf("received %d messages, want 1", n)
			}
		}},
		{"a receive takes 1 to 10 messages", receiveMessage, func(t *T) {
			q := newQueue(t, nil)
			_, err := q.ReceiveMessage(t.Context(), &sqs.ReceiveMessageInput{QueueUrl: &q.url, MaxNumberOfMessages: 11})
			t.refused(err, "InvalidParameterValue")
		}},
		{"a receive waits at most 20 seconds", receiveMessage, func(t *T) {
			q := newQueue(t, nil)
			_, err := q.ReceiveMessage(t.Context(), &sqs.ReceiveMessageInput{QueueUrl: &q.url, WaitTimeSeconds: 21})
			t.refused(err, "InvalidParameterValue")
		}},
		{"a deleted message stays deleted; deleting it again succeeds", sqsAPI + "DeleteMessage.html", func(t *T) {
			q := newQueue(t, attributes{"VisibilityTimeout": "1"})
			q.send("x")
			m := q.receiveOne()
			q.delete(m)
			q.delete(m)
			if got := q.receive(2); len(got) != 0 {
				t.Errorf("received %d messages after the deletion, want none", len(got))
			}
		}},
		{"a handle deletes its message after the visibility timeout too", sqsAPI + "DeleteMessage.html", func(t *T) {
			q := newQueue(t, attributes{"VisibilityTimeout": "0"})
			q.send("x")
			q.delete(q.receiveOne())
			q.none("after the deletion")
		}},
		{"an invalid receipt handle deletes nothing", sqsAPI + "DeleteMessage.html", func(t *T) {
			q := newQueue(t, nil)
			_, err := q.DeleteMessage(t.Context(), &sqs.DeleteMessageInput{QueueUrl: &q.url,
				ReceiptHandle: aws.String("nonsense")})
			t.refused(err, "ReceiptHandleIsInvalid")
		}},
	})
}
