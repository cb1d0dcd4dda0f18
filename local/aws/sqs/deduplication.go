package sqs

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"time"
)

// deduplicationInterval is the time in which a FIFO queue or topic accepts a second message with a
// deduplication id without delivering it.
// https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/using-messagededuplicationid-property.html
const deduplicationInterval = 5 * time.Minute

// A Deduplicator remembers the messages that a FIFO queue or topic accepted within
// deduplicationInterval. M is what the sender of a message learns about it. The caller of its
// methods must hold a lock.
type Deduplicator[M any] struct {
	// PerGroup says that a deduplication id counts within its message group only.
	PerGroup bool

	accepted map[deduplicationKey]accepted[M]
	history  []deduplicationKey // the keys of accepted, the oldest first
}

// deduplicationKey identifies messages of which one is delivered. The group is "" if the
// deduplication id counts for the queue or the topic as a whole.
type deduplicationKey struct{ group, id string }

type accepted[M any] struct {
	message M
	at      time.Time
}

func (d *Deduplicator[M]) key(groupID, deduplicationID string) deduplicationKey {
	if d.PerGroup {
		return deduplicationKey{groupID, deduplicationID}
	}
	return deduplicationKey{id: deduplicationID}
}

// Original returns the message whose duplicate the caller is about to accept, if there is one.
func (d *Deduplicator[M]) Original(groupID, deduplicationID string, now time.Time) (original M, isDuplicate bool) {
	for len(d.history) > 0 && now.Sub(d.accepted[d.history[0]].at) >= deduplicationInterval {
		delete(d.accepted, d.history[0])
		d.history = d.history[1:]
	}
	found, isDuplicate := d.accepted[d.key(groupID, deduplicationID)]
	return found.message, isDuplicate
}

// Remember keeps a message that is accepted now.
func (d *Deduplicator[M]) Remember(groupID, deduplicationID string, now time.Time, m M) {
	key := d.key(groupID, deduplicationID)
	if d.accepted == nil {
		d.accepted = map[deduplicationKey]accepted[M]{}
	}
	d.accepted[key] = accepted[M]{m, now}
	d.history = append(d.history, key)
}

// ContentID returns the deduplication id that a FIFO queue or topic derives from a body.
func ContentID(body string) string {
	sum := sha256.Sum256([]byte(body))
	return hex.EncodeToString(sum[:])
}

// SequenceNumber returns the number of the nth message of a FIFO queue or topic. AWS's numbers have
// 20 digits too.
func SequenceNumber(n int) string { return fmt.Sprintf("1%019d", n) }
