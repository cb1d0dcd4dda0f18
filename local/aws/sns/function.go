package sns

import (
	"context"
	"encoding/json"
	"time"

	lambdaevents "github.com/aws/aws-lambda-go/events"

	"restock/local/aws/async"
	"restock/local/view/events"
)

// invoke invokes the subscription's function. It does not wait for the function. The event differs
// from the notification in a queue: https://docs.aws.amazon.com/lambda/latest/dg/with-sns.html
// https://docs.aws.amazon.com/sns/latest/dg/sns-lambda-as-subscriber.html
func (s *Service) invoke(ctx context.Context, sub Subscription, n Notification, messageID string, now time.Time) {
	log := s.log.With("topic", sub.TopicARN, "message", messageID, "function", sub.FunctionARN)
	e := sub.envelope(n, messageID, now)
	record := lambdaevents.SNSEventRecord{
		EventVersion: "1.0", EventSource: "aws:sns", EventSubscriptionArn: sub.ARN,
		SNS: lambdaevents.SNSEntity{
			Type: e.Type, MessageID: messageID, TopicArn: e.TopicARN, Subject: e.Subject, Message: e.Message,
			Timestamp: now.UTC().Truncate(time.Millisecond), SignatureVersion: e.SignatureVersion,
			SigningCertURL: e.SigningCertURL, UnsubscribeURL: e.UnsubscribeURL, MessageAttributes: map[string]any{},
		},
	}
	for name, attribute := range e.MessageAttributes {
		record.SNS.MessageAttributes[name] = attribute
	}
	event, err := json.Marshal(lambdaevents.SNSEvent{Records: []lambdaevents.SNSEventRecord{record}})
	if err != nil {
		log.ErrorContext(ctx, "message could not be written: it is lost", events.MessageLost.Attr(), "error", err)
		return
	}
	f := s.config.Function(sub.TopicARN, sub.FunctionARN)
	if f == nil {
		log.WarnContext(ctx, "message could not be delivered: there is no such function", events.MessageLost.Attr())
		return
	}
	s.invocations.Invoke(ctx, async.Invocation{
		What: "invocation by SNS", Function: f, Event: event, Log: log,
		Done: events.MessageDelivered, Failed: events.MessageLost,
	})
}
