// Package sns implements Amazon SNS's standard and FIFO topics in memory. It covers the part of the
// API that the stack uses, with subscriptions of SQS queues and of functions. Publish returns after
// the delivery to the queues. If a queue refuses the message or does not exist, SNS calls this a
// client-side error and does not retry the delivery.
//
// https://docs.aws.amazon.com/sns/latest/dg/sns-dead-letter-queues.html#delivery-failures-cause
package sns

import (
	"fmt"
	"log/slog"
	"regexp"
	"slices"
	"strings"
	"sync"

	"restock/infra/policy/evaluation"
	"restock/local/aws/async"
	"restock/local/aws/sqs"
)

// Queues finds the queue with an ARN, or returns nil. An *sqs.Service is a Queues.
type Queues interface {
	Queue(arn string) *sqs.Queue
}

// Config has the addresses of a service's topics and of their queues.
type Config struct {
	// Region and AccountID are part of the topics' ARNs.
	Region, AccountID string
	// Queues are the queues to which topics deliver.
	Queues Queues
	// AuthorizeDelivery returns an error if a topic may not send to a queue; the queue may be a
	// subscription's dead-letter queue. A nil AuthorizeDelivery allows every delivery.
	AuthorizeDelivery func(topicARN, queueARN string) error
	// Function returns the function to which a topic delivers, or nil. Its errors are those that
	// [async.Invoker] describes.
	Function func(topicARN, functionARN string) async.Invoker
	// DeclaredIn returns the place of the declaration of a topic's subscription, or of the topic if
	// queueARN is "". Warnings of lost messages name it. If it is nil, StandIn
	// sets it.
	DeclaredIn func(topicARN, queueARN string) string
}

// Service holds the topics of one account in one region. Its methods and those of its topics are
// safe for concurrent use.
type Service struct {
	config Config
	log    *slog.Logger

	mu     sync.RWMutex // guards the maps, and of every topic the configuration, tags and subscriptions
	topics map[string]*Topic
	// orphans are the subscriptions of deleted topics, by ARN. AWS still describes them.
	orphans map[string]Subscription

	toldFilters sync.Map // what warnOfFilter and warnOfLoss have logged once

	invocations *async.Group // of functions
}

// Close cancels the running invocations of functions, and waits for them. A message that is
// published later reaches no function.
func (s *Service) Close() { s.invocations.Close() }

// New returns a service without topics.
func New(config Config, log *slog.Logger) *Service {
	return &Service{
		config: config, log: log, topics: map[string]*Topic{}, orphans: map[string]Subscription{},
		invocations: async.NewGroup(),
	}
}

// TopicConfig holds a topic's attributes.
// https://docs.aws.amazon.com/sns/latest/api/API_CreateTopic.html
type TopicConfig struct {
	// Name has up to 256 letters, digits, hyphens and underscores. The name of a FIFO topic ends
	// with ".fifo".
	Name string
	// FIFO makes the topic a FIFO topic.
	FIFO bool
	// ContentBasedDeduplication of a FIFO topic is true or false, or "" for false. With true, a
	// message without a deduplication id gets the SHA-256 of its text.
	ContentBasedDeduplication string
	// FIFOThroughputScope of a FIFO topic is Topic or MessageGroup, or "" for Topic. With
	// MessageGroup, a deduplication id counts within its message group only.
	FIFOThroughputScope string
	// DisplayName is the topic's name in text messages.
	DisplayName string
	// Policy is the text of the topic's access policy, or "". The topic stores it for the caller
	// that evaluates policies.
	Policy string
	// KMSMasterKeyID names the KMS key that encrypts the messages, or is "". The stand-in encrypts
	// nothing.
	KMSMasterKeyID string
	// SignatureVersion is 1 or 2, or "" for 1. The stand-in does not sign.
	SignatureVersion string
	// TracingConfig is PassThrough or Active, or "" for PassThrough.
	TracingConfig string
	// OtherSubscribers says that the topic has subscriptions that this package does not know, such
	// as e-mail addresses.
	OtherSubscribers bool
}

// Topic is a standard topic or a FIFO topic.
type Topic struct {
	service *Service
	name    string
	arn     string
	fifo    *fifo // nil for a standard topic; the pointer never changes

	config        TopicConfig // guarded by service.mu, as are the following fields
	tags          map[string]string
	subscriptions []Subscription // replaced, never changed
}

// topicName matches the names of standard topics, and those of FIFO topics without ".fifo".
var topicName = regexp.MustCompile(`^[A-Za-z0-9_-]{1,256}$`)

// CreateTopic adds a topic. It fails if SNS does not allow the name, or if a topic with the name
// exists.
func (s *Service) CreateTopic(config TopicConfig) (*Topic, error) {
	t, isNew, err := s.topicOf(config, nil)
	if err != nil {
		return nil, fmt.Errorf("creating topic %q: %w", config.Name, err)
	}
	if !isNew {
		return nil, fmt.Errorf("creating topic %q: a topic of that name exists", config.Name)
	}
	return t, nil
}

// topicOf returns the topic with a name. It creates the topic if it does not exist.
func (s *Service) topicOf(config TopicConfig, tags map[string]string) (_ *Topic, isNew bool, _ error) {
	if err := config.validate(); err != nil {
		return nil, false, err
	}
	arn := fmt.Sprintf("arn:aws:sns:%s:%s:%s", s.config.Region, s.config.AccountID, config.Name)
	s.mu.Lock()
	defer s.mu.Unlock()
	if t, exists := s.topics[arn]; exists {
		return t, false, nil
	}
	t := &Topic{service: s, name: config.Name, arn: arn, config: config, tags: tags}
	if config.FIFO {
		t.fifo = &fifo{}
	}
	s.topics[arn] = t
	return t, true, nil
}

func (c TopicConfig) validate() error {
	if err := c.validateFIFO(); err != nil {
		return err
	}
	if c.Policy != "" {
		if _, err := evaluation.Parse(evaluation.Resource, c.Policy); err != nil {
			return invalidParameter("Policy: " + err.Error())
		}
	}
	switch {
	case !slices.Contains([]string{"", "1", "2"}, c.SignatureVersion):
		return invalidParameter("SignatureVersion: it must be 1 or 2")
	case !slices.Contains([]string{"", "PassThrough", "Active"}, c.TracingConfig):
		return invalidParameter("TracingConfig: it must be PassThrough or Active")
	}
	return nil
}

// attribute returns the field that has an attribute of the API, or nil for an attribute that cannot
// be set.
func (c *TopicConfig) attribute(name string) *string {
	switch name {
	case "DisplayName":
		return &c.DisplayName
	case "Policy":
		return &c.Policy
	case "KmsMasterKeyId":
		return &c.KMSMasterKeyID
	case "SignatureVersion":
		return &c.SignatureVersion
	case "TracingConfig":
		return &c.TracingConfig
	case "ContentBasedDeduplication":
		return &c.ContentBasedDeduplication
	case "FifoThroughputScope":
		return &c.FIFOThroughputScope
	default:
		return nil
	}
}

// Topic returns the topic with the ARN, or nil if there is none.
func (s *Service) Topic(arn string) *Topic {
	s.mu.RLock()
	defer s.mu.RUnlock()
	return s.topics[arn]
}

// Policy returns the text of the topic's access policy, or "". ok is false if there is no topic
// with the ARN.
func (s *Service) Policy(arn string) (policy string, ok bool) {
	t := s.Topic(arn)
	if t == nil {
		return "", false
	}
	return t.settings().Policy, true
}

// settings returns the topic's configuration.
func (t *Topic) settings() TopicConfig {
	t.service.mu.RLock()
	defer t.service.mu.RUnlock()
	return t.config
}

// ARN returns the topic's Amazon Resource Name.
func (t *Topic) ARN() string { return t.arn }

// list returns all topics, sorted by name.
func (s *Service) list() []*Topic {
	s.mu.RLock()
	defer s.mu.RUnlock()
	var topics []*Topic
	for _, t := range s.topics {
		topics = append(topics, t)
	}
	slices.SortFunc(topics, func(a, b *Topic) int { return strings.Compare(a.arn, b.arn) })
	return topics
}
