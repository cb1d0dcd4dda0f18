package stack

import (
	"fmt"
	"slices"
	"time"

	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/cloudwatch"
	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/sns"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"restock/lambdas"
)

// An alarm notifies the managers when a metric crosses a limit.
type alarm struct {
	name string
	// advice says what has happened and what to do about it. It is the text of the notification.
	advice string

	metric    metric
	statistic string // "Sum", "Average" or "Maximum", or a percentile such as "p99"

	above  float64       // the alarm is for values above it
	below  float64       // if it is not 0, the alarm is for values below it instead
	period time.Duration // CloudWatch computes the statistic over each period
	inARow int           // the number of periods in a row that must cross the limit

	// missing says what CloudWatch makes of a period without a measurement. Empty is
	// "notBreaching": nothing was measured because nothing happened.
	missing string
}

// newAlarms makes the stage's alarms. They notify the topic when they begin and when they end.
func newAlarms(
	ctx *pulumi.Context, s Settings, topic *sns.Topic, m metrics, functions []*function,
) ([]*cloudwatch.MetricAlarm, error) {
	alarms := slices.Concat(
		businessAlarms(m), queueAlarms(s, m), apiAlarms(m), databaseAlarms(s, m), functionAlarms(functions),
	)
	var made []*cloudwatch.MetricAlarm
	for _, alarm := range alarms {
		a, err := alarm.create(ctx, topic)
		if err != nil {
			return nil, fmt.Errorf("creating alarm %s: %w", alarm.name, err)
		}
		made = append(made, a)
	}
	return made, nil
}

// businessAlarms are for the shop's promises: production arrives, and the books are right.
func businessAlarms(m metrics) []alarm {
	return []alarm{
		{
			name:   "production-failing",
			metric: m.ofBusiness(lambdas.MetricProductionRequestsFailed), statistic: "Sum",
			above: 2, period: 5 * time.Minute, inARow: 1,
			advice: "The factory does not accept production orders. The log of the function stock says what it " +
				"answers. After five attempts the message goes to the dead-letter queue.",
		},
		{
			name:   "production-overdue",
			metric: m.ofBusiness(lambdas.MetricProductionOrdersOverdue), statistic: "Maximum",
			period: time.Minute, inARow: 2,
			missing: "ignore", // a sweep that fails must not end the alarm
			advice: "A production order has not arrived within twice the factory's lead time. The log of sweep names " +
				"it: follow its correlation_id. Was its message sent? Did the factory accept it? Does its callback " +
				"wait in deliveries_queue?",
		},
		{
			name:   "production-failed",
			metric: m.ofBusiness(lambdas.MetricProductionOrdersFailed), statistic: "Sum",
			period: 5 * time.Minute, inARow: 1,
			advice: "The sweep gave up a production order: it asked the factory four times, and nothing arrived. Ask " +
				"the factory why. While the product is short, the shop opens a new order by itself.",
		},
		{
			name:   "deliveries-failing",
			metric: m.ofBusiness(lambdas.MetricDeliveriesFailed), statistic: "Sum",
			// A message that was received three times no longer counts for the age of the oldest:
			// https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/sqs-available-cloudwatch-metrics.html
			period: 5 * time.Minute, inARow: 3,
			advice: "A delivery of the factory cannot be booked. The log of stock-increase says why. The queue keeps " +
				"it and tries again. If the report itself is wrong, count the goods and write an adjustment.",
		},
		{
			name:   "deliveries-forged",
			metric: m.ofBusiness(lambdas.MetricDeliveriesForged), statistic: "Sum",
			above: 100, period: 5 * time.Minute, inARow: 1,
			advice: "Somebody calls the factory's route with signatures that the shop did not make. The calls are " +
				"dropped. The API's access log has the addresses.",
		},
		{
			name:   "production-surplus",
			metric: m.ofBusiness(lambdas.MetricSurplusUnits), statistic: "Sum",
			period: 5 * time.Minute, inARow: 1,
			advice: "The factory delivered more than the shop ordered. The surplus is booked as stock. The log of " +
				"stock-increase names the order: was the factory asked twice?",
		},
		{
			name:   "ledger-difference",
			metric: m.ofBusiness(lambdas.MetricLedgerDifference), statistic: "Maximum",
			period: time.Minute, inARow: 2,
			missing: "ignore",
			advice: "A product's stock is not the sum of its ledger: somebody changed one without the other. The log " +
				"of sweep names the product. Count it, then write an adjustment.",
		},
	}
}

// queueAlarms are for messages that are not handled.
func queueAlarms(s Settings, m metrics) []alarm {
	var alarms []alarm
	for _, f := range s.functions() {
		if f.Queue == "" {
			continue
		}
		deadLetters := m.ofDeadLetters(f.Queue, "ApproximateNumberOfMessagesVisible")
		alarms = append(alarms,
			alarm{
				name: f.Name + "-dead-letters", metric: deadLetters, statistic: "Maximum",
				period: time.Minute, inARow: 1,
				advice: fmt.Sprintf("The function %s could not handle a message of %s. Read why in its log, "+
					"fix the cause, then redrive %s.", f.Name, f.Queue, lambdas.DeadLetterQueue(f.Queue)),
			},
			alarm{
				name:   f.Name + "-oldest-message",
				metric: m.ofQueue(f.Queue, "ApproximateAgeOfOldestMessage"), statistic: "Maximum", // in seconds
				above: 600, period: time.Minute, inARow: 5,
				advice: fmt.Sprintf("A message of %s has waited for ten minutes. Is the function %s throttled, "+
					"does it fail, or does it wait for an answer?", f.Queue, f.Name),
			})
	}
	return alarms
}

func apiAlarms(m metrics) []alarm {
	return []alarm{
		{
			name: "api-errors", metric: m.ofAPI("5xx"), statistic: "Sum", above: 5, period: time.Minute, inARow: 3,
			advice: "Buyers get errors. Look at the log of sales-api, then at the database: status 503 says that the " +
				"function could not query it.",
		},
		{
			name: "api-latency", metric: m.ofAPI("Latency"), statistic: "p99", above: 2000,
			period: time.Minute, inARow: 5,
			advice: "Buyers wait 2 s or more. Look at the database's CPU and connections, then at the throttles of " +
				"sales-api.",
		},
	}
}

func databaseAlarms(s Settings, m metrics) []alarm {
	const mib, gib = 1 << 20, 1 << 30
	alarms := []alarm{
		{
			name: "database-cpu", metric: m.ofDatabase("CPUUtilization"), above: 85,
			advice: "The database's processors are busy. Find the statement that causes it. If it is the buyers' " +
				"normal load, take a larger instance class.",
		},
		{
			name: "database-connections", metric: m.ofDatabase("DatabaseConnections"), above: connectionsAlarm(s),
			advice: "The database is about to refuse connections. Lower a function's concurrency, or take a larger " +
				"instance class.",
		},
		{
			name: "database-storage", metric: m.ofDatabase("FreeStorageSpace"), below: 2 * gib,
			advice: "The database's disk is filling up. Raise database.storageGiB or maxStorageGiB: the disk grows " +
				"while the database runs.",
		},
		{
			name: "database-memory", metric: m.ofDatabase("FreeableMemory"), below: 64 * mib,
			advice: "The database is short of memory. Take a larger instance class, or lower database.maxConnections.",
		},
	}
	for i := range alarms {
		alarms[i].statistic, alarms[i].period, alarms[i].inARow = "Average", time.Minute, 5
	}
	return alarms
}

// connectionsAlarm returns the number of connections at which the database is about to refuse more.
// A proxy keeps its share of them open, so with a proxy the limit is between that share and all.
func connectionsAlarm(s Settings) float64 {
	share := 0.8
	if s.Database.Proxy {
		share = (proxyShare + 100) / 2.0 / 100
	}
	return share * float64(s.Database.MaxConnections)
}

func functionAlarms(functions []*function) []alarm {
	var alarms []alarm
	for _, f := range functions {
		name := f.declared.Name
		throttled := fmt.Sprintf("concurrency.%s allows too few instances. Raise the setting, as far as the "+
			"database's connections allow.", name)
		if !f.reserved() {
			throttled = "all concurrency of the account that no function has reserved is in use. Ask AWS for a " +
				"higher quota."
		}
		alarms = append(alarms,
			alarm{
				name: name + "-errors", metric: f.metric("Errors"), statistic: "Sum",
				period: 5 * time.Minute, inARow: 1,
				advice: fmt.Sprintf("The function %s fails. Its log says why. A deployment can be rolled back.", name),
			},
			alarm{
				name: name + "-throttles", metric: f.metric("Throttles"), statistic: "Sum",
				period: 5 * time.Minute, inARow: 2,
				advice: fmt.Sprintf("Lambda throttles the function %s: %s", name, throttled),
			})
		if every := f.declared.Every; every > 0 {
			alarms = append(alarms, alarm{
				name: name + "-silent", metric: f.metric("Invocations"), statistic: "Sum",
				below: 1, period: 5 * every, inARow: 1, missing: "breaching",
				advice: fmt.Sprintf("The function %s, which runs every %v, has not run: nobody does its work. "+
					"Is its EventBridge rule disabled?", name, every),
			})
		}
	}
	return alarms
}

func (a alarm) create(ctx *pulumi.Context, topic *sns.Topic) (*cloudwatch.MetricAlarm, error) {
	args := &cloudwatch.MetricAlarmArgs{
		AlarmDescription:   pulumi.String(a.advice),
		Namespace:          pulumi.String(a.metric.namespace),
		MetricName:         pulumi.String(a.metric.name),
		Dimensions:         a.metric.dimensions,
		Period:             seconds(a.period),
		EvaluationPeriods:  pulumi.Int(a.inARow),
		ComparisonOperator: pulumi.String("GreaterThanThreshold"),
		Threshold:          pulumi.Float64(a.above),
		TreatMissingData:   pulumi.String("notBreaching"),
		AlarmActions:       pulumi.Array{topic.Arn},
		OkActions:          pulumi.Array{topic.Arn},
	}
	if a.below != 0 {
		args.ComparisonOperator, args.Threshold = pulumi.String("LessThanThreshold"), pulumi.Float64(a.below)
	}
	if a.missing != "" {
		args.TreatMissingData = pulumi.String(a.missing)
	}
	if a.statistic[0] == 'p' {
		args.ExtendedStatistic = pulumi.String(a.statistic)
	} else {
		args.Statistic = pulumi.String(a.statistic)
	}
	return cloudwatch.NewMetricAlarm(ctx, a.name, args, pulumi.Parent(topic))
}
