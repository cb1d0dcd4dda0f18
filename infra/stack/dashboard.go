package stack

import (
	"fmt"
	"slices"

	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/cloudwatch"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi/config"

	"restock/lambdas"
)

// A column of the dashboard has a title and graphs from top to bottom.
type column struct {
	title  string
	text   string // one line about the graphs
	charts []chart
}

// A chart is a graph with one or more lines.
type chart struct {
	title string
	lines []line
}

// A line of a chart shows a metric, or the results of a search expression.
type line struct {
	metric     metric
	expression string // if it is not empty, CloudWatch draws its results instead of the metric
	label      string
	statistic  string
}

func (m metrics) count(label, name string) line { return sum(label, m.ofBusiness(name)) }

func sum(label string, metric metric) line {
	return line{metric: metric, label: label, statistic: "Sum"}
}

func highest(label string, metric metric) line {
	return line{metric: metric, label: label, statistic: "Maximum"}
}

func lowest(label string, metric metric) line {
	return line{metric: metric, label: label, statistic: "Minimum"}
}

// percentile draws one in 2 ("p50") or in 100 ("p99") of the measured values.
func percentile(p string, metric metric) line {
	return line{metric: metric, label: p, statistic: p}
}

// chart shows a function's errors and throttles.
func (f *function) chart() chart {
	return chart{"Function " + f.declared.Name, []line{
		sum("errors", f.metric("Errors")),
		sum("throttles", f.metric("Throttles")),
		highest("at once", f.metric("ConcurrentExecutions")),
	}}
}

// errorsOf shows the errors of every function, each as a line.
func errorsOf(functions []*function) (c chart) {
	c.title = "Errors of every function"
	for _, f := range functions {
		c.lines = append(c.lines, sum(f.declared.Name, f.metric("Errors")))
	}
	return c
}

// demand returns the columns from a buyer to a production order.
func demand(m metrics, functions map[string]*function) []column {
	stock := fmt.Sprintf(
		`SEARCH('{"%s",%s} MetricName="%s"', 'Minimum', 60)`, m.stage, lambdas.DimensionProduct, lambdas.MetricStock,
	)
	return []column{
		{"1 · Buyers", "requests, sales and refusals", []chart{
			{"Sales and refusals", []line{
				m.count("sales", lambdas.MetricSales), m.count("refusals", lambdas.MetricRefusals),
			}},
			{"Warnings that buyers wait for each other", []line{m.count("waited", lambdas.MetricBuyersWaited)}},
			{"Requests", []line{
				sum("all", m.ofAPI("Count")), sum("4xx", m.ofAPI("4xx")), sum("5xx", m.ofAPI("5xx")),
			}},
			{"Latency, ms", []line{percentile("p50", m.ofAPI("Latency")), percentile("p99", m.ofAPI("Latency"))}},
			functions[lambdas.SalesAPI.Name].chart(),
		}},
		{"2 · Stock", "stock on hand, and its difference from the ledger", []chart{
			{"On hand, by product", []line{{expression: stock}}},
			{"Units sold", []line{m.count("sold", lambdas.MetricUnitsSold)}},
			{"Ledger difference", []line{highest("difference", m.ofBusiness(lambdas.MetricLedgerDifference))}},
			functions[lambdas.Sweep.Name].chart(),
		}},
		{"3 · Queue", "production orders that wait for the function stock", []chart{
			{"Production orders opened", []line{m.count("opened", lambdas.MetricProductionOrdersOpened)}},
			{"Messages in stock_queue", []line{
				highest("waiting", m.ofQueue(lambdas.StockQueue, "ApproximateNumberOfMessagesVisible")),
				highest("in flight", m.ofQueue(lambdas.StockQueue, "ApproximateNumberOfMessagesNotVisible")),
			}},
			{"Oldest message, s", []line{
				highest("age", m.ofQueue(lambdas.StockQueue, "ApproximateAgeOfOldestMessage")),
			}},
			{"Dead letters", []line{highest("in "+lambdas.DeadLetterQueue(lambdas.StockQueue),
				m.ofDeadLetters(lambdas.StockQueue, "ApproximateNumberOfMessagesVisible"))}},
		}},
	}
}

// supply returns the columns from a production order to goods on hand, and the database.
func supply(m metrics, functions map[string]*function) []column {
	duration := func(f lambdas.Function) []line {
		return []line{percentile("p99", functions[f.Name].metric("Duration"))}
	}
	return []column{
		{"4 · Factory", "requests to the factory, and late production orders", []chart{
			{"Requests to the factory", []line{
				m.count("accepted", lambdas.MetricProductionRequests),
				m.count("failed", lambdas.MetricProductionRequestsFailed),
				m.count("expired", lambdas.MetricProductionRequestsExpired),
			}},
			{"Production orders late", []line{
				highest("overdue", m.ofBusiness(lambdas.MetricProductionOrdersOverdue)),
				m.count("requested again", lambdas.MetricProductionOrdersAskedAgain),
				m.count("short", lambdas.MetricProductionOrdersShort),
				m.count("failed", lambdas.MetricProductionOrdersFailed),
			}},
			{"Function stock, ms", duration(lambdas.Stock)},
			functions[lambdas.Stock.Name].chart(),
		}},
		{"5 · Receipts", "deliveries of the factory", []chart{
			{"Deliveries in the queue", []line{
				highest("waiting", m.ofQueue(lambdas.DeliveriesQueue, "ApproximateNumberOfMessagesVisible")),
				m.count("not booked", lambdas.MetricDeliveriesFailed),
				m.count("forged", lambdas.MetricDeliveriesForged),
			}},
			{"Units received", []line{m.count("received", lambdas.MetricUnitsReceived)}},
			{"Units beyond what was ordered", []line{m.count("surplus", lambdas.MetricSurplusUnits)}},
			{"Function stock-increase, ms", duration(lambdas.StockIncrease)},
			functions[lambdas.StockIncrease.Name].chart(),
		}},
		{"6 · Database", "load, connections and free space", []chart{
			{"CPU, %", []line{highest("CPU", m.ofDatabase("CPUUtilization"))}},
			{"Connections", []line{highest("open", m.ofDatabase("DatabaseConnections"))}},
			{"Freeable memory, bytes", []line{lowest("memory", m.ofDatabase("FreeableMemory"))}},
			{"Free storage, bytes", []line{lowest("storage", m.ofDatabase("FreeStorageSpace"))}},
		}},
	}
}

// The dashboard's grid:
// https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/CloudWatch-Dashboard-Body-Structure.html
const (
	gridWidth   = 24
	titleHeight = 2
	chartHeight = 5
	wideHeight  = 6
)

// logQuery selects the warnings and errors of the functions' logs, latest first.
const logQuery = "fields @timestamp, level, message, correlation_id, production_order, error, record.status" +
	" | filter level in ['WARN', 'ERROR'] or record.status in ['error', 'failure', 'timeout']" +
	" | sort @timestamp desc | limit 100"

// newDashboard makes the stage's dashboard. From left to right, its columns follow a purchase from
// the buyer to the factory and back. Below them are the alarms and the functions' errors.
func newDashboard(
	ctx *pulumi.Context, m metrics, functions []*function, alarms []*cloudwatch.MetricAlarm,
) (*cloudwatch.Dashboard, error) {
	region := config.Require(ctx, "aws:region")
	byName := map[string]*function{}
	for _, f := range functions {
		byName[f.declared.Name] = f
	}
	for _, f := range []lambdas.Function{lambdas.SalesAPI, lambdas.Sweep, lambdas.Stock, lambdas.StockIncrease} {
		if byName[f.Name] == nil {
			return nil, fmt.Errorf("creating the dashboard: it draws the function %s, which is not deployed: is it in "+
				"lambdas.All?", f.Name)
		}
	}
	columns := slices.Concat(demand(m, byName), supply(m, byName))
	width, bottom := gridWidth/len(columns), 0
	var widgets pulumi.Array
	place := func(kind string, x, y, w, h int, properties pulumi.Map) {
		widgets = append(widgets, pulumi.Map{
			"type": pulumi.String(kind), "properties": properties,
			"x": pulumi.Int(x), "y": pulumi.Int(y), "width": pulumi.Int(w), "height": pulumi.Int(h),
		})
		bottom = max(bottom, y+h)
	}
	for i, c := range columns {
		x := i * width
		place("text", x, 0, width, titleHeight, pulumi.Map{"markdown": pulumi.Sprintf("## %s\n%s", c.title, c.text)})
		for j, chart := range c.charts {
			place("metric", x, titleHeight+j*chartHeight, width, chartHeight, chart.properties(region))
		}
	}
	var alarmARNs, logGroups pulumi.Array
	for _, a := range alarms {
		alarmARNs = append(alarmARNs, a.Arn)
	}
	for _, f := range functions {
		logGroups = append(logGroups, f.logs.Name)
	}
	place("alarm", 0, bottom, gridWidth, wideHeight, pulumi.Map{"title": pulumi.String("Alarms"), "alarms": alarmARNs})
	place("log", 0, bottom, gridWidth, wideHeight, pulumi.Map{
		"title": pulumi.String("What went wrong, latest first"), "region": pulumi.String(region),
		"view": pulumi.String("table"),
		"query": logGroups.ToArrayOutput().ApplyT(func(names []any) string {
			query := ""
			for _, name := range names {
				query += fmt.Sprintf("SOURCE '%s' | ", name)
			}
			return query + logQuery
		}).(pulumi.StringOutput),
	})
	place("metric", 0, bottom, gridWidth, chartHeight, errorsOf(functions).properties(region))
	dashboard, err := cloudwatch.NewDashboard(ctx, "shop", &cloudwatch.DashboardArgs{
		DashboardName: pulumi.Sprintf("%s-%s", ctx.Project(), ctx.Stack()),
		DashboardBody: pulumi.JSONMarshal(pulumi.Map{"widgets": widgets}),
	})
	if err != nil {
		return nil, fmt.Errorf("creating the dashboard: %w", err)
	}
	return dashboard, nil
}

func (c chart) properties(region string) pulumi.Map {
	var lines pulumi.Array
	for _, l := range c.lines {
		if l.expression != "" {
			lines = append(lines, pulumi.Array{pulumi.Map{"expression": pulumi.String(l.expression)}})
			continue
		}
		parts := pulumi.Array{pulumi.String(l.metric.namespace), pulumi.String(l.metric.name)}
		for name, value := range l.metric.dimensions {
			parts = append(parts, pulumi.String(name), value)
		}
		shown := pulumi.Map{"label": pulumi.String(l.label), "stat": pulumi.String(l.statistic)}
		lines = append(lines, append(parts, shown))
	}
	return pulumi.Map{
		"title": pulumi.String(c.title), "region": pulumi.String(region), "view": pulumi.String("timeSeries"),
		"period":  pulumi.Int(60),
		"metrics": lines, "yAxis": pulumi.Map{"left": pulumi.Map{"min": pulumi.Int(0)}},
	}
}
