package rules

import (
	"encoding/json"
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	"restock/infra/graph"
)

// A limit says which values AWS accepts in a property.
type limit struct {
	property string // a path, like scalingConfig.maximumConcurrency
	accepts  func(any) bool
	want     string // for people
}

// inRange is the limit of a number, or of a number as a text.
func inRange(property string, least, most float64, unit string) limit {
	return limit{property, func(value any) bool {
		n, err := strconv.ParseFloat(fmt.Sprint(value), 64)
		return err == nil && n >= least && n <= most
	}, strings.TrimSpace(fmt.Sprintf("%.0f to %.0f %s", least, most, unit))}
}

func oneOf(property string, values ...any) limit {
	return limit{property, func(value any) bool { return slices.Contains(values, value) },
		"one of " + strings.Trim(fmt.Sprintf("%v", values), "[]")}
}

// text is the limit of a text. The form may be nil.
func text(property string, least, most int, form *regexp.Regexp, characters string) limit {
	want := fmt.Sprintf("%d to %d characters", least, most)
	if form != nil {
		want += ": " + characters
	}
	return limit{property, func(value any) bool {
		s := fmt.Sprint(value)
		n := utf8.RuneCountInString(s)
		return n >= least && n <= most && (form == nil || form.MatchString(s))
	}, want}
}

const groupCharacters = "letters, digits, spaces and ._-:/()#,@[]+=&;{}!$*"

var (
	groupText = regexp.MustCompile(`^[A-Za-z0-9 ._:/()#,@\[\]+=&;{}!$*-]*$`)
	rolePath  = regexp.MustCompile(`^/([\x21-\x7e]+/)*$`)
	roleText  = regexp.MustCompile(`^[\t\n\r\x20-\x7e\xa1-\xff]*$`)
	routeKey  = regexp.MustCompile(`^(\$default|(ANY|GET|HEAD|POST|PUT|PATCH|DELETE|OPTIONS) /\S*)$`)
	statistic = regexp.MustCompile(`^(IQM|(p|tm|tc|ts|wm)(\d{1,2}(\.\d{0,10})?|100)|` +
		`(TM|TC|TS|WM|PR)\((\d+(\.\d+)?%?)?:(\d+(\.\d+)?%?)?\))$`)
)

// cacheKey is the path of a cache policy's cache key.
const cacheKey = "parametersInCacheKeyAndForwardedToOrigin."

// limits are the limits of properties, by type. The AWS provider refuses some of these values in a
// preview, too. Here they are refused without an account. Names have limits in package graph.
var limits = map[graph.Type][]limit{
	// https://docs.aws.amazon.com/apigatewayv2/latest/api-reference/apis.html
	// https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-develop-routes.html
	graph.API: {
		text("description", 0, 1024, nil, ""),
		inRange("corsConfiguration.maxAge", -1, 86400, "seconds"),
	},
	graph.APIRoute: {
		text("routeKey", 1, 512, routeKey, "$default, or a method, a space and a path that begins with /"),
		oneOf("authorizationType", "NONE", "AWS_IAM", "CUSTOM", "JWT"),
	},
	// https://docs.aws.amazon.com/apigatewayv2/latest/api-reference/apis-apiid-integrations.html
	graph.APIIntegration: {
		inRange("timeoutMilliseconds", 50, 30000, "milliseconds"), oneOf("payloadFormatVersion", "1.0", "2.0"),
	},
	// https://docs.aws.amazon.com/AmazonRDS/latest/APIReference/API_CreateDBInstance.html
	// https://docs.aws.amazon.com/AmazonRDS/latest/UserGuide/UsingWithRDS.SSL-certificate-rotation.html
	// The limits of storage and of names depend on the engine: see checkEngine.
	graph.Database: {
		inRange("backupRetentionPeriod", 0, 35, "days"), inRange("port", 1150, 65535, ""),
		oneOf("caCertIdentifier", "rds-ca-rsa2048-g1", "rds-ca-rsa4096-g1", "rds-ca-ecc384-g1"),
		oneOf("monitoringInterval", 0.0, 1.0, 5.0, 10.0, 15.0, 30.0, 60.0),
	},
	// https://docs.aws.amazon.com/cloudfront/latest/APIReference/API_ParametersInCacheKeyAndForwardedToOrigin.html
	graph.CachePolicy: {
		oneOf(cacheKey+"queryStringsConfig.queryStringBehavior", "none", "whitelist", "allExcept", "all"),
		oneOf(cacheKey+"cookiesConfig.cookieBehavior", "none", "whitelist", "allExcept", "all"),
		oneOf(cacheKey+"headersConfig.headerBehavior", "none", "whitelist"),
	},
	// https://docs.aws.amazon.com/cloudfront/latest/APIReference/API_DistributionConfig.html
	// https://docs.aws.amazon.com/cloudfront/latest/APIReference/API_ViewerCertificate.html
	graph.Distribution: {
		oneOf("priceClass", "PriceClass_100", "PriceClass_200", "PriceClass_All", "None"),
		oneOf("httpVersion", "http1.1", "http2", "http3", "http2and3"),
		oneOf("viewerCertificate.sslSupportMethod", "sni-only", "vip", "static-ip"),
		oneOf("viewerCertificate.minimumProtocolVersion", "SSLv3", "TLSv1", "TLSv1_2016", "TLSv1.1_2016",
			"TLSv1.2_2018", "TLSv1.2_2019", "TLSv1.2_2021", "TLSv1.2_2025", "TLSv1.3_2025"),
		oneOf("restrictions.geoRestriction.restrictionType", "none", "whitelist", "blacklist"),
	},
	// https://docs.aws.amazon.com/AmazonRDS/latest/APIReference/API_Parameter.html
	graph.ParameterGroup: {oneOf("parameters.applyMethod", "immediate", "pending-reboot")},
	// https://docs.aws.amazon.com/lambda/latest/dg/invocation-sync.html
	graph.Invocation: {{"input", func(v any) bool { return json.Valid([]byte(fmt.Sprint(v))) }, "JSON"}},
	// https://docs.aws.amazon.com/lambda/latest/api/API_CreateEventSourceMapping.html
	// https://docs.aws.amazon.com/lambda/latest/api/API_ScalingConfig.html
	graph.EventSourceMapping: {
		inRange("batchSize", 1, 10000, "messages"), inRange("maximumBatchingWindowInSeconds", 0, 300, "seconds"),
		inRange("scalingConfig.maximumConcurrency", 2, 1000, "instances"),
	},
	// https://docs.aws.amazon.com/eventbridge/latest/APIReference/API_PutRule.html
	// https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-scheduled-rule-pattern.html
	graph.EventRule: {
		text("description", 0, 512, nil, ""),
		{"scheduleExpression", validSchedule, "an expression like rate(1 minute), rate(5 minutes) or " +
			"cron(0 10 * * ? *), which has six fields, and a ? for one of the two days"},
		oneOf("state", "ENABLED", "DISABLED", "ENABLED_WITH_ALL_CLOUDTRAIL_MANAGEMENT_EVENTS"),
	},
	// https://docs.aws.amazon.com/lambda/latest/api/API_CreateFunction.html
	graph.Function: {
		inRange("timeout", 1, 900, "seconds"), inRange("memorySize", 128, 10240, "MiB"),
		inRange("ephemeralStorage.size", 512, 10240, "MiB"), text("description", 0, 256, nil, ""),
		oneOf("loggingConfig.logFormat", "Text", "JSON"),
		oneOf("loggingConfig.systemLogLevel", "DEBUG", "INFO", "WARN"),
	},
	// https://docs.aws.amazon.com/kms/latest/APIReference/API_CreateKey.html
	// https://docs.aws.amazon.com/kms/latest/APIReference/API_ScheduleKeyDeletion.html
	graph.Key: {
		text("description", 0, 8192, nil, ""), inRange("deletionWindowInDays", 7, 30, "days"),
		inRange("rotationPeriodInDays", 90, 2560, "days"),
	},
	// https://docs.aws.amazon.com/AmazonCloudWatchLogs/latest/APIReference/API_PutRetentionPolicy.html
	graph.LogGroup: {oneOf("retentionInDays", 0.0, 1.0, 3.0, 5.0, 7.0, 14.0, 30.0, 60.0, 90.0, 120.0, 150.0, 180.0,
		365.0, 400.0, 545.0, 731.0, 1096.0, 1827.0, 2192.0, 2557.0, 2922.0, 3288.0, 3653.0)},
	// https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/API_PutMetricAlarm.html
	// https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/Statistics-definitions.html
	// An alarm looks back a day at most if its period is 10 s, so it has 8640 periods at most.
	graph.MetricAlarm: {
		text("alarmDescription", 0, 1024, nil, ""), inRange("evaluationPeriods", 1, 8640, ""),
		inRange("datapointsToAlarm", 1, 8640, ""),
		{"period", validPeriod, "10, 20, 30 or a multiple of 60 seconds"},
		{"statistic", oneOf("", "SampleCount", "Average", "Sum", "Minimum", "Maximum").accepts,
			"one of SampleCount Average Sum Minimum Maximum, or a percentile in extendedStatistic"},
		{"extendedStatistic", func(v any) bool { return statistic.MatchString(fmt.Sprint(v)) },
			"like p99, IQM or TM(10%:90%)"},
		oneOf("treatMissingData", "breaching", "notBreaching", "ignore", "missing"),
		oneOf("comparisonOperator", "GreaterThanOrEqualToThreshold", "GreaterThanThreshold", "LessThanThreshold",
			"LessThanOrEqualToThreshold", "LessThanLowerOrGreaterThanUpperThreshold", "LessThanLowerThreshold",
			"GreaterThanUpperThreshold"),
	},
	// https://docs.aws.amazon.com/AmazonRDS/latest/APIReference/API_CreateDBProxy.html
	// https://docs.aws.amazon.com/AmazonRDS/latest/APIReference/API_ConnectionPoolConfiguration.html
	graph.Proxy: {oneOf("engineFamily", "MYSQL", "POSTGRESQL", "SQLSERVER")},
	graph.ProxyDefaultTargetGroup: {
		inRange("connectionPoolConfig.maxConnectionsPercent", 1, 100, "percent"),
		inRange("connectionPoolConfig.maxIdleConnectionsPercent", 0, 100, "percent"),
		inRange("connectionPoolConfig.connectionBorrowTimeout", 0, 300, "seconds"),
	},
	// https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_CreateQueue.html
	graph.Queue: {
		inRange("visibilityTimeoutSeconds", 0, 43200, "seconds"),
		inRange("messageRetentionSeconds", 60, 1209600, "seconds"),
		inRange("delaySeconds", 0, 900, "seconds"), inRange("receiveWaitTimeSeconds", 0, 20, "seconds"),
		inRange("maxMessageSize", 1024, 1048576, "bytes"),
		inRange("kmsDataKeyReusePeriodSeconds", 60, 86400, "seconds"),
	},
	// https://docs.aws.amazon.com/IAM/latest/APIReference/API_CreateRole.html
	graph.Role: {
		text("path", 1, 512, rolePath, "a slash at the beginning and the end, and printable ASCII without spaces"),
		text("description", 0, 1000, roleText, "no Unicode beyond Latin-1"),
		inRange("maxSessionDuration", 3600, 43200, "seconds"),
	},
	// https://docs.aws.amazon.com/secretsmanager/latest/apireference/API_CreateSecret.html
	// https://docs.aws.amazon.com/secretsmanager/latest/apireference/API_DeleteSecret.html
	graph.Secret: {
		text("description", 0, 2048, nil, ""),
		{"recoveryWindowInDays", func(v any) bool { n, _ := v.(float64); return n == 0 || n >= 7 && n <= 30 },
			"0, or 7 to 30 days"},
	},
	// https://docs.aws.amazon.com/secretsmanager/latest/apireference/API_RotationRulesType.html
	graph.SecretRotation: {inRange("rotationRules.automaticallyAfterDays", 1, 1000, "days")},
	// https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_CreateSecurityGroup.html
	// https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_IpRange.html
	graph.SecurityGroup:            {text("description", 1, 255, groupText, groupCharacters)},
	graph.SecurityGroupEgressRule:  {text("description", 0, 255, groupText, groupCharacters)},
	graph.SecurityGroupIngressRule: {text("description", 0, 255, groupText, groupCharacters)},
	// https://docs.aws.amazon.com/sns/latest/api/API_Subscribe.html
	graph.TopicSubscription: {
		oneOf("protocol", "http", "https", "email", "email-json", "sms", "sqs", "application", "lambda", "firehose"),
		oneOf("filterPolicyScope", "MessageAttributes", "MessageBody"),
	},
}

// checkLimits checks that AWS accepts the values of properties. It refuses most of them only when
// it makes the resource: then a deployment stops half way.
func checkLimits(i *inspection) {
	for _, r := range i.Resources {
		for _, l := range limits[r.Type] {
			i.checkLimit(r, l)
		}
		i.checkTags(r)
		switch r.Type {
		case graph.API:
			if p := r.String("protocolType"); p != "" && p != "HTTP" {
				i.report(r, "set protocolType to HTTP",
					"protocolType is %q: its routes, and the events of its functions, are those of HTTP APIs", p)
			}
		case graph.Key:
			if u := r.String("keyUsage"); u != "" && u != "ENCRYPT_DECRYPT" {
				i.report(r, "set keyUsage to ENCRYPT_DECRYPT, or leave it out",
					"keyUsage is %q: topics and log groups cannot encrypt with such a key", u)
			}
		case graph.MetricAlarm:
			i.checkEvaluation(r)
		case graph.Queue:
			i.checkRedrive(r)
		case graph.EventSourceMapping:
			i.checkBatch(r)
			i.checkOnce(r)
		case graph.TopicSubscription:
			i.checkFIFOSubscription(r)
		case graph.Function:
			i.checkEnvironmentSize(r)
		case graph.SecretRotation:
			schedule := r.Object("rotationRules")
			if schedule["automaticallyAfterDays"] != nil && schedule["scheduleExpression"] != nil {
				i.report(r, "delete one of the two", "rotationRules has automaticallyAfterDays and a "+
					"scheduleExpression: Secrets Manager refuses both together")
			}
		case graph.Database:
			i.checkEngine(r)
		case graph.ProxyDefaultTargetGroup:
			i.checkPool(r)
		}
	}
}

func (i *inspection) checkLimit(r *graph.Resource, l limit) {
	for _, value := range at(r.Outputs, strings.Split(l.property, ".")) {
		if value != "" && !l.accepts(value) {
			i.report(r, "set "+l.property+" to such a value", "%s is %v, want %s: AWS refuses other values", l.property,
				quoted(value), l.want)
		}
	}
}

// at returns the values at a path. A path leads into all elements of a list.
func at(value any, path []string) (all []any) {
	switch value := value.(type) {
	case nil:
		return nil
	case []any:
		for _, v := range value {
			all = append(all, at(v, path)...)
		}
		return all
	case map[string]any:
		if len(path) > 0 {
			return at(value[path[0]], path[1:])
		}
	}
	if len(path) > 0 {
		return nil
	}
	return []any{value}
}

// longest is the number of characters of a value that a message shows.
const longest = 80

func quoted(value any) any {
	switch value := value.(type) {
	case string:
		if runes := []rune(value); len(runes) > longest {
			return fmt.Sprintf("%q… (%d characters)", string(runes[:longest]), len(runes))
		}
		return strconv.Quote(value)
	case float64:
		return strconv.FormatFloat(value, 'f', -1, 64) // and not 1.2e+06
	}
	return value
}

// rates are the units of a rate, for one and for more. AWS's answers to other rates are recorded in
// https://github.com/localstack/localstack/blob/main/tests/aws/services/events/test_events_schedule.py
var rates = regexp.MustCompile(`^rate\((1 (minute|hour|day)|([2-9]|[1-9]\d+) (minutes|hours|days))\)$`)

func validSchedule(value any) bool {
	expression := fmt.Sprint(value)
	fields, isCron := strings.CutPrefix(expression, "cron(")
	if !isCron {
		return rates.MatchString(expression)
	}
	fields, closed := strings.CutSuffix(fields, ")")
	cron := strings.Fields(fields)
	return closed && len(cron) == 6 && (cron[2] == "?" || cron[4] == "?")
}

func validPeriod(value any) bool {
	n, isNumber := value.(float64)
	return isNumber && (n == 10 || n == 20 || n == 30 || n >= 60 && int(n)%60 == 0)
}

// checkEvaluation checks the time that an alarm looks back: a day, or a week if its period is an
// hour or more. A metric of AWS has one value a minute at most.
// https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/API_PutMetricAlarm.html
func (i *inspection) checkEvaluation(r *graph.Resource) {
	period, periods := r.Number("period"), r.Number("evaluationPeriods")
	most := 86400.0
	if period >= 3600 {
		most = 604800
	}
	if period*periods > most {
		i.report(r, "lower period or evaluationPeriods",
			"its period of %v s times evaluationPeriods, %v, is %v s, want %v s at most: CloudWatch refuses it",
			period, periods, period*periods, most)
	}
	if period > 0 && period < 60 && strings.HasPrefix(r.String("namespace"), "AWS/") {
		i.report(r, "set period to 60 or a multiple of it",
			"its period is %v s, and AWS measures %s once a minute: most periods have no value",
			period, r.String("namespace"))
	}
	if datapoints := r.Number("datapointsToAlarm"); datapoints > periods {
		i.report(r, "lower datapointsToAlarm", "datapointsToAlarm is %v, want %v at most, its evaluationPeriods: "+
			"CloudWatch refuses it", datapoints, periods)
	}
}

// checkPool checks that a proxy keeps no more idle connections than it may open.
// https://docs.aws.amazon.com/AmazonRDS/latest/APIReference/API_ConnectionPoolConfiguration.html
func (i *inspection) checkPool(r *graph.Resource) {
	pool := &graph.Resource{Outputs: r.Object("connectionPoolConfig")}
	most := number(pool, "maxConnectionsPercent", 100)
	if idle := pool.Number("maxIdleConnectionsPercent"); idle > most {
		i.report(r, "lower it", "maxIdleConnectionsPercent is %v, want %v at most, its maxConnectionsPercent",
			idle, most)
	}
}

// checkRedrive checks that the dead-letter queue of a queue is of the same type, and that the
// number of receives is possible.
// https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/sqs-configure-dead-letter-queue.html
func (i *inspection) checkRedrive(r *graph.Resource) {
	redrive := i.redrivePolicy(r)
	if count := redrive.count(); count > 1000 {
		i.report(r, "lower it", "maxReceiveCount is %v, want 1 to 1000", count)
	}
	target := i.Find(graph.Queue, "arn", redrive.DeadLetterTargetARN)
	if target != nil && target.Bool("fifoQueue") != r.Bool("fifoQueue") {
		i.report(r, "give both queues the same fifoQueue",
			"fifoQueue is %v, and %v on its dead-letter queue %s: SQS refuses a dead-letter queue of another type",
			r.Bool("fifoQueue"), target.Bool("fifoQueue"), target.Name)
	}
	name, given := r.Inputs["name"].(string)
	if given && r.Bool("fifoQueue") != strings.HasSuffix(name, ".fifo") {
		i.report(r, "end the name with .fifo and set fifoQueue to true, or do neither",
			"its name is %q, and fifoQueue is %v: SQS refuses it", name, r.Bool("fifoQueue"))
	}
}

// checkOnce checks that no earlier mapping is from the same event source to the same function:
// Lambda refuses the second one with ResourceConflictException, recorded in
// https://github.com/localstack/localstack/blob/main/tests/aws/services/lambda_/event_source_mapping/test_lambda_integration_sqs.snapshot.json
func (i *inspection) checkOnce(r *graph.Resource) {
	for _, earlier := range i.OfType(graph.EventSourceMapping) {
		if earlier == r {
			return
		}
		function := i.function(r.String("functionName"))
		if function != nil && function == i.function(earlier.String("functionName")) &&
			r.String("eventSourceArn") == earlier.String("eventSourceArn") {
			i.report(r, "delete one of the two",
				"it maps the same queue to the same function as EventSourceMapping %s: Lambda refuses it", earlier.Name)
		}
	}
}

// maxEnvironment is the size of all environment variables together, in bytes, as a JSON object
// without spaces. AWS's answers to 4096 and 4097 bytes are recorded in
// https://github.com/localstack/localstack/blob/main/tests/aws/services/lambda_/test_lambda_api.py
const maxEnvironment = 4096

var (
	variableName = regexp.MustCompile(`^[A-Za-z][A-Za-z0-9_]+$`)
	reservedName = regexp.MustCompile(`^(AWS_(DEFAULT_)?REGION|AWS_EXECUTION_ENV|AWS_ACCESS_KEY(_ID)?|` +
		`AWS_SECRET_ACCESS_KEY|AWS_SESSION_TOKEN|LAMBDA_TASK_ROOT|LAMBDA_RUNTIME_DIR|` +
		`AWS_LAMBDA_(FUNCTION_(NAME|MEMORY_SIZE|VERSION)|INITIALIZATION_TYPE|LOG_(GROUP|STREAM)_NAME|RUNTIME_API))$`)
)

// checkEnvironmentSize checks that Lambda accepts the environment variables of a function.
// https://docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html
// https://docs.aws.amazon.com/lambda/latest/dg/configuration-envvars.html#configuration-envvars-runtime
func (i *inspection) checkEnvironmentSize(r *graph.Resource) {
	size := len("{}") - len(",")
	values := variables(r)
	for _, name := range slices.Sorted(maps.Keys(values)) {
		size += len(name) + len(values[name]) + len(`"":"",`)
		if !variableName.MatchString(name) || reservedName.MatchString(name) {
			i.report(r, "give the variable another name, or delete it",
				"variable %q: Lambda refuses its own names, and names with other characters than letters, digits "+
					"and underscores", name)
		}
	}
	if size > maxEnvironment {
		i.report(r, "put large values into a secret or a file",
			"its variables have %d bytes as JSON, want %d at most", size, maxEnvironment)
	}
}

var tagText = regexp.MustCompile(`^[\p{L}\p{Z}\p{N}_.:/=+@-]*$`)

// checkTags checks that AWS accepts the tags of a resource. SQS recommends 50 tags at most, and
// names no limit. EC2 accepts all characters.
// https://docs.aws.amazon.com/tag-editor/latest/userguide/reference.html
// https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/quotas-queues.html
// https://docs.aws.amazon.com/mediaconnect/latest/ug/tagging-restrictions.html
func (i *inspection) checkTags(r *graph.Resource) {
	tags := r.Object("tags")
	if len(tags) > 50 && r.Type != graph.Queue {
		i.report(r, "delete some", "it has %d tags, want 50 at most", len(tags))
	}
	service, _, _ := strings.Cut(strings.TrimPrefix(string(r.Type), graph.AWS), "/")
	anyText := service == "ec2" || service == "vpc"
	for _, key := range slices.Sorted(maps.Keys(tags)) {
		value := fmt.Sprint(tags[key])
		if n := utf8.RuneCountInString(key); n < 1 || n > 128 || utf8.RuneCountInString(value) > 256 ||
			!anyText && !tagText.MatchString(key+value) ||
			strings.HasPrefix(strings.ToLower(key), "aws:") {
			i.report(r, "change the tag", "tag %q is %q, want a key of 1 to 128 characters that does not begin "+
				"with aws:, a value of 256 at most, and only letters, digits, spaces and _.:/=+-@", key, value)
		}
	}
}
