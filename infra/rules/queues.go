package rules

import (
	"encoding/json"

	"restock/infra/graph"
)

// What AWS takes where nothing is declared, in seconds:
// https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_CreateQueue.html
// https://docs.aws.amazon.com/lambda/latest/api/API_CreateFunction.html
const (
	defaultVisibilityTimeout = 30
	defaultMessageRetention  = 4 * 24 * 60 * 60
	defaultFunctionTimeout   = 3
)

// visibilityTimeouts is how often a function's timeout fits into the visibility timeout of its queue, at least.
const visibilityTimeouts = 6

// minReceiveCount is how often a message is received, at least, before it is given up.
const minReceiveCount = 5

// number is an output, or what AWS takes where it is not declared.
func number(r *graph.Resource, output string, otherwise float64) float64 {
	if _, declared := r.Outputs[output]; !declared {
		return otherwise
	}
	return r.Number(output)
}

// sources calls visit with each event source mapping of a queue to a function that are both declared.
func (i *inspection) sources(visit func(mapping, queue, function *graph.Resource)) {
	for _, mapping := range i.OfType(graph.EventSourceMapping) {
		queue, function := i.Find(graph.Queue, "arn", mapping.String("eventSourceArn")), i.function(mapping.String("functionName"))
		if queue != nil && function != nil {
			visit(mapping, queue, function)
		}
	}
}

// checkVisibilityTimeout holds that a message stays hidden until its function is surely done, throttled retries included. Otherwise
// it is handled twice at once; below one timeout Lambda refuses the event source.
// https://docs.aws.amazon.com/lambda/latest/dg/services-sqs-configure.html#events-sqs-queueconfig
func checkVisibilityTimeout(i *inspection) {
	i.sources(func(mapping, queue, function *graph.Resource) {
		got, timeout := number(queue, "visibilityTimeoutSeconds", defaultVisibilityTimeout), number(function, "timeout", defaultFunctionTimeout)
		window := mapping.Number("maximumBatchingWindowInSeconds")
		if want := visibilityTimeouts*timeout + window; got < want {
			i.report(queue, "raise the one or lower the other", "visibility timeout is %v s, want %v s or more: %d times the timeout of function %s, which is %v s, and its batching window of %v s",
				got, want, visibilityTimeouts, function.Name, timeout, window)
		}
	})
}

// checkDeadLetterQueue holds that a message that cannot be handled is kept for people, after enough tries, that they are told, and that it is kept long enough: it keeps its
// first date when it is moved, so that a dead-letter queue with the same retention forgets it at once.
// https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/sqs-dead-letter-queues.html
// https://docs.aws.amazon.com/lambda/latest/dg/services-sqs-configure.html#events-sqs-queueconfig
func checkDeadLetterQueue(i *inspection) {
	i.sources(func(_, queue, function *graph.Resource) {
		var redrive struct {
			DeadLetterTargetARN string  `json:"deadLetterTargetArn"`
			MaxReceiveCount     float64 `json:"maxReceiveCount"`
		}
		text := queue.String("redrivePolicy")
		if text == "" {
			i.report(queue, "give it a redrivePolicy", "function %s reads it, and it has no dead-letter queue", function.Name)
			return
		}
		if err := json.Unmarshal([]byte(text), &redrive); err != nil {
			i.report(queue, "build it from a struct", "its redrivePolicy is %s: %v", text, err)
			return
		}
		if redrive.MaxReceiveCount < minReceiveCount {
			i.report(queue, "raise it", "maxReceiveCount is %v, want %v or more", redrive.MaxReceiveCount, minReceiveCount)
		}
		deadLetters := i.Find(graph.Queue, "arn", redrive.DeadLetterTargetARN)
		if deadLetters == nil {
			i.report(queue, "name a queue of the stack", "its dead-letter queue %s is not declared", redrive.DeadLetterTargetARN)
			return
		}
		if !i.hasAlarm(deadLetters) {
			i.report(deadLetters, "declare one on ApproximateNumberOfMessagesVisible, with an action", "no alarm tells that it has messages")
		}
		got, least := number(deadLetters, "messageRetentionSeconds", defaultMessageRetention), number(queue, "messageRetentionSeconds", defaultMessageRetention)
		if got <= least {
			i.report(deadLetters, "keep them as long as SQS does, 1209600 s", "it keeps messages for %v s, want longer than the %v s of %s", got, least, queue.Name)
		}
	})
}

// hasAlarm reports whether somebody is told when a queue has messages.
func (i *inspection) hasAlarm(queue *graph.Resource) bool {
	for _, alarm := range i.OfType(graph.MetricAlarm) {
		if alarm.String("namespace") == "AWS/SQS" && alarm.String("metricName") == "ApproximateNumberOfMessagesVisible" &&
			alarm.Object("dimensions")["QueueName"] == queue.Outputs["name"] && len(alarm.Strings("alarmActions")) > 0 {
			return true
		}
	}
	return false
}
