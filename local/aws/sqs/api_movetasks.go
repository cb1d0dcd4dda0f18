package sqs

import (
	"context"
)

type startMessageMoveTaskInput struct {
	SourceARN                    string `json:"SourceArn" xml:"SourceArn"`
	DestinationARN               string `json:"DestinationArn" xml:"DestinationArn"`
	MaxNumberOfMessagesPerSecond *int
}

type startMessageMoveTaskOutput struct {
	TaskHandle string
}

// https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_StartMessageMoveTask.html
func (s *Service) startMessageMoveTask(_ context.Context,
	in startMessageMoveTaskInput) (startMessageMoveTaskOutput, error) {
	if in.SourceARN == "" {
		return startMessageMoveTaskOutput{}, missingParameter("SourceArn")
	}
	rate := 0
	if asked := in.MaxNumberOfMessagesPerSecond; asked != nil {
		if rate = *asked; rate < 1 || rate > maxMoveRate {
			return startMessageMoveTaskOutput{}, outOfRange("MaxNumberOfMessagesPerSecond", rate, 1, maxMoveRate)
		}
	}
	task, err := s.startMove(in.SourceARN, in.DestinationARN, rate)
	if err != nil {
		return startMessageMoveTaskOutput{}, err
	}
	return startMessageMoveTaskOutput{TaskHandle: task.handle}, nil
}

type listMessageMoveTasksInput struct {
	SourceARN  string `json:"SourceArn" xml:"SourceArn"`
	MaxResults *int
}

type listMessageMoveTasksOutput struct {
	Results []messageMoveTask `xml:"ListMessageMoveTasksResultEntry"`
}

type messageMoveTask struct {
	ApproximateNumberOfMessagesMoved  int
	ApproximateNumberOfMessagesToMove int
	DestinationARN                    string `json:"DestinationArn,omitempty" xml:"DestinationArn,omitempty"`
	FailureReason                     string `json:",omitempty" xml:",omitempty"`
	MaxNumberOfMessagesPerSecond      int    `json:",omitempty" xml:",omitempty"`
	SourceARN                         string `json:"SourceArn" xml:"SourceArn"`
	StartedTimestamp                  int64  // in milliseconds since 1970
	Status                            string
	TaskHandle                        string `json:",omitempty" xml:",omitempty"` // set only while the task runs
}

// https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_ListMessageMoveTasks.html
func (s *Service) listMessageMoveTasks(_ context.Context,
	in listMessageMoveTasksInput) (listMessageMoveTasksOutput, error) {
	out := listMessageMoveTasksOutput{Results: []messageMoveTask{}}
	limit := 1
	if in.MaxResults != nil {
		limit = *in.MaxResults
	}
	switch {
	case in.SourceARN == "":
		return out, missingParameter("SourceArn")
	case limit < 1 || limit > maxMoveTasks:
		return out, outOfRange("MaxResults", limit, 1, maxMoveTasks)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	source := s.byARN(in.SourceARN)
	if source == nil {
		return out, sourceDoesNotExist()
	}
	tasks := s.tasksOf(source)
	for _, task := range tasks[:min(limit, len(tasks))] {
		out.Results = append(out.Results, task.describe())
	}
	return out, nil
}

// describe requires the lock.
func (t *moveTask) describe() messageMoveTask {
	d := messageMoveTask{
		ApproximateNumberOfMessagesMoved:  t.moved,
		ApproximateNumberOfMessagesToMove: t.toMove,
		DestinationARN:                    t.destination,
		FailureReason:                     t.failure,
		MaxNumberOfMessagesPerSecond:      t.rate,
		SourceARN:                         t.source.arn,
		StartedTimestamp:                  t.started.UnixMilli(),
		Status:                            t.status,
	}
	if t.status == taskRunning {
		d.TaskHandle = t.handle
	}
	return d
}

type cancelMessageMoveTaskInput struct {
	TaskHandle string
}

type cancelMessageMoveTaskOutput struct {
	ApproximateNumberOfMessagesMoved int
}

// https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_CancelMessageMoveTask.html
func (s *Service) cancelMessageMoveTask(_ context.Context,
	in cancelMessageMoveTaskInput) (cancelMessageMoveTaskOutput, error) {
	if in.TaskHandle == "" {
		return cancelMessageMoveTaskOutput{}, missingParameter("TaskHandle")
	}
	moved, err := s.cancelMove(in.TaskHandle)
	return cancelMessageMoveTaskOutput{ApproximateNumberOfMessagesMoved: moved}, err
}
