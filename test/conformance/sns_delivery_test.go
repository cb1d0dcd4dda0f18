package conformance

import (
	"encoding/json"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sns"
	"github.com/aws/aws-sdk-go-v2/service/sns/types"
	"github.com/aws/aws-sdk-go-v2/service/sqs"
)

const (
	rawDelivery       = snsGuide + "sns-large-payload-raw-message-delivery.html"
	envelopeFormat    = snsGuide + "sns-message-and-json-formats.html"
	topicDeadLetters  = snsGuide + "sns-dead-letter-queues.html"
	publishBatch      = snsAPI + "PublishBatch.html"
	notificationTypes = snsGuide + "sns-message-attributes.html"
)

func big(bytes int) string { return strings.Repeat("x", bytes) }

func snsText(value string) types.MessageAttributeValue {
	return types.MessageAttributeValue{DataType: aws.String("String"), StringValue: &value}
}

// A notification is the part of SNS's envelope that the cases check.
type notification struct {
	Type, MessageID, TopicArn, Subject, Message, Timestamp string
	MessageAttributes                                      map[string]struct{ Type, Value string }
}

func TestSNSDelivery(t *testing.T) {
	check(t, []conformanceCase{
		{"a queue gets the message in an envelope", envelopeFormat, func(t *T) {
			p, q, _ := newSubscription(t, nil)
			published, err := p.Publish(t.Context(), &sns.PublishInput{
				TopicArn: &p.arn, Message: aws.String(`재고가 <없습니다> & "급합니다"`), Subject: aws.String("stock"),
				MessageAttributes: map[string]types.MessageAttributeValue{
					"sku":     snsText("CP-502101"),
					"picture": {DataType: aws.String("Binary"), BinaryValue: []byte{0, 255}},
				},
			})
			t.ok(err)
			m := q.receiveOne()
			var got notification
			t.ok(json.Unmarshal([]byte(*m.Body), &got))
			if got.Type != "Notification" || got.MessageID != *published.MessageId || got.TopicArn != p.arn ||
				got.Subject != "stock" || got.Message != `재고가 <없습니다> & "급합니다"` {
				t.Errorf("got %+v, want notification %s of %s as published", got, *published.MessageId, p.arn)
			}
			at, err := time.Parse("2006-01-02T15:04:05.000Z", got.Timestamp)
			if err != nil || time.Since(at).Abs() > time.Minute {
				t.Errorf("Timestamp: got %q, want now", got.Timestamp)
			}
			if a := got.MessageAttributes; len(a) != 2 || a["picture"].Value != "AP8=" ||
				a["sku"].Value != "CP-502101" || a["sku"].Type != "String" {
				t.Errorf("MessageAttributes: got %v, want the two that were published, bytes in base64", a)
			}
			if len(m.MessageAttributes) != 0 {
				t.Errorf("got attributes %v beside the envelope, want none", m.MessageAttributes)
			}
		}},
		{"the envelope omits what was not published", envelopeFormat, func(t *T) {
			p, q, _ := newSubscription(t, nil)
			p.publish("x", nil)
			body := *q.receiveOne().Body
			for _, name := range []string{`"Subject"`, `"MessageAttributes"`} {
				if strings.Contains(body, name) {
					t.Errorf("the envelope has %s: %s", name, body)
				}
			}
		}},
		{"raw delivery delivers the message and its attributes", rawDelivery, func(t *T) {
			p, q, _ := newSubscription(t, attributes{"RawMessageDelivery": "true"})
			p.publish("도너츠", map[string]types.MessageAttributeValue{"sku": snsText("CP-502101")})
			m := q.receiveOne()
			if *m.Body != "도너츠" || len(m.MessageAttributes) != 1 ||
				*m.MessageAttributes["sku"].StringValue != "CP-502101" {
				t.Errorf("got %q with %v, want 도너츠 with sku", *m.Body, m.MessageAttributes)
			}
		}},
		{"raw delivery can be switched on later", snsAPI + "SetSubscriptionAttributes.html", func(t *T) {
			p, q, arn := newSubscription(t, nil)
			t.ok(p.set(arn, "RawMessageDelivery", "true"))
			p.publish("x", nil)
			if got := q.receiveOne(); *got.Body != "x" {
				t.Errorf("got %q, want x", *got.Body)
			}
		}},
		{"raw delivery discards a message of more than 10 attributes", notificationTypes, func(t *T) {
			p, q, _ := newSubscription(t, attributes{"RawMessageDelivery": "true"})
			many := map[string]types.MessageAttributeValue{}
			for _, name := range strings.Split("abcdefghijk", "") {
				many[name] = snsText("x")
			}
			p.publish("too many", many)
			p.publish("marker", nil)
			if got := q.receiveOne(); *got.Body != "marker" {
				t.Errorf("got %q, want only the next message", *got.Body)
			}
		}},
		{"every subscribed queue gets a message", snsGuide + "sns-sqs-as-subscriber.html", func(t *T) {
			p, q, _ := newSubscription(t, nil)
			second := newQueue(t, nil).allowTopics()
			_, err := p.subscribe(second, nil)
			t.ok(err)
			p.publish("x", nil)
			q.receiveOne()
			second.receiveOne()
		}},
		{"a message for a deleted queue goes to the subscription's dead-letter queue", topicDeadLetters, func(t *T) {
			dlq := newQueue(t, nil).allowTopics()
			policy := `{"deadLetterTargetArn":"` + dlq.arn + `"}`
			p, q, arn := newSubscription(t, attributes{"RedrivePolicy": policy})
			if got := p.attribute(arn, "RedrivePolicy"); !strings.Contains(got, dlq.arn) {
				t.Errorf("RedrivePolicy: got %q, want one with %s", got, dlq.arn)
			}
			_, err := q.DeleteQueue(t.Context(), &sqs.DeleteQueueInput{QueueUrl: &q.url})
			t.ok(err)
			p.publish("x", nil)
			var got notification
			t.ok(json.Unmarshal([]byte(*dlq.receiveOne().Body), &got))
			if got.Message != "x" {
				t.Errorf("got %+v, want the notification x", got)
			}
		}},
		{"a redrive policy names a queue", topicDeadLetters, func(t *T) {
			p, q := newTopic(t), newQueue(t, nil)
			_, err := p.subscribe(q, attributes{"RedrivePolicy": `{"deadLetterTargetArn":"nowhere"}`})
			t.refused(err, "InvalidParameter")
		}},
		{"each message of a batch succeeds or fails by itself", publishBatch, func(t *T) {
			p, q, _ := newSubscription(t, attributes{"RawMessageDelivery": "true"})
			bad := snsEntry("bad", "bad")
			bad.Subject = aws.String("a\nb")
			out, err := p.batch(snsEntry("good", "good"), bad)
			t.ok(err)
			succeeded, failed := out.Successful, out.Failed
			if len(succeeded) != 1 || *succeeded[0].Id != "good" ||
				len(failed) != 1 || *failed[0].Id != "bad" || !failed[0].SenderFault {
				t.Errorf("got successful %+v, failed %+v; want good, and bad by the sender's fault", succeeded, failed)
			}
			if got := q.receiveOne(); *got.Body != "good" {
				t.Errorf("delivered %q, want good", *got.Body)
			}
		}},
		{"a batch has at most 10 messages, with different ids", publishBatch, func(t *T) {
			p := newTopic(t)
			var eleven []types.PublishBatchRequestEntry
			for _, id := range strings.Split("abcdefghijk", "") {
				eleven = append(eleven, snsEntry(id, "x"))
			}
			_, err := p.batch(eleven...)
			t.refused(err, "TooManyEntriesInBatchRequest")
			_, err = p.batch(eleven[0], eleven[0])
			t.refused(err, "BatchEntryIdsNotDistinct")
		}},
		{"an empty batch is refused", publishBatch, func(t *T) {
			_, err := newTopic(t).batch()
			t.refused(err, "EmptyBatchRequest")
		}},
		{"the messages of a batch are at most 256 KiB together", publishBatch, func(t *T) {
			_, err := newTopic(t).batch(snsEntry("a", big(200<<10)), snsEntry("b", big(200<<10)))
			t.refused(err, "BatchRequestTooLong")
		}},
	})
}

func snsEntry(id, message string) types.PublishBatchRequestEntry {
	return types.PublishBatchRequestEntry{Id: &id, Message: &message}
}

func (p topic) batch(entries ...types.PublishBatchRequestEntry) (*sns.PublishBatchOutput, error) {
	if entries == nil {
		entries = []types.PublishBatchRequestEntry{}
	}
	return p.PublishBatch(p.t.Context(), &sns.PublishBatchInput{TopicArn: &p.arn, PublishBatchRequestEntries: entries})
}
