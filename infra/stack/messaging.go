package stack

import (
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/sns"
	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/sqs"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"restock/infra/outputs"
	"restock/infra/policy"
	"restock/lambdas"
)

const (
	// visibilityTimeouts times a function's timeout is the visibility timeout of its queue. Lambda
	// recommends six: https://docs.aws.amazon.com/lambda/latest/dg/services-sqs-configure.html
	visibilityTimeouts = 6
	// maxReceiveCount is how often SQS delivers a message before it moves the message to the
	// dead-letter queue. Lambda recommends five or more.
	maxReceiveCount = 5

	// bufferReceiveCount is the same for a queue of requests, which their client never repeats. It
	// is the largest number that SQS allows:
	// https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/sqs-dead-letter-queues.html
	bufferReceiveCount = 1000

	queueRetention       = 4 * 24 * time.Hour
	bufferRetention      = 13 * 24 * time.Hour
	deadLettersRetention = 14 * 24 * time.Hour // the longest time that SQS allows
	longPoll             = 20 * time.Second
)

// messaging holds the topic stock_empty and the functions' queues.
type messaging struct {
	pulumi.ResourceState
	topic  *sns.Topic
	queues map[string]*queue // by the name that lambdas gives them
}

// A queue keeps messages for one function. Messages that the function cannot handle go to
// deadLetters.
type queue struct {
	*sqs.Queue
	deadLetters *sqs.Queue
	// subscription is nil for a queue without a topic. It must exist before a function publishes:
	// SNS drops messages without a subscriber.
	subscription *sns.TopicSubscription
}

// queueActions are the actions that read or write messages.
var queueActions = []string{
	"sqs:SendMessage", "sqs:ReceiveMessage", "sqs:DeleteMessage", "sqs:ChangeMessageVisibility", "sqs:PurgeQueue",
}

type messagingArgs struct {
	functions []lambdas.Function // each function that names a queue gets this queue
	protect   bool
}

// newMessaging makes the topic, and a queue for each function that names one.
func newMessaging(ctx *pulumi.Context, args messagingArgs) (*messaging, error) {
	m := &messaging{queues: map[string]*queue{}}
	if err := ctx.RegisterComponentResource("restock:messaging:Messaging", "messaging", m); err != nil {
		return nil, fmt.Errorf("creating the messaging: %w", err)
	}
	var err error
	m.topic, err = sns.NewTopic(ctx, lambdas.StockEmptyTopic, &sns.TopicArgs{
		KmsMasterKeyId: pulumi.String("alias/aws/sns"),
	}, childOf(m))
	if err != nil {
		return nil, fmt.Errorf("creating topic %s: %w", lambdas.StockEmptyTopic, err)
	}
	_, err = sns.NewTopicPolicy(ctx, lambdas.StockEmptyTopic, &sns.TopicPolicyArgs{
		Arn: m.topic.Arn,
		Policy: outputs.JSON(func(arns []string) any {
			return policy.New(policy.EncryptedOnly(arns[0], "sns:Publish"))
		}, m.topic.Arn),
	}, pulumi.Parent(m.topic))
	if err != nil {
		return nil, fmt.Errorf("asking for encrypted connections to topic %s: %w", lambdas.StockEmptyTopic, err)
	}
	for _, f := range args.functions {
		if f.Queue == "" {
			continue
		}
		if m.queues[f.Queue], err = m.newQueue(ctx, f, args.protect); err != nil {
			return nil, fmt.Errorf("queue %s: %w", f.Queue, err)
		}
	}
	return m, ctx.RegisterResourceOutputs(m, pulumi.Map{"topicArn": m.topic.Arn})
}

// subscriptions returns the subscriptions of all queues that have one.
func (m *messaging) subscriptions() []pulumi.Resource {
	var all []pulumi.Resource
	for _, name := range slices.Sorted(maps.Keys(m.queues)) {
		if subscription := m.queues[name].subscription; subscription != nil {
			all = append(all, subscription)
		}
	}
	return all
}

// subscribe subscribes the queues to the topics of their functions. topics has all topics, by the
// names that lambdas gives them.
func (m *messaging) subscribe(ctx *pulumi.Context, functions []lambdas.Function, topics map[string]*sns.Topic) error {
	for _, f := range functions {
		if f.Topic == "" {
			continue
		}
		topic, ok := topics[f.Topic]
		if !ok {
			return fmt.Errorf("function %s: its queue gets the messages of topic %s, which the stack does not have: "+
				"name another in lambdas/lambdas.go, or add it in infra/stack/stack.go", f.Name, f.Topic)
		}
		if err := m.queues[f.Queue].subscribe(ctx, f, topic); err != nil {
			return err
		}
	}
	return nil
}

// newQueue makes the queue of a function and its dead-letter queue. A topic may send to the queue
// when subscribe has allowed it.
func (m *messaging) newQueue(ctx *pulumi.Context, f lambdas.Function, protect bool) (*queue, error) {
	deadLetters, err := m.newDeadLetterQueue(ctx, lambdas.DeadLetterQueue(f.Queue), protect)
	if err != nil {
		return nil, err
	}
	retention, receives := queueRetention, maxReceiveCount
	if len(f.Buffered) > 0 {
		retention, receives = bufferRetention, bufferReceiveCount
	}
	messages, err := sqs.NewQueue(ctx, f.Queue, &sqs.QueueArgs{
		VisibilityTimeoutSeconds: seconds(visibilityTimeouts * f.Timeout),
		MessageRetentionSeconds:  seconds(retention),
		ReceiveWaitTimeSeconds:   seconds(longPoll),
		SqsManagedSseEnabled:     pulumi.Bool(true),
		RedrivePolicy: outputs.JSON(func(arns []string) any {
			return map[string]any{"deadLetterTargetArn": arns[0], "maxReceiveCount": receives}
		}, deadLetters.Arn),
	}, childOf(m), pulumi.Protect(protect))
	if err != nil {
		return nil, fmt.Errorf("creating it: %w", err)
	}
	if f.Topic == "" {
		err = encryptedOnly(ctx, f.Queue, messages)
	}
	return &queue{Queue: messages, deadLetters: deadLetters}, err
}

// subscribe subscribes a queue to a topic, with the function's filter.
func (q *queue) subscribe(ctx *pulumi.Context, f lambdas.Function, topic *sns.Topic) error {
	topicMaySend, err := sqs.NewQueuePolicy(ctx, f.Queue, &sqs.QueuePolicyArgs{
		QueueUrl: q.Url,
		Policy: outputs.JSON(func(arns []string) any {
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
		}, q.Arn, topic.Arn),
	}, pulumi.Parent(q.Queue))
	if err != nil {
		return fmt.Errorf("letting topic %s send to queue %s: %w", f.Topic, f.Queue, err)
	}
	args := &sns.TopicSubscriptionArgs{
		Topic:    topic.Arn,
		Protocol: pulumi.String("sqs"),
		Endpoint: q.Arn,
	}
	if f.Filter != nil {
		args.FilterPolicy = outputs.JSON(func([]string) any { return f.Filter })
	}
	q.subscription, err = sns.NewTopicSubscription(ctx, f.Queue, args,
		pulumi.Parent(topic), pulumi.DependsOn([]pulumi.Resource{topicMaySend}))
	if err != nil {
		return fmt.Errorf("subscribing queue %s to topic %s: %w", f.Queue, f.Topic, err)
	}
	return nil
}

func (m *messaging) newDeadLetterQueue(ctx *pulumi.Context, name string, protect bool) (*sqs.Queue, error) {
	q, err := sqs.NewQueue(ctx, name, &sqs.QueueArgs{
		MessageRetentionSeconds: seconds(deadLettersRetention),
		SqsManagedSseEnabled:    pulumi.Bool(true),
	}, childOf(m), pulumi.Protect(protect))
	if err != nil {
		return nil, fmt.Errorf("creating its dead-letter queue: %w", err)
	}
	return q, encryptedOnly(ctx, name, q)
}

// encryptedOnly gives a queue a policy that refuses unencrypted connections. No other service may
// send to the queue.
func encryptedOnly(ctx *pulumi.Context, name string, q *sqs.Queue) error {
	_, err := sqs.NewQueuePolicy(ctx, name, &sqs.QueuePolicyArgs{
		QueueUrl: q.Url,
		Policy: outputs.JSON(func(arns []string) any {
			return policy.New(policy.EncryptedOnly(arns[0], queueActions...))
		}, q.Arn),
	}, pulumi.Parent(q))
	if err != nil {
		return fmt.Errorf("asking for encrypted connections to queue %s: %w", name, err)
	}
	return nil
}

func seconds(d time.Duration) pulumi.Int { return pulumi.Int(d / time.Second) }
