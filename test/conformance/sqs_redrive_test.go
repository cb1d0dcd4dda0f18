package conformance

import (
	"slices"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sqs"
	"github.com/aws/aws-sdk-go-v2/service/sqs/types"
)

const (
	deadLetters = sqsGuide + "sqs-dead-letter-queues.html"
	startMove   = sqsAPI + "StartMessageMoveTask.html"
	listMoves   = sqsAPI + "ListMessageMoveTasks.html"
	cancelMove  = sqsAPI + "CancelMessageMoveTask.html"
)

// newDeadLetters creates a queue and its dead-letter queue. It sends the bodies to the queue and
// receives each once, so that SQS moves them to the dead-letter queue.
func newDeadLetters(t *T, bodies ...string) (q, dlq queue) {
	t.Helper()
	q, dlq = newQueue(t, attributes{"VisibilityTimeout": "0"}), newQueue(t, nil)
	q.redriveTo(dlq, "1")
	for _, body := range bodies {
		q.send(body)
		q.receiveOne()
		q.none("that were received once")
	}
	return q, dlq
}

// move starts a task that moves q's messages: to their sources if to is nil, and at the default
// rate if perSecond is nil.
func (q queue) move(to *string, perSecond *int32) (*sqs.StartMessageMoveTaskOutput, error) {
	return q.StartMessageMoveTask(q.t.Context(), &sqs.StartMessageMoveTaskInput{SourceArn: &q.arn, DestinationArn: to,
		MaxNumberOfMessagesPerSecond: perSecond})
}

func (q queue) cancel(task *sqs.StartMessageMoveTaskOutput) error {
	_, err := q.CancelMessageMoveTask(q.t.Context(), &sqs.CancelMessageMoveTaskInput{TaskHandle: task.TaskHandle})
	return err
}

// moves lists up to 10 tasks of q, the latest first.
func (q queue) moves() []types.ListMessageMoveTasksResultEntry {
	q.t.Helper()
	out, err := q.ListMessageMoveTasks(q.t.Context(), &sqs.ListMessageMoveTasksInput{SourceArn: &q.arn,
		MaxResults: aws.Int32(10)})
	q.t.ok(err)
	return out.Results
}

// moved waits until the latest task has the status.
func (q queue) moved(status string) types.ListMessageMoveTasksResultEntry {
	q.t.Helper()
	var last types.ListMessageMoveTasksResultEntry
	q.t.eventually("the task is "+status, func() bool {
		last = q.moves()[0]
		return *last.Status == status
	})
	return last
}

func TestSQSRedrive(t *testing.T) {
	check(t, []conformanceCase{
		{"a message that was received too often goes unchanged to the dead-letter queue", deadLetters, func(t *T) {
			q, dlq := newQueue(t, attributes{"VisibilityTimeout": "0"}), newQueue(t, nil)
			q.redriveTo(dlq, "2")
			sent := q.send("poison")
			q.receiveOne()
			last := q.receiveOne()
			q.none("that were received twice")
			dead := dlq.receiveOne()
			if *dead.MessageId != *sent.MessageId || *dead.Body != "poison" {
				t.Errorf("in the dead-letter queue: got %s %q, want %s and poison", *dead.MessageId, *dead.Body,
					*sent.MessageId)
			}
			if dead.Attributes["SentTimestamp"] != last.Attributes["SentTimestamp"] {
				t.Errorf("SentTimestamp: got %s, want %s as before", dead.Attributes["SentTimestamp"],
					last.Attributes["SentTimestamp"])
			}
		}},
		{"a message in the dead-letter queue says where it came from", receiveMessage, func(t *T) {
			q, dlq := newDeadLetters(t, "x")
			if got := dlq.receiveOne().Attributes["DeadLetterQueueSourceArn"]; got != q.arn {
				t.Errorf("DeadLetterQueueSourceArn: got %q, want %s", got, q.arn)
			}
		}},
		{"a redrive policy names a queue that exists", sqsAPI + "SetQueueAttributes.html", func(t *T) {
			q := newQueue(t, nil)
			missing := queue{arn: q.arn + "-nowhere"}
			t.refused(q.set(missing.redrivePolicy("1")), "InvalidParameterValue")
		}},
		{"maxReceiveCount is 1 to 1,000", sqsAPI + "SetQueueAttributes.html", func(t *T) {
			q, dlq := newQueue(t, nil), newQueue(t, nil)
			for _, count := range []string{"0", "1001"} {
				t.refused(q.set(dlq.redrivePolicy(count)), "InvalidParameterValue", "InvalidAttributeValue")
			}
		}},
		{"an empty value removes the redrive policy", sqsGuide + "sqs-configure-dead-letter-queue.html", func(t *T) {
			q, _ := newDeadLetters(t)
			t.ok(q.set(attributes{"RedrivePolicy": ""}))
			if got := q.attribute("RedrivePolicy"); got != "" {
				t.Errorf("RedrivePolicy: got %s, want none", got)
			}
		}},
		{"a dead-letter queue can refuse its source queues", sqsAPI + "SetQueueAttributes.html", func(t *T) {
			q, dlq := newQueue(t, nil), newQueue(t, nil)
			t.ok(dlq.set(attributes{"RedriveAllowPolicy": `{"redrivePermission":"denyAll"}`}))
			t.refused(q.set(dlq.redrivePolicy("1")), "InvalidParameterValue")
			t.ok(dlq.set(attributes{"RedriveAllowPolicy": `{"redrivePermission":"byQueue","sourceQueueArns":["` +
				q.arn + `"]}`}))
			t.ok(q.set(dlq.redrivePolicy("1")))
		}},
		{"a dead-letter queue's sources are listed", sqsAPI + "ListDeadLetterSourceQueues.html", func(t *T) {
			q, dlq := newDeadLetters(t)
			got, err := dlq.ListDeadLetterSourceQueues(t.Context(),
				&sqs.ListDeadLetterSourceQueuesInput{QueueUrl: &dlq.url})
			t.ok(err)
			if !slices.Equal(got.QueueUrls, []string{q.url}) {
				t.Errorf("got %q, want %s", got.QueueUrls, q.url)
			}
		}},
	})
}

func TestSQSMessageMoveTasks(t *testing.T) {
	check(t, []conformanceCase{
		{"a task moves messages back to the queue that they came from", startMove, func(t *T) {
			q, dlq := newDeadLetters(t, "a", "b")
			_, err := dlq.move(nil, nil)
			t.ok(err)
			task := dlq.moved("COMPLETED")
			if task.ApproximateNumberOfMessagesMoved != 2 || aws.ToInt64(task.ApproximateNumberOfMessagesToMove) != 2 ||
				task.TaskHandle != nil || *task.SourceArn != dlq.arn || task.StartedTimestamp == 0 {
				t.Errorf("got %d of %d messages moved from %s, handle %q; want 2 of 2 from %s and no handle",
					task.ApproximateNumberOfMessagesMoved, aws.ToInt64(task.ApproximateNumberOfMessagesToMove),
					*task.SourceArn, aws.ToString(task.TaskHandle), dlq.arn)
			}
			if q.attribute("ApproximateNumberOfMessages") != "2" ||
				dlq.attribute("ApproximateNumberOfMessages") != "0" {
				t.Errorf("messages: got %s in the queue and %s in the dead-letter queue, want 2 and 0",
					q.attribute("ApproximateNumberOfMessages"), dlq.attribute("ApproximateNumberOfMessages"))
			}
		}},
		{"a moved message is a new one", sqsGuide + "sqs-configure-dead-letter-queue-redrive.html", func(t *T) {
			q, dlq := newDeadLetters(t, "x")
			dead := dlq.receiveOne()
			t.ok(dlq.hide(dead, 0))
			_, err := dlq.move(nil, nil)
			t.ok(err)
			dlq.moved("COMPLETED")
			if got := q.receiveOne(); *got.MessageId == *dead.MessageId ||
				got.Attributes["ApproximateReceiveCount"] != "1" || *got.Body != "x" {
				t.Errorf("got %s %q, received %s times; want another id than %s, x, once", *got.MessageId, *got.Body,
					got.Attributes["ApproximateReceiveCount"], *dead.MessageId)
			}
		}},
		{"a task moves messages to another queue", startMove, func(t *T) {
			_, dlq := newDeadLetters(t, "x")
			other := newQueue(t, nil)
			_, err := dlq.move(&other.arn, nil)
			t.ok(err)
			if got := other.receiveOne(); *got.Body != "x" {
				t.Errorf("received %q, want x", *got.Body)
			}
			if got := aws.ToString(dlq.moved("COMPLETED").DestinationArn); got != other.arn {
				t.Errorf("DestinationArn: got %q, want %s", got, other.arn)
			}
		}},
		{"a task that runs is listed with its handle and rate, and can be cancelled", cancelMove, func(t *T) {
			_, dlq := newDeadLetters(t, "a", "b", "c", "d", "e")
			started, err := dlq.move(nil, aws.Int32(1))
			t.ok(err)
			task := dlq.moves()[0]
			if *task.Status != "RUNNING" || aws.ToString(task.TaskHandle) != *started.TaskHandle ||
				aws.ToInt32(task.MaxNumberOfMessagesPerSecond) != 1 {
				t.Errorf("got %s with handle %s and rate %d, want RUNNING, %s and 1", *task.Status,
					aws.ToString(task.TaskHandle), aws.ToInt32(task.MaxNumberOfMessagesPerSecond), *started.TaskHandle)
			}
			err = dlq.cancel(started)
			t.ok(err)
			if task := dlq.moved("CANCELLED"); task.ApproximateNumberOfMessagesMoved >= 5 {
				t.Errorf("moved %d messages at one a second, want fewer than 5", task.ApproximateNumberOfMessagesMoved)
			}
		}},
		{"a queue has one task at a time", startMove, func(t *T) {
			_, dlq := newDeadLetters(t, "a", "b", "c")
			started, err := dlq.move(nil, aws.Int32(1))
			t.ok(err)
			_, err = dlq.move(nil, nil)
			t.refused(err, "InvalidParameterValue", "AWS.SimpleQueueService.UnsupportedOperation")
			err = dlq.cancel(started)
			t.ok(err)
		}},
		{"a task fails for messages that were sent directly to the dead-letter queue", listMoves, func(t *T) {
			_, dlq := newDeadLetters(t)
			dlq.send("sent directly")
			_, err := dlq.move(nil, nil)
			t.ok(err)
			if got := aws.ToString(dlq.moved("FAILED").FailureReason); got == "" {
				t.Errorf("got no FailureReason")
			}
		}},
		{"MaxResults defaults to 1, the latest task", listMoves, func(t *T) {
			q, dlq := newDeadLetters(t)
			_, err := dlq.move(nil, nil)
			t.ok(err)
			dlq.moved("COMPLETED")
			_, err = dlq.move(&q.arn, nil)
			t.ok(err)
			dlq.moved("COMPLETED")
			latest, err := dlq.ListMessageMoveTasks(t.Context(), &sqs.ListMessageMoveTasksInput{SourceArn: &dlq.arn})
			t.ok(err)
			if all := dlq.moves(); len(all) != 2 || len(latest.Results) != 1 ||
				aws.ToString(latest.Results[0].DestinationArn) != q.arn {
				t.Errorf("got %d tasks, and by default %+v; want 2, and the one to %s", len(all), latest.Results, q.arn)
			}
		}},
		{"only a dead-letter queue's messages can be moved", startMove, func(t *T) {
			_, err := newQueue(t, nil).move(nil, nil)
			t.refused(err, "InvalidParameterValue", "AWS.SimpleQueueService.UnsupportedOperation")
		}},
		{"a queue that does not exist has no messages to move", startMove, func(t *T) {
			_, dlq := newDeadLetters(t)
			_, err := queue{Client: dlq.Client, t: t, arn: dlq.arn + "-nowhere"}.move(nil, nil)
			t.refused(err, "ResourceNotFoundException")
			_, err = dlq.move(aws.String(dlq.arn+"-nowhere"), nil)
			t.refused(err, "ResourceNotFoundException")
		}},
		{"at most 500 messages a second are moved", startMove, func(t *T) {
			_, dlq := newDeadLetters(t)
			_, err := dlq.move(nil, aws.Int32(501))
			t.refused(err, "InvalidParameterValue")
		}},
		{"a finished task cannot be cancelled", cancelMove, func(t *T) {
			_, dlq := newDeadLetters(t)
			started, err := dlq.move(nil, nil)
			t.ok(err)
			dlq.moved("COMPLETED")
			err = dlq.cancel(started)
			t.refused(err, "InvalidParameterValue", "AWS.SimpleQueueService.UnsupportedOperation")
		}},
	})
}
