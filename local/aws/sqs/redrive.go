package sqs

import (
	"slices"
	"time"
)

// validateRedrive, called with the lock held, says why a queue cannot have the redrive policy.
func (s *Service) validateRedrive(queueARN string, p *RedrivePolicy) error {
	if p == nil {
		return nil
	}
	if p.MaxReceiveCount < 1 || p.MaxReceiveCount > 1000 {
		return invalidRedrivePolicy(p, "maxReceiveCount is %d: it must be 1 to 1000.", p.MaxReceiveCount)
	}
	target := s.byARN(p.DeadLetterTargetARN)
	if target == nil {
		return invalidRedrivePolicy(p, "The dead-letter queue %s does not exist: create that first.", p.DeadLetterTargetARN)
	}
	if !target.config.RedriveAllowPolicy.allows(queueARN) {
		return invalidRedrivePolicy(p, "The RedriveAllowPolicy of %s does not let %s be a source queue.", p.DeadLetterTargetARN, queueARN)
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

// deadLetterQueue, called with the lock held, returns the queue that the redrive policy names, or nil if there is none, or none any more.
func (q *Queue) deadLetterQueue() *Queue {
	if q.config.RedrivePolicy == nil {
		return nil
	}
	return q.service.byARN(q.config.RedrivePolicy.DeadLetterTargetARN)
}

// redrive, called with the lock held, moves a message that was taken out of the queue to the dead-letter queue. It keeps its
// id, its receive count and the time it was sent, which its retention there is counted from.
// https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/sqs-dead-letter-queues.html
func (q *Queue) redrive(m *message, target *Queue, now time.Time) {
	m.deadLetterSource = q.arn
	m.visibleAt, m.receipt, m.receivesHere = now, "", 0
	target.push(m)
	target.announce()
}
