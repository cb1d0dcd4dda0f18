package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strconv"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/secretsmanager"
	"github.com/aws/aws-sdk-go-v2/service/sqs"
	"github.com/aws/aws-sdk-go-v2/service/sqs/types"
)

// awsClients are clients of the AWS endpoint with full permissions.
type awsClients struct {
	queues  *sqs.Client
	secrets *secretsmanager.Client
	secret  string // ARN of the secret that rotates
}

func newAWSClients(endpoint, region string) (awsClients, error) {
	config := aws.Config{
		Region: region, BaseEndpoint: aws.String(endpoint),
		Credentials: credentials.NewStaticCredentialsProvider("local", "local", ""),
	}
	c := awsClients{queues: sqs.NewFromConfig(config), secrets: secretsmanager.NewFromConfig(config)}
	list, err := c.secrets.ListSecrets(context.Background(), &secretsmanager.ListSecretsInput{})
	if err != nil {
		return c, err
	}
	for _, s := range list.SecretList {
		if aws.ToBool(s.RotationEnabled) {
			c.secret = aws.ToString(s.ARN)
			return c, nil
		}
	}
	return c, errors.New("no secret rotates")
}

// rotate starts a rotation of the secret.
func (c awsClients) rotate(ctx context.Context) error {
	// Another fault may make Secrets Manager hang, so the call has a timeout.
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	_, err := c.secrets.RotateSecret(ctx, &secretsmanager.RotateSecretInput{SecretId: &c.secret})
	return err
}

// waiting returns the number of messages in a queue, including hidden ones.
func (c awsClients) waiting(ctx context.Context, queue string) (n int, err error) {
	url, err := c.queues.GetQueueUrl(ctx, &sqs.GetQueueUrlInput{QueueName: &queue})
	if err != nil {
		return 0, err
	}
	out, err := c.queues.GetQueueAttributes(ctx, &sqs.GetQueueAttributesInput{
		QueueUrl: url.QueueUrl, AttributeNames: []types.QueueAttributeName{types.QueueAttributeNameAll},
	})
	if err != nil {
		return 0, err
	}
	for _, name := range []types.QueueAttributeName{
		types.QueueAttributeNameApproximateNumberOfMessages,
		types.QueueAttributeNameApproximateNumberOfMessagesNotVisible,
		types.QueueAttributeNameApproximateNumberOfMessagesDelayed,
	} {
		k, err := strconv.Atoi(out.Attributes[string(name)])
		if err != nil {
			return 0, fmt.Errorf("queue %s: %s is %q", queue, name, out.Attributes[string(name)])
		}
		n += k
	}
	return n, nil
}

// deadLetters empties a dead-letter queue, and returns the number of messages by what they are
// about. It counts two copies of a message once: queues deliver some messages twice.
func (c awsClients) deadLetters(
	ctx context.Context, queue string, about func(types.Message) string,
) (numbers map[string]int, err error) {
	url, err := c.queues.GetQueueUrl(ctx, &sqs.GetQueueUrlInput{QueueName: &queue})
	if err != nil {
		return nil, err
	}
	numbers = map[string]int{}
	seen := map[string]bool{}
	for {
		out, err := c.queues.ReceiveMessage(ctx, &sqs.ReceiveMessageInput{
			QueueUrl: url.QueueUrl, MaxNumberOfMessages: 10, MessageAttributeNames: []string{"All"},
		})
		if err != nil || len(out.Messages) == 0 {
			return numbers, err
		}
		for _, m := range out.Messages {
			if id := aws.ToString(m.MessageId); !seen[id] {
				seen[id] = true
				numbers[about(m)]++
			}
			in := &sqs.DeleteMessageInput{QueueUrl: url.QueueUrl, ReceiptHandle: m.ReceiptHandle}
			if _, err := c.queues.DeleteMessage(ctx, in); err != nil {
				return nil, err
			}
		}
	}
}

// orderOf returns the production order of a message for the factory.
func orderOf(m types.Message) string {
	var envelope struct{ Message string }
	_ = json.Unmarshal([]byte(aws.ToString(m.Body)), &envelope) // an unreadable message is about the order ""
	return messageIn(envelope.Message).Order
}

// attemptOf returns the attempt of a delivery.
func attemptOf(m types.Message) string {
	return aws.ToString(m.MessageAttributes["attempt"].StringValue)
}
