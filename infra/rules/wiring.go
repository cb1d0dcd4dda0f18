package rules

import (
	"slices"
	"strings"

	"restock/infra/graph"
)

// checkOnePolicy checks that a queue, a topic or a secret has one policy. Two resources with a
// policy of the same thing replace each other's policy in each deployment.
// https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_SetQueueAttributes.html
func checkOnePolicy(i *inspection) {
	taken := map[string]*graph.Resource{}
	for _, r := range slices.Concat(i.OfType(graph.QueuePolicy), i.OfType(graph.TopicPolicy),
		i.OfType(graph.SecretPolicy)) {
		of := r.String("queueUrl") + r.String("arn") + r.String("secretArn")
		if other := taken[of]; of != "" && other != nil && r.Type == other.Type {
			i.report(r, "give each resource one policy", "it is for the same resource as %s %s: one replaces the other",
				other.Type.Short(), other.Name)
		}
		taken[of] = r
	}
}

// checkEndpoints checks that AWS accepts the endpoints of a VPC.
// https://docs.aws.amazon.com/vpc/latest/privatelink/aws-services-privatelink-support.html
func checkEndpoints(i *inspection) {
	for _, r := range i.OfType(graph.VPCEndpoint) {
		service, kind := r.String("serviceName"), r.String("vpcEndpointType")
		if !strings.HasPrefix(service, "com.amazonaws."+i.Region+".") {
			i.report(r, "build it from the region and the service",
				"its serviceName is %q, want com.amazonaws.%s. and a service", service, i.Region)
		}
		gateway := strings.HasSuffix(service, ".s3") || strings.HasSuffix(service, ".dynamodb")
		if kind != "Interface" && !gateway {
			i.report(r, "set it to Interface", "its vpcEndpointType is %q: only s3 and dynamodb have other "+
				"endpoints", kind)
		}
	}
}

// checkServiceKeys checks that a topic and a queue are not encrypted with AWS's key of another
// service.
// https://docs.aws.amazon.com/sns/latest/dg/sns-server-side-encryption.html
// https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/sqs-server-side-encryption.html
func checkServiceKeys(i *inspection) {
	for kind, service := range map[graph.Type]string{graph.Topic: "sns", graph.Queue: "sqs"} {
		for _, r := range i.OfType(kind) {
			key := r.String("kmsMasterKeyId")
			if strings.HasPrefix(key, "alias/aws/") && key != "alias/aws/"+service {
				i.report(r, "use alias/aws/"+service+", or a key of the stack",
					"kmsMasterKeyId is %s, a key that %s may not use", key, strings.ToUpper(service))
			}
		}
	}
}

// checkPeople checks that a subscription of people has an address of its protocol.
// https://docs.aws.amazon.com/sns/latest/api/API_Subscribe.html
func checkPeople(i *inspection) {
	for _, r := range i.OfType(graph.TopicSubscription) {
		protocol, endpoint := r.String("protocol"), r.String("endpoint")
		begins, address := map[string]string{
			"sqs": "arn:aws:sqs:", "lambda": "arn:aws:lambda:", "firehose": "arn:aws:firehose:",
			"http": "http://", "https": "https://", "sms": "+",
		}[protocol], strings.Contains(endpoint, "@")
		email := protocol == "email" || protocol == "email-json"
		if email != address || !strings.HasPrefix(endpoint, begins) || !email && begins == "" {
			i.report(r, "use the protocol of the endpoint", "its protocol is %q, and its endpoint is %q", protocol,
				endpoint)
		}
	}
}

// checkLogLevels checks that CloudWatch gets the measurements of a function. The function writes
// them as log lines of level INFO, in JSON.
// https://docs.aws.amazon.com/lambda/latest/dg/monitoring-cloudwatchlogs-log-level.html
func checkLogLevels(i *inspection) {
	for _, r := range i.OfType(graph.Function) {
		config := r.Object("loggingConfig")
		format, level := config["logFormat"], config["applicationLogLevel"]
		if format != "JSON" && (level != nil || config["systemLogLevel"] != nil) {
			i.report(r, "set it to JSON", "its logFormat is %v: Lambda takes log levels with JSON only", format)
		}
		if level != nil && !slices.Contains([]any{"TRACE", "DEBUG", "INFO"}, level) {
			i.report(r, "set it to INFO", "its applicationLogLevel is %v: CloudWatch does not get its measurements, "+
				"which are lines of level INFO", level)
		}
	}
}

// checkTags checks that a resource with tags has the tags by which the bill tells stages apart.
func checkTags(i *inspection) {
	for _, name := range []string{"project", "stage"} {
		var untagged []*graph.Resource
		tagged := false
		for _, r := range i.Resources {
			tags, has := r.Inputs["tags"].(map[string]any)
			tagged = tagged || has
			if value, _ := tags[name].(string); has && value == "" {
				untagged = append(untagged, r)
			}
		}
		if functions := i.OfType(graph.Function); !tagged && len(functions) > 0 {
			i.report(functions[0], "call operations.TagAll before the first resource",
				"neither it nor another resource has the tag %s: the bill does not show whose they are", name)
		}
		if len(untagged) > 0 {
			i.report(untagged[0], "add it in infra/operations/tags.go",
				"it and %d other resources have no tag %s: the bill "+
					"does not show whose they are", len(untagged)-1, name)
		}
	}
}
