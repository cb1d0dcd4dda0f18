package program

import (
	"fmt"
	"time"

	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/cloudwatch"
	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/lambda"
	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/sns"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"
)

// messages is the second exercise: a function that sends to a queue, and a function that handles
// the messages. An alarm notifies the topic operators about dead letters.
func messages(ctx *pulumi.Context, on platform, q *queue, operators *sns.Topic) error {
	producer, err := newFunction(ctx, on, "producer", 5*time.Second, pulumi.StringMap{"QUEUE_URL": q.Url},
		permission{[]string{"sqs:SendMessage"}, q.Arn})
	if err != nil {
		return err
	}
	if err := on.api.route(ctx, "POST /messages", producer); err != nil {
		return err
	}

	consumer, err := newFunction(ctx, on, "consumer", consumerTimeout, nil,
		// Lambda needs these to read the queue with the function's role:
		// https://docs.aws.amazon.com/lambda/latest/dg/services-sqs-configure.html#events-sqs-permissions
		permission{[]string{"sqs:ReceiveMessage", "sqs:DeleteMessage", "sqs:GetQueueAttributes"}, q.Arn})
	if err != nil {
		return err
	}
	_, err = lambda.NewEventSourceMapping(ctx, "consumer", &lambda.EventSourceMappingArgs{
		EventSourceArn:        q.Arn,
		FunctionName:          consumer.lambda.Arn,
		BatchSize:             pulumi.Int(10),
		FunctionResponseTypes: pulumi.StringArray{pulumi.String("ReportBatchItemFailures")},
		ScalingConfig:         lambda.EventSourceMappingScalingConfigArgs{MaximumConcurrency: pulumi.Int(2)},
	}, pulumi.Parent(consumer))
	if err != nil {
		return fmt.Errorf("connecting function consumer to the queue: %w", err)
	}

	_, err = cloudwatch.NewMetricAlarm(ctx, "dead-letters", &cloudwatch.MetricAlarmArgs{
		AlarmDescription: pulumi.String("The function consumer could not handle a message. Read its log, " +
			"fix the cause, then redrive the dead-letter queue."),
		Namespace:          pulumi.String("AWS/SQS"),
		MetricName:         pulumi.String("ApproximateNumberOfMessagesVisible"),
		Dimensions:         pulumi.StringMap{"QueueName": q.deadLetters.Name},
		Statistic:          pulumi.String("Maximum"),
		Period:             seconds(time.Minute),
		EvaluationPeriods:  pulumi.Int(1),
		ComparisonOperator: pulumi.String("GreaterThanThreshold"),
		Threshold:          pulumi.Float64(0),
		TreatMissingData:   pulumi.String("notBreaching"), // SQS has no measurements for an unused queue
		AlarmActions:       pulumi.Array{operators.Arn},
	}, pulumi.Parent(operators))
	if err != nil {
		return fmt.Errorf("creating the alarm of the dead-letter queue: %w", err)
	}
	return nil
}
