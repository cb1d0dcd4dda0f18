package graph

import (
	"fmt"
	"maps"
	"strings"
)

// AccountID is the account of everything that is recorded.
const AccountID = "000000000000"

// names are the outputs that hold a resource's name, where the program does not give one.
var names = map[string]string{
	"aws:rds/instance:Instance": "identifier",
}

// arns are the ARNs of resources, by type; {region}, {account} and {name} are filled in.
//
// #nosec G101 -- the ARN of a secret tells nothing of it
var arns = map[string]string{
	"aws:cloudwatch/eventRule:EventRule":     "arn:aws:events:{region}:{account}:rule/{name}",
	"aws:cloudwatch/logGroup:LogGroup":       "arn:aws:logs:{region}:{account}:log-group:{name}",
	"aws:cloudwatch/metricAlarm:MetricAlarm": "arn:aws:cloudwatch:{region}:{account}:alarm:{name}",
	"aws:iam/role:Role":                      "arn:aws:iam::{account}:role/{name}",
	"aws:kms/key:Key":                        "arn:aws:kms:{region}:{account}:key/{name}",
	"aws:lambda/function:Function":           "arn:aws:lambda:{region}:{account}:function:{name}",
	"aws:rds/instance:Instance":              "arn:aws:rds:{region}:{account}:db:{name}",
	"aws:rds/proxy:Proxy":                    "arn:aws:rds:{region}:{account}:db-proxy:{name}",
	"aws:secretsmanager/secret:Secret":       "arn:aws:secretsmanager:{region}:{account}:secret:{name}-AbCdEf",
	"aws:sns/topic:Topic":                    "arn:aws:sns:{region}:{account}:{name}",
	"aws:sqs/queue:Queue":                    "arn:aws:sqs:{region}:{account}:{name}",
}

// deployed fills in what AWS would answer for a resource that it made: a name, an id, an ARN and, for the types whose
// answers the stack uses, the rest.
func deployed(r *Resource, region string) {
	nameKey := names[r.Type]
	if nameKey == "" {
		nameKey = "name"
	}
	name := r.String(nameKey)
	if name == "" {
		name = r.Name
		r.Outputs[nameKey] = name
	}
	fill := strings.NewReplacer("{region}", region, "{account}", AccountID, "{name}", name)
	arn := fill.Replace(arns[r.Type])
	if arn != "" {
		r.Outputs["arn"] = arn
	}
	r.ID = name
	switch r.Type {
	case "aws:apigatewayv2/api:Api":
		r.Outputs["apiEndpoint"] = fmt.Sprintf("https://%s.execute-api.%s.amazonaws.com", name, region)
		r.Outputs["executionArn"] = fill.Replace("arn:aws:execute-api:{region}:{account}:{name}")
	case "aws:apigatewayv2/domainName:DomainName":
		configuration := maps.Clone(r.Object("domainNameConfiguration"))
		configuration["targetDomainName"] = fmt.Sprintf("d-%s.execute-api.%s.amazonaws.com", name, region)
		r.Outputs["domainNameConfiguration"] = configuration
	case "aws:lambda/function:Function":
		r.Outputs["invokeArn"] = fmt.Sprintf("arn:aws:apigateway:%s:lambda:path/2015-03-31/functions/%s/invocations", region, arn)
	case "aws:rds/instance:Instance":
		r.Outputs["address"] = fmt.Sprintf("%s.cluster.%s.rds.amazonaws.com", name, region)
		r.Outputs["port"] = 3306.0
		r.Outputs["resourceId"] = "db-" + name
		if r.Bool("manageMasterUserPassword") {
			r.Outputs["masterUserSecrets"] = []any{map[string]any{
				"secretArn": fill.Replace("arn:aws:secretsmanager:{region}:{account}:secret:rds!{name}-AbCdEf"),
			}}
		}
	case "aws:rds/proxy:Proxy":
		r.Outputs["endpoint"] = fmt.Sprintf("%s.proxy.%s.rds.amazonaws.com", name, region)
	case "aws:secretsmanager/secret:Secret", "aws:sns/topic:Topic":
		r.ID = arn
	case "aws:sqs/queue:Queue":
		r.ID = fill.Replace("https://sqs.{region}.amazonaws.com/{account}/{name}")
		r.Outputs["url"] = r.ID
	}
}
