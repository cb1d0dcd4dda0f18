package rules

import (
	"fmt"
	"maps"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"restock/infra/graph"
)

// outputKinds are the types of resources that the names of the stack's outputs speak of.
var outputKinds = map[string]graph.Type{
	"alarm": graph.MetricAlarm, "bucket": graph.Bucket, "dashboard": graph.Dashboard, "database": graph.Database,
	"function": graph.Function, "loggroup": graph.LogGroup, "queue": graph.Queue, "role": graph.Role,
	"secret": graph.Secret, "topic": graph.Topic,
}

// checkOutputs checks that the stack's outputs contain what their names say. An output whose name
// ends with Url is the HTTPS URL of an API or a distribution of the stack. Another output whose
// name ends with Name or Arn, like queueName or databaseSecretArn, is the name or the ARN of a
// resource of the kind before it. People and programs use the outputs to find the resources.
// https://www.pulumi.com/docs/iac/concepts/stacks/#outputs
// The output domainTarget is the name that the DNS record of the API's or the CDN's own name must
// point to. It is never that name itself.
func checkOutputs(i *inspection) {
	i.checkRelatedOutputs()
	hosts := i.publicHosts()
	for _, name := range slices.Sorted(maps.Keys(i.Outputs)) {
		value := i.Outputs[name]
		output := stackOutput(name)
		if strings.HasSuffix(name, "Url") {
			u, err := url.Parse(value)
			if err != nil || u.Scheme != "https" || !slices.Contains(hosts, u.Host) {
				i.report(output, "export the URL of the API or of its CDN, or make this host a name of theirs, with a "+
					"DomainName or in the aliases of the Distribution",
					"it is %q, want https:// and a host of the stack: %s", value, strings.Join(hosts, ", "))
			} else if d := i.distributionOf(u.Host); d != nil && name == "merchantUrl" {
				i.report(output, "export the URL of the API itself",
					"it leads to %s, which replaces the header Host: API Gateway refuses the merchant's signed "+
						"requests", title(d))
			}
			continue
		}
		if targets := i.domainTargets(); name == "domainTarget" && !slices.Contains(targets, value) {
			i.report(output, "export the target of the domain name, or the domainName of the CDN",
				"it is %q, want the name that AWS answers at: %s", value, strings.Join(targets, ", "))
		}
		for _, end := range []string{"Name", "Arn"} {
			if before, ok := strings.CutSuffix(name, end); ok {
				i.checkOutput(output, strings.ToLower(before), end, value)
			}
		}
	}
}

// checkOutput checks the output of a name or an ARN.
func (i *inspection) checkOutput(output *graph.Resource, before, end, value string) {
	for word, kind := range outputKinds {
		which, ok := strings.CutSuffix(before, word)
		if !ok {
			continue
		}
		property := strings.ToLower(end)
		if end == "Name" {
			property = kind.NameOutput()
			if kind == graph.Dashboard {
				property = "dashboardName"
			}
		}
		r := i.Find(kind, property, value)
		remedy := useOutput(kind, property)
		switch {
		case r == nil:
			got := i.known(value)
			switch {
			case got != "":
				got = fmt.Sprintf("%q, %s", value, got)
			case kind == graph.Secret && !strings.HasPrefix(value, "arn:"): // it may be the secret itself
				got = fmt.Sprintf("a text of %d characters", len(value))
			default:
				got = strconv.Quote(value)
			}
			i.report(output, remedy, "it is %s, want the %s of a %s of the stack", got, property, kind.Short())
		case kind == graph.Queue && !strings.Contains(which, "deadletter") && i.isDeadLetterQueue(r):
			i.report(output, "export the queue that sends its dead letters there",
				"it is the %s of %s, a dead-letter queue", property, title(r))
		case kind == graph.Queue && strings.Contains(which, "deadletter") && r.String("redrivePolicy") != "":
			i.report(output, "export the dead-letter queue of this queue",
				"it is the %s of %s, and that is no dead-letter queue",
				property, title(r))
		case r.Name != which && i.Named(kind, which) != nil:
			i.report(output, remedy, "it is the %s of %s, want that of %s", property, title(r),
				title(i.Named(kind, which)))
		}
	}
}

// stackOutput stands for an output of the stack in messages.
func stackOutput(name string) *graph.Resource {
	return &graph.Resource{
		Type: "pulumi:pulumi:Stack", Name: "output " + name, Source: "where the program calls ctx.Export",
	}
}

// isDeadLetterQueue reports whether another queue sends its dead letters to a queue.
func (i *inspection) isDeadLetterQueue(r *graph.Resource) bool {
	return slices.ContainsFunc(i.OfType(graph.Queue), func(q *graph.Resource) bool {
		return strings.Contains(q.String("redrivePolicy"), `"`+r.String("arn")+`"`)
	})
}

// publicHosts are the host names of the stack's APIs and distributions.
func (i *inspection) publicHosts() (hosts []string) {
	for _, r := range i.OfType(graph.API) {
		hosts = append(hosts, strings.TrimPrefix(r.String("apiEndpoint"), "https://"))
	}
	for _, r := range i.OfType(graph.APIDomainName) {
		hosts = append(hosts, r.String("domainName"))
	}
	for _, r := range i.OfType(graph.Distribution) {
		hosts = append(append(hosts, r.String("domainName")), r.Strings("aliases")...)
	}
	return hosts
}

// domainTargets are the names that AWS gives to distributions; without a distribution, those that
// it gives to the APIs' own names.
// https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-custom-domain-names.html
// https://docs.aws.amazon.com/AmazonCloudFront/latest/DeveloperGuide/CNAMEs.html
func (i *inspection) domainTargets() (targets []string) {
	for _, r := range i.OfType(graph.Distribution) {
		targets = append(targets, r.String("domainName"))
	}
	if len(targets) > 0 {
		return targets
	}
	for _, r := range i.OfType(graph.APIDomainName) {
		target, _ := r.Object("domainNameConfiguration")["targetDomainName"].(string)
		targets = append(targets, target)
	}
	return targets
}

// distributionOf returns the distribution with a host name; nil if there is none. A signature
// covers the header Host, which CloudFront replaces with the host name of the API:
// https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_sigv-create-signed-request.html
// https://docs.aws.amazon.com/AmazonCloudFront/latest/DeveloperGuide/RequestAndResponseBehaviorCustomOrigin.html
func (i *inspection) distributionOf(host string) *graph.Resource {
	for _, r := range i.OfType(graph.Distribution) {
		if host == r.String("domainName") || slices.Contains(r.Strings("aliases"), host) {
			return r
		}
	}
	return nil
}

// checkRelatedOutputs checks that the outputs topicName, queueName and deadLetterQueueName are of
// the same messages: the queue is subscribed to the topic, and has this dead-letter queue.
func (i *inspection) checkRelatedOutputs() {
	topic := i.Find(graph.Topic, "name", i.Outputs["topicName"])
	queue := i.Find(graph.Queue, "name", i.Outputs["queueName"])
	letters := i.Find(graph.Queue, "name", i.Outputs["deadLetterQueueName"])
	if queue == nil || i.isDeadLetterQueue(queue) {
		return // checkOutput reports it
	}
	var topics []*graph.Resource // with the queue as a subscriber; the rule subscription checks them
	for _, s := range i.OfType(graph.TopicSubscription) {
		if t := i.Find(graph.Topic, "arn", s.String("topic")); t != nil && s.String("endpoint") == queue.String("arn") {
			topics = append(topics, t)
		}
	}
	if topic != nil && len(topics) > 0 && !slices.Contains(topics, topic) {
		i.report(stackOutput("topicName"), "export the topic of the queue in queueName",
			"it is the name of %s, and %s, in output queueName, is not subscribed to it", title(topic), title(queue))
	}
	if letters != nil && i.isDeadLetterQueue(letters) &&
		!strings.Contains(queue.String("redrivePolicy"), `"`+letters.String("arn")+`"`) {
		i.report(stackOutput("deadLetterQueueName"), "export the dead-letter queue of the queue in queueName",
			"it is the name of %s, and the dead letters of %s, in output queueName, go elsewhere", title(letters),
			title(queue))
	}
}
