package stack

import (
	"fmt"
	"slices"

	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/cloudwatch"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi/config"

	"restock/lambdas"
)

// A chapter is a column of the dashboard: a part of the story, with its graphs from top to bottom.
type chapter struct {
	title  string
	text   string // what it tells
	charts []chart
}

// A chart is one graph with its lines.
type chart struct {
	title string
	lines []line
}

// A line is a metric, or an expression, as it is drawn.
type line struct {
	metric     metric
	expression string
	label      string
	statistic  string
}

// story is the dashboard, from left to right.
func story(m metrics, functions map[string]*function) []chapter {
	return slices.Concat(demand(m, functions), supply(m, functions))
}

func (m metrics) count(label, name string) line {
	return line{metric: m.ofBusiness(name), label: label, statistic: "Sum"}
}

func most(label string, metric metric) line {
	return line{metric: metric, label: label, statistic: "Maximum"}
}

// chart shows a function's errors and throttles.
func (f *function) chart() chart {
	return chart{"Function " + f.declared.Name, []line{
		{metric: f.metric("Errors"), label: "errors", statistic: "Sum"},
		{metric: f.metric("Throttles"), label: "throttles", statistic: "Sum"},
		{metric: f.metric("ConcurrentExecutions"), label: "at once", statistic: "Maximum"},
	}}
}

// demand is the way from a buyer to a production order.
func demand(m metrics, functions map[string]*function) []chapter {
	return []chapter{
		{"1 · Buyers", "who comes, who buys, who is refused", []chart{
			{"Sales and refusals", []line{m.count("sales", lambdas.MetricSales), m.count("refusals", lambdas.MetricRefusals)}},
			{"Requests", []line{
				{metric: m.ofAPI("Count"), label: "all", statistic: "Sum"},
				{metric: m.ofAPI("4xx"), label: "4xx", statistic: "Sum"},
				{metric: m.ofAPI("5xx"), label: "5xx", statistic: "Sum"},
			}},
			{"Latency, ms", []line{
				{metric: m.ofAPI("Latency"), label: "p50", statistic: "p50"},
				{metric: m.ofAPI("Latency"), label: "p99", statistic: "p99"},
			}},
			functions[lambdas.SalesAPI.Name].chart(),
		}},
		{"2 · Stock", "what is on hand, and whether the books agree", []chart{
			{"On hand, by product", []line{{
				expression: fmt.Sprintf(`SEARCH('{"%s",%s} MetricName="%s"', 'Minimum', 60)`, m.stage, lambdas.DimensionProduct, lambdas.MetricStock),
			}}},
			{"Units sold", []line{m.count("sold", lambdas.MetricUnitsSold)}},
			{"Ledger's difference", []line{most("difference", m.ofBusiness(lambdas.MetricLedgerDifference))}},
			functions[lambdas.Sweep.Name].chart(),
		}},
		{"3 · Queue", "what was asked for and waits", []chart{
			{"Production orders opened", []line{m.count("opened", lambdas.MetricProductionOrdersOpened)}},
			{"Messages in stock_queue", []line{
				most("waiting", m.ofQueue(lambdas.StockQueue, "ApproximateNumberOfMessagesVisible")),
				most("being handled", m.ofQueue(lambdas.StockQueue, "ApproximateNumberOfMessagesNotVisible")),
			}},
			{"Oldest message, s", []line{most("age", m.ofQueue(lambdas.StockQueue, "ApproximateAgeOfOldestMessage"))}},
			{"Dead letters", []line{most("in "+lambdas.DeadLetterQueue(lambdas.StockQueue),
				m.ofDeadLetters(lambdas.StockQueue, "ApproximateNumberOfMessagesVisible"))}},
		}},
	}
}

// supply is the way from a production order to goods on hand, and the database.
func supply(m metrics, functions map[string]*function) []chapter {
	return []chapter{
		{"4 · Factory", "what it takes, what it owes", []chart{
			{"Requests to the factory", []line{
				m.count("taken", lambdas.MetricProductionRequests),
				m.count("failed", lambdas.MetricProductionRequestsFailed),
				m.count("expired", lambdas.MetricProductionRequestsExpired),
			}},
			{"Production orders late", []line{
				most("overdue", m.ofBusiness(lambdas.MetricProductionOrdersOverdue)),
				m.count("asked again", lambdas.MetricProductionOrdersAskedAgain),
				m.count("short", lambdas.MetricProductionOrdersShort),
				m.count("failed", lambdas.MetricProductionOrdersFailed),
			}},
			{"Function stock, ms", []line{{metric: functions[lambdas.Stock.Name].metric("Duration"), label: "p99", statistic: "p99"}}},
			functions[lambdas.Stock.Name].chart(),
		}},
		{"5 · Receipts", "what has come", []chart{
			{"Units received", []line{m.count("received", lambdas.MetricUnitsReceived)}},
			{"Units beyond what was ordered", []line{m.count("surplus", lambdas.MetricSurplusUnits)}},
			{"Function stock-increase, ms", []line{{metric: functions[lambdas.StockIncrease.Name].metric("Duration"), label: "p99", statistic: "p99"}}},
			functions[lambdas.StockIncrease.Name].chart(),
		}},
		{"6 · Database", "what all of it stands on", []chart{
			{"CPU, %", []line{most("CPU", m.ofDatabase("CPUUtilization"))}},
			{"Connections", []line{most("open", m.ofDatabase("DatabaseConnections"))}},
			{"Freeable memory, bytes", []line{{metric: m.ofDatabase("FreeableMemory"), label: "memory", statistic: "Minimum"}}},
			{"Free storage, bytes", []line{{metric: m.ofDatabase("FreeStorageSpace"), label: "storage", statistic: "Minimum"}}},
		}},
	}
}

// The dashboard's grid: https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/CloudWatch-Dashboard-Body-Structure.html
const (
	gridWidth   = 24
	titleHeight = 2
	chartHeight = 5
	wideHeight  = 6
)

// newDashboard draws the stage's dashboard: the story above, its alarms and what went wrong below.
func newDashboard(ctx *pulumi.Context, m metrics, functions []*function, alarms []*cloudwatch.MetricAlarm) (*cloudwatch.Dashboard, error) {
	region := config.Require(ctx, "aws:region")
	byName := map[string]*function{}
	for _, f := range functions {
		byName[f.declared.Name] = f
	}
	for _, f := range []lambdas.Function{lambdas.SalesAPI, lambdas.Sweep, lambdas.Stock, lambdas.StockIncrease} {
		if byName[f.Name] == nil {
			return nil, fmt.Errorf("creating the dashboard: the function %s, of which it tells, is not deployed: is it in lambdas.All?", f.Name)
		}
	}
	chapters := story(m, byName)
	width, bottom := gridWidth/len(chapters), 0
	var widgets pulumi.Array
	place := func(kind string, x, y, w, h int, properties pulumi.Map) {
		widgets = append(widgets, pulumi.Map{
			"type": pulumi.String(kind), "x": pulumi.Int(x), "y": pulumi.Int(y), "width": pulumi.Int(w), "height": pulumi.Int(h), "properties": properties,
		})
		bottom = max(bottom, y+h)
	}
	for i, c := range chapters {
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
		"title": pulumi.String("What went wrong, latest first"), "region": pulumi.String(region), "view": pulumi.String("table"),
		"query": logGroups.ToArrayOutput().ApplyT(func(names []any) string {
			query := ""
			for _, name := range names {
				query += fmt.Sprintf("SOURCE '%s' | ", name)
			}
			return query + "fields @timestamp, level, message, correlation_id, production_order, error, record.status | filter level in ['WARN', 'ERROR'] or record.status in ['error', 'failure', 'timeout'] | sort @timestamp desc | limit 100"
		}).(pulumi.StringOutput),
	})
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
		drawn := pulumi.Array{pulumi.String(l.metric.namespace), pulumi.String(l.metric.name)}
		for name, value := range l.metric.dimensions {
			drawn = append(drawn, pulumi.String(name), value)
		}
		lines = append(lines, append(drawn, pulumi.Map{"label": pulumi.String(l.label), "stat": pulumi.String(l.statistic)}))
	}
	return pulumi.Map{
		"title": pulumi.String(c.title), "region": pulumi.String(region), "view": pulumi.String("timeSeries"), "period": pulumi.Int(60),
		"metrics": lines, "yAxis": pulumi.Map{"left": pulumi.Map{"min": pulumi.Int(0)}},
	}
}
