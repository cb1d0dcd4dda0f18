package sqs

import (
	"testing"
	"testing/synctest"
	"time"
)

// newDeadLetters returns a queue and its dead-letter queue, which has n messages of the queue.
func newDeadLetters(t *testing.T, s *Service, n int) (q, dlq *Queue) {
	t.Helper()
	dlq = newQueue(t, s, "dlq")
	q = newQueue(t, s, "q", visibility(0), redriveTo(dlq, 1))
	for range n {
		send(t, q, "x")
		receiveOne(t, q, 0)
		receive(t, q, 0)
	}
	return q, dlq
}

func wantTask(t *testing.T, s *Service, dlq *Queue, status string, moved int, failure string) {
	t.Helper()
	s.mu.Lock()
	defer s.mu.Unlock()
	got := s.tasksOf(dlq)[0].describe()
	if got.Status != status || got.ApproximateNumberOfMessagesMoved != moved || got.FailureReason != failure {
		t.Errorf("task: got %s, %d moved, %q; want %s, %d, %q", got.Status, got.ApproximateNumberOfMessagesMoved,
			got.FailureReason, status, moved, failure)
	}
}

func TestMoveKeepsItsRateAndCanBeCancelled(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newService()
		q, dlq := newDeadLetters(t, s, 10)
		task, err := s.startMove(dlq.ARN(), "", 2)
		if err != nil {
			t.Fatal(err)
		}
		time.Sleep(1750 * time.Millisecond)
		synctest.Wait()
		wantTask(t, s, dlq, taskRunning, 4, "") // at 0, 0.5, 1 and 1.5 s
		wantCounts(t, q, Counts{Visible: 4})

		moved, err := s.cancelMove(task.handle)
		if err != nil || moved != 4 {
			t.Errorf("cancelling: got %d moved, %v; want 4", moved, err)
		}
		time.Sleep(10 * time.Second)
		wantTask(t, s, dlq, taskCancelled, 4, "")
		wantCounts(t, dlq, Counts{Visible: 6})
		_, err = s.cancelMove(task.handle)
		wantCode(t, err, "InvalidParameterValueException")
		_, err = s.cancelMove("nonsense")
		wantCode(t, err, "InvalidParameterValueException")
		_, err = s.cancelMove(taskHandle{TaskID: "unknown", SourceARN: dlq.ARN()}.encode())
		wantCode(t, err, "ResourceNotFoundException")
	})
}

func TestMoveLeavesWhatIsInFlight(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newService()
		q, dlq := newDeadLetters(t, s, 3)
		if _, err := dlq.Receive(t.Context(), ReceiveOptions{MaxMessages: 1}); err != nil {
			t.Fatal(err)
		}
		if _, err := s.startMove(dlq.ARN(), "", 0); err != nil {
			t.Fatal(err)
		}
		synctest.Wait()
		wantTask(t, s, dlq, taskCompleted, 2, "")
		wantCounts(t, dlq, Counts{InFlight: 1})
		wantCounts(t, q, Counts{Visible: 2})
	})
}

func TestMovedMessageCountsItsRetentionAnew(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newService()
		q, dlq := newDeadLetters(t, s, 1)
		time.Sleep(3 * 24 * time.Hour)
		if _, err := s.startMove(dlq.ARN(), "", 0); err != nil {
			t.Fatal(err)
		}
		time.Sleep(3 * 24 * time.Hour)
		wantCounts(t, q, Counts{Visible: 1}) // six days after the first send, with a retention of four days
	})
}

func TestMoveFails(t *testing.T) {
	for _, tt := range []struct {
		name    string
		prepare func(t *testing.T, q, dlq *Queue)
		want    string
	}{
		{"origin unknown", func(t *testing.T, _, dlq *Queue) { send(t, dlq, "x") }, sourceUnknown},
		{"origin gone", func(t *testing.T, q, dlq *Queue) {
			newQueue(t, q.service, "other", redriveTo(dlq, 1)) // so that dlq stays a dead-letter queue
			send(t, q, "x")
			receiveOne(t, q, 0)
			receive(t, q, 0)
			q.delete()
		}, destinationNotThere},
	} {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s := newService()
				q, dlq := newDeadLetters(t, s, 0)
				tt.prepare(t, q, dlq)
				if _, err := s.startMove(dlq.ARN(), "", 0); err != nil {
					t.Fatal(err)
				}
				synctest.Wait()
				wantTask(t, s, dlq, taskFailed, 0, tt.want)
				wantCounts(t, dlq, Counts{Visible: 1})
			})
		})
	}
}

func TestCloseEndsMoves(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newService()
		_, dlq := newDeadLetters(t, s, 5)
		if _, err := s.startMove(dlq.ARN(), "", 1); err != nil {
			t.Fatal(err)
		}
		synctest.Wait()
		start := time.Now()
		s.Close()
		if waited := time.Since(start); waited != 0 {
			t.Errorf("closed after %v, want at once", waited)
		}
		wantTask(t, s, dlq, taskCancelled, 1, "")
	})
}

func TestTenTasksAreRemembered(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newService()
		_, dlq := newDeadLetters(t, s, 0)
		var last *moveTask
		for range 12 {
			var err error
			if last, err = s.startMove(dlq.ARN(), "", 0); err != nil {
				t.Fatal(err)
			}
			time.Sleep(time.Second)
		}
		if tasks := s.tasksOf(dlq); len(tasks) != 10 || tasks[0] != last {
			t.Errorf("got %d tasks, the latest first %v; want 10, true", len(tasks), tasks[0] == last)
		}
	})
}
