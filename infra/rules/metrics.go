package rules

import (
	"encoding/json"
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"restock/infra/graph"
)

// A namespace has the metrics that a service of AWS measures of one kind of resource.
type namespace struct {
	dimension string     // names the resource
	of        graph.Type // the resource
	output    string     // its value in the dimension; empty for the id
	metrics   []string
}

// namespaces are the namespaces of AWS that the rules know:
// https://docs.aws.amazon.com/lambda/latest/dg/monitoring-metrics-types.html
// https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/sqs-available-cloudwatch-metrics.html
// https://docs.aws.amazon.com/AmazonRDS/latest/UserGuide/rds-metrics.html
// https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-metrics.html
var namespaces = map[string]namespace{
	"AWS/Lambda": {"FunctionName", graph.Function, "name", strings.Fields(`AsyncEventAge AsyncEventsDropped
		AsyncEventsReceived ConcurrentExecutions DeadLetterErrors DestinationDeliveryFailures Duration Errors
		Invocations IteratorAge OffsetLag PostRuntimeExtensionsDuration ProvisionedConcurrencyInvocations
		ProvisionedConcurrencySpilloverInvocations ProvisionedConcurrencyUtilization
		ProvisionedConcurrentExecutions RecursiveInvocationsDropped Throttles`)},
	"AWS/SQS": {"QueueName", graph.Queue, "name", strings.Fields(`ApproximateAgeOfOldestMessage
		ApproximateAgeOfOldestMessageInQuietGroups ApproximateNumberOfGroupsWithInflightMessages
		ApproximateNumberOfMessagesDelayed ApproximateNumberOfMessagesDelayedInQuietGroups
		ApproximateNumberOfMessagesNotVisible ApproximateNumberOfMessagesNotVisibleInQuietGroups
		ApproximateNumberOfMessagesVisible ApproximateNumberOfMessagesVisibleInQuietGroups
		ApproximateNumberOfNoisyGroups NumberOfDeduplicatedSentMessages NumberOfEmptyReceives
		NumberOfMessagesDeleted NumberOfMessagesReceived NumberOfMessagesSent SentMessageSize`)},
	"AWS/RDS": {"DBInstanceIdentifier", graph.Database, "identifier", strings.Fields(`BinLogDiskUsage BurstBalance
		CPUCreditBalance CPUCreditUsage CPUSurplusCreditBalance CPUSurplusCreditsCharged CPUUtilization
		CheckpointLag ConnectionAttempts DBLoad DBLoadCPU DBLoadNonCPU DatabaseConnections DiskQueueDepth
		DiskQueueDepthLogVolume EBSByteBalance% EBSIOBalance% FailedSQLServerAgentJobsCount FreeLocalStorage
		FreeLocalStoragePercent FreeStorageSpace FreeStorageSpaceLogVolume FreeableMemory
		IamDbAuthConnectionRequests MaximumUsedTransactionIDs NetworkReceiveThroughput NetworkTransmitThroughput
		OldestLogicalReplicationSlotLag OldestReplicationSlotLag ReadIOPS ReadIOPSLocalStorage ReadIOPSLogVolume
		ReadLatency ReadLatencyLocalStorage ReadLatencyLogVolume ReadThroughput ReadThroughputLocalStorage
		ReadThroughputLogVolume ReplicaLag ReplicationChannelLag ReplicationSlotDiskUsage SwapUsage
		TempDbAvailableDataSpace TempDbAvailableLogSpace TempDbDataFileUsage TempDbLogFileUsage
		TransactionLogsDiskUsage TransactionLogsGeneration WriteIOPS WriteIOPSLocalStorage WriteIOPSLogVolume
		WriteLatency WriteLatencyLocalStorage WriteLatencyLogVolume WriteThroughput WriteThroughputLocalStorage
		WriteThroughputLogVolume`)},
	"AWS/ApiGateway": {"ApiId", graph.API, "", strings.Fields(`4xx 5xx Count DataProcessed IntegrationLatency
		Latency`)},
}

// restAPIs has the metrics of REST APIs, which share a namespace with HTTP APIs:
// https://docs.aws.amazon.com/apigateway/latest/developerguide/api-gateway-metrics-and-dimensions.html
var restAPIs = namespace{"ApiName", graph.RESTAPI, "name", strings.Fields(`4XXError 5XXError CacheHitCount
	CacheMissCount Count IntegrationLatency Latency`)}

// A measurement is a metric with its dimensions, as an alarm or a dashboard names it.
type measurement struct {
	namespace, name string
	dimensions      map[string]any
}

// checkMetrics checks that alarms and dashboards name metrics that something measures. CloudWatch
// accepts all names: of an unknown metric, an alarm never rings and a graph stays empty.
// https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/cloudwatch_concepts.html#Metric
func checkMetrics(i *inspection) {
	for _, r := range i.OfType(graph.MetricAlarm) {
		if name := r.String("metricName"); name != "" { // an alarm on an expression has none
			i.checkMetric(r, "it", measurement{r.String("namespace"), name, r.Object("dimensions")})
		}
	}
	for _, r := range i.OfType(graph.Dashboard) {
		for _, w := range i.widgets[r] {
			for _, m := range w.measurements() {
				i.checkMetric(r, fmt.Sprintf("its graph %q", w.Properties.Title), m)
			}
		}
	}
}

func (i *inspection) checkMetric(r *graph.Resource, what string, m measurement) {
	known, ok := namespaces[m.namespace]
	if m.namespace == "AWS/ApiGateway" && i.isRESTAPI(m.dimensions["ApiName"]) {
		known = restAPIs
	}
	switch {
	case strings.HasPrefix(m.namespace, "AWS/") && !ok:
		i.report(r, "use one of "+strings.Join(slices.Sorted(maps.Keys(namespaces)), ", ")+
			", or add it in infra/rules/metrics.go",
			"%s watches the namespace %s, which the rules do not know: it may get no value", what, m.namespace)
	case !ok && !i.measures(m.namespace):
		i.report(r, "use the namespace in a function's variable METRICS_NAMESPACE",
			"%s watches %s in the namespace %q, in which no function measures: CloudWatch gets no value",
			what, m.name, m.namespace)
	case !ok:
		return
	case !slices.Contains(known.metrics, m.name):
		i.report(r, "use one of "+strings.Join(known.metrics, ", "),
			"%s watches %s, which is no metric of %s: CloudWatch gets no value", what, m.name, m.namespace)
	case m.dimensions[known.dimension] == nil:
		i.report(r, fmt.Sprintf("use the dimension %s", known.dimension),
			"%s watches %s by the dimensions %v, want %s: CloudWatch gets no value", what, m.name,
			slices.Sorted(maps.Keys(m.dimensions)), known.dimension)
	}
}

func (i *inspection) isRESTAPI(name any) bool {
	return name != nil && i.Find(graph.RESTAPI, "name", name) != nil
}

// measures reports whether a function may measure in a namespace: a variable for namespaces, like
// METRICS_NAMESPACE, has it as its value.
func (i *inspection) measures(namespace string) bool {
	return slices.ContainsFunc(i.OfType(graph.Function), func(f *graph.Resource) bool {
		for name, value := range environment(f) {
			if strings.Contains(name, "NAMESPACE") && value == namespace {
				return true
			}
		}
		return false
	})
}

// A widget is a part of a dashboard:
// https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/CloudWatch-Dashboard-Body-Structure.html
type widget struct {
	Type        string
	X, Y, Width int
	Properties  struct {
		Title, View, Region, Query string
		Period                     int
		Metrics                    [][]any
		Alarms                     []string
	}
}

// widgets returns the widgets of each dashboard; none if its body is not readable.
func widgets(g *graph.Graph) map[*graph.Resource][]widget {
	all := map[*graph.Resource][]widget{}
	for _, dashboard := range g.OfType(graph.Dashboard) {
		var body struct{ Widgets []widget }
		_ = json.Unmarshal([]byte(dashboard.String("dashboardBody")), &body) // checkDashboards reports it
		all[dashboard] = body.Widgets
	}
	return all
}

// name returns the title of a widget in quotes, or its place if it has none.
func (w widget) name() string {
	if w.Properties.Title == "" {
		return fmt.Sprintf("at x %d, y %d", w.X, w.Y)
	}
	return strconv.Quote(w.Properties.Title)
}

// measurements returns the metrics of a widget, without expressions.
func (w widget) measurements() (all []measurement) {
	for _, line := range w.Properties.Metrics {
		m := measurement{dimensions: map[string]any{}}
		var texts []string
		for _, part := range line {
			if text, ok := part.(string); ok {
				texts = append(texts, text)
			}
		}
		if len(texts) < 2 {
			continue
		}
		m.namespace, m.name = texts[0], texts[1]
		for pair := range slices.Chunk(texts[2:], 2) {
			m.dimensions[pair[0]] = pair[len(pair)-1]
		}
		all = append(all, m)
	}
	return all
}

// drawnDimensions returns the names and values of the dimensions of a widget's metrics.
func (w widget) drawnDimensions() (all [][2]string) {
	for _, line := range w.Properties.Metrics {
		for n := 2; n+1 < len(line); n += 2 { // after the namespace and the metric's name
			name, _ := line[n].(string)
			value, _ := line[n+1].(string)
			all = append(all, [2]string{name, value})
		}
	}
	return all
}

// dashboardColumns is the width of a dashboard's grid.
const dashboardColumns = 24

// logSource matches the log groups in a query of a dashboard.
var logSource = regexp.MustCompile(`SOURCE '([^']*)'`)

// checkDashboards checks that CloudWatch accepts a dashboard, and finds the logs that it queries.
// https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/CloudWatch-Dashboard-Body-Structure.html
func checkDashboards(i *inspection) {
	for _, r := range i.OfType(graph.Dashboard) {
		if text := r.String("dashboardBody"); !json.Valid([]byte(text)) {
			i.report(r, "marshal it with json.Marshal", "its dashboardBody is no JSON, and begins with %.40q: "+
				"CloudWatch refuses it", text)
		}
		for _, w := range i.widgets[r] {
			if w.X+w.Width > dashboardColumns {
				i.report(r, "lower x or width of the widget",
					"its widget %s ends at column %d, and a dashboard has %d: CloudWatch "+
						"refuses it", w.name(), w.X+w.Width, dashboardColumns)
			}
			if p := w.Properties.Period; p != 0 && p != 1 && p != 5 && p != 10 && p != 30 && p%60 != 0 {
				i.report(r, "set period to 60 or a multiple of it",
					"the period of its widget %s is %d s: CloudWatch refuses it", w.name(), p)
			}
			i.checkWidget(r, w)
			for _, source := range logSource.FindAllStringSubmatch(w.Properties.Query, -1) {
				if i.Find(graph.LogGroup, "name", source[1]) == nil {
					i.report(r, "use the output of a LogGroup in place of a text: logGroup.Name",
						"its widget %s queries the log group %q, which is not declared: it shows "+
							"nothing", w.name(), source[1])
				}
			}
		}
	}
}

// The types and views of widgets, and the statistics and searches of their metrics:
// https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/CloudWatch-Dashboard-Body-Structure.html
// https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/search-expression-syntax.html
var (
	widgetTypes = []string{"text", "metric", "log", "alarm", "explorer", "custom"}
	widgetViews = []string{"timeSeries", "singleValue", "gauge", "bar", "pie", "table"}
	statistics  = []string{"SampleCount", "Average", "Sum", "Minimum", "Maximum", "IQM"}
	search      = regexp.MustCompile(`^SEARCH\('[^']*', *'[^']*'(, *\d+)?\)$`)
)

// checkWidget checks a widget. CloudWatch shows an error in its place, or an empty graph.
func (i *inspection) checkWidget(r *graph.Resource, w widget) {
	title := w.Properties.Title
	if !slices.Contains(widgetTypes, w.Type) {
		i.report(r, "use one of "+strings.Join(widgetTypes, ", "), "the type of its widget %q is %q", title, w.Type)
	}
	if view := w.Properties.View; view != "" && !slices.Contains(widgetViews, view) {
		i.report(r, "use one of "+strings.Join(widgetViews, ", "), "the view of its widget %q is %q", title, view)
	}
	for _, alarm := range w.Properties.Alarms {
		if !strings.HasPrefix(alarm, "arn:") {
			i.report(r, "use the output arn of the alarm", "its widget %q shows alarm %q, want an ARN", title, alarm)
		}
	}
	for _, line := range w.Properties.Metrics {
		options, _ := line[len(line)-1].(map[string]any)
		stat, _ := options["stat"].(string)
		if stat != "" && !slices.Contains(statistics, stat) && !statistic.MatchString(stat) {
			i.report(r, "use one of "+strings.Join(statistics, ", ")+", or a percentile like p99",
				"its widget %q draws the statistic %q", title, stat)
		}
		if e, _ := options["expression"].(string); strings.HasPrefix(e, "SEARCH(") && !search.MatchString(e) {
			i.report(r, "write SEARCH('what', 'statistic', period)", "its widget %q has the expression %s, which "+
				"CloudWatch does not read", title, e)
		}
	}
	measurements := w.measurements()
	for _, m := range measurements {
		if strings.HasPrefix(m.namespace, "AWS/") && w.Properties.Period > 0 && w.Properties.Period < 60 {
			i.report(r, "set it to 60 or more", "the period of its widget %q is %d s, and AWS measures %s once a "+
				"minute", title, w.Properties.Period, m.namespace)
			break
		}
	}
	for _, m := range measurements {
		_, regional := namespaces[m.namespace]
		if region := w.Properties.Region; region != "" && region != i.Region && (regional || i.measures(m.namespace)) {
			i.report(r, "set region to "+i.Region, "its widget %q draws %s of the region %s, and the stack is in %s",
				title, m.name, region, i.Region)
			break
		}
	}
}

// checkThresholds checks that an alarm can begin, and that it can end. CloudWatch accepts every
// threshold.
// https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/alarms-and-missing-data.html
func checkThresholds(i *inspection) {
	every := map[string]float64{} // by the function's name on AWS, in seconds
	for f, d := range i.functions() {
		every[f.String("name")] = d.Every.Seconds()
	}
	for _, r := range i.OfType(graph.MetricAlarm) {
		// No metric that the rules know is ever negative.
		if r.Number("threshold") <= 0 && r.Outputs["threshold"] != nil {
			switch r.String("comparisonOperator") {
			case "GreaterThanOrEqualToThreshold":
				i.report(r, "compare with GreaterThanThreshold", "it is for values of 0 or more: it always rings")
			case "LessThanThreshold":
				i.report(r, "raise the threshold", "it is for values below %v: it never rings", r.Number("threshold"))
			}
		}
		function, _ := r.Object("dimensions")["FunctionName"].(string)
		looksBack := r.Number("period") * number(r, "evaluationPeriods", 1)
		if r.String("metricName") == "Invocations" && looksBack < 2*every[function] &&
			strings.HasPrefix(r.String("comparisonOperator"), "LessThan") {
			i.report(r, "raise its period to two intervals of the schedule or more", "it looks back %v s for an "+
				"invocation, and the function runs every %v s: it rings whenever one is late", looksBack,
				every[function])
		}
		threshold, below := r.Number("threshold"), strings.HasPrefix(r.String("comparisonOperator"), "LessThan")
		// Lambda and functions measure only when something happens.
		silent := r.String("statistic") == "Sum" && !strings.HasPrefix(r.String("namespace"), "AWS/") ||
			r.String("namespace") == "AWS/Lambda"
		if missing := r.String("treatMissingData"); below && silent && missing != "breaching" {
			i.report(r, "set treatMissingData to breaching",
				"its treatMissingData is %q, and it is for values below %v: it never "+
					"rings, because nothing is measured when nothing happens", missing, threshold)
		}
		name := r.String("metricName")
		if strings.HasPrefix(name, "Free") && !below {
			i.report(r, "set comparisonOperator to LessThanThreshold", "it rings while %s is above %s: nothing is "+
				"wrong then",
				name, decimal(threshold))
		}
		low, high, unit := i.thresholds(r)
		if high > 0 && (threshold < low || threshold > high) {
			i.report(r, "set threshold to a value between them", "its threshold is %s, want %s to %s: %s is in %s",
				decimal(threshold), decimal(low), decimal(high), name, unit)
		}
	}
}

// thresholds returns the range of an alarm's sensible thresholds; 0 if the rules know none. A
// threshold beyond it is probably in another unit.
func (i *inspection) thresholds(alarm *graph.Resource) (low, high float64, unit string) {
	const mib, gib = 1 << 20, 1 << 30
	of := namespaces[alarm.String("namespace")]
	value := alarm.Object("dimensions")[of.dimension]
	switch alarm.String("metricName") {
	case "CPUUtilization":
		return 10, 100, "percent"
	case "Latency", "IntegrationLatency":
		return 10, 30_000, "milliseconds, and the API waits 30 s at most"
	case "Duration":
		if f := i.Find(of.of, "name", value); f != nil {
			return 10, 1000 * number(f, "timeout", defaultFunctionTimeout), "milliseconds, up to the function's timeout"
		}
	case "FreeableMemory":
		return 10 * mib, 1024 * gib, "bytes"
	case "FreeStorageSpace":
		if d := i.Find(of.of, of.output, value); d != nil {
			return 100 * mib, gib * d.Number("allocatedStorage"), "bytes, up to the allocated storage"
		}
	case "DatabaseConnections":
		if d := i.Find(of.of, of.output, value); d != nil {
			most, _ := strconv.ParseFloat(i.parameter(d, "max_connections"), 64)
			return 1, most, "connections, up to max_connections"
		}
	case "ApproximateAgeOfOldestMessage":
		if q := i.Find(of.of, "name", value); q != nil {
			return 10, number(q, "messageRetentionSeconds", defaultMessageRetention), "seconds, up to the retention"
		}
	}
	return 0, 0, ""
}

// decimal writes a number without an exponent.
func decimal(n float64) string { return strconv.FormatFloat(n, 'f', -1, 64) }
