package sqs

import (
	"cmp"
	"context"
	"fmt"
	"strconv"

	"restock/infra/graph"
	"restock/local/aws/awsapi"
	"restock/local/aws/standin"
)

// StandIn returns the service as a run's stand-in. It creates the declared queues.
func (s *Service) StandIn() standin.StandIn {
	return standin.StandIn{
		Service: "sqs", Name: "SQS",
		Types: []graph.Type{graph.Queue, graph.QueuePolicy},
		Deployed: func(_ context.Context, r *graph.Resource) error {
			if r.Type == graph.Queue {
				r.ID = s.urlOf(r.String("name"))
				r.Outputs["url"] = r.ID
			}
			return nil
		},
		Create: s.createDeclared,
		APIs:   []awsapi.Service{s.API(), s.QueryAPI()},
		Policy: s.Policy,
		Nodes:  Nodes,
	}
}

// Nodes draws queues, and the functions that send to them.
var Nodes = []standin.Node{{
	Kind: "queue", Type: graph.Queue,
	Detail: func(r *graph.Resource) string {
		timeout := cmp.Or(r.Number("visibilityTimeoutSeconds"), DefaultVisibilityTimeout.Seconds())
		return fmt.Sprintf("visibility timeout %v s", timeout)
	},
	Calls: []standin.Call{{Action: "sqs:SendMessage", Label: "sends"}},
}}

// createDeclared creates the queues that a program declares.
func (s *Service) createDeclared(g *graph.Graph) error {
	// Dead-letter queues come first, because the redrive policies of other queues name them.
	for _, withRedrive := range []bool{false, true} {
		for _, r := range g.OfType(graph.Queue) {
			if r.String("redrivePolicy") != "" != withRedrive {
				continue
			}
			config, err := declaredConfig(g, r)
			if err != nil {
				return err
			}
			if _, err := s.CreateQueue(config); err != nil {
				return err
			}
		}
	}
	return nil
}

// declaredConfig returns the configuration of a declared queue. SQS's defaults apply to what the
// program leaves out.
func declaredConfig(g *graph.Graph, r *graph.Resource) (QueueConfig, error) {
	c := NewQueueConfig(r.String("name"))
	for _, a := range []struct{ property, attribute string }{
		{"fifoQueue", "FifoQueue"}, // first, because the next three require it
		{"contentBasedDeduplication", "ContentBasedDeduplication"},
		{"deduplicationScope", "DeduplicationScope"},
		{"fifoThroughputLimit", "FifoThroughputLimit"},
		{"visibilityTimeoutSeconds", "VisibilityTimeout"},
		{"messageRetentionSeconds", "MessageRetentionPeriod"},
		{"delaySeconds", "DelaySeconds"},
		{"receiveWaitTimeSeconds", "ReceiveMessageWaitTimeSeconds"},
		{"maxMessageSize", "MaximumMessageSize"},
		{"kmsMasterKeyId", "KmsMasterKeyId"},
		{"kmsDataKeyReusePeriodSeconds", "KmsDataKeyReusePeriodSeconds"},
		{"sqsManagedSseEnabled", "SqsManagedSseEnabled"},
		{"policy", "Policy"},
		{"redrivePolicy", "RedrivePolicy"},
		{"redriveAllowPolicy", "RedriveAllowPolicy"},
	} {
		value, declared := r.Outputs[a.property]
		if !declared || value == false && a.attribute != "SqsManagedSseEnabled" { // false is a default
			continue
		}
		if err := c.Set(a.attribute, attributeText(value)); err != nil {
			return c, fmt.Errorf("queue %s: %s %v: %w", r.String("name"), a.property, value, err)
		}
	}
	if policy := g.Find(graph.QueuePolicy, "queueUrl", r.String("url")); policy != nil {
		c.Policy = policy.String("policy")
	}
	return c, nil
}

// attributeText returns a property's value as AWS's APIs write attributes.
func attributeText(value any) string {
	if n, isNumber := value.(float64); isNumber {
		return strconv.FormatFloat(n, 'f', -1, 64)
	}
	return fmt.Sprint(value)
}
