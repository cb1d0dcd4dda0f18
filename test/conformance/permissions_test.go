package conformance

import (
	"fmt"
	"testing"
)

const (
	iamGuide      = "https://docs.aws.amazon.com/IAM/latest/UserGuide/"
	queuePolicies = snsGuide + "subscribe-sqs-queue-to-sns-topic.html"
	explicitDeny  = iamGuide + "reference_policies_evaluation-logic_policy-eval-denyallow.html"
	confused      = iamGuide + "confused-deputy.html"
)

// statement returns a statement of a queue policy about messages that SNS sends to q. more is empty
// or begins with a comma, for example `,"Condition":{…}`.
func (q queue) statement(effect, more string) string {
	return fmt.Sprintf(`{"Effect":%q,"Principal":{"Service":"sns.amazonaws.com"},"Action":"sqs:SendMessage",`+
		`"Resource":%q%s}`, effect, q.arn, more)
}

// trySetPolicy sets a queue policy with the statements, and returns the error.
func (q queue) trySetPolicy(statements string) error {
	return q.set(attributes{"Policy": `{"Version":"2012-10-17","Statement":[` + statements + `]}`})
}

func (q queue) setPolicy(statements string) {
	q.t.Helper()
	q.t.ok(q.trySetPolicy(statements))
}

// publishRefused publishes a message that q must refuse. It checks that the message is in the
// subscription's dead-letter queue, and not in q.
func (p topic) publishRefused(q, dlq queue) {
	p.t.Helper()
	p.publish("x", nil)
	dlq.receiveOne()
	q.none("that no policy allows")
}

// newGuarded creates a topic and subscribes a queue that has no policy. SNS moves messages that the
// queue refuses to dlq.
func newGuarded(t *T) (p topic, q, dlq queue) {
	t.Helper()
	p, q, dlq = newTopic(t), newQueue(t, nil), newQueue(t, nil).allowTopics()
	_, err := p.subscribe(q, attributes{"RedrivePolicy": `{"deadLetterTargetArn":"` + dlq.arn + `"}`})
	t.ok(err)
	return p, q, dlq
}

func TestPermissionsOfTopics(t *testing.T) {
	check(t, []conformanceCase{
		{"a queue without a policy refuses messages from a topic", queuePolicies, func(t *T) {
			p, q, dlq := newGuarded(t)
			p.publishRefused(q, dlq)
		}},
		{"a policy applies from when it is set until it is removed", sqsAPI + "SetQueueAttributes.html", func(t *T) {
			p, q, dlq := newGuarded(t)
			q.allowTopics()
			p.publish("x", nil)
			q.delete(q.receiveOne())
			t.ok(q.set(attributes{"Policy": ""}))
			p.publishRefused(q, dlq)
		}},
		{"a condition on the topic's ARN allows only that topic", confused, func(t *T) {
			p, q, dlq := newGuarded(t)
			q.setPolicy(q.statement("Allow", `,"Condition":{"ArnEquals":{"aws:SourceArn":"`+p.arn+`"}}`))
			p.publish("x", nil)
			q.delete(q.receiveOne())
			q.setPolicy(q.statement("Allow", `,"Condition":{"ArnEquals":{"aws:SourceArn":"`+p.arn+`-other"}}`))
			p.publishRefused(q, dlq)
		}},
		{"a Deny overrides an Allow", explicitDeny, func(t *T) {
			p, q, dlq := newGuarded(t)
			q.setPolicy(q.statement("Allow", "") + "," + q.statement("Deny", ""))
			p.publishRefused(q, dlq)
		}},
		{"an invalid policy is refused", sqsAPI + "SetQueueAttributes.html", func(t *T) {
			q := newQueue(t, nil)
			t.refused(q.trySetPolicy(q.statement("Maybe", "")), "InvalidAttributeValue")
		}},
	})
}
