package sqs

import (
	"container/heap"
	"fmt"
	"slices"
	"time"
)

// fifoSuffix ends the name of a FIFO queue, and of no other queue.
const fifoSuffix = ".fifo"

// fifo is the state that only a FIFO queue has. The queue's service.mu guards it.
type fifo struct {
	// groups are the messages of each message group, in the order of their arrival. The queue's
	// order has only the first message of each group, because a message that is in flight or
	// delayed blocks all later messages of its group.
	groups map[string][]*message

	// sent has the scope of deduplication at the queue's creation. AWS ignores a later change
	// (LocalStack's sqs/test_sqs, 2025-08-19: test_fifo_change_to_high_throughput_after_creation).
	sent Deduplicator[sentMessage]
}

func newFIFO(perGroup bool) *fifo {
	return &fifo{groups: map[string][]*message{}, sent: Deduplicator[sentMessage]{PerGroup: perGroup}}
}

// clear forgets all messages. A purge also ends their deduplication (LocalStack's sqs/test_sqs:
// test_purge_queue_clears_fifo_deduplication_cache).
func (f *fifo) clear() { *f = *newFIFO(f.sent.PerGroup) }

// edit changes the messages of a group, and keeps the first of them in the queue's order. A new
// first message may be visible, so waiting receivers must look again.
func (q *Queue) edit(groupID string, change func([]*message) []*message) {
	group := q.fifo.groups[groupID]
	var first *message
	if len(group) > 0 {
		first = group[0]
	}
	group = change(group)
	if len(group) > 0 && group[0] == first {
		q.fifo.groups[groupID] = group
		return
	}
	if first != nil {
		heap.Remove(&q.order, first.index)
	}
	if len(group) > 0 {
		q.fifo.groups[groupID] = group
		heap.Push(&q.order, group[0])
	} else {
		delete(q.fifo.groups, groupID)
	}
	q.announce()
}

func (q *Queue) addToGroup(m *message) {
	q.edit(m.groupID, func(group []*message) []*message {
		i, _ := slices.BinarySearchFunc(group, m, func(a, b *message) int { return a.arrival - b.arrival })
		return slices.Insert(group, i, m)
	})
}

func (q *Queue) removeFromGroup(m *message) {
	q.edit(m.groupID, func(group []*message) []*message {
		i := slices.Index(group, m)
		return slices.Delete(group, i, i+1)
	})
}

// validateFIFO checks the parameters that a FIFO queue requires or refuses. The texts are AWS's.
func (c QueueConfig) validateFIFO(in SendInput) error {
	switch {
	case in.GroupID == "":
		return missingParameter("MessageGroupId")
	case in.DeduplicationID == "" && !c.ContentBasedDeduplication:
		return noDeduplicationID()
	case in.Delay != nil && *in.Delay != 0:
		return wrongQueueType("DelaySeconds", fmt.Sprint(int(*in.Delay/time.Second)))
	default:
		return nil
	}
}
