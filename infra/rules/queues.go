package rules

import (
	"encoding/json"
	"fmt"

	"restock/infra/graph"
)

// The defaults of AWS, in seconds:
// https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_CreateQueue.html
// https://docs.aws.amazon.com/lambda/latest/api/API_CreateFunction.html
const (
	defaultVisibilityTimeout = 30
	defaultMessageRetention  = 4 * 24 * 60 * 60
	defaultFunctionTimeout   = 3
)

// visibilityTimeouts times a function's timeout is the least visibility timeout of its queue.
const visibilityTimeouts = 6

// minReceiveCount is the least number of deliveries before a message goes to the dead-letter queue.
const minReceiveCount = 5

// number returns an output, or AWS's default if the program does not declare it.
func number(r *graph.Resource, output string, byDefault float64) float64 {
	if _, declared := r.Outputs[output]; !declared {
		return byDefault
	}
	return r.Number(output)
}

// sources calls visit with each event source mapping whose queue and function are declared.
func (i *inspection) sources(visit func(mapping, queue, function *graph.Resource)) {
	for _, mapping := range i.OfType(graph.EventSourceMapping) {
		queue := i.Find(graph.Queue, "arn", mapping.String("eventSourceArn"))
		function := i.function(mapping.String("functionName"))
		if queue != nil && function != nil {
			visit(mapping, queue, function)
		}
	}
}

// A redrivePolicy says after how many deliveries a message goes to which queue.
type redrivePolicy struct {
	DeadLetterTargetARN string `json:"deadLetterTargetArn"`
	// A number or a text with a number: SQS accepts both. AWS's answer to a text is recorded in
	// https://github.com/localstack/localstack/blob/main/tests/aws/services/sqs/test_sqs.py
	MaxReceiveCount json.Number `json:"maxReceiveCount"`
}

func (p redrivePolicy) count() float64 {
	n, _ := p.MaxReceiveCount.Float64()
	return n
}

// redrivePolicy returns the redrive policy of a queue or a subscription; the zero value if it has
// none that can be read, which the rule dead-letter-queue reports for a queue.
func (i *inspection) redrivePolicy(of *graph.Resource) (p redrivePolicy) {
	_ = json.Unmarshal([]byte(of.String("redrivePolicy")), &p)
	return p
}

// checkVisibilityTimeout checks that SQS hides a message until its function has surely finished,
// also if Lambda throttles and retries. Otherwise two instances may handle the message at once. If
// the visibility timeout is less than the function's timeout, Lambda refuses the event source.
// https://docs.aws.amazon.com/lambda/latest/dg/services-sqs-configure.html#events-sqs-queueconfig
func checkVisibilityTimeout(i *inspection) {
	i.sources(func(mapping, queue, function *graph.Resource) {
		if i.isDeadLetterQueue(queue) {
			return // the rule event-source reports it
		}
		got := number(queue, "visibilityTimeoutSeconds", defaultVisibilityTimeout)
		timeout := number(function, "timeout", defaultFunctionTimeout)
		window := mapping.Number("maximumBatchingWindowInSeconds")
		if want := visibilityTimeouts*timeout + window; got < want {
			i.report(queue, fmt.Sprintf("raise visibilityTimeoutSeconds to %v, or lower the function's timeout", want),
				"visibility timeout is %v s, want %v s or more: "+
					"%d times the timeout of function %s, which is %v s, and its batching window of %v s, or SQS "+
					"delivers a message again while the function still handles it",
				got, want, visibilityTimeouts, function.Name, timeout, window)
		}
	})
}

// checkDeadLetterQueue checks that a message goes to a dead-letter queue after enough attempts,
// that an alarm reports this, and that the message stays there long enough. A message keeps its
// date when SQS moves it: a dead-letter queue with the same retention would delete it at once.
// https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/sqs-dead-letter-queues.html
// https://docs.aws.amazon.com/lambda/latest/dg/services-sqs-configure.html#events-sqs-queueconfig
func checkDeadLetterQueue(i *inspection) {
	i.sources(func(_, queue, function *graph.Resource) {
		if i.isDeadLetterQueue(queue) {
			return // the rule event-source reports it
		}
		var redrive redrivePolicy
		text := queue.String("redrivePolicy")
		if text == "" {
			i.report(queue, "give it a redrivePolicy with deadLetterTargetArn and maxReceiveCount",
				"function %s reads it, and it has no dead-letter queue: SQS deletes in the end what "+
					"the function cannot handle", function.Name)
			return
		}
		if err := json.Unmarshal([]byte(text), &redrive); err != nil {
			i.report(queue, "write it as JSON with deadLetterTargetArn and maxReceiveCount",
				"its redrivePolicy begins with %.40q: SQS refuses it: %v", text, err)
			return
		}
		if count := redrive.count(); count < minReceiveCount {
			i.report(queue, fmt.Sprintf("raise maxReceiveCount in its redrivePolicy to %d", minReceiveCount),
				"maxReceiveCount is %v, want %v or more: a few throttled receives make a message a dead letter", count,
				minReceiveCount)
		}
		target := redrive.DeadLetterTargetARN
		deadLetters := i.Find(graph.Queue, "arn", target)
		if deadLetters == nil {
			i.report(queue, "set deadLetterTargetArn to the ARN of a queue of the stack",
				"its dead-letter queue %s is not declared: SQS refuses it", target)
			return
		}
		if !i.hasAlarm(deadLetters) {
			i.report(deadLetters, "declare a MetricAlarm on its ApproximateNumberOfMessagesVisible, with an action",
				"no alarm reports that it has messages")
		}
		got := number(deadLetters, "messageRetentionSeconds", defaultMessageRetention)
		least := number(queue, "messageRetentionSeconds", defaultMessageRetention)
		if got <= least {
			i.report(deadLetters, "set its messageRetentionSeconds to SQS's limit, 1209600",
				"it keeps messages for %v s, want longer than the %v s of %s: a dead letter keeps its age, and SQS "+
					"deletes it before somebody sees it", got, least, queue.Name)
		}
	})
}

// checkRetention checks that a queue keeps a message until all its deliveries have failed. The
// retention counts from the time when the message was sent. After it, SQS deletes the message: it
// is in no dead-letter queue, and no alarm reports it.
// https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/setting-up-dead-letter-queue-retention.html
// https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_SetQueueAttributes.html
func checkRetention(i *inspection) {
	i.sources(func(_, queue, function *graph.Resource) {
		count := i.redrivePolicy(queue).count()
		visibility := number(queue, "visibilityTimeoutSeconds", defaultVisibilityTimeout)
		keeps := number(queue, "messageRetentionSeconds", defaultMessageRetention)
		if needs := count * visibility; keeps <= needs {
			i.report(queue, "raise messageRetentionSeconds, or lower maxReceiveCount",
				"it keeps a message for %v s, want more than the %v s of %v failed deliveries with a visibility "+
					"timeout of %v s: SQS deletes a message that function %s cannot handle before it is a dead letter",
				keeps, needs, count, visibility, function.Name)
		}
	})
}

// hasAlarm reports whether an alarm watches the number of a queue's messages. The rule alarm
// reports an alarm without an action.
func (i *inspection) hasAlarm(queue *graph.Resource) bool {
	for _, alarm := range i.OfType(graph.MetricAlarm) {
		if alarm.String("namespace") == "AWS/SQS" &&
			alarm.String("metricName") == "ApproximateNumberOfMessagesVisible" &&
			alarm.Object("dimensions")["QueueName"] == queue.Outputs["name"] {
			return true
		}
	}
	return false
}
