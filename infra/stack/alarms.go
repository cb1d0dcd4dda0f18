package stack

import (
	"fmt"
	"time"

	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/cloudwatch"
	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/sns"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"
)

// An alarm is a metric of AWS and the value at which it wants a person.
type alarm struct {
	name string
	// advice says what has happened and what to do about it: the person who reads it was woken.
	advice string

	namespace, metric string
	statistic         string // "Sum", or a percentile: "p99"
	dimensions        pulumi.StringMap

	above  float64
	below  float64 // where it is not 0, the alarm is for values below it
	period time.Duration
	inARow int // how many periods it takes
}

// newAlarms makes the stage's alarms. They go to the topic when they begin and when they end.
func newAlarms(ctx *pulumi.Context, s Settings, topic *sns.Topic, m *messaging, d *database, a *api, functions []*function) error {
	alarms := []alarm{
		{
			name: "dead-letters", namespace: "AWS/SQS", metric: "ApproximateNumberOfMessagesVisible", statistic: "Maximum",
			dimensions: pulumi.StringMap{"QueueName": m.deadLetters.Name}, period: time.Minute, inARow: 1,
			advice: "A production order could not be given to the factory. Read why in the log of the function stock, mend it, then redrive the dead-letter queue.",
		},
		{
			name: "oldest-message", namespace: "AWS/SQS", metric: "ApproximateAgeOfOldestMessage", statistic: "Maximum", above: 600,
			dimensions: pulumi.StringMap{"QueueName": m.queue.Name}, period: time.Minute, inARow: 5,
			advice: "stock_queue has a message that is not handled. Is the function stock throttled or failing? Does the factory answer?",
		},
		{
			name: "api-errors", namespace: "AWS/ApiGateway", metric: "5xx", statistic: "Sum", above: 5,
			dimensions: pulumi.StringMap{"ApiId": a.api.ID().ToStringOutput()}, period: time.Minute, inARow: 3,
			advice: "Buyers get errors. Look at the log of sales-api, then at the database: 503 says that it cannot be asked.",
		},
		{
			name: "api-latency", namespace: "AWS/ApiGateway", metric: "Latency", statistic: "p99", above: 2000,
			dimensions: pulumi.StringMap{"ApiId": a.api.ID().ToStringOutput()}, period: time.Minute, inARow: 5,
			advice: "Buyers wait 2 s and more. Look at the database's CPU and connections, then at the throttles of sales-api.",
		},
	}
	database := func(name, metric, advice string, above, below float64) {
		alarms = append(alarms, alarm{
			name: "database-" + name, namespace: "AWS/RDS", metric: metric, statistic: "Average", above: above, below: below,
			dimensions: pulumi.StringMap{"DBInstanceIdentifier": d.instance.Identifier}, period: time.Minute, inARow: 5, advice: advice,
		})
	}
	const mib, gib = 1 << 20, 1 << 30
	database("cpu", "CPUUtilization", "The database works at its limit. Which statement does? If it is only the buyers, take a larger instance class.", 85, 0)
	database("connections", "DatabaseConnections", "The database is about to refuse connections. Lower a function's concurrency, or raise database.maxConnections.",
		0.8*float64(s.Database.MaxConnections), 0)
	database("storage", "FreeStorageSpace", "The database's disk is filling up. Raise database.storageGiB: it grows while it runs.", 0, 2*gib)
	database("memory", "FreeableMemory", "The database is short of memory. Take a larger instance class, or lower database.maxConnections.", 0, 64*mib)
	for _, f := range functions {
		dimensions := pulumi.StringMap{"FunctionName": f.lambda.Name}
		alarms = append(alarms,
			alarm{
				name: f.declared.Name + "-errors", namespace: "AWS/Lambda", metric: "Errors", statistic: "Sum", dimensions: dimensions, period: 5 * time.Minute, inARow: 1,
				advice: fmt.Sprintf("The function %s fails. Its log says why; a deployment that has just been made can be rolled back.", f.declared.Name),
			},
			alarm{
				name: f.declared.Name + "-throttles", namespace: "AWS/Lambda", metric: "Throttles", statistic: "Sum", dimensions: dimensions, period: 5 * time.Minute, inARow: 2,
				advice: fmt.Sprintf("The function %s is asked for more than concurrency.%s allows. Raise it, within what the database's connections allow.", f.declared.Name, f.declared.Name),
			})
	}
	for _, alarm := range alarms {
		if err := alarm.create(ctx, topic); err != nil {
			return fmt.Errorf("creating alarm %s: %w", alarm.name, err)
		}
	}
	return nil
}

func (a alarm) create(ctx *pulumi.Context, topic *sns.Topic) error {
	args := &cloudwatch.MetricAlarmArgs{
		AlarmDescription:   pulumi.String(a.advice),
		Namespace:          pulumi.String(a.namespace),
		MetricName:         pulumi.String(a.metric),
		Dimensions:         a.dimensions,
		Period:             seconds(a.period),
		EvaluationPeriods:  pulumi.Int(a.inARow),
		ComparisonOperator: pulumi.String("GreaterThanThreshold"),
		Threshold:          pulumi.Float64(a.above),
		TreatMissingData:   pulumi.String("notBreaching"), // nothing was measured where nothing happened
		AlarmActions:       pulumi.Array{topic.Arn},
		OkActions:          pulumi.Array{topic.Arn},
	}
	if a.below != 0 {
		args.ComparisonOperator, args.Threshold = pulumi.String("LessThanThreshold"), pulumi.Float64(a.below)
	}
	if a.statistic[0] == 'p' {
		args.ExtendedStatistic = pulumi.String(a.statistic)
	} else {
		args.Statistic = pulumi.String(a.statistic)
	}
	_, err := cloudwatch.NewMetricAlarm(ctx, a.name, args, pulumi.Parent(topic))
	return err
}
