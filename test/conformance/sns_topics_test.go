package conformance

import (
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sns"
	"github.com/aws/aws-sdk-go-v2/service/sns/types"
)

func TestSNSTopics(t *testing.T) {
	check(t, []conformanceCase{
		{"creating a topic again gives its ARN", snsAPI + "CreateTopic.html", func(t *T) {
			client, name := snsClient(), unique("topic")
			first, err := client.CreateTopic(t.Context(), &sns.CreateTopicInput{Name: &name})
			t.ok(err)
			second, err := client.CreateTopic(t.Context(), &sns.CreateTopicInput{Name: &name})
			t.ok(err)
			if *first.TopicArn != *second.TopicArn {
				t.Errorf("got %s, then %s; want the same", *first.TopicArn, *second.TopicArn)
			}
			_, err = client.DeleteTopic(t.Context(), &sns.DeleteTopicInput{TopicArn: first.TopicArn})
			t.ok(err)
		}},
		{"a topic's name has only letters, digits, - and _", snsAPI + "CreateTopic.html", func(t *T) {
			_, err := snsClient().CreateTopic(t.Context(), &sns.CreateTopicInput{Name: aws.String("a b")})
			t.refused(err, "InvalidParameter")
		}},
		{"deleting a topic twice succeeds", snsAPI + "DeleteTopic.html", func(t *T) {
			p := newTopic(t)
			for range 2 {
				_, err := p.DeleteTopic(t.Context(), &sns.DeleteTopicInput{TopicArn: &p.arn})
				t.ok(err)
			}
		}},
		{"a deleted topic is gone", snsAPI + "Publish.html", func(t *T) {
			p := newTopic(t)
			_, err := p.DeleteTopic(t.Context(), &sns.DeleteTopicInput{TopicArn: &p.arn})
			t.ok(err)
			_, err = p.Publish(t.Context(), &sns.PublishInput{TopicArn: &p.arn, Message: aws.String("x")})
			t.refused(err, "NotFound")
		}},
		{"a topic counts its subscriptions", snsAPI + "GetTopicAttributes.html", func(t *T) {
			p, _, _ := newSubscription(t, nil)
			got, err := p.GetTopicAttributes(t.Context(), &sns.GetTopicAttributesInput{TopicArn: &p.arn})
			t.ok(err)
			if got.Attributes["TopicArn"] != p.arn || got.Attributes["SubscriptionsConfirmed"] != "1" ||
				got.Attributes["SubscriptionsPending"] != "0" {
				t.Errorf("got %v, want ARN %s, 1 subscription confirmed and 0 pending", got.Attributes, p.arn)
			}
		}},
		{"a topic's subscriptions are listed", snsAPI + "ListSubscriptionsByTopic.html", func(t *T) {
			p, q, arn := newSubscription(t, nil)
			got, err := p.ListSubscriptionsByTopic(t.Context(), &sns.ListSubscriptionsByTopicInput{TopicArn: &p.arn})
			t.ok(err)
			if len(got.Subscriptions) != 1 || *got.Subscriptions[0].SubscriptionArn != arn ||
				*got.Subscriptions[0].Endpoint != q.arn || *got.Subscriptions[0].Protocol != "sqs" {
				t.Errorf("got %+v, want %s of %s by sqs", got.Subscriptions, arn, q.arn)
			}
		}},
		{"subscribing a queue again gives the existing subscription", snsAPI + "Subscribe.html", func(t *T) {
			p, q, arn := newSubscription(t, nil)
			again, err := p.subscribe(q, nil)
			t.ok(err)
			if again != arn {
				t.Errorf("got %s, want %s", again, arn)
			}
		}},
		{"an unsubscribed queue gets no more messages", snsAPI + "Unsubscribe.html", func(t *T) {
			p, q, arn := newSubscription(t, nil)
			_, err := p.Unsubscribe(t.Context(), &sns.UnsubscribeInput{SubscriptionArn: &arn})
			t.ok(err)
			p.publish("x", nil)
			q.none("after it was unsubscribed")
		}},
		{"a subscription has the documented defaults", snsAPI + "GetSubscriptionAttributes.html", func(t *T) {
			p, q, arn := newSubscription(t, nil)
			for name, want := range map[string]string{
				"SubscriptionArn": arn, "TopicArn": p.arn, "Endpoint": q.arn, "Protocol": "sqs",
				"RawMessageDelivery": "false", "PendingConfirmation": "false", "FilterPolicy": "", "RedrivePolicy": "",
			} {
				if got := p.attribute(arn, name); got != want {
					t.Errorf("%s: got %q, want %q", name, got, want)
				}
			}
		}},
		{"the default scope of a filter policy is MessageAttributes", filterScope, func(t *T) {
			p, _, arn := newSubscription(t, attributes{"FilterPolicy": `{"sku":["a"]}`})
			if got := p.attribute(arn, "FilterPolicyScope"); got != "MessageAttributes" {
				t.Errorf("FilterPolicyScope: got %q, want MessageAttributes", got)
			}
		}},
		{"an unknown subscription attribute is refused", snsAPI + "SetSubscriptionAttributes.html", func(t *T) {
			p, _, arn := newSubscription(t, nil)
			t.refused(p.set(arn, "Colour", "red"), "InvalidParameter")
		}},
		{"a subscription that does not exist has no attributes", snsAPI + "GetSubscriptionAttributes.html", func(t *T) {
			p := newTopic(t)
			missing := p.arn + ":00000000-0000-0000-0000-000000000000"
			_, err := p.GetSubscriptionAttributes(t.Context(),
				&sns.GetSubscriptionAttributesInput{SubscriptionArn: &missing})
			t.refused(err, "NotFound")
		}},
	})
}

func TestSNSPublishRefuses(t *testing.T) {
	refuses := func(change func(*sns.PublishInput), codes ...string) func(*T) {
		return func(t *T) {
			p := newTopic(t)
			in := sns.PublishInput{TopicArn: &p.arn, Message: aws.String("x")}
			change(&in)
			_, err := p.Publish(t.Context(), &in)
			t.refused(err, codes...)
		}
	}
	const doc = snsAPI + "Publish.html"
	check(t, []conformanceCase{
		{"a topic that does not exist", doc, refuses(func(in *sns.PublishInput) {
			in.TopicArn = aws.String(*in.TopicArn + "-nowhere")
		}, "NotFound")},
		{"an empty message", doc, refuses(func(in *sns.PublishInput) {
			in.Message = aws.String("")
		}, "InvalidParameter")},
		{"a message over 256 KiB", doc, refuses(func(in *sns.PublishInput) {
			in.Message = aws.String(big(256<<10 + 1))
		}, "InvalidParameter")},
		{"a subject over 100 characters", doc, refuses(func(in *sns.PublishInput) {
			in.Subject = aws.String(big(101))
		}, "InvalidParameter")},
		{"a subject with two lines", doc, refuses(func(in *sns.PublishInput) {
			in.Subject = aws.String("a\nb")
		}, "InvalidParameter")},
		{"an attribute without a value", snsGuide + "sns-message-attributes.html", refuses(func(in *sns.PublishInput) {
			in.MessageAttributes = map[string]types.MessageAttributeValue{"a": snsText("")}
		}, "InvalidParameterValue", "ParameterValueInvalid")},
	})
}
