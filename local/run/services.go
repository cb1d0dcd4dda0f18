package run

import (
	"encoding/json"
	"fmt"
	"log/slog"
	"net/http"
	"strings"
	"time"

	"restock/infra/graph"
	"restock/local/awsapi"
	"restock/local/secretsmanager"
	"restock/local/sns"
	"restock/local/sqs"
)

// services are the stand-ins behind the AWS endpoint.
type services struct {
	handler http.Handler
	queues  map[string]*sqs.Queue // by ARN
}

// newServices makes the queues, topics and secrets that the program declares, and no others.
func newServices(p *program, url string, log *slog.Logger) (*services, error) {
	queueService := sqs.New(sqs.Config{BaseURL: url, Region: p.graph.Region, AccountID: graph.AccountID}, log.With("part", "sqs"))
	topicService := sns.New(sns.Config{Region: p.graph.Region, AccountID: graph.AccountID}, log.With("part", "sns"))
	secretService := secretsmanager.New(secretsmanager.Config{Region: p.graph.Region, AccountID: graph.AccountID}, log.With("part", "secretsmanager"))
	s := &services{
		handler: awsapi.NewHandler(log.With("part", "aws"), queueService.API(), topicService.API(), secretService.API()),
		queues:  map[string]*sqs.Queue{},
	}
	if err := s.createQueues(p.graph, queueService); err != nil {
		return nil, err
	}
	if err := s.createTopics(p.graph, topicService); err != nil {
		return nil, err
	}
	return s, createSecrets(p, secretService)
}

func (s *services) createQueues(g *graph.Graph, service *sqs.Service) error {
	// Dead-letter queues come first: the others name them.
	for _, withRedrive := range []bool{false, true} {
		for _, r := range g.OfType("aws:sqs/queue:Queue") {
			if r.String("redrivePolicy") != "" != withRedrive {
				continue
			}
			config, err := queueConfig(r)
			if err != nil {
				return err
			}
			queue, err := service.CreateQueue(config)
			if err != nil {
				return fmt.Errorf("making queue %s: %w", r.String("name"), err)
			}
			s.queues[r.String("arn")] = queue
		}
	}
	return nil
}

// queueConfig is a declared queue's configuration. What the program leaves out is SQS's default.
func queueConfig(r *graph.Resource) (sqs.QueueConfig, error) {
	c := sqs.NewQueueConfig(r.String("name"))
	for property, field := range map[string]*time.Duration{
		"visibilityTimeoutSeconds": &c.VisibilityTimeout,
		"messageRetentionSeconds":  &c.MessageRetentionPeriod,
		"delaySeconds":             &c.Delay,
		"receiveWaitTimeSeconds":   &c.ReceiveMessageWaitTime,
	} {
		if _, declared := r.Outputs[property]; declared {
			*field = seconds(r.Number(property))
		}
	}
	if size := r.Number("maxMessageSize"); size != 0 {
		c.MaximumMessageSize = int(size)
	}
	if text := r.String("redrivePolicy"); text != "" {
		var policy struct {
			DeadLetterTargetARN string `json:"deadLetterTargetArn"`
			MaxReceiveCount     int    `json:"maxReceiveCount"`
		}
		if err := json.Unmarshal([]byte(text), &policy); err != nil {
			return c, fmt.Errorf("reading the redrive policy of queue %s: %w", r.String("name"), err)
		}
		c.RedrivePolicy = &sqs.RedrivePolicy{DeadLetterTargetARN: policy.DeadLetterTargetARN, MaxReceiveCount: policy.MaxReceiveCount}
	}
	return c, nil
}

func (s *services) createTopics(g *graph.Graph, service *sns.Service) error {
	topics := map[string]*sns.Topic{}
	for _, r := range g.OfType("aws:sns/topic:Topic") {
		topic, err := service.CreateTopic(r.String("name"))
		if err != nil {
			return fmt.Errorf("making topic %s: %w", r.String("name"), err)
		}
		topics[r.String("arn")] = topic
	}
	for _, r := range g.OfType("aws:sns/topicSubscription:TopicSubscription") {
		if r.String("protocol") == "email" {
			continue // nobody is written to from here
		}
		topic, queue := topics[r.String("topic")], s.queues[r.String("endpoint")]
		if topic == nil || queue == nil || r.String("protocol") != "sqs" {
			return fmt.Errorf("subscription %s: %s from topic %q to %q: only queues and topics of the stack can be subscribed here",
				r.Name, r.String("protocol"), r.String("topic"), r.String("endpoint"))
		}
		topic.Subscribe(queue, r.Bool("rawMessageDelivery"))
	}
	return nil
}

func createSecrets(p *program, service *secretsmanager.Service) error {
	for _, r := range p.graph.OfType("aws:secretsmanager/secret:Secret") {
		err := service.Create(secretsmanager.SecretConfig{Name: r.String("name"), ARN: r.String("arn"), Description: r.String("description")})
		if err != nil {
			return fmt.Errorf("making secret %s: %w", r.String("name"), err)
		}
	}
	if p.database == nil {
		return nil
	}
	value, err := json.Marshal(map[string]string{"username": p.database.user, "password": p.database.password})
	if err != nil {
		return fmt.Errorf("writing the database administrator's secret: %w", err)
	}
	return service.Create(secretsmanager.SecretConfig{
		Name: secretName(p.database.secretARN), ARN: p.database.secretARN,
		Description: "The database's administrator", Value: string(value),
	})
}

// secretName is the name in a secret's ARN, which ends in a hyphen and six characters of AWS's choice.
func secretName(arn string) string {
	name := arn[strings.LastIndex(arn, ":")+1:]
	return name[:max(strings.LastIndex(name, "-"), 0)]
}

func seconds(n float64) time.Duration { return time.Duration(n * float64(time.Second)) }
