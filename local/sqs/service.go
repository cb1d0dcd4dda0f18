// Package sqs is Amazon SQS's standard queues in memory: what the stack uses of the API, with SQS's semantics of
// visibility, receive counts, redrive, delay, retention and long polling. Unlike SQS, which may deliver a message twice
// or out of order, these queues do so only where a visibility timeout ends.
//
// Nothing runs in the background. A queue's state is a function of its messages and the clock, worked out when somebody
// looks; a receiver that waits sets its own timer for the moment the next message becomes visible.
package sqs

import (
	"fmt"
	"log/slog"
	"net/url"
	"path"
	"regexp"
	"slices"
	"strings"
	"sync"
	"time"
)

// Config says where a service's queues are.
type Config struct {
	// BaseURL is the endpoint that queue URLs begin with, such as "http://127.0.0.1:4566".
	BaseURL string
	// Region and AccountID are those of the queues' ARNs.
	Region, AccountID string
}

// Service holds the queues of one account in one region. Its methods, and those of its queues, may be called from many
// goroutines.
type Service struct {
	config Config
	log    *slog.Logger

	mu     sync.Mutex // guards queues and the messages of every queue, since a redrive touches two
	queues map[string]*Queue
}

// New returns a service without queues.
func New(config Config, log *slog.Logger) *Service {
	return &Service{config: config, log: log, queues: map[string]*Queue{}}
}

// QueueConfig are a queue's attributes. Durations are in whole seconds. NewQueueConfig fills in what SQS defaults to.
// https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_SetQueueAttributes.html
type QueueConfig struct {
	// Name is up to 80 letters, digits, hyphens and underscores.
	Name string
	// VisibilityTimeout is how long a received message is hidden from other receivers: 0 to 12 hours.
	VisibilityTimeout time.Duration
	// MessageRetentionPeriod is how long a message is kept: 1 minute to 14 days.
	MessageRetentionPeriod time.Duration
	// Delay is how long a new message is hidden at first: 0 to 15 minutes.
	Delay time.Duration
	// MaximumMessageSize is the size limit of a message's body and attributes in bytes: 1 KiB to 1 MiB.
	MaximumMessageSize int
	// ReceiveMessageWaitTime is how long a receiver waits that does not say: 0 to 20 seconds.
	ReceiveMessageWaitTime time.Duration
	// RedrivePolicy, if any, is where messages go that are received too often.
	RedrivePolicy *RedrivePolicy
}

// RedrivePolicy sends a message to a dead-letter queue when it would be received more than MaxReceiveCount times. Its
// JSON form is that of the queue attribute.
type RedrivePolicy struct {
	DeadLetterTargetARN string `json:"deadLetterTargetArn"`
	MaxReceiveCount     int    `json:"maxReceiveCount"` // 1 to 1,000
}

// What a queue has that is created with a name alone.
const (
	DefaultVisibilityTimeout      = 30 * time.Second
	DefaultMessageRetentionPeriod = 4 * 24 * time.Hour
	DefaultMaximumMessageSize     = 1 << 20
)

// NewQueueConfig returns the attributes of a queue that is created with a name alone.
func NewQueueConfig(name string) QueueConfig {
	return QueueConfig{
		Name:                   name,
		VisibilityTimeout:      DefaultVisibilityTimeout,
		MessageRetentionPeriod: DefaultMessageRetentionPeriod,
		MaximumMessageSize:     DefaultMaximumMessageSize,
	}
}

// CreateQueue adds a queue. It is an error if an attribute is outside SQS's range, a queue of the name exists, or the
// dead-letter queue, which must be created first, does not.
func (s *Service) CreateQueue(config QueueConfig) (*Queue, error) {
	if err := config.validate(); err != nil {
		return nil, fmt.Errorf("creating queue %q: %w", config.Name, err)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if _, exists := s.queues[config.Name]; exists {
		return nil, fmt.Errorf("creating queue %q: a queue of that name exists", config.Name)
	}
	if p := config.RedrivePolicy; p != nil && s.byARN(p.DeadLetterTargetARN) == nil {
		return nil, fmt.Errorf("creating queue %q: its dead-letter queue %s does not exist: create that first", config.Name, p.DeadLetterTargetARN)
	}
	q := &Queue{
		service:  s,
		config:   config,
		arn:      fmt.Sprintf("arn:aws:sqs:%s:%s:%s", s.config.Region, s.config.AccountID, config.Name),
		url:      fmt.Sprintf("%s/%s/%s", s.config.BaseURL, s.config.AccountID, config.Name),
		created:  time.Now(),
		messages: map[string]*message{},
		changed:  make(chan struct{}),
	}
	s.queues[config.Name] = q
	return q, nil
}

var queueName = regexp.MustCompile(`^[A-Za-z0-9_-]{1,80}$`)

func (c QueueConfig) validate() error {
	if strings.HasSuffix(c.Name, ".fifo") {
		return fmt.Errorf("FIFO queues are not available in the local run: use a standard queue")
	}
	if !queueName.MatchString(c.Name) {
		return fmt.Errorf("the name must be 1 to 80 letters, digits, hyphens and underscores")
	}
	for _, d := range []struct {
		name            string
		value, min, max time.Duration
	}{
		{"visibility timeout", c.VisibilityTimeout, 0, maxVisibilityTimeout},
		{"message retention period", c.MessageRetentionPeriod, time.Minute, 14 * 24 * time.Hour},
		{"delay", c.Delay, 0, maxDelay},
		{"receive wait time", c.ReceiveMessageWaitTime, 0, maxWait},
	} {
		if d.value < d.min || d.value > d.max || d.value%time.Second != 0 {
			return fmt.Errorf("the %s is %v: it must be %v to %v, in whole seconds", d.name, d.value, d.min, d.max)
		}
	}
	if c.MaximumMessageSize < 1<<10 || c.MaximumMessageSize > 1<<20 {
		return fmt.Errorf("the maximum message size is %d bytes: it must be 1024 to 1048576", c.MaximumMessageSize)
	}
	if p := c.RedrivePolicy; p != nil && (p.MaxReceiveCount < 1 || p.MaxReceiveCount > 1000) {
		return fmt.Errorf("the redrive policy's maxReceiveCount is %d: it must be 1 to 1000", p.MaxReceiveCount)
	}
	return nil
}

// Queue returns the queue with the ARN, or nil if there is none.
func (s *Service) Queue(arn string) *Queue {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.byARN(arn)
}

// byARN must be called with the lock held.
func (s *Service) byARN(arn string) *Queue {
	prefix := fmt.Sprintf("arn:aws:sqs:%s:%s:", s.config.Region, s.config.AccountID)
	name, ok := strings.CutPrefix(arn, prefix)
	if !ok {
		return nil
	}
	return s.queues[name]
}

// byURL finds a queue by the path of its URL: the host may be another name of this machine.
func (s *Service) byURL(queueURL string) (*Queue, error) {
	if queueURL == "" {
		return nil, missingParameter("QueueUrl")
	}
	u, err := url.Parse(queueURL)
	if err != nil {
		return nil, queueDoesNotExist(queueURL)
	}
	account, name := path.Split(path.Clean(u.Path))
	if account != "/"+s.config.AccountID+"/" {
		return nil, queueDoesNotExist(queueURL)
	}
	return s.byName(name)
}

func (s *Service) byName(name string) (*Queue, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	q, ok := s.queues[name]
	if !ok {
		return nil, queueDoesNotExist(name)
	}
	return q, nil
}

// list returns the queues that keep accepts, by name.
func (s *Service) list(keep func(*Queue) bool) []*Queue {
	s.mu.Lock()
	defer s.mu.Unlock()
	var queues []*Queue
	for _, q := range s.queues {
		if keep(q) {
			queues = append(queues, q)
		}
	}
	slices.SortFunc(queues, func(a, b *Queue) int { return strings.Compare(a.config.Name, b.config.Name) })
	return queues
}
