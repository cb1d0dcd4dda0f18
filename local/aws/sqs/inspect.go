package sqs

import (
	"fmt"
	"slices"
	"time"
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
