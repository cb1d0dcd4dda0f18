package sqs

import (
	"fmt"
	"slices"
	"time"

	"restock/local/view/events"
)

// Peek returns up to limit messages of the queue, the oldest first. It does not receive them: it
// neither hides nor counts them and returns no receipt handles. SQS has no such operation; Peek
// exists for people who watch a run.
func (q *Queue) Peek(limit int) []Message {
	q.service.mu.Lock()
	defer q.service.mu.Unlock()
	now := time.Now()
	var kept []*message
	for _, m := range q.messages {
		if !q.expired(m, now) {
			kept = append(kept, m)
		}
	}
	slices.SortFunc(kept, func(a, b *message) int { return a.arrival - b.arrival })
	messages := make([]Message, 0, min(limit, len(kept)))
	for _, m := range kept[:min(limit, len(kept))] {
		view := q.view(m)
		view.ReceiptHandle = ""
		messages = append(messages, view)
	}
	return messages
}

// Redrive moves the messages of a dead-letter queue back to their source queues, like
// StartMessageMoveTask, and returns their number. They move after Redrive has returned. The error
// is an *awsapi.Error if the queue is no dead-letter queue, or if a move is running already.
func (q *Queue) Redrive() (messages int, err error) {
	task, err := q.service.startMove(q.arn, "", 0)
	if err != nil {
		return 0, fmt.Errorf("redriving %s: %w", q.name, err)
	}
	return task.toMove, nil
}

// RedriveMessage moves one message of a dead-letter queue back to its source queue. SQS has no such
// operation: a person of AWS's console receives, sends and deletes the message. The error is an
// *awsapi.Error if the queue has no such message, or if the message did not come from a queue.
func (q *Queue) RedriveMessage(id string) error {
	as, err := q.redriveMessage(id, time.Now())
	if err != nil {
		return fmt.Errorf("redriving a message of %s: %w", q.name, err)
	}
	q.logRedriven(id, as)
	return nil
}

func (q *Queue) redriveMessage(id string, now time.Time) (as string, err error) {
	s := q.service
	s.mu.Lock()
	defer s.mu.Unlock()
	m := q.byID(id, now)
	if m == nil {
		return "", messageIsGone(id)
	}
	destination := s.byARN(m.deadLetterSource)
	if destination == nil {
		return "", resourceNotFound("The queue that message %s came from is not known, or does not exist.", id)
	}
	return q.moveTo(destination, m, now), nil
}

// DeleteMessage deletes the message with an id, also if a consumer has received it. The error is an
// *awsapi.Error if the queue has no such message.
func (q *Queue) DeleteMessage(id string) error {
	q.service.mu.Lock()
	m := q.byID(id, time.Now())
	if m != nil {
		q.remove(m)
	}
	q.service.mu.Unlock()
	if m == nil {
		return fmt.Errorf("deleting a message of %s: %w", q.name, messageIsGone(id))
	}
	q.service.log.Info("message deleted by a person", "queue", q.name, "message", id)
	return nil
}

// Oldest returns when the oldest message of the queue was sent. It is zero if the queue is empty.
func (q *Queue) Oldest() (sent time.Time) {
	q.service.mu.Lock()
	defer q.service.mu.Unlock()
	now := time.Now()
	for _, m := range q.messages {
		if !q.expired(m, now) && (sent.IsZero() || m.sentAt.Before(sent)) {
			sent = m.sentAt
		}
	}
	return sent
}

// byID returns a message with an id, or nil. It requires the lock.
func (q *Queue) byID(id string, now time.Time) *message {
	for _, m := range q.messages {
		if m.id == id && !q.expired(m, now) {
			return m
		}
	}
	return nil
}

func messageIsGone(id string) error {
	return resourceNotFound("Message %s is no longer in the queue.", id)
}

func (q *Queue) logRedriven(from, as string) {
	q.service.log.Debug("message moved out of the dead-letter queue", events.MessageRedriven.Attr(),
		"queue", q.name, "message", from, "queue_message", as)
}
