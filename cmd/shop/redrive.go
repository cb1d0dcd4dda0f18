package main

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"syscall"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sqs"
	"github.com/aws/aws-sdk-go-v2/service/sqs/types"
	"github.com/google/uuid"
	"github.com/spf13/pflag"

	"restock/internal/message"
)

// A redrive is the result of moving the messages of a dead-letter queue back.
type redrive struct {
	Queue string `json:"queue"`
	Moved int64  `json:"moved"`
	letters
}

// letters count the dead letters that were read before the move.
type letters struct {
	LookedAt int `json:"looked_at"`
	Orders   int `json:"orders"`  // production orders that the letters belong to; several letters may belong to one
	Expired  int `json:"expired"` // stock drops these
}

// String returns a sentence or two for people, or "" if no message was read.
func (l letters) String() string {
	if l.LookedAt == 0 {
		return ""
	}
	orders := "production orders"
	if l.Orders == 1 {
		orders = "production order"
	}
	text := fmt.Sprintf("%s read before: for %s %s, %s expired.", messages(int64(l.LookedAt)), amount(l.Orders), orders,
		amount(l.Expired))
	if l.Expired > 0 {
		text += " The function stock drops expired messages: the sweep requests them again."
	}
	return text + "\n"
}

// pollInterval is the time between two requests for the state of a redrive.
const pollInterval = 500 * time.Millisecond

func redriveCommand() command {
	var queue string
	return command{name: "redrive", summary: "send the messages of the dead-letter queue back to where they came from",
		examples: "redrive --local\nredrive --url https://… --queue stock_queue_dlq",
		flags: func(f *pflag.FlagSet) {
			f.StringVar(&queue, "queue", "",
				"the dead-letter queue's `name`; default: the stack's output deadLetterQueueName")
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
				fmt.Fprintf(s.out, "%s went from %s back to where they came from.\n%s",
					messages(done.Moved), queue, done.letters)
			})
		}}
}

func messages(n int64) string {
	if n == 1 {
		return "1 message"
	}
	return amount(n) + " messages"
}

// redrive makes SQS move a queue's messages, and waits until SQS has moved them.
// https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/sqs-configure-dead-letter-queue-redrive.html
func (s *session) redrive(ctx context.Context, queue string) (redrive, error) {
	client := sqs.NewFromConfig(s.target.aws)
	url, err := client.GetQueueUrl(ctx, &sqs.GetQueueUrlInput{QueueName: &queue})
	if err != nil {
		return redrive{}, s.sqsFailed(err)
	}
	attributes, err := client.GetQueueAttributes(ctx,
		&sqs.GetQueueAttributesInput{QueueUrl: url.QueueUrl, AttributeNames: []types.QueueAttributeName{
			types.QueueAttributeNameQueueArn, types.QueueAttributeNameApproximateNumberOfMessages,
		}})
	if err != nil {
		return redrive{}, s.sqsFailed(err)
	}
	// 0 if it is no number: look then reads nothing
	count, _ := strconv.Atoi(attributes.Attributes[string(types.QueueAttributeNameApproximateNumberOfMessages)])
	seen, err := look(ctx, client, url.QueueUrl, count)
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
		// the latest
		tasks, err := client.ListMessageMoveTasks(ctx, &sqs.ListMessageMoveTasksInput{
			SourceArn: &arn, MaxResults: aws.Int32(1),
		})
		if err != nil {
			return redrive{}, s.sqsFailed(err)
		}
		if len(tasks.Results) == 0 {
			return redrive{}, errors.New("SQS does not list the task that it has started")
		}
		task := tasks.Results[0]
		moved := task.ApproximateNumberOfMessagesMoved
		switch status := aws.ToString(task.Status); status {
		case "COMPLETED":
			return redrive{queue, moved, seen}, nil
		case "FAILED", "CANCELLED":
			return redrive{}, fmt.Errorf("it is %s after %s: %s", status, messages(moved),
				aws.ToString(task.FailureReason))
		}
		if moved != told {
			fmt.Fprintf(s.errors, "%s of %s\n", amount(moved),
				amount(aws.ToInt64(task.ApproximateNumberOfMessagesToMove)))
			told = moved
		}
		select {
		case <-ctx.Done():
			return redrive{}, ctx.Err()
		case <-tick.C:
		}
	}
}

const (
	// maxLooked limits the dead letters that look reads.
	maxLooked = 1000
	// lookTimeout hides a received message, in seconds. The SDK cannot request a shorter time.
	lookTimeout = 1
)

// look reads the messages of a queue without deleting them, since SQS shows a message only to a
// receiver. It returns when all of them are visible again.
func look(ctx context.Context, client *sqs.Client, url *string, count int) (l letters, err error) {
	seen, orders, now := map[string]bool{}, map[uuid.UUID]bool{}, time.Now()
	for news := true; news && len(seen) < min(count, maxLooked); {
		out, err := client.ReceiveMessage(ctx, &sqs.ReceiveMessageInput{
			QueueUrl: url, MaxNumberOfMessages: 10, VisibilityTimeout: lookTimeout, WaitTimeSeconds: 1,
		})
		if err != nil {
			return l, err
		}
		news = false
		for _, m := range out.Messages {
			if id := aws.ToString(m.MessageId); !seen[id] {
				seen[id], news = true, true
				if m, err := message.Parse(aws.ToString(m.Body)); err == nil { // other messages belong to no order
					orders[m.ProductionOrderID] = true
					if m.Expired(now) {
						l.Expired++
					}
				}
			}
		}
	}
	l.LookedAt, l.Orders = len(seen), len(orders)
	if len(seen) == 0 {
		return l, nil
	}
	select {
	case <-ctx.Done():
		return l, ctx.Err()
	case <-time.After(lookTimeout * time.Second):
		return l, nil
	}
}

// sqsFailed says what to do about a failed call of SQS.
func (s *session) sqsFailed(err error) error {
	var missing *types.QueueDoesNotExist
	switch {
	case errors.Is(err, syscall.ECONNREFUSED) && s.target.local:
		return fmt.Errorf("nothing listens on %s: %s", aws.ToString(s.target.aws.BaseEndpoint), s.target.notUp)
	case errors.As(err, &missing):
		return fmt.Errorf("there is no such queue in region %s", s.target.aws.Region)
	}
	return errors.New(oneLine([]byte(err.Error())))
}
