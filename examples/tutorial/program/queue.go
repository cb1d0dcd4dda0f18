package program

import (
	"fmt"
	"time"

	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/sqs"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"restock/infra/outputs"
	"restock/infra/policy"
)

// consumerTimeout is the time that the consumer may take for a batch.
const consumerTimeout = time.Second

const (
	// AWS recommends a visibility timeout of at least 6 times the function's timeout, and at least
	// 5 receives:
	// https://docs.aws.amazon.com/lambda/latest/dg/services-sqs-configure.html#events-sqs-queueconfig
	visibilityTimeout = 6 * consumerTimeout
	maxReceiveCount   = 5

	retention            = 4 * 24 * time.Hour
	deadLettersRetention = 14 * 24 * time.Hour // SQS's maximum
)

// A queue is a queue with a dead-letter queue, for messages that the consumer cannot handle.
type queue struct {
	*sqs.Queue
	deadLetters *sqs.Queue
}

func newQueue(ctx *pulumi.Context) (*queue, error) {
	deadLetters, err := encryptedQueue(ctx, "messages_dlq", sqs.QueueArgs{
		MessageRetentionSeconds: seconds(deadLettersRetention),
	})
	if err != nil {
		return nil, err
	}
	messages, err := encryptedQueue(ctx, "messages", sqs.QueueArgs{
		VisibilityTimeoutSeconds: seconds(visibilityTimeout),
		MessageRetentionSeconds:  seconds(retention),
		RedrivePolicy: outputs.JSON(func(arns []string) any {
			return map[string]any{"deadLetterTargetArn": arns[0], "maxReceiveCount": maxReceiveCount}
		}, deadLetters.Arn),
	})
	if err != nil {
		return nil, err
	}
	return &queue{messages, deadLetters}, nil
}

// encryptedQueue creates a queue that encrypts its messages and refuses connections without TLS.
func encryptedQueue(ctx *pulumi.Context, name string, args sqs.QueueArgs) (*sqs.Queue, error) {
	args.SqsManagedSseEnabled = pulumi.Bool(true)
	q, err := sqs.NewQueue(ctx, name, &args)
	if err != nil {
		return nil, fmt.Errorf("creating queue %s: %w", name, err)
	}
	_, err = sqs.NewQueuePolicy(ctx, name, &sqs.QueuePolicyArgs{
		QueueUrl: q.Url,
		Policy: outputs.JSON(func(arns []string) any {
			actions := []string{"sqs:SendMessage", "sqs:ReceiveMessage", "sqs:DeleteMessage"}
			return policy.New(policy.EncryptedOnly(arns[0], actions...))
		}, q.Arn),
	}, pulumi.Parent(q))
	if err != nil {
		return nil, fmt.Errorf("requiring TLS for queue %s: %w", name, err)
	}
	return q, nil
}
