package cost

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"restock/infra/graph"
)

// Type tokens of the resources that usage.go looks at.
const (
	databaseType    = "aws:rds/instance:Instance"
	apiType         = "aws:apigatewayv2/api:Api"
	functionType    = "aws:lambda/function:Function"
	integrationType = "aws:apigatewayv2/integration:Integration"
	logGroupType    = "aws:cloudwatch/logGroup:LogGroup"
	proxyTargetType = "aws:rds/proxyTarget:ProxyTarget"
	stageType       = "aws:apigatewayv2/stage:Stage"
	eventSourceType = "aws:lambda/eventSourceMapping:EventSourceMapping"
	queueType       = "aws:sqs/queue:Queue"
	routeType       = "aws:apigatewayv2/route:Route"
	scheduleType    = "aws:cloudwatch/eventRule:EventRule"
	targetType      = "aws:cloudwatch/eventTarget:EventTarget"
	topicType       = "aws:sns/topic:Topic"
)

// priced are the kinds that cost something for being there.
var priced = map[string]func(*estimator, *graph.Resource) error{
	"aws:cloudwatch/compositeAlarm:CompositeAlarm": func(e *estimator, r *graph.Resource) error {
		e.always("composite alarm "+r.Name, e.price(e.prices.CompositeAlarm, 1), "1")
		return nil
	},
	"aws:cloudwatch/dashboard:Dashboard": func(e *estimator, r *graph.Resource) error {
		e.always("dashboard "+r.Name, e.price(e.prices.Dashboard, 1), "1")
		return nil
	},
	"aws:cloudwatch/metricAlarm:MetricAlarm": (*estimator).alarm,
	"aws:ec2/vpcEndpoint:VpcEndpoint":        (*estimator).endpoint,
	"aws:kms/key:Key": func(e *estimator, r *graph.Resource) error {
		e.always("KMS key "+r.Name, e.price(e.prices.Key, 1), "1")
		return nil
	},
	databaseType:          (*estimator).database,
	"aws:rds/proxy:Proxy": (*estimator).proxy,
	"aws:secretsmanager/secret:Secret": func(e *estimator, r *graph.Resource) error {
		e.always("secret "+r.Name, e.price(e.prices.Secret, 1), "1")
		return nil
	},
}

// used are the kinds that cost what is done with them: see usage.go.
var used = map[string]bool{
	apiType:         true, // per request
	eventSourceType: true, // its pollers' requests to the queue
	functionType:    true, // per request, and memory × time
	logGroupType:    true, // per byte
	queueType:       true, // per request
	scheduleType:    true, // what it invokes: the rule itself is free
	topicType:       true, // per request
}

// free are the kinds that cost nothing, each by the pricing page of its service: what they belong to is priced.
var free = map[string]bool{
	"aws:acm/certificate:Certificate":                           true, // public ones
	"aws:acm/certificateValidation:CertificateValidation":       true,
	"aws:apigatewayv2/apiMapping:ApiMapping":                    true,
	"aws:apigatewayv2/domainName:DomainName":                    true,
	integrationType:                                             true,
	routeType:                                                   true,
	stageType:                                                   true,
	targetType:                                                  true,
	"aws:ec2/defaultSecurityGroup:DefaultSecurityGroup":         true,
	"aws:ec2/routeTable:RouteTable":                             true,
	"aws:ec2/routeTableAssociation:RouteTableAssociation":       true,
	"aws:ec2/securityGroup:SecurityGroup":                       true,
	"aws:ec2/subnet:Subnet":                                     true,
	"aws:ec2/vpc:Vpc":                                           true,
	"aws:iam/role:Role":                                         true,
	"aws:iam/rolePolicy:RolePolicy":                             true,
	"aws:kms/alias:Alias":                                       true,
	"aws:kms/keyPolicy:KeyPolicy":                               true,
	"aws:lambda/invocation:Invocation":                          true, // one, in a deployment
	"aws:lambda/permission:Permission":                          true,
	"aws:rds/parameterGroup:ParameterGroup":                     true,
	"aws:rds/proxyDefaultTargetGroup:ProxyDefaultTargetGroup":   true,
	proxyTargetType:                                             true,
	"aws:rds/subnetGroup:SubnetGroup":                           true,
	"aws:secretsmanager/secretPolicy:SecretPolicy":              true,
	"aws:secretsmanager/secretRotation:SecretRotation":          true, // its function's few invocations
	"aws:sns/topicPolicy:TopicPolicy":                           true,
	"aws:sns/topicSubscription:TopicSubscription":               true, // SQS; the first 1,000 emails
	"aws:sqs/queuePolicy:QueuePolicy":                           true,
	"aws:sqs/redriveAllowPolicy:RedriveAllowPolicy":             true,
	"aws:vpc/securityGroupEgressRule:SecurityGroupEgressRule":   true,
	"aws:vpc/securityGroupIngressRule:SecurityGroupIngressRule": true,
	"pulumi:providers:aws":                                      true,
}

// surcharged are properties that cost something beside what the kind's lines say. Where one is set, it is listed as not priced.
var surcharged = map[string][]string{
	databaseType: {"iops", "storageThroughput", "performanceInsightsRetentionPeriod", "monitoringInterval", "dedicatedLogVolume"},
	functionType: {"ephemeralStorage", "snapStart"},
	logGroupType: {"logGroupClass"},
	queueType:    {"fifoQueue", "kmsMasterKeyId"},
	topicType:    {"fifoTopic"},
}

// resources adds a line for each resource that costs something for being there, and notes those that nothing is known of.
func (e *estimator) resources() error {
	for _, r := range e.Resources {
		if r.ID == "" {
			continue // a component: its children are counted
		}
		price := priced[r.Type]
		switch {
		case price != nil:
			if err := price(e, r); err != nil {
				return err
			}
		case r.Type == apiType && r.String("protocolType") != "HTTP":
			e.notPriced(r, "protocolType "+r.String("protocolType"))
		case r.Type == logGroupType && !e.writesTo(r):
			e.notPriced(r, "what is written to it, which is neither a function's log nor the API's")
		case r.Type == eventSourceType && e.Find(queueType, "arn", r.String("eventSourceArn")) == nil:
			e.notPriced(r, "a source that is no queue")
		case !used[r.Type] && !free[r.Type]:
			e.notPriced(r, "")
		}
		for _, property := range surcharged[r.Type] {
			if v := r.Outputs[property]; v != nil && v != false && v != 0.0 && v != "" {
				e.notPriced(r, property)
			}
		}
	}
	for _, price := range []Price{e.prices.Alarm, e.prices.FastAlarm} {
		if n := e.alarms[price.Name]; n > 0 {
			e.always(price.Name+"s", e.price(price, n), "%d watched metrics", n)
		}
	}
	if n := e.assume.CustomMetrics; n > 0 {
		e.always("custom metrics", e.price(e.prices.CustomMetric, n), "%d", n)
	}
	return nil
}

// writesTo reports whether a function or the API writes to a log group: usage.go counts what they write.
func (e *estimator) writesTo(group *graph.Resource) bool {
	return e.accessLog() == group || slices.ContainsFunc(e.OfType(functionType), func(f *graph.Resource) bool {
		return f.Object("loggingConfig")["logGroup"] == group.String("name")
	})
}

// notPriced notes a resource, or a property of one that is priced otherwise.
func (e *estimator) notPriced(r *graph.Resource, property string) {
	text := r.Type + " " + r.Name
	if property != "" {
		text += ": " + property
	}
	e.unpriced = append(e.unpriced, text)
}

// database adds the instance, its storage, its backups and the secret that RDS keeps for it.
func (e *estimator) database(r *graph.Resource) error {
	if engine := r.String("engine"); engine != e.prices.Engine {
		return fmt.Errorf("database %s: there is no price for engine %q: the table has %s", r.Name, engine, e.prices.Engine)
	}
	if storage := r.String("storageType"); storage != "gp3" {
		return fmt.Errorf("database %s: there is no price for storage type %q: the table has gp3", r.Name, storage)
	}
	class := r.String("instanceClass")
	prices, known := e.prices.Instances[class]
	if !known {
		return fmt.Errorf("database %s: there is no price for instance class %q: the table has %s",
			r.Name, class, strings.Join(slices.Sorted(maps.Keys(e.prices.Instances)), ", "))
	}
	instance, storage, zones := prices.SingleAZ, e.prices.StorageSingleAZ, "Single-AZ"
	if r.Bool("multiAz") {
		instance, storage, zones = prices.MultiAZ, e.prices.StorageMultiAZ, "Multi-AZ"
	}
	size := int64(r.Number("allocatedStorage"))
	e.always("RDS instance "+r.Name, e.price(instance, hoursPerMonth), "%s %s × %d h", class, zones, hoursPerMonth)
	e.always("storage of "+r.Name, e.price(storage, size), "%d GB gp3 %s", size, zones)

	// Backups of a region are free up to the provisioned storage of its databases, of which the standby's is none.
	days := int64(r.Number("backupRetentionPeriod"))
	var backups int64
	if days > 0 {
		backups = size * e.assume.StorageUsed * (100 + e.assume.DailyChange*days) / (100 * 100)
	}
	e.always("backups of "+r.Name, e.price(e.prices.Backup, max(0, backups-size)), "%d GB of %d days, %d GB of them free", backups, days, min(backups, size))
	if r.Bool("manageMasterUserPassword") {
		e.always("secret of "+r.Name, e.price(e.prices.Secret, 1), "the master user's, kept by RDS")
	}
	return nil
}

// proxy adds a proxy, which costs by the instance behind it.
func (e *estimator) proxy(r *graph.Resource) error {
	var vcpus int64
	if target := e.Find(proxyTargetType, "dbProxyName", r.String("name")); target != nil {
		if database := e.Find(databaseType, "identifier", target.String("dbInstanceIdentifier")); database != nil {
			vcpus = virtualCPUs(database.String("instanceClass"))
		}
	}
	if vcpus == 0 {
		e.notPriced(r, "the vCPUs of what is behind it are not known")
		return nil
	}
	e.always("proxy "+r.Name, e.price(e.prices.Proxy, vcpus*hoursPerMonth), "%d vCPUs × %d h", vcpus, hoursPerMonth)
	return nil
}

// virtualCPUs is how many an instance class has, as far as its size says: 2 up to large, 4 in an xlarge, and as many times 4 in a 2xlarge
// and above. 0: it is none of these.
func virtualCPUs(class string) int64 {
	size := class[strings.LastIndex(class, ".")+1:]
	if slices.Contains([]string{"micro", "small", "medium", "large"}, size) {
		return 2
	}
	times := int64(1)
	if size != "xlarge" {
		if n, err := fmt.Sscanf(size, "%dxlarge", &times); n != 1 || err != nil {
			return 0
		}
	}
	return 4 * times
}

// endpoint adds an endpoint of the VPC, in each of its zones. Those of type Gateway are free.
func (e *estimator) endpoint(r *graph.Resource) error {
	switch sort := r.String("vpcEndpointType"); sort {
	case "Interface":
		zones := int64(len(r.Strings("subnetIds")))
		e.always("endpoint "+r.Name, e.price(e.prices.EndpointHour, zones*hoursPerMonth), "%d zones × %d h", zones, hoursPerMonth)
	case "Gateway", "": // "" is Gateway
	default:
		e.notPriced(r, "vpcEndpointType "+sort)
	}
	return nil
}

// alarm counts an alarm, which costs by the metrics that it watches.
func (e *estimator) alarm(r *graph.Resource) error {
	const fast = 60 // seconds; below it the alarm is of high resolution
	metrics, period := int64(1), r.Number("period")
	if queries, _ := r.Outputs["metricQueries"].([]any); len(queries) > 0 {
		metrics = 0
		for _, q := range queries {
			query, _ := q.(map[string]any)
			if metric, ok := query["metric"].(map[string]any); ok {
				metrics++
				period, _ = metric["period"].(float64)
			}
		}
	}
	price := e.prices.Alarm
	if period > 0 && period < fast {
		price = e.prices.FastAlarm
	}
	e.alarms[price.Name] += metrics
	return nil
}
