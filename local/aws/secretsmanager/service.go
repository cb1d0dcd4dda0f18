// Package secretsmanager implements AWS Secrets Manager in memory. It covers the part of the API
// that the stack and its operators use, with versions, staging labels, and rotation by a function.
// It never logs a secret's value.
package secretsmanager

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"regexp"
	"strings"
	"sync"
	"time"

	"github.com/google/uuid"
)

// Config has the addresses of a service's secrets, and the way to call functions.
type Config struct {
	// Region and AccountID are part of the ARNs of secrets that are created through the API.
	Region, AccountID string
	// Invoke calls a rotation function and waits for its answer. It returns an error if the
	// function was not called, failed, or did not end before ctx. Invoke also decides whether
	// Secrets Manager may call the function. A service with a nil Invoke refuses to rotate secrets.
	Invoke func(ctx context.Context, functionARN string, payload []byte) (answer []byte, err error)
	// MayInvoke reports whether a function exists and lets Secrets Manager invoke it for a secret.
	// A service with a nil MayInvoke finds out when it invokes the function.
	MayInvoke func(functionARN, secretARN string) bool
}

// Service holds the secrets of one account in one region. Its methods are safe for concurrent use.
type Service struct {
	config Config
	log    *slog.Logger

	mu      sync.Mutex         // guards secrets and their contents
	secrets map[string]*secret // by name

	closed    context.Context // Close cancels it; rotations outlive the requests that start them
	close     context.CancelFunc
	rotations sync.WaitGroup // running rotations; Add requires the lock and an open service
}

// New returns a service without secrets. Close stops its rotations.
func New(config Config, log *slog.Logger) *Service {
	s := &Service{config: config, log: log, secrets: map[string]*secret{}}
	s.closed, s.close = context.WithCancel(context.Background())
	return s
}

// Close stops the running rotations and waits for them. No rotation starts afterwards. The secrets
// stay readable.
func (s *Service) Close() {
	s.mu.Lock()
	s.close()
	for _, sec := range s.secrets {
		sec.stopRotation()
	}
	s.mu.Unlock()
	s.rotations.Wait()
}

// SecretConfig is a secret that exists from the start.
type SecretConfig struct {
	// Name has 1 to 512 letters, digits and /_+=.@-. The name of a secret that an AWS service
	// manages, such as the password of an RDS database, may also have !.
	Name        string
	ARN         string
	Description string
	// Value is the value of the secret's first version, or "" for a secret without a version.
	Value string
	// Policy is the secret's resource policy, or "" for none.
	Policy string
}

// Create adds a secret. It fails if Secrets Manager does not allow the name, or if the name or the
// ARN is taken.
func (s *Service) Create(config SecretConfig) error {
	if config.ARN == "" {
		return fmt.Errorf("creating secret %q: it needs an ARN", config.Name)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	sec, err := s.add(config.Name, config.ARN, config.Description)
	if err != nil {
		return fmt.Errorf("creating secret %q: %w", config.Name, err)
	}
	sec.policy = config.Policy
	if config.Value == "" {
		return nil
	}
	if _, err := sec.put(uuid.NewString(), value{text: &config.Value}, []string{current}, time.Now()); err != nil {
		return fmt.Errorf("setting the value of secret %q: %w", config.Name, err)
	}
	return nil
}

var secretName = regexp.MustCompile(`^[A-Za-z0-9/_+=.@!-]{1,512}$`)

var (
	errInvalidName = errors.New("the name must be 1 to 512 letters, digits and characters of /_+=.@-")
	errTaken       = errors.New("a secret of that name or ARN exists")
)

// add requires the lock.
func (s *Service) add(name, arn, description string) (*secret, error) {
	if !secretName.MatchString(name) {
		return nil, errInvalidName
	}
	if s.find(name) != nil || s.find(arn) != nil {
		return nil, errTaken
	}
	now := time.Now()
	sec := &secret{name: name, arn: arn, description: description, created: now, changed: now}
	s.secrets[name] = sec
	return sec, nil
}

// find returns the secret with the name, the ARN, or the ARN without its six random characters, or
// nil if there is none. It requires the lock.
// https://docs.aws.amazon.com/secretsmanager/latest/userguide/troubleshoot.html#ARN_secretnamehyphen
func (s *Service) find(id string) *secret {
	s.forgetDeleted()
	if sec, ok := s.secrets[id]; ok {
		return sec
	}
	for _, sec := range s.secrets {
		if sec.arn == id {
			return sec
		}
	}
	for _, sec := range s.secrets {
		if strings.HasPrefix(id, "arn:") && len(sec.arn) == len(id)+7 && strings.HasPrefix(sec.arn, id+"-") {
			return sec
		}
	}
	return nil
}

// forgetDeleted removes the secrets whose recovery window has ended. It requires the lock.
func (s *Service) forgetDeleted() {
	now := time.Now()
	maps.DeleteFunc(s.secrets, func(_ string, sec *secret) bool {
		return !sec.deletion.IsZero() && !now.Before(sec.deletion)
	})
}
