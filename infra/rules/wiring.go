package rules

import (
	"fmt"
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
		property := map[graph.Type]string{
			graph.QueuePolicy: "queueUrl", graph.TopicPolicy: "arn", graph.SecretPolicy: "secretArn",
		}[r.Type]
		if other := taken[of]; of != "" && other != nil && r.Type == other.Type {
			i.report(r, "put both into one resource, or correct the "+property+" of one", "its %s is that of %s, "+
				"too: each deployment replaces the policy of the other", property, title(other))
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
			i.report(r, "set serviceName to com.amazonaws."+i.Region+". and a service, like sns",
				"its serviceName is %q, want com.amazonaws.%s. and a service: EC2 refuses it", service, i.Region)
		}
		gateway := strings.HasSuffix(service, ".s3") || strings.HasSuffix(service, ".dynamodb")
		if kind != "Interface" && !gateway {
			i.report(r, "set vpcEndpointType to Interface",
				"its vpcEndpointType is %q, want Interface: only s3 and dynamodb have "+
					"other endpoints", kind)
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
				i.report(r, "set kmsMasterKeyId to alias/aws/"+service+", or to the ARN of a key of the stack",
					"kmsMasterKeyId is %s, a key that %s may not use: messages are lost", key, strings.ToUpper(service))
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
			i.report(r, "set protocol to that of the endpoint: email, sms for a number, sqs for a queue",
				"its protocol is %q, and its endpoint is %q: SNS refuses it", protocol,
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
			i.report(r, "set logFormat to JSON", "its logFormat is %v: Lambda takes log levels with JSON only", format)
		}
		if level != nil && !slices.Contains([]any{"TRACE", "DEBUG", "INFO"}, level) {
			i.report(r, "set applicationLogLevel to INFO", "its applicationLogLevel is %v, want INFO, DEBUG or TRACE: "+
				"CloudWatch does not get its measurements, which are lines of level INFO", level)
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
			them := "it has"
			if others := len(untagged) - 1; others > 0 {
				them = fmt.Sprintf("it and %d others have", others)
			}
			i.report(untagged[0], "add the tag to its tags, or to TagAll in infra/operations/tags.go",
				"%s no tag %s: the bill does not show whose costs they are", them, name)
		}
	}
}
