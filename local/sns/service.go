// Package sns is Amazon SNS's standard topics in memory: what the stack uses of the API, with subscriptions of SQS queues.
// A message is delivered before Publish returns.
package sns

import (
	"fmt"
	"log/slog"
	"regexp"
	"slices"
	"strings"
	"sync"

	"github.com/google/uuid"

	"restock/local/sqs"
)

// Queue is what a subscription delivers to; an *sqs.Queue is one.
type Queue interface {
	ARN() string
	Send(sqs.SendInput) (messageID string, err error)
}

// Config says where a service's topics are.
type Config struct {
	// Region and AccountID are those of the topics' ARNs.
	Region, AccountID string
}

// Service holds the topics of one account in one region. Its methods, and those of its topics, may be called from many
// goroutines.
type Service struct {
	config Config
	log    *slog.Logger

	mu     sync.RWMutex // guards topics and the subscriptions of every topic
	topics map[string]*Topic
}

// New returns a service without topics.
func New(config Config, log *slog.Logger) *Service {
	return &Service{config: config, log: log, topics: map[string]*Topic{}}
}

// Topic is a standard topic.
type Topic struct {
	service       *Service
	name, arn     string
	subscriptions []Subscription // guarded by service.mu; replaced, never changed
}

// Subscription is a topic's delivery to a queue.
type Subscription struct {
	ARN      string
	TopicARN string
	Queue    Queue
	// RawMessageDelivery sends the message's body and attributes as they are, without SNS's envelope.
	// https://docs.aws.amazon.com/sns/latest/dg/sns-large-payload-raw-message-delivery.html
	RawMessageDelivery bool
}

var topicName = regexp.MustCompile(`^[A-Za-z0-9_-]{1,256}$`)

// CreateTopic adds a topic. It is an error if the name is not one SNS takes or a topic has it.
func (s *Service) CreateTopic(name string) (*Topic, error) {
	if strings.HasSuffix(name, ".fifo") {
		return nil, fmt.Errorf("creating topic %q: FIFO topics are not available in the local run: use a standard topic", name)
	}
	if !topicName.MatchString(name) {
		return nil, fmt.Errorf("creating topic %q: the name must be 1 to 256 letters, digits, hyphens and underscores", name)
	}
	t := &Topic{service: s, name: name, arn: fmt.Sprintf("arn:aws:sns:%s:%s:%s", s.config.Region, s.config.AccountID, name)}
	s.mu.Lock()
	defer s.mu.Unlock()
	if _, exists := s.topics[t.arn]; exists {
		return nil, fmt.Errorf("creating topic %q: a topic of that name exists", name)
	}
	s.topics[t.arn] = t
	return t, nil
}

// Topic returns the topic with the ARN, or nil if there is none.
func (s *Service) Topic(arn string) *Topic {
	s.mu.RLock()
	defer s.mu.RUnlock()
	return s.topics[arn]
}

// ARN returns the topic's Amazon Resource Name.
func (t *Topic) ARN() string { return t.arn }

// Name returns the topic's name.
func (t *Topic) Name() string { return t.name }

// Subscribe delivers what is published from now on to a queue, too.
func (t *Topic) Subscribe(queue Queue, rawMessageDelivery bool) Subscription {
	sub := Subscription{
		ARN:                t.arn + ":" + uuid.NewString(),
		TopicARN:           t.arn,
		Queue:              queue,
		RawMessageDelivery: rawMessageDelivery,
	}
	t.service.mu.Lock()
	defer t.service.mu.Unlock()
	t.subscriptions = append(slices.Clip(t.subscriptions), sub)
	return sub
}

// Subscriptions returns the topic's subscriptions, in the order they were made.
func (t *Topic) Subscriptions() []Subscription {
	t.service.mu.RLock()
	defer t.service.mu.RUnlock()
	return t.subscriptions
}

// list returns all topics, by name.
func (s *Service) list() []*Topic {
	s.mu.RLock()
	defer s.mu.RUnlock()
	var topics []*Topic
	for _, t := range s.topics {
		topics = append(topics, t)
	}
	slices.SortFunc(topics, func(a, b *Topic) int { return strings.Compare(a.name, b.name) })
	return topics
}
