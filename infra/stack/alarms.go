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

// An alarm is a metric, and the value at which it wants a person.
type alarm struct {
	name string
	// advice says what has happened and what to do about it: the person who reads it was woken.
	advice string

	metric    metric
	statistic string // "Sum", or a percentile: "p99"

	above  float64
	below  float64 // where it is not 0, the alarm is for values below it
	period time.Duration
	inARow int // how many periods it takes

	// silence is what CloudWatch makes of a period in which nothing was measured. Empty: all is well, nothing has happened.
	silence string
}

// newAlarms makes the stage's alarms. They go to the topic when they begin and when they end.
func newAlarms(ctx *pulumi.Context, s Settings, topic *sns.Topic, m metrics, functions []*function) ([]*cloudwatch.MetricAlarm, error) {
	var made []*cloudwatch.MetricAlarm
	for _, alarm := range slices.Concat(businessAlarms(m), queueAlarms(m), apiAlarms(m), databaseAlarms(s, m), functionAlarms(functions)) {
		a, err := alarm.create(ctx, topic)
		if err != nil {
			return nil, fmt.Errorf("creating alarm %s: %w", alarm.name, err)
		}
		made = append(made, a)
	}
	return made, nil
}

// businessAlarms are for what our promises are about: production that does not come, and books that are wrong.
func businessAlarms(m metrics) []alarm {
	return []alarm{
		{
			name: "production-failing", metric: m.ofBusiness(lambdas.MetricProductionRequestsFailed), statistic: "Sum", above: 2, period: 5 * time.Minute, inARow: 1,
			advice: "The factory is asked and does not take the order. The log of the function stock says what it answers. After five tries an order is in the dead-letter queue.",
		},
		{
			name: "production-overdue", metric: m.ofBusiness(lambdas.MetricProductionOrdersOverdue), statistic: "Maximum", period: time.Minute, inARow: 2,
			silence: "ignore", // a sweep that fails has not found that all is well
			advice:  "A production order has not come in twice the factory's lead time. The log of sweep names it: follow its correlation_id. Was its message sent, did the factory take it, was a callback refused?",
		},
		{
			name: "production-failed", metric: m.ofBusiness(lambdas.MetricProductionOrdersFailed), statistic: "Sum", period: 5 * time.Minute, inARow: 1,
			advice: "A production order was given up: the factory was asked four times, and nothing came. Ask it why. While the product is short, a new order opens by itself.",
		},
		{
			name: "production-surplus", metric: m.ofBusiness(lambdas.MetricSurplusUnits), statistic: "Sum", period: 5 * time.Minute, inARow: 1,
			advice: "The factory delivered more than was ordered. It is booked as stock. The log of stock-increase names the order: was the factory asked twice?",
		},
		{
			name: "ledger-difference", metric: m.ofBusiness(lambdas.MetricLedgerDifference), statistic: "Maximum", period: time.Minute, inARow: 2,
			silence: "ignore",
			advice:  "A product's stock is not the sum of its ledger: somebody has changed one without the other. The log of sweep names the product. Count, then write an adjustment.",
		},
	}
}

// queueAlarms are for messages that are not handled.
func queueAlarms(m metrics) []alarm {
	var alarms []alarm
	for _, f := range lambdas.All() {
		if f.Queue == "" {
			continue
		}
		alarms = append(alarms,
			alarm{
				name: f.Name + "-dead-letters", metric: m.ofDeadLetters(f.Queue, "ApproximateNumberOfMessagesVisible"), statistic: "Maximum", period: time.Minute, inARow: 1,
				advice: fmt.Sprintf("The function %s could not handle a message of %s. Read why in its log, mend it, then redrive %s.", f.Name, f.Queue, lambdas.DeadLetterQueue(f.Queue)),
			},
			alarm{
				name: f.Name + "-oldest-message", metric: m.ofQueue(f.Queue, "ApproximateAgeOfOldestMessage"), statistic: "Maximum", above: 600, period: time.Minute, inARow: 5,
				advice: fmt.Sprintf("%s has a message that is not handled. Is the function %s throttled, failing, or waiting for somebody who does not answer?", f.Queue, f.Name),
			})
	}
	return alarms
}

func apiAlarms(m metrics) []alarm {
	return []alarm{
		{
			name: "api-errors", metric: m.ofAPI("5xx"), statistic: "Sum", above: 5, period: time.Minute, inARow: 3,
			advice: "Buyers get errors. Look at the log of sales-api, then at the database: 503 says that it cannot be asked.",
		},
		{
			name: "api-latency", metric: m.ofAPI("Latency"), statistic: "p99", above: 2000, period: time.Minute, inARow: 5,
			advice: "Buyers wait 2 s and more. Look at the database's CPU and connections, then at the throttles of sales-api.",
		},
	}
}

func databaseAlarms(s Settings, m metrics) []alarm {
	const mib, gib = 1 << 20, 1 << 30
	database := func(name, metric, advice string, above, below float64) alarm {
		return alarm{
			name: "database-" + name, metric: m.ofDatabase(metric), statistic: "Average", above: above, below: below, period: time.Minute, inARow: 5, advice: advice,
		}
	}
	return []alarm{
		database("cpu", "CPUUtilization", "The database works at its limit. Which statement does? If it is only the buyers, take a larger instance class.", 85, 0),
		database("connections", "DatabaseConnections", "The database is about to refuse connections. Lower a function's concurrency, or take a larger instance class.",
			connectionsAlarm(s), 0),
		database("storage", "FreeStorageSpace", "The database's disk is filling up. Raise database.storageGiB or maxStorageGiB: it grows while it runs.", 0, 2*gib),
		database("memory", "FreeableMemory", "The database is short of memory. Take a larger instance class, or lower database.maxConnections.", 0, 64*mib),
	}
}

// connectionsAlarm is when the database is about to refuse connections: a proxy takes its share and keeps it.
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
		alarms = append(alarms,
			alarm{
				name: name + "-errors", metric: f.metric("Errors"), statistic: "Sum", period: 5 * time.Minute, inARow: 1,
				advice: fmt.Sprintf("The function %s fails. Its log says why; a deployment that has just been made can be rolled back.", name),
			},
			alarm{
				name: name + "-throttles", metric: f.metric("Throttles"), statistic: "Sum", period: 5 * time.Minute, inARow: 2,
				advice: fmt.Sprintf("The function %s is asked for more than concurrency.%s allows. Raise it, within what the database's connections allow.", name, name),
			})
		if every := f.declared.Every; every > 0 {
			alarms = append(alarms, alarm{
				name: name + "-silent", metric: f.metric("Invocations"), statistic: "Sum", below: 1, period: 5 * every, inARow: 1, silence: "breaching",
				advice: fmt.Sprintf("The function %s, which runs every %v, has not run: nobody looks for what is unsent, overdue or wrong. Is its rule of EventBridge disabled?", name, every),
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
		TreatMissingData:   pulumi.String("notBreaching"), // nothing was measured where nothing happened
		AlarmActions:       pulumi.Array{topic.Arn},
		OkActions:          pulumi.Array{topic.Arn},
	}
	if a.below != 0 {
		args.ComparisonOperator, args.Threshold = pulumi.String("LessThanThreshold"), pulumi.Float64(a.below)
	}
	if a.silence != "" {
		args.TreatMissingData = pulumi.String(a.silence)
	}
	if a.statistic[0] == 'p' {
		args.ExtendedStatistic = pulumi.String(a.statistic)
	} else {
		args.Statistic = pulumi.String(a.statistic)
	}
	return cloudwatch.NewMetricAlarm(ctx, a.name, args, pulumi.Parent(topic))
}
