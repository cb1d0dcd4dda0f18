// Package sqs implements Amazon SQS's queues in memory. It covers the part of the API that programs
// use, with SQS's semantics of visibility, receive counts, redrive, delay, retention and long
// polling. A standard queue may deliver a message twice. These queues do so when a visibility
// timeout ends, and also at a configured rate (Config.DuplicateRate). A FIFO queue delivers the
// messages of a group in their order, and drops duplicates.
//
// A queue computes its state from its messages and the clock whenever it is used. A waiting
// receiver sets its own timer for the time when the next message becomes visible. Only message move
// tasks run in the background; Close stops them.
package sqs

import (
	"context"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"net/url"
	"path"
	"slices"
	"strings"
	"sync"
	"time"
)

// Config has the addresses of a service's queues, and the faults that it injects.
type Config struct {
	// BaseURL is the beginning of queue URLs, such as "http://127.0.0.1:4566".
	BaseURL string
	// Region and AccountID are part of the queues' ARNs.
	Region, AccountID string
	// DuplicateRate is the share of messages, 0 to 1, that are delivered twice although a consumer
	// deletes them. Standard queues do this occasionally.
	// https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/standard-queues-at-least-once-delivery.html
	DuplicateRate float64
	// Random returns the numbers in [0,1) that are compared with DuplicateRate; nil means
	// math/rand. Only one goroutine at a time calls it.
	Random func() float64
	// SenderID returns a message's SenderId for the access key that signed the call: on AWS, the id
	// of an account or a user, or of a role with its session. Nil means the access key itself.
	SenderID func(accessKeyID string) string
}

// Service holds the queues of one account in one region. Its methods and those of its queues are
// safe for concurrent use.
type Service struct {
	config      Config
	log         *slog.Logger
	maxInFlight int

	mu        sync.Mutex // guards the fields below and the variable part of every queue: a redrive changes two queues
	queues    map[string]*Queue
	deleted   map[string]time.Time // deletion times, by name
	moveTasks map[string]*moveTask // by handle

	running context.Context // Close cancels it; move tasks outlive the requests that start them
	stop    context.CancelFunc
	movers  sync.WaitGroup
}

// New returns a service without queues. Close stops its background work.
func New(config Config, log *slog.Logger) *Service {
	if config.Random == nil {
		config.Random = rand.Float64
	}
	if config.SenderID == nil {
		config.SenderID = func(accessKeyID string) string { return accessKeyID }
	}
	running, stop := context.WithCancel(context.Background())
	return &Service{
		config:      config,
		log:         log,
		maxInFlight: maxInFlight,
		queues:      map[string]*Queue{},
		deleted:     map[string]time.Time{},
		moveTasks:   map[string]*moveTask{},
		running:     running,
		stop:        stop,
	}
}

// Close stops the running message move tasks. Messages that they have not moved stay in their
// queue.
func (s *Service) Close() {
	s.stop()
	s.movers.Wait()
}

// CreateQueue adds a queue. It fails if an attribute is out of SQS's range; if a queue with the
// name exists or was deleted within the last minute; or if the dead-letter queue does not exist or
// does not allow this source.
func (s *Service) CreateQueue(config QueueConfig) (*Queue, error) {
	q, err := s.addQueue(config)
	if err != nil {
		return nil, fmt.Errorf("creating queue %q: %w", config.Name, err)
	}
	return q, nil
}

func (s *Service) addQueue(config QueueConfig) (*Queue, error) {
	if err := config.validate(); err != nil {
		return nil, err
	}
	now := time.Now()
	s.mu.Lock()
	defer s.mu.Unlock()
	if _, exists := s.queues[config.Name]; exists {
		return nil, queueNameExists("QueueName")
	}
	if deleted, ok := s.deleted[config.Name]; ok && now.Sub(deleted) < deletionInterval {
		return nil, queueDeletedRecently()
	}
	q := &Queue{
		service:  s,
		name:     config.Name,
		arn:      s.arnOf(config.Name),
		url:      s.urlOf(config.Name),
		created:  now,
		config:   config,
		tags:     tags{},
		modified: now,
		messages: map[string]*message{},
		changed:  make(chan struct{}),
	}
	if config.FIFO {
		q.fifo = newFIFO(config.DeduplicationScope == scopeMessageGroup)
	}
	if err := s.validateRedrive(q.arn, config); err != nil {
		return nil, err
	}
	s.queues[config.Name] = q
	return q, nil
}

// delete removes the queue with its messages. Waiting receivers get the error that the queue does
// not exist.
func (q *Queue) delete() {
	s := q.service
	s.mu.Lock()
	defer s.mu.Unlock()
	if q.deleted {
		return
	}
	q.deleted = true
	delete(s.queues, q.name)
	s.deleted[q.name] = time.Now()
	q.clear()
	q.announce()
}

// Queue returns the queue with the ARN, or nil if there is none.
func (s *Service) Queue(arn string) *Queue {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.byARN(arn)
}

// Policy returns the text of the queue's current access policy, or "". ok is false if there is no
// queue with the ARN.
func (s *Service) Policy(arn string) (policy string, ok bool) {
	q := s.Queue(arn)
	if q == nil {
		return "", false
	}
	return q.Config().Policy, true
}

// urlOf returns the URL of a queue with the name. The queue need not exist.
func (s *Service) urlOf(name string) string {
	return fmt.Sprintf("%s/%s/%s", s.config.BaseURL, s.config.AccountID, name)
}

// arnOf returns the ARN of a queue with the name. The queue need not exist.
func (s *Service) arnOf(name string) string { return arnIn(s.config.Region, s.config.AccountID, name) }

// https://docs.aws.amazon.com/service-authorization/latest/reference/list_amazonsqs.html#amazonsqs-resources-for-iam-policies
func arnIn(region, accountID, name string) string {
	return "arn:aws:sqs:" + region + ":" + accountID + ":" + name
}

// byARN requires the lock.
func (s *Service) byARN(arn string) *Queue {
	name, ok := strings.CutPrefix(arn, s.arnOf(""))
	if !ok {
		return nil
	}
	return s.queues[name]
}

// byURL finds a queue by the path of its URL. It ignores the host, which may be another name of
// this machine.
func (s *Service) byURL(queueURL string) (*Queue, error) {
	if queueURL == "" {
		return nil, missingParameter("QueueUrl")
	}
	account, name := s.splitURL(queueURL)
	if account != s.config.AccountID {
		return nil, queueDoesNotExist()
	}
	return s.byName(name)
}

// splitURL returns the account and the name of a queue's URL. As on AWS, the URL may also be the
// queue's name alone (LocalStack's sqs/test_sqs, test_set_empty_redrive_policy, 2024-08-20).
func (s *Service) splitURL(queueURL string) (account, name string) {
	if queueName.MatchString(strings.TrimSuffix(queueURL, fifoSuffix)) {
		return s.config.AccountID, queueURL
	}
	u, err := url.Parse(queueURL)
	if err != nil {
		return s.config.AccountID, "" // no queue has this name
	}
	account, name = path.Split(path.Clean(u.Path))
	return strings.Trim(account, "/"), name
}

func (s *Service) byName(name string) (*Queue, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	q, ok := s.queues[name]
	if !ok {
		return nil, queueDoesNotExist()
	}
	return q, nil
}

// list returns the queues that keep accepts, sorted by name. It calls keep with the lock held.
func (s *Service) list(keep func(*Queue) bool) []*Queue {
	s.mu.Lock()
	defer s.mu.Unlock()
	var queues []*Queue
	for _, q := range s.queues {
		if keep(q) {
			queues = append(queues, q)
		}
	}
	slices.SortFunc(queues, func(a, b *Queue) int { return strings.Compare(a.name, b.name) })
	return queues
}
