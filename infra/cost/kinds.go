package cost

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"restock/infra/graph"
	"restock/infra/instance"
)

// priced are the types that have a fixed price per month.
var priced = map[graph.Type]func(*estimator, *graph.Resource) error{
	graph.CompositeAlarm: func(e *estimator, r *graph.Resource) error {
		e.always("composite alarm "+r.Name, e.price(e.prices.CompositeAlarm, 1), "1")
		return nil
	},
	graph.Dashboard: func(e *estimator, r *graph.Resource) error {
		e.always("dashboard "+r.Name, e.price(e.prices.Dashboard, 1), "1")
		return nil
	},
	graph.MetricAlarm: (*estimator).alarm,
	graph.VPCEndpoint: (*estimator).endpoint,
	graph.Key: func(e *estimator, r *graph.Resource) error {
		e.always("KMS key "+r.Name, e.price(e.prices.Key, 1), "1")
		return nil
	},
	graph.Database: (*estimator).database,
	graph.Proxy:    (*estimator).proxy,
	graph.Secret: func(e *estimator, r *graph.Resource) error {
		e.always("secret "+r.Name, e.price(e.prices.Secret, 1), "1")
		return nil
	},
}

// used are the types that cost by use: see usage.go.
var used = map[graph.Type]bool{
	graph.API:                true, // per request
	graph.Distribution:       true, // per request, and per byte
	graph.EventSourceMapping: true, // its pollers' requests to the queue
	graph.Function:           true, // per request, and per memory × time
	graph.LogGroup:           true, // per byte
	graph.Queue:              true, // per request
	graph.EventRule:          true, // per invocation of its target: the rule is free
	graph.Topic:              true, // per request
}

// free are the types that cost nothing, by the pricing page of their service.
var free = map[graph.Type]bool{
	graph.Certificate:              true, // public ones
	graph.CertificateValidation:    true,
	graph.CachePolicy:              true,
	graph.ResponseHeadersPolicy:    true,
	graph.APIMapping:               true,
	graph.APIDomainName:            true,
	graph.APIIntegration:           true,
	graph.APIRoute:                 true,
	graph.APIStage:                 true,
	graph.EventTarget:              true,
	graph.DefaultSecurityGroup:     true,
	graph.RouteTable:               true,
	graph.RouteTableAssociation:    true,
	graph.SecurityGroup:            true,
	graph.Subnet:                   true,
	graph.VPC:                      true,
	graph.Role:                     true,
	graph.RolePolicy:               true,
	graph.KeyAlias:                 true,
	graph.KeyPolicy:                true,
	graph.Invocation:               true, // one, in a deployment
	graph.Permission:               true,
	graph.ParameterGroup:           true,
	graph.ProxyDefaultTargetGroup:  true,
	graph.ProxyTarget:              true,
	graph.SubnetGroup:              true,
	graph.SecretPolicy:             true,
	graph.SecretRotation:           true, // its function has few invocations
	graph.TopicPolicy:              true,
	graph.TopicSubscription:        true, // SQS; the first 1,000 emails
	graph.QueuePolicy:              true,
	graph.RedriveAllowPolicy:       true,
	graph.SecurityGroupEgressRule:  true,
	graph.SecurityGroupIngressRule: true,
	"pulumi:providers:aws":         true,
}

// surcharged are properties that cost something that no line has. If a property is set, it is
// listed as not priced.
var surcharged = map[graph.Type][]string{
	graph.Database: {"iops", "storageThroughput", "performanceInsightsRetentionPeriod", "monitoringInterval",
		"dedicatedLogVolume"},
	graph.Distribution: {"webAclId", "loggingConfig", "staging"},
	graph.Function:     {"ephemeralStorage", "snapStart"},
	graph.LogGroup:     {"logGroupClass"},
	graph.Queue:        {"fifoQueue", "kmsMasterKeyId"},
	graph.Topic:        {"fifoTopic"},
}

// resources adds a line for each resource with a fixed price. It lists resources of unknown types
// as not priced.
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
		case r.Type == graph.API && r.String("protocolType") != "HTTP":
			e.notPriced(r, "protocolType "+r.String("protocolType"))
		case r.Type == graph.LogGroup && !e.writesTo(r):
			e.notPriced(r, "its logs, which come neither from a function nor from the API")
		case r.Type == graph.EventSourceMapping && e.Find(graph.Queue, "arn", r.String("eventSourceArn")) == nil:
			e.notPriced(r, "a source that is not a queue")
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

// writesTo reports whether a function or the API writes to a log group: usage.go counts these logs.
func (e *estimator) writesTo(group *graph.Resource) bool {
	return e.accessLog() == group || slices.ContainsFunc(e.OfType(graph.Function), func(f *graph.Resource) bool {
		return f.Object("loggingConfig")["logGroup"] == group.String("name")
	})
}

// notPriced lists a resource, or a property of a priced resource, as not priced.
func (e *estimator) notPriced(r *graph.Resource, property string) {
	text := string(r.Type) + " " + r.Name
	if property != "" {
		text += ": " + property
	}
	e.unpriced = append(e.unpriced, text)
}

// database adds the instance, its storage, its backups and the secret that RDS makes for it.
func (e *estimator) database(r *graph.Resource) error {
	if engine := r.String("engine"); engine != e.prices.Engine {
		return fmt.Errorf("database %s: there is no price for engine %q: the table has %s",
			r.Name, engine, e.prices.Engine)
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

	// A region's backups are free up to the provisioned storage of its databases. The storage of a
	// standby does not count.
	days := int64(r.Number("backupRetentionPeriod"))
	var backups int64
	if days > 0 {
		backups = size * e.assume.StorageUsed * (100 + e.assume.DailyChange*days) / (100 * 100)
	}
	e.always("backups of "+r.Name, e.price(e.prices.Backup, max(0, backups-size)),
		"%d GB of %d days, %d GB of them free", backups, days, min(backups, size))
	if r.Bool("manageMasterUserPassword") {
		e.always("secret of "+r.Name, e.price(e.prices.Secret, 1), "the master user's, kept by RDS")
	}
	return nil
}

// proxy adds a proxy. Its price depends on the instance behind it.
func (e *estimator) proxy(r *graph.Resource) error {
	var vcpus int64
	if target := e.Find(graph.ProxyTarget, "dbProxyName", r.String("name")); target != nil {
		if database := e.Find(graph.Database, "identifier", target.String("dbInstanceIdentifier")); database != nil {
			vcpus = int64(instance.Classes[database.String("instanceClass")].Processors)
		}
	}
	if vcpus == 0 {
		e.notPriced(r, "the instance class of its database is unknown")
		return nil
	}
	e.always("proxy "+r.Name, e.price(e.prices.Proxy, vcpus*hoursPerMonth), "%d vCPUs × %d h", vcpus, hoursPerMonth)
	return nil
}

// endpoint adds an endpoint of the VPC in each of its zones. Endpoints of type Gateway are free.
func (e *estimator) endpoint(r *graph.Resource) error {
	switch sort := r.String("vpcEndpointType"); sort {
	case "Interface":
		zones := int64(len(r.Strings("subnetIds")))
		e.always("endpoint "+r.Name, e.price(e.prices.EndpointHour, zones*hoursPerMonth), "%d zones × %d h", zones,
			hoursPerMonth)
	case "Gateway", "": // "" is Gateway
	default:
		e.notPriced(r, "vpcEndpointType "+sort)
	}
	return nil
}

// alarm counts an alarm. Its price depends on the number of metrics that it watches.
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
