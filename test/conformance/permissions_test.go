package conformance

import (
	"fmt"
	"testing"
)

const (
	queuePolicies = snsGuide + "subscribe-sqs-queue-to-sns-topic.html"
	explicitDeny  = "https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_evaluation-logic_policy-eval-denyallow.html"
	confused      = "https://docs.aws.amazon.com/IAM/latest/UserGuide/confused-deputy.html"
)

// statement is one of a queue's policy, about a topic's messages to it, with more elements.
func (q queue) statement(effect, more string) string {
	return fmt.Sprintf(`{"Effect":%q,"Principal":{"Service":"sns.amazonaws.com"},"Action":"sqs:SendMessage","Resource":%q%s}`, effect, q.arn, more)
}

// judge has the queue judge by the statements.
func (q queue) judge(statements string) {
	q.t.Helper()
	q.t.ok(q.set(attributes{"Policy": `{"Version":"2012-10-17","Statement":[` + statements + `]}`}))
}

// refusedTo publishes to a queue that does not take it, and checks that the message is in the subscription's dead-letter queue alone.
func (p topic) refusedTo(q, dlq queue) {
	p.t.Helper()
	p.publish("x", nil)
	dlq.receiveOne()
	q.none("that no policy lets in")
}

// newGuarded makes a topic and a queue without a policy that is subscribed to it. What the queue refuses goes to the dead-letter queue.
func newGuarded(t *T) (p topic, q, dlq queue) {
	t.Helper()
	p, q, dlq = newTopic(t), newQueue(t, nil), newQueue(t, nil).allowTopics()
	_, err := p.subscribe(q, attributes{"RedrivePolicy": `{"deadLetterTargetArn":"` + dlq.arn + `"}`})
	t.ok(err)
	return p, q, dlq
}

func TestPermissionsOfTopics(t *testing.T) {
	check(t, []conformanceCase{
		{"a queue without a policy takes nothing from a topic", queuePolicies, func(t *T) {
			p, q, dlq := newGuarded(t)
			p.refusedTo(q, dlq)
		}},
		{"a policy counts from when it is set until it is removed", sqsAPI + "SetQueueAttributes.html", func(t *T) {
			p, q, dlq := newGuarded(t)
			q.allowTopics()
			p.publish("x", nil)
			q.delete(q.receiveOne())
			t.ok(q.set(attributes{"Policy": ""}))
			p.refusedTo(q, dlq)
		}},
		{"a condition on the topic's ARN lets that topic in alone", confused, func(t *T) {
			p, q, dlq := newGuarded(t)
			q.judge(q.statement("Allow", `,"Condition":{"ArnEquals":{"aws:SourceArn":"`+p.arn+`"}}`))
			p.publish("x", nil)
			q.delete(q.receiveOne())
			q.judge(q.statement("Allow", `,"Condition":{"ArnEquals":{"aws:SourceArn":"`+p.arn+`-other"}}`))
			p.refusedTo(q, dlq)
		}},
		{"a denial counts more than a permission", explicitDeny, func(t *T) {
			p, q, dlq := newGuarded(t)
			q.judge(q.statement("Allow", "") + "," + q.statement("Deny", ""))
			p.refusedTo(q, dlq)
		}},
		{"a policy that is none is refused", sqsAPI + "SetQueueAttributes.html", func(t *T) {
			q := newQueue(t, nil)
			t.refused(q.set(attributes{"Policy": `{"Version":"2012-10-17","Statement":[` + q.statement("Maybe", "") + `]}`}), "InvalidAttributeValue")
		}},
	})
}
