package stack

import (
	"fmt"
	"time"

	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/sns"
	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/sqs"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"restock/infra/policy"
	"restock/lambdas"
)

const (
	// visibilityTimeouts is how often a function's timeout fits into the visibility timeout of its queue:
	// https://docs.aws.amazon.com/lambda/latest/dg/services-sqs-configure.html asks for six.
	visibilityTimeouts = 6
	// maxReceiveCount is how often a message is tried before it goes to the dead-letter queue; Lambda asks for five at least.
	maxReceiveCount = 5

	queueRetention       = 4 * 24 * time.Hour
	deadLettersRetention = 14 * 24 * time.Hour // as long as SQS keeps anything
	longPoll             = 20 * time.Second
)

// messaging is the way of a stock_empty message from who publishes it to who handles it.
type messaging struct {
	topic       *sns.Topic
	queue       *sqs.Queue
	deadLetters *sqs.Queue
	// subscription must be there before anybody publishes: SNS forgets what nobody is subscribed to.
	subscription *sns.TopicSubscription
}

// queueActions are those that handle messages.
var queueActions = []string{"sqs:SendMessage", "sqs:ReceiveMessage", "sqs:DeleteMessage", "sqs:ChangeMessageVisibility", "sqs:PurgeQueue"}

func newMessaging(ctx *pulumi.Context, s Settings) (*messaging, error) {
	m := &messaging{}
	var err error
	m.topic, err = sns.NewTopic(ctx, lambdas.StockEmptyTopic, &sns.TopicArgs{
		KmsMasterKeyId: pulumi.String("alias/aws/sns"),
	})
	if err != nil {
		return nil, fmt.Errorf("creating topic %s: %w", lambdas.StockEmptyTopic, err)
	}
	_, err = sns.NewTopicPolicy(ctx, lambdas.StockEmptyTopic, &sns.TopicPolicyArgs{
		Arn: m.topic.Arn,
		Policy: policy.JSON(func(arns []string) any {
			return policy.New(policy.EncryptedOnly(arns[0], "sns:Publish"))
		}, m.topic.Arn),
	}, pulumi.Parent(m.topic))
	if err != nil {
		return nil, fmt.Errorf("asking for encrypted connections to topic %s: %w", lambdas.StockEmptyTopic, err)
	}
	m.deadLetters, err = sqs.NewQueue(ctx, lambdas.StockQueue+"_dlq", &sqs.QueueArgs{
		MessageRetentionSeconds: seconds(deadLettersRetention),
		SqsManagedSseEnabled:    pulumi.Bool(true),
	}, pulumi.Protect(s.Protect))
	if err != nil {
		return nil, fmt.Errorf("creating the dead-letter queue of %s: %w", lambdas.StockQueue, err)
	}
	_, err = sqs.NewQueuePolicy(ctx, lambdas.StockQueue+"_dlq", &sqs.QueuePolicyArgs{
		QueueUrl: m.deadLetters.Url,
		Policy: policy.JSON(func(arns []string) any {
			return policy.New(policy.EncryptedOnly(arns[0], queueActions...))
		}, m.deadLetters.Arn),
	}, pulumi.Parent(m.deadLetters))
	if err != nil {
		return nil, fmt.Errorf("asking for encrypted connections to the dead-letter queue of %s: %w", lambdas.StockQueue, err)
	}
	m.queue, err = sqs.NewQueue(ctx, lambdas.StockQueue, &sqs.QueueArgs{
		VisibilityTimeoutSeconds: seconds(visibilityTimeouts * lambdas.Stock.Timeout),
		MessageRetentionSeconds:  seconds(queueRetention),
		ReceiveWaitTimeSeconds:   seconds(longPoll),
		SqsManagedSseEnabled:     pulumi.Bool(true),
		RedrivePolicy: policy.JSON(func(arns []string) any {
			return map[string]any{"deadLetterTargetArn": arns[0], "maxReceiveCount": maxReceiveCount}
		}, m.deadLetters.Arn),
	}, pulumi.Protect(s.Protect))
	if err != nil {
		return nil, fmt.Errorf("creating queue %s: %w", lambdas.StockQueue, err)
	}
	topicMaySend, err := sqs.NewQueuePolicy(ctx, lambdas.StockQueue, &sqs.QueuePolicyArgs{
		QueueUrl: m.queue.Url,
		Policy: policy.JSON(func(arns []string) any {
			return policy.New(
				policy.Statement{
					Effect:    "Allow",
					Principal: &policy.Principal{Service: "sns.amazonaws.com"},
					Action:    []string{"sqs:SendMessage"},
					Resource:  []string{arns[0]},
					Condition: policy.Condition{"ArnEquals": {"aws:SourceArn": arns[1]}},
				},
				policy.EncryptedOnly(arns[0], queueActions...),
			)
		}, m.queue.Arn, m.topic.Arn),
	}, pulumi.Parent(m.queue))
	if err != nil {
		return nil, fmt.Errorf("letting topic %s send to queue %s: %w", lambdas.StockEmptyTopic, lambdas.StockQueue, err)
	}
	m.subscription, err = sns.NewTopicSubscription(ctx, lambdas.StockQueue, &sns.TopicSubscriptionArgs{
		Topic:    m.topic.Arn,
		Protocol: pulumi.String("sqs"),
		Endpoint: m.queue.Arn,
	}, pulumi.Parent(m.topic), pulumi.DependsOn([]pulumi.Resource{topicMaySend}))
	if err != nil {
		return nil, fmt.Errorf("subscribing queue %s to topic %s: %w", lambdas.StockQueue, lambdas.StockEmptyTopic, err)
	}
	return m, nil
}

func seconds(d time.Duration) pulumi.Int { return pulumi.Int(d / time.Second) }
