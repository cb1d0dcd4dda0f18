// Package secretsmanager is AWS Secrets Manager in memory: what the stack and its operators use of the API, with versions
// and their staging labels. A secret's value is never logged.
package secretsmanager

import (
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"regexp"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/google/uuid"
)

// Config says where a service's secrets are.
type Config struct {
	// Region and AccountID are those of the ARNs of secrets made through the API.
	Region, AccountID string
}

// Service holds the secrets of one account in one region. Its methods may be called from many goroutines.
type Service struct {
	config Config
	log    *slog.Logger

	mu      sync.Mutex         // guards secrets and what they hold
	secrets map[string]*secret // by name
}

// New returns a service without secrets.
func New(config Config, log *slog.Logger) *Service {
	return &Service{config: config, log: log, secrets: map[string]*secret{}}
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
	if config.Value != "" {
		sec.put(uuid.NewString(), value{text: &config.Value}, []string{current}, time.Now())
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
	sec := &secret{name: name, arn: arn, description: description, created: now, changed: now, versions: map[string]*version{}}
	s.secrets[name] = sec
	return sec, nil
}

// find returns the secret with the name, the ARN, or the ARN without the six random characters at its end; nil if there
// is none. It must be called with the lock held.
// https://docs.aws.amazon.com/secretsmanager/latest/userguide/troubleshoot.html#ARN_secretnamehyphen
func (s *Service) find(id string) *secret {
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

// sorted returns the secrets by name. It must be called with the lock held.
func (s *Service) sorted() []*secret {
	return slices.SortedFunc(maps.Values(s.secrets), func(a, b *secret) int { return strings.Compare(a.name, b.name) })
}
