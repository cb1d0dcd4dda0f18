package rules

import (
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"

	"restock/infra/graph"
)

// A reference says which resource a property names, and by which of its outputs.
type reference struct {
	property string // a path, like loggingConfig.logGroup
	to       graph.Type
	outputs  []string // any of them; the first is the usual one
}

var (
	byName   = []string{"name"}
	byARN    = []string{"arn"}
	byTheID  = []string{"id"}
	byEither = []string{"name", "arn"}
)

// references are the properties that name other resources of the stack. Some types have a rule of
// their own for other mistakes in them.
var references = map[graph.Type][]reference{
	graph.APIIntegration: {{"apiId", graph.API, byTheID}, {"credentialsArn", graph.Role, byARN}},
	graph.APIMapping:     {{"apiId", graph.API, byTheID}},
	graph.APIRoute:       {{"apiId", graph.API, byTheID}},
	graph.APIStage: {
		{"apiId", graph.API, byTheID}, {"accessLogSettings.destinationArn", graph.LogGroup, byARN},
	},
	graph.DefaultSecurityGroup:  {{"vpcId", graph.VPC, byTheID}},
	graph.EventSourceMapping:    {{"eventSourceArn", graph.Queue, byARN}, {"functionName", graph.Function, byEither}},
	graph.EventTarget:           {{"rule", graph.EventRule, byName}, {"arn", graph.Function, byARN}},
	graph.Invocation:            {{"functionName", graph.Function, byEither}},
	graph.KeyAlias:              {{"targetKeyId", graph.Key, []string{"id", "arn"}}},
	graph.LogGroup:              {{"kmsKeyId", graph.Key, byARN}},
	graph.Permission:            {{"function", graph.Function, byEither}},
	graph.QueuePolicy:           {{"queueUrl", graph.Queue, []string{"url"}}},
	graph.RedriveAllowPolicy:    {{"queueUrl", graph.Queue, []string{"url"}}},
	graph.RolePolicy:            {{"role", graph.Role, byName}},
	graph.RolePolicyAttachment:  {{"role", graph.Role, byName}},
	graph.RouteTable:            {{"vpcId", graph.VPC, byTheID}},
	graph.RouteTableAssociation: {{"subnetId", graph.Subnet, byTheID}, {"routeTableId", graph.RouteTable, byTheID}},
	graph.SecretPolicy:          {{"secretArn", graph.Secret, byARN}},
	graph.SecretRotation:        {{"secretId", graph.Secret, byARN}, {"rotationLambdaArn", graph.Function, byARN}},
	graph.SecurityGroup:         {{"vpcId", graph.VPC, byTheID}},
	graph.SecurityGroupEgressRule: {
		{"securityGroupId", graph.SecurityGroup, byTheID}, {"referencedSecurityGroupId", graph.SecurityGroup, byTheID},
	},
	graph.SecurityGroupIngressRule: {
		{"securityGroupId", graph.SecurityGroup, byTheID}, {"referencedSecurityGroupId", graph.SecurityGroup, byTheID},
	},
	graph.Subnet:            {{"vpcId", graph.VPC, byTheID}},
	graph.SubnetGroup:       {{"subnetIds", graph.Subnet, byTheID}},
	graph.TopicPolicy:       {{"arn", graph.Topic, byARN}},
	graph.TopicSubscription: {{"topic", graph.Topic, byARN}, {"endpoint", graph.Queue, byARN}},
	graph.VPCEndpoint: {
		{"vpcId", graph.VPC, byTheID}, {"subnetIds", graph.Subnet, byTheID},
		{"securityGroupIds", graph.SecurityGroup, byTheID},
	},
	graph.Database: {
		{"dbSubnetGroupName", graph.SubnetGroup, byName}, {"parameterGroupName", graph.ParameterGroup, byName},
		{"vpcSecurityGroupIds", graph.SecurityGroup, byTheID},
	},
	graph.Proxy: {
		{"auths.secretArn", graph.Secret, byARN}, {"roleArn", graph.Role, byARN},
		{"vpcSubnetIds", graph.Subnet, byTheID}, {"vpcSecurityGroupIds", graph.SecurityGroup, byTheID},
	},
	graph.ProxyDefaultTargetGroup: {{"dbProxyName", graph.Proxy, byName}},
	graph.ProxyTarget: {
		{"dbProxyName", graph.Proxy, byName}, {"targetGroupName", graph.ProxyDefaultTargetGroup, byName},
		{"dbInstanceIdentifier", graph.Database, []string{"identifier"}},
	},
	graph.Function: {
		{"role", graph.Role, byARN}, {"loggingConfig.logGroup", graph.LogGroup, byName},
		{"vpcConfig.subnetIds", graph.Subnet, byTheID}, {"vpcConfig.securityGroupIds", graph.SecurityGroup, byTheID},
	},
}

// dimensions are the dimensions of AWS's metrics that name a resource.
// https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/aws-services-cloudwatch-metrics.html
var dimensions = map[string]reference{
	"ApiId":                {"", graph.API, byTheID},
	"DBInstanceIdentifier": {"", graph.Database, []string{"identifier"}},
	"DistributionId":       {"", graph.Distribution, byTheID},
	"FunctionName":         {"", graph.Function, byName},
	"LogGroupName":         {"", graph.LogGroup, byName},
	"ProxyName":            {"", graph.Proxy, byName},
	"QueueName":            {"", graph.Queue, byName},
	"RuleName":             {"", graph.EventRule, byName},
	"TopicName":            {"", graph.Topic, byName},
}

// checkReferences checks that the names, ids and ARNs in properties are those of resources of the
// stack. A logical name is not a name on AWS: Pulumi adds the project, the stage and random digits.
// AWS refuses most wrong names, but an alarm on a wrong name stays silent for ever.
// https://www.pulumi.com/docs/iac/concepts/resources/names/
func checkReferences(i *inspection) {
	logical := i.logicalARNs()
	for _, r := range i.Resources {
		contained := arns(r.Outputs)
		slices.Sort(contained)
		for _, found := range contained {
			if meant := logical[withoutPlace(found)]; meant != nil {
				i.report(r, useOutput(meant.Type, "arn"),
					"it contains %s, with the logical name of %s: on AWS the name is another one, like %q",
					found, title(meant), meant.String(meant.Type.NameOutput()))
			}
		}
		for _, reference := range references[r.Type] {
			if reference.property == "endpoint" && r.String("protocol") != "sqs" {
				continue
			}
			for _, value := range valuesAt(r.Outputs, strings.Split(reference.property, ".")) {
				// A rule of EventBridge may also lead to a queue or a topic.
				other := r.Type == graph.EventTarget && reference.to == graph.Function &&
					(strings.HasPrefix(value, "arn:aws:sqs:") || strings.HasPrefix(value, "arn:aws:sns:"))
				if !other && logical[withoutPlace(value)] == nil { // logical ones are reported above
					i.checkReference(r, reference, "its "+reference.property, value)
				}
			}
		}
		if r.Type == graph.MetricAlarm {
			for _, name := range slices.Sorted(maps.Keys(r.Object("dimensions"))) {
				value := fmt.Sprint(r.Object("dimensions")[name])
				i.checkReference(r, dimensions[name], "its dimension "+name, value)
			}
		}
		for _, w := range i.widgets[r] {
			for _, d := range w.drawnDimensions() {
				i.checkReference(r, dimensions[d[0]], "the dimension "+d[0]+" of a widget", d[1])
			}
		}
	}
}

// checkReference reports a value that is not an output of a resource of the reference's type.
func (i *inspection) checkReference(r *graph.Resource, reference reference, what, value string) {
	// AWS's own keys and parameter groups have such names.
	if reference.to == "" || value == "" || strings.HasPrefix(value, "alias/") || strings.HasPrefix(value, "default.") {
		return
	}
	kind, output := reference.to.Short(), reference.outputs[0]
	for _, other := range i.OfType(reference.to) {
		for _, output := range reference.outputs {
			if outputOf(other, output) == value {
				return
			}
		}
	}
	effect := "AWS has no such " + kind
	if r.Type == graph.MetricAlarm || r.Type == graph.Dashboard {
		effect = "it watches nothing"
	}
	remedy := useOutput(reference.to, output)
	if meant := i.Named(reference.to, value); meant != nil {
		i.report(r, remedy, "%s is %q, the logical name of %s: on AWS its %s is another one, like %q: %s",
			what, value, title(meant), output, outputOf(meant, output), effect)
	} else if other := i.known(value); other != "" && !strings.HasSuffix(other, " of "+title(r)) {
		i.report(r, remedy, "%s is %q, %s, want the %s of a %s: %s", what, value, other, output, kind, effect)
	} else {
		i.report(r, remedy, "%s is %q, and no %s of the stack has this %s: %s", what, value, kind, output, effect)
	}
}

func title(r *graph.Resource) string { return r.Type.Short() + " " + r.Name }

func outputOf(r *graph.Resource, output string) string {
	if output == "id" {
		return r.ID
	}
	return r.String(output)
}

// useOutput is the remedy for a reference that is written as text.
func useOutput(token graph.Type, output string) string {
	kind := token.Short()
	field := strings.ToUpper(output[:1]) + output[1:]
	if output == "id" {
		field = "ID()"
	}
	variable := strings.ToLower(kind[:1]) + kind[1:]
	return fmt.Sprintf("use the output of the %s in place of a text: %s.%s", kind, variable, field)
}

// known describes a value that is an output of a resource: "the name of Queue stock_queue". It
// returns "" for other values.
func (i *inspection) known(value string) string {
	for _, r := range slices.Backward(i.Resources) {
		for _, output := range []string{"name", "identifier", "arn", "url", "id"} {
			if value != "" && value == outputOf(r, output) {
				return fmt.Sprintf("the %s of %s", output, title(r))
			}
		}
	}
	return ""
}

// logicalARNs returns the resources whose name on AWS is not their logical name, by the ARN that
// the logical name would have, without its place.
func (i *inspection) logicalARNs() map[string]*graph.Resource {
	logical := map[string]*graph.Resource{}
	for _, r := range i.Resources {
		if arn := r.Type.ARN(i.Region, r.Name); arn != "" && i.Find(r.Type, r.Type.NameOutput(), r.Name) == nil {
			logical[withoutPlace(arn)] = r
		}
	}
	return logical
}

// secretSuffix is the end of a secret's ARN: random characters, or a pattern for them.
var secretSuffix = regexp.MustCompile(`-(AbCdEf|\?{6}|\*)$`)

// withoutPlace returns the service and the resource in an ARN, without region and account, and
// without what follows the name: the path of a role, a pattern of log streams.
func withoutPlace(arn string) string {
	parts := strings.SplitN(arn, ":", 6)
	if len(parts) < 6 {
		return ""
	}
	service, resource := parts[2], parts[5]
	switch service {
	case "iam":
		kind, _, _ := strings.Cut(resource, "/")
		resource = kind + "/" + resource[strings.LastIndex(resource, "/")+1:]
	case "logs":
		group, _, _ := strings.Cut(strings.TrimPrefix(resource, "log-group:"), ":")
		resource = "log-group:" + group
	case "secretsmanager":
		resource = secretSuffix.ReplaceAllString(resource, "")
	}
	return service + ":" + resource
}

// arns lists the ARNs in the texts of a value of JSON's types. A text may be a policy.
func arns(value any) (all []string) {
	switch value := value.(type) {
	case string:
		const prefix = "arn:aws:"
		for _, text := range strings.Split(value, prefix)[1:] {
			if end := strings.IndexAny(text, "\"', \t\n\f\r"); end >= 0 {
				text = text[:end]
			}
			all = append(all, prefix+text)
		}
	case []any:
		for _, v := range value {
			all = append(all, arns(v)...)
		}
	case map[string]any:
		for _, v := range value {
			all = append(all, arns(v)...)
		}
	}
	return all
}

// valuesAt returns the texts at a path.
func valuesAt(value any, path []string) (all []string) {
	for _, v := range at(value, path) {
		if s, isText := v.(string); isText {
			all = append(all, s)
		}
	}
	return all
}
