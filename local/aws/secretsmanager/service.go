// Package secretsmanager is AWS Secrets Manager in memory: what the stack and its operators use of the API, with versions,
// their staging labels, and rotation by a function. A secret's value is never logged.
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

// Config says where a service's secrets are, and how it calls functions.
type Config struct {
	// Region and AccountID are those of the ARNs of secrets made through the API.
	Region, AccountID string
	// Invoke calls a rotation function and waits for its answer. Its error says that the function was not called, failed, or
	// was not done when ctx ended. Whether Secrets Manager may call the function is for Invoke to say. A service with a nil
	// Invoke refuses to rotate secrets.
	Invoke func(ctx context.Context, functionARN string, payload []byte) (answer []byte, err error)
}

// Service holds the secrets of one account in one region. Its methods may be called from many goroutines.
type Service struct {
	config Config
	log    *slog.Logger

	mu      sync.Mutex         // guards secrets and what they hold
	secrets map[string]*secret // by name

	closed    context.Context // ends the rotations
	close     context.CancelFunc
	rotations sync.WaitGroup // those under way; added to with the lock held, and only while closed has not ended
}

// New returns a service without secrets. Close ends the rotations that it starts.
func New(config Config, log *slog.Logger) *Service {
	s := &Service{config: config, log: log, secrets: map[string]*secret{}}
	s.closed, s.close = context.WithCancel(context.Background())
	return s
}

// Close ends the rotations that are under way and waits for them, and no other begins. The secrets stay readable.
func (s *Service) Close() {
	s.mu.Lock()
	s.close()
	for _, sec := range s.secrets {
		sec.stopRotation()
	}
	s.mu.Unlock()
	s.rotations.Wait()
}

// SecretConfig is a secret that is there from the start.
type SecretConfig struct {
	// Name is 1 to 512 letters, digits and /_+=.@-; also ! in the name of a secret that a service of AWS's manages, such as
	// the password of an RDS database.
	Name        string
	ARN         string
	Description string
	// Value is the secret's first version, or "" for a secret that has none yet.
	Value string
}

// Create adds a secret. It is an error if the name is not one Secrets Manager takes, or the name or the ARN is taken.
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
	if config.Value == "" {
		return nil
	}
	if _, err := sec.put(uuid.NewString(), value{text: &config.Value}, []string{current}, time.Now()); err != nil {
		return fmt.Errorf("giving secret %q its value: %w", config.Name, err)
	}
	return nil
}

var secretName = regexp.MustCompile(`^[A-Za-z0-9/_+=.@!-]{1,512}$`)

var (
	errInvalidName = errors.New("the name must be 1 to 512 letters, digits and characters of /_+=.@-")
	errTaken       = errors.New("a secret of that name or ARN exists")
)

// add must be called with the lock held.
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

// find returns the secret with the name, the ARN, or the ARN without the six random characters at its end; nil if there
// is none. It must be called with the lock held.
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

// forgetDeleted forgets the secrets whose recovery window is over. It must be called with the lock held.
func (s *Service) forgetDeleted() {
	now := time.Now()
	maps.DeleteFunc(s.secrets, func(_ string, sec *secret) bool {
		return !sec.deletion.IsZero() && !now.Before(sec.deletion)
	})
}
