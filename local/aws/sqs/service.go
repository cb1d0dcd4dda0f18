// Package sqs is Amazon SQS's standard queues in memory: what the stack uses of the API, with SQS's semantics of
// visibility, receive counts, redrive, delay, retention and long polling. Standard queues may deliver a message twice; these
// do so where a visibility timeout ends, and beyond that as often as they are asked to (Config.DuplicateRate).
//
// A queue's state is a function of its messages and the clock, worked out when somebody looks; a receiver that waits sets
// its own timer for the moment the next message becomes visible. Only message move tasks run in the background, until Close.
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

// Config says where a service's queues are, and how it departs from the plain course of things.
type Config struct {
	// BaseURL is the endpoint that queue URLs begin with, such as "http://127.0.0.1:4566".
	BaseURL string
	// Region and AccountID are those of the queues' ARNs.
	Region, AccountID string
	// DuplicateRate is the share of messages, 0 to 1, that are delivered twice though a consumer deletes them, as standard
	// queues do on occasion.
	// https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/standard-queues-at-least-once-delivery.html
	DuplicateRate float64
	// Random is the chance that DuplicateRate is held against, from 0 up to but not including 1; nil is math/rand's. It is called
	// by one goroutine at a time.
	Random func() float64
	// SenderID returns who a message is from, its SenderId, by the access key that a call is signed with: on AWS, the id of an account or
	// of a user, or of a role with its session. Nil is the access key itself.
	SenderID func(accessKeyID string) string
}

// Service holds the queues of one account in one region. Its methods, and those of its queues, may be called from many
// goroutines.
type Service struct {
	config      Config
	log         *slog.Logger
	maxInFlight int

	mu        sync.Mutex // guards what follows and all of every queue that may change, since a redrive touches two
	queues    map[string]*Queue
	deleted   map[string]time.Time // when queues were deleted, by name
	moveTasks map[string]*moveTask // by handle

	running context.Context // ends with Close
	stop    context.CancelFunc
	movers  sync.WaitGroup
}

// New returns a service without queues. Close ends what it runs.
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

// Close ends the message move tasks that run. What they have not moved stays where it is.
func (s *Service) Close() {
	s.stop()
	s.movers.Wait()
}

// CreateQueue adds a queue. It is an error if an attribute is outside SQS's range, a queue of the name exists or was deleted
// within the last minute, or the dead-letter queue, which must be created first, does not exist or does not take its messages.
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
		return nil, queueNameExists()
	}
	if deleted, ok := s.deleted[config.Name]; ok && now.Sub(deleted) < deletionInterval {
		return nil, queueDeletedRecently()
	}
	q := &Queue{
		service:  s,
		name:     config.Name,
		arn:      s.arnOf(config.Name),
		url:      fmt.Sprintf("%s/%s/%s", s.config.BaseURL, s.config.AccountID, config.Name),
		created:  now,
		config:   config,
		modified: now,
		messages: map[string]*message{},
		changed:  make(chan struct{}),
	}
	if err := s.validateRedrive(q.arn, config.RedrivePolicy); err != nil {
		return nil, err
	}
	s.queues[config.Name] = q
	return q, nil
}

// delete removes the queue with its messages. Whoever waits for one is told that the queue is gone.
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

// Policy returns the text of the access policy that the queue with the ARN has at present, or ""; ok is false if there is no queue.
func (s *Service) Policy(arn string) (policy string, ok bool) {
	q := s.Queue(arn)
	if q == nil {
		return "", false
	}
	return q.Config().Policy, true
}

// arnOf is the ARN that a queue of the name has, or would have.
func (s *Service) arnOf(name string) string { return arnIn(s.config.Region, s.config.AccountID, name) }

// https://docs.aws.amazon.com/service-authorization/latest/reference/list_amazonsqs.html#amazonsqs-resources-for-iam-policies
func arnIn(region, accountID, name string) string {
	return "arn:aws:sqs:" + region + ":" + accountID + ":" + name
}

// byARN must be called with the lock held.
func (s *Service) byARN(arn string) *Queue {
	name, ok := strings.CutPrefix(arn, s.arnOf(""))
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

// list returns the queues that keep accepts, by name. keep is called with the lock held.
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
