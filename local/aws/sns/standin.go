package sns

import (
	"fmt"
	"slices"

	"restock/infra/graph"
	"restock/local/aws/awsapi"
	"restock/local/aws/standin"
)

// StandIn returns the service as a run's stand-in. It creates the declared topics, and the
// subscriptions of queues.
func (s *Service) StandIn() standin.StandIn {
	return standin.StandIn{
		Service: "sns", Name: "SNS",
		Types:  []graph.Type{graph.Topic, graph.TopicPolicy, graph.TopicSubscription},
		Create: s.createDeclared,
		APIs:   []awsapi.Service{s.API()},
		Policy: s.Policy,
		Nodes:  Nodes,
	}
}

// Nodes draws topics, and the functions that publish to them.
var Nodes = []standin.Node{{
	Kind: "topic", Type: graph.Topic,
	Detail: func(r *graph.Resource) string { return r.String("displayName") },
	Calls:  []standin.Call{{Action: "sns:Publish", Label: "publishes"}},
}}

// createDeclared creates the topics and subscriptions that a program declares.
func (s *Service) createDeclared(g *graph.Graph) error {
	if s.config.DeclaredIn == nil {
		s.config.DeclaredIn = func(topicARN, queueARN string) string { return declaredIn(g, topicARN, queueARN) }
	}
	for _, r := range g.OfType(graph.Topic) {
		config := TopicConfig{
			Name: r.String("name"), DisplayName: r.String("displayName"),
			Policy: r.String("policy"), KMSMasterKeyID: r.String("kmsMasterKeyId"),
			FIFO: r.Bool("fifoTopic"), FIFOThroughputScope: r.String("fifoThroughputScope"),
		}
		if r.Bool("contentBasedDeduplication") {
			config.ContentBasedDeduplication = "true"
		}
		if policy := g.Find(graph.TopicPolicy, "arn", r.String("arn")); policy != nil {
			config.Policy = policy.String("policy")
		}
		config.OtherSubscribers = slices.ContainsFunc(g.OfType(graph.TopicSubscription), func(of *graph.Resource) bool {
			return of.String("topic") == r.String("arn") && of.String("protocol") == "email"
		})
		if _, err := s.CreateTopic(config); err != nil {
			return fmt.Errorf("%w (%s)", err, r.Source)
		}
	}
	for _, r := range g.OfType(graph.TopicSubscription) {
		topic := s.Topic(r.String("topic"))
		if topic != nil {
			if err := topic.allows(r.String("protocol"), r.String("endpoint")); err != nil {
				return fmt.Errorf("subscription %s: SNS refuses it: %w (%s)", r.Name, err, r.Source)
			}
		}
		if r.String("protocol") == "email" {
			continue // the local run sends no e-mails
		}
		config := SubscriptionConfig{RawMessageDelivery: r.Bool("rawMessageDelivery")}
		if r.String("protocol") == "lambda" && g.Find(graph.Function, "arn", r.String("endpoint")) != nil {
			config.FunctionARN = r.String("endpoint")
		} else if r.String("protocol") == "sqs" && s.config.Queues.Queue(r.String("endpoint")) != nil {
			config.QueueARN = r.String("endpoint")
		}
		if topic == nil || config.endpoint() == "" {
			return fmt.Errorf("subscription %s: %s from topic %q to %q: the local run supports only queues, functions "+
				"and topics of the stack (%s)", r.Name, r.String("protocol"), r.String("topic"), r.String("endpoint"),
				r.Source)
		}
		for property, attribute := range map[string]string{
			"filterPolicy": "FilterPolicy", "filterPolicyScope": "FilterPolicyScope", "redrivePolicy": "RedrivePolicy",
		} {
			if err := config.Set(attribute, r.String(property)); err != nil {
				return fmt.Errorf("subscription %s: %s: %w (%s)", r.Name, property, err, r.Source)
			}
		}
		if _, err := topic.Subscribe(config); err != nil {
			return fmt.Errorf("subscription %s: %w (%s)", r.Name, err, r.Source)
		}
	}
	return nil
}

// declaredIn returns the place that declares the subscription of a queue to a topic, or the topic
// if queueARN is "". It returns "" for what a client has made since the start.
func declaredIn(g *graph.Graph, topicARN, queueARN string) string {
	for _, r := range g.OfType(graph.TopicSubscription) {
		if r.String("topic") == topicARN && r.String("endpoint") == queueARN {
			return r.Source
		}
	}
	if topic := g.Find(graph.Topic, "arn", topicARN); topic != nil && queueARN == "" {
		return topic.Source
	}
	return ""
}
