package sqs

import (
	"slices"
	"time"
)

// validateRedrive returns an error if a queue cannot have its redrive policy. It requires the lock.
func (s *Service) validateRedrive(queueARN string, config QueueConfig) error {
	p := config.RedrivePolicy
	if p == nil {
		return nil
	}
	if p.MaxReceiveCount < 1 || p.MaxReceiveCount > 1000 {
		return invalidRedrivePolicy(p, "maxReceiveCount is %d: it must be 1 to 1000.", p.MaxReceiveCount)
	}
	target := s.byARN(p.DeadLetterTargetARN)
	if target == nil {
		return invalidRedrivePolicy(p, "The dead-letter queue %s does not exist: create that first.",
			p.DeadLetterTargetARN)
	}
	if target.config.FIFO != config.FIFO {
		return invalidRedrivePolicy(p, "Dead-letter queue must be same type of queue as the source.")
	}
	if !target.config.RedriveAllowPolicy.allows(queueARN) {
		return invalidRedrivePolicy(p, "The RedriveAllowPolicy of %s does not let %s be a source queue.",
			p.DeadLetterTargetARN, queueARN)
	}
	return nil
}

func (p *RedriveAllowPolicy) allows(queueARN string) bool {
	switch {
	case p == nil, p.Permission == "allowAll":
		return true
	case p.Permission == "byQueue":
		return slices.Contains(p.SourceQueueARNs, queueARN)
	default:
		return false
	}
}

// deadLetterQueue returns the queue that the redrive policy names, or nil if there is no policy or
// the queue no longer exists. It requires the lock.
func (q *Queue) deadLetterQueue() *Queue {
	if q.config.RedrivePolicy == nil {
		return nil
	}
	return q.service.byARN(q.config.RedrivePolicy.DeadLetterTargetARN)
}

// redrive moves a message, which the caller has removed from the queue, to the dead-letter queue.
// The message keeps its id, its receive count and its sent time, from which its retention there
// counts. In a FIFO queue, the id becomes its deduplication id. redrive requires the lock.
// https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/sqs-dead-letter-queues.html
// https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/sqs-configure-dead-letter-queue-redrive.html
func (q *Queue) redrive(m *message, target *Queue, now time.Time) {
	m.deadLetterSource = q.arn
	m.visibleAt, m.receipt, m.receivesHere = now, "", 0
	if target.fifo != nil {
		m.deduplicationID = m.id
	}
	target.push(m)
	target.announce()
}
