package sqs

import (
	"cmp"
	"context"
	"encoding/base64"
	"encoding/json"
	"slices"
	"time"

	"github.com/google/uuid"
)

// The states of a message move task, and the reason for a failure.
// https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_ListMessageMoveTasksResultEntry.html
const (
	taskRunning   = "RUNNING"
	taskCompleted = "COMPLETED"
	taskCancelled = "CANCELLED"
	taskFailed    = "FAILED"

	sourceUnknown       = "CouldNotDetermineMessageSource"
	destinationNotThere = "AWS.SimpleQueueService.NonExistentQueue"
)

const (
	maxMoveRate  = 500 // messages a second
	maxMoveTasks = 10  // how many finished tasks a queue remembers
)

// moveTask moves the messages of a dead-letter queue back to their source queues, or to one other
// queue.
// https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/sqs-configure-dead-letter-queue-redrive.html
type moveTask struct {
	handle      string
	source      *Queue
	destination string // ARN; "" for the source queue of each message
	rate        int    // messages a second; 0 is unlimited
	started     time.Time
	toMove      int // when it started
	cancel      context.CancelFunc

	// The following fields are guarded by service.mu.

	status  string
	moved   int
	failure string // the reason for taskFailed
}

// startMove starts a task. Its source must be a dead-letter queue without a running task.
func (s *Service) startMove(sourceARN, destinationARN string, rate int) (*moveTask, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	source := s.byARN(sourceARN)
	switch {
	case source == nil:
		return nil, sourceDoesNotExist()
	case !s.isDeadLetterQueue(sourceARN):
		return nil, invalidParameter("Source queue must be configured as a Dead Letter Queue.")
	case destinationARN == sourceARN:
		return nil, invalidParameter("The source queue and the destination queue must be different.")
	case destinationARN != "" && s.byARN(destinationARN) == nil:
		return nil, resourceNotFound("The resource that you specified for the DestinationArn parameter doesn't exist.")
	case destinationARN != "" && s.byARN(destinationARN).config.FIFO != source.config.FIFO:
		return nil, invalidParameter("The source queue and the destination queue must be of the same type.")
	}
	tasks := s.tasksOf(source)
	if len(tasks) > 0 && tasks[0].status == taskRunning {
		return nil, invalidParameter(
			"There is already a task running. Only one active task is allowed for a source queue arn at a given time.")
	}
	if len(tasks) >= maxMoveTasks {
		delete(s.moveTasks, tasks[len(tasks)-1].handle)
	}
	ctx, cancel := context.WithCancel(s.running)
	now := time.Now()
	task := &moveTask{
		handle:      taskHandle{TaskID: uuid.NewString(), SourceARN: sourceARN}.encode(),
		source:      source,
		destination: destinationARN,
		rate:        rate,
		started:     now,
		toMove:      source.count(now).Visible,
		cancel:      cancel,
		status:      taskRunning,
	}
	s.moveTasks[task.handle] = task
	s.movers.Go(func() {
		defer cancel()
		task.run(ctx)
	})
	return task, nil
}

// isDeadLetterQueue requires the lock.
func (s *Service) isDeadLetterQueue(arn string) bool {
	for _, q := range s.queues {
		if p := q.config.RedrivePolicy; p != nil && p.DeadLetterTargetARN == arn {
			return true
		}
	}
	return false
}

// tasksOf returns a queue's tasks, the latest first. It requires the lock.
func (s *Service) tasksOf(source *Queue) []*moveTask {
	var tasks []*moveTask
	for _, task := range s.moveTasks {
		if task.source == source {
			tasks = append(tasks, task)
		}
	}
	slices.SortFunc(tasks, func(a, b *moveTask) int {
		return cmp.Or(b.started.Compare(a.started), cmp.Compare(b.handle, a.handle))
	})
	return tasks
}

func (t *moveTask) run(ctx context.Context) {
	log := t.source.service.log.With("queue", t.source.name)
	log.Info("moving messages out of the dead-letter queue", "messages", t.toMove,
		"destination", cmp.Or(t.destination, "where they came from"))
	for ctx.Err() == nil {
		from, as, ok := t.moveOne()
		if !ok {
			break
		}
		t.source.logRedriven(from, as)
		if t.rate == 0 {
			continue
		}
		select {
		case <-time.After(time.Second / time.Duration(t.rate)):
		case <-ctx.Done():
		}
	}
	status, moved, failure := t.end()
	log.Info("moving messages out of the dead-letter queue ended", "status", status, "moved", moved, "reason", failure)
}

// moveOne moves the first visible message, if there is one.
func (t *moveTask) moveOne() (from, as string, ok bool) {
	s, now := t.source.service, time.Now()
	s.mu.Lock()
	defer s.mu.Unlock()
	if t.status != taskRunning {
		return "", "", false
	}
	m := t.source.firstVisible(now)
	if m == nil {
		t.status = taskCompleted
		return "", "", false
	}
	arn := cmp.Or(t.destination, m.deadLetterSource)
	destination := s.byARN(arn)
	switch {
	case arn == "":
		t.status, t.failure = taskFailed, sourceUnknown
		return "", "", false
	case destination == nil:
		t.status, t.failure = taskFailed, destinationNotThere
		return "", "", false
	}
	t.moved++
	return m.id, t.source.moveTo(destination, m, now), true
}

// moveTo moves a message to another queue and returns its new id. A moved message is a new message
// with its own id, sent time and retention. moveTo requires the lock.
func (q *Queue) moveTo(destination *Queue, m *message, now time.Time) (as string) {
	q.remove(m)
	as = uuid.NewString()
	destination.push(&message{
		key: as, id: as, body: m.body, attributes: m.attributes, senderID: m.senderID,
		traceHeader: m.traceHeader, groupID: m.groupID, deduplicationID: m.deduplicationID, span: m.span,
		sentAt: now, visibleAt: now,
	})
	destination.announce()
	return as
}

// end sets the final status of a task that has stopped.
func (t *moveTask) end() (status string, moved int, failure string) {
	t.source.service.mu.Lock()
	defer t.source.service.mu.Unlock()
	if t.status == taskRunning {
		t.status = taskCancelled // by Close
	}
	return t.status, t.moved, t.failure
}

// firstVisible returns the message that the next receive would return, or nil. It requires the
// lock.
func (q *Queue) firstVisible(now time.Time) *message {
	for len(q.order) > 0 && !q.order[0].visibleAt.After(now) {
		if m := q.order[0]; !q.expired(m, now) {
			return m
		}
		q.remove(q.order[0])
	}
	return nil
}

// taskHandle is the content of a task's handle on AWS.
type taskHandle struct {
	TaskID    string `json:"taskId"`
	SourceARN string `json:"sourceArn"`
}

func (h taskHandle) encode() string { return base64.StdEncoding.EncodeToString([]byte(marshal(h))) }

func parseTaskHandle(handle string) (h taskHandle, ok bool) {
	text, err := base64.StdEncoding.DecodeString(handle)
	return h, err == nil && json.Unmarshal(text, &h) == nil && h.TaskID != "" && h.SourceARN != ""
}

// cancelMove stops a running task and returns the number of messages that it has moved.
func (s *Service) cancelMove(handle string) (moved int, err error) {
	h, valid := parseTaskHandle(handle)
	s.mu.Lock()
	defer s.mu.Unlock()
	task, ok := s.moveTasks[handle]
	switch {
	case !valid:
		return 0, invalidParameter("Value for parameter TaskHandle is invalid.")
	case s.byARN(h.SourceARN) == nil:
		return 0, sourceDoesNotExist()
	case !ok:
		return 0, resourceNotFound("Task does not exist.")
	case task.status != taskRunning:
		return 0, invalidParameter("Only active tasks can be cancelled.")
	}
	task.status = taskCancelled
	task.cancel()
	return task.moved, nil
}
