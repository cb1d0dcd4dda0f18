package run

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync/atomic"
	"time"

	"restock/infra/graph"
	"restock/local/aws/awsapi"
	"restock/local/aws/iam"
	"restock/local/aws/secretsmanager"
	"restock/local/aws/sns"
	"restock/local/aws/sqs"
)

// services are the stand-ins behind the AWS endpoint.
type services struct {
	handler   http.Handler
	authority *iam.Authority
	queues    map[string]*sqs.Queue // by ARN
	sqs       *sqs.Service
	topics    *sns.Service
	secrets   *secretsmanager.Service

	functions atomic.Pointer[functions] // nil before the functions are added
}

// newServices creates the queues, topics and secrets that the program declares.
func (r *Run) newServices(p *program) (*services, error) {
	log := r.config.Log
	s := &services{queues: map[string]*sqs.Queue{}}
	authority, err := r.newAuthority(p, s.presentPolicy)
	if err != nil {
		return nil, err
	}
	s.authority = authority
	s.sqs = sqs.New(sqs.Config{
		BaseURL: r.listen.url(r.listen.aws), Region: p.graph.Region, AccountID: graph.AccountID,
		SenderID: authority.UserID, DuplicateRate: r.config.DuplicateRate,
	}, log.With("part", "sqs"))
	s.topics = sns.New(sns.Config{
		Region: p.graph.Region, AccountID: graph.AccountID, Queues: s.sqs,
		AuthorizeDelivery: func(topicARN, queueARN string) error {
			return authority.AuthorizeService("sns.amazonaws.com", topicARN, "sqs:SendMessage", queueARN)
		},
		DeclaredIn: func(topicARN, queueARN string) string { return declaredIn(p.graph, topicARN, queueARN) },
	}, log.With("part", "sns"))
	s.secrets = secretsmanager.New(secretsmanager.Config{
		Region: p.graph.Region, AccountID: graph.AccountID, Invoke: s.rotate, MayInvoke: s.mayRotate,
	}, log.With("part", "secretsmanager"))
	s.handler = s.withInvoke(awsapi.NewAuthorizedHandler(log.With("part", "aws"), p.graph.Region, authority,
		s.sqs.API(), s.sqs.QueryAPI(), s.topics.API(), s.secrets.API()), p.graph, log.With("part", "aws"))
	if err := s.createQueues(p.graph, s.sqs); err != nil {
		return nil, err
	}
	if err := s.createTopics(p.graph, s.topics); err != nil {
		return nil, err
	}
	return s, createSecrets(p, s.secrets)
}

// serveTLS serves the AWS endpoint over HTTPS too, if Config.AWSTLS is set. It writes the
// certificate that clients must trust to a file in the build folder, for as long as the run lasts.
func (r *Run) serveTLS(aws http.Handler) error {
	l := r.listen.awsTLS
	if l == nil {
		return nil
	}
	dir, err := filepath.Abs(r.config.BuildDir)
	if err != nil {
		return fmt.Errorf("-aws-tls: %w", err)
	}
	r.awsBundle = filepath.Join(dir, fmt.Sprintf("aws-tls-%d.pem", l.Addr().Port))
	certificate, err := l.Certify("restock -aws-tls", fmt.Sprintf("-aws-tls is set: use https://%s, and trust the "+
		"certificate of this run: set AWS_CA_BUNDLE=%s", l.Addr(), r.awsBundle))
	if err != nil {
		return fmt.Errorf("-aws-tls: %w", err)
	}
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return fmt.Errorf("-aws-tls: %w", err)
	}
	if err := os.WriteFile(r.awsBundle, certificate, 0o644); err != nil {
		return fmt.Errorf("-aws-tls: %w", err)
	}
	r.onClose("certificate", func(context.Context) error { return os.Remove(r.awsBundle) })
	r.serve("AWS endpoint over HTTPS", l, aws, nil)
	return nil
}

func (s *services) createQueues(g *graph.Graph, service *sqs.Service) error {
	// Dead-letter queues come first, because the redrive policies of other queues name them.
	for _, withRedrive := range []bool{false, true} {
		for _, r := range g.OfType(graph.Queue) {
			if r.String("redrivePolicy") != "" != withRedrive {
				continue
			}
			config, err := queueConfig(g, r)
			if err != nil {
				return err
			}
			queue, err := service.CreateQueue(config)
			if err != nil {
				return fmt.Errorf("creating queue %s: %w", r.String("name"), err)
			}
			s.queues[r.String("arn")] = queue
		}
	}
	return nil
}

// queueConfig returns the configuration of a declared queue. SQS's defaults apply to what the
// program leaves out.
func queueConfig(g *graph.Graph, r *graph.Resource) (sqs.QueueConfig, error) {
	c := sqs.NewQueueConfig(r.String("name"))
	for _, a := range []struct{ property, attribute string }{
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
		if !declared {
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

func (s *services) createTopics(g *graph.Graph, service *sns.Service) error {
	topics := map[string]*sns.Topic{}
	for _, r := range g.OfType(graph.Topic) {
		config := sns.TopicConfig{
			Name: r.String("name"), DisplayName: r.String("displayName"),
			Policy: r.String("policy"), KMSMasterKeyID: r.String("kmsMasterKeyId"),
		}
		if policy := g.Find(graph.TopicPolicy, "arn", r.String("arn")); policy != nil {
			config.Policy = policy.String("policy")
		}
		config.OtherSubscribers = slices.ContainsFunc(g.OfType(graph.TopicSubscription), func(s *graph.Resource) bool {
			return s.String("topic") == r.String("arn") && s.String("protocol") == "email"
		})
		topic, err := service.CreateTopic(config)
		if err != nil {
			return fmt.Errorf("creating topic %s: %w", r.String("name"), err)
		}
		topics[r.String("arn")] = topic
	}
	for _, r := range g.OfType(graph.TopicSubscription) {
		if r.String("protocol") == "email" {
			continue // the local run sends no e-mails
		}
		topic := topics[r.String("topic")]
		if topic == nil || r.String("protocol") != "sqs" || s.queues[r.String("endpoint")] == nil {
			return fmt.Errorf("subscription %s: %s from topic %q to %q: the local run supports only queues and "+
				"topics of the stack", r.Name, r.String("protocol"), r.String("topic"), r.String("endpoint"))
		}
		config := sns.SubscriptionConfig{
			QueueARN: r.String("endpoint"), RawMessageDelivery: r.Bool("rawMessageDelivery"),
		}
		for property, attribute := range map[string]string{
			"filterPolicy": "FilterPolicy", "filterPolicyScope": "FilterPolicyScope", "redrivePolicy": "RedrivePolicy",
		} {
			if err := config.Set(attribute, r.String(property)); err != nil {
				return fmt.Errorf("subscription %s: %s: %w", r.Name, property, err)
			}
		}
		if _, err := topic.Subscribe(config); err != nil {
			return fmt.Errorf("subscription %s: %w", r.Name, err)
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

func createSecrets(p *program, service *secretsmanager.Service) error {
	for _, r := range p.graph.OfType(graph.Secret) {
		config := secretsmanager.SecretConfig{
			Name: r.String("name"), ARN: r.String("arn"), Description: r.String("description"),
			Policy: r.String("policy"),
		}
		if policy := p.graph.Find(graph.SecretPolicy, "secretArn", config.ARN); policy != nil {
			config.Policy = policy.String("policy")
		}
		if err := service.Create(config); err != nil {
			return fmt.Errorf("creating secret %s: %w", r.String("name"), err)
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

// secretName returns the name in a secret's ARN. The ARN ends with a hyphen and six random
// characters.
func secretName(arn string) string {
	name := arn[strings.LastIndex(arn, ":")+1:]
	return name[:max(strings.LastIndex(name, "-"), 0)]
}

func seconds(n float64) time.Duration { return time.Duration(n * float64(time.Second)) }
