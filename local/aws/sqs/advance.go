package sqs

import "time"

// Advance lets the messages' visibility timeouts and delays move on by a time, and returns how many
// messages became visible. As on AWS, a function that still works at such a message gets it again.
// SQS has no such operation; Advance exists for people who do not want to wait.
func (q *Queue) Advance(by time.Duration) (visible int) {
	q.service.mu.Lock()
	defer q.service.mu.Unlock()
	now := time.Now()
	for _, m := range q.messages {
		wasHidden := m.visibleAt.After(now)
		m.visibleAt = m.visibleAt.Add(-by) // of all messages, so that their order stays
		if wasHidden && !m.visibleAt.After(now) {
			visible++
		}
	}
	q.announce()
	return visible
}
