package rules

import "restock/infra/graph"

// checkBatch checks the batch of an event source. A batch of more than 10 messages needs a window,
// which a FIFO queue cannot have.
// https://docs.aws.amazon.com/lambda/latest/api/API_CreateEventSourceMapping.html
// https://docs.aws.amazon.com/lambda/latest/dg/services-sqs-parameters.html
func (i *inspection) checkBatch(r *graph.Resource) {
	queue := i.Find(graph.Queue, "arn", r.String("eventSourceArn"))
	if queue == nil {
		return
	}
	size, window := r.Number("batchSize"), r.Number("maximumBatchingWindowInSeconds")
	if !queue.Bool("fifoQueue") {
		if size > 10 && window < 1 {
			i.report(r, "set batchSize to 10 or less, or set maximumBatchingWindowInSeconds to 1 or more",
				"batchSize is %v, and maximumBatchingWindowInSeconds is 0: Lambda refuses more than 10 without a "+
					"window", size)
		}
		return
	}
	if size > 10 {
		i.report(r, "set batchSize to 10 or less",
			"batchSize is %v, want 10 at most for the FIFO queue %s: Lambda refuses it", size, queue.Name)
	}
	if window > 0 {
		i.report(r, "delete it", "maximumBatchingWindowInSeconds is %v, want 0 for the FIFO queue %s: Lambda refuses "+
			"it with \"Batching window is not supported for FIFO queues\"", window, queue.Name)
	}
}

// checkFIFOSubscription checks that SNS accepts the types of what a subscription connects. A FIFO
// queue receives from FIFO topics only. A FIFO topic delivers to queues only. The dead-letter queue
// of a FIFO queue's subscription is a FIFO queue.
// https://docs.aws.amazon.com/sns/latest/dg/fifo-message-delivery.html
// https://docs.aws.amazon.com/sns/latest/dg/sns-configure-dead-letter-queue.html
func (i *inspection) checkFIFOSubscription(r *graph.Resource) {
	topic, protocol := i.Find(graph.Topic, "arn", r.String("topic")), r.String("protocol")
	if topic == nil {
		return
	}
	if topic.Bool("fifoTopic") && protocol != "sqs" {
		i.report(r, "subscribe a queue, or use a standard topic",
			"its protocol is %s, want sqs for the FIFO topic %s: SNS refuses it with \"Invalid protocol type: %s\"",
			protocol, topic.Name, protocol)
	}
	queue := i.Find(graph.Queue, "arn", r.String("endpoint"))
	isFIFO := queue != nil && queue.Bool("fifoQueue")
	if isFIFO && !topic.Bool("fifoTopic") {
		i.report(r, "make topic "+topic.Name+" a FIFO topic, or the queue a standard queue",
			"queue %s is a FIFO queue, and topic %s is not a FIFO topic: SNS refuses it with \"FIFO SQS Queues can "+
				"not be subscribed to standard SNS topics\"", queue.Name, topic.Name)
	}
	letters := i.Find(graph.Queue, "arn", i.redrivePolicy(r).DeadLetterTargetARN)
	switch {
	case letters == nil:
	case isFIFO && !letters.Bool("fifoQueue"):
		i.report(r, "make "+letters.Name+" a FIFO queue", "its dead-letter queue %s is not a FIFO queue, and queue %s "+
			"is one: SNS refuses it with \"must use a FIFO queue as DLQ for a FIFO Subscription to a FIFO Topic\"",
			letters.Name, queue.Name)
	case letters.Bool("fifoQueue") && !topic.Bool("fifoTopic") && !isFIFO:
		i.report(r, "make "+letters.Name+" a standard queue", "its dead-letter queue %s is a FIFO queue, and topic %s "+
			"is not a FIFO topic: SNS refuses it", letters.Name, topic.Name)
	}
}
