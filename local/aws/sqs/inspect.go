package sqs

import (
	"fmt"
	"slices"
	"time"
)

// Peek returns the messages that are in the queue, the oldest first, and at most as many as the limit. It receives none: nothing is hidden or
// counted, and there is no receipt handle. SQS has no such thing; it is for people who watch.
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

// Redrive sends the messages of a dead-letter queue back to where they came from, as StartMessageMoveTask does, and returns how many those are. They
// move after it has returned. The error is an *awsapi.Error: the queue is no dead-letter queue, or it is being moved already.
func (q *Queue) Redrive() (messages int, err error) {
	task, err := q.service.startMove(q.arn, "", 0)
	if err != nil {
		return 0, fmt.Errorf("redriving %s: %w", q.name, err)
	}
	return task.toMove, nil
}
