package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"syscall"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sqs"
	"github.com/aws/aws-sdk-go-v2/service/sqs/types"
)

// A redrive is what became of a dead-letter queue's messages.
type redrive struct {
	Queue string `json:"queue"`
	Moved int64  `json:"moved"`
}

// pollInterval is between two looks at how far a redrive is.
const pollInterval = 500 * time.Millisecond

func redriveCommand() command {
	var queue string
	return command{name: "redrive", summary: "send the messages of the dead-letter queue back to where they came from",
		flags: func(f *flag.FlagSet) {
			f.StringVar(&queue, "queue", "", "the dead-letter queue's `name`, where it is another than the stack's deadLetterQueueName")
		},
		run: func(ctx context.Context, s *session, _ []string) error {
			if queue == "" {
				var err error
				if queue, err = s.target.deadLetters(ctx); err != nil {
					return err
				}
			}
			done, err := s.redrive(ctx, queue)
			if err != nil {
				return fmt.Errorf("redriving %s: %w", queue, err)
			}
			return s.show(done, func() {
				fmt.Fprintf(s.out, "%s went from %s back to where they came from.\n", messages(done.Moved), queue)
			})
		}}
}

func messages(n int64) string {
	if n == 1 {
		return "1 message"
	}
	return amount(n) + " messages"
}

// redrive has SQS move a queue's messages, and waits until it has.
// https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/sqs-configure-dead-letter-queue-redrive.html
func (s *session) redrive(ctx context.Context, queue string) (redrive, error) {
	client := sqs.NewFromConfig(s.target.aws)
	url, err := client.GetQueueUrl(ctx, &sqs.GetQueueUrlInput{QueueName: &queue})
	if err != nil {
		return redrive{}, s.sqsFailed(err)
	}
	attributes, err := client.GetQueueAttributes(ctx, &sqs.GetQueueAttributesInput{QueueUrl: url.QueueUrl, AttributeNames: []types.QueueAttributeName{types.QueueAttributeNameQueueArn}})
	if err != nil {
		return redrive{}, s.sqsFailed(err)
	}
	arn := attributes.Attributes[string(types.QueueAttributeNameQueueArn)]
	if _, err := client.StartMessageMoveTask(ctx, &sqs.StartMessageMoveTaskInput{SourceArn: &arn}); err != nil {
		return redrive{}, s.sqsFailed(err)
	}
	tick := time.NewTicker(pollInterval)
	defer tick.Stop()
	told := int64(-1)
	for {
		tasks, err := client.ListMessageMoveTasks(ctx, &sqs.ListMessageMoveTasksInput{SourceArn: &arn, MaxResults: aws.Int32(1)}) // the latest
		if err != nil {
			return redrive{}, s.sqsFailed(err)
		}
		if len(tasks.Results) == 0 {
			return redrive{}, errors.New("SQS knows nothing of it, though it was started")
		}
		task := tasks.Results[0]
		moved := task.ApproximateNumberOfMessagesMoved
		switch status := aws.ToString(task.Status); status {
		case "COMPLETED":
			return redrive{queue, moved}, nil
		case "FAILED", "CANCELLED":
			return redrive{}, fmt.Errorf("it is %s after %s: %s", status, messages(moved), aws.ToString(task.FailureReason))
		}
		if moved != told {
			fmt.Fprintf(s.errors, "%s of %s\n", amount(moved), amount(aws.ToInt64(task.ApproximateNumberOfMessagesToMove)))
			told = moved
		}
		select {
		case <-ctx.Done():
			return redrive{}, ctx.Err()
		case <-tick.C:
		}
	}
}

// sqsFailed says what to do about a call of SQS that failed.
func (s *session) sqsFailed(err error) error {
	var missing *types.QueueDoesNotExist
	switch {
	case errors.Is(err, syscall.ECONNREFUSED) && s.target.local:
		return fmt.Errorf("nothing listens on %s: is the local run up? It is started by make local", aws.ToString(s.target.aws.BaseEndpoint))
	case errors.As(err, &missing):
		return fmt.Errorf("there is no such queue in region %s", s.target.aws.Region)
	}
	return errors.New(oneLine([]byte(err.Error())))
}
