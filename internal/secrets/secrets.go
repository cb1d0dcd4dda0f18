// Package secrets reads and writes the project's secrets in Secrets Manager.
package secrets

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"sync"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/secretsmanager"
	"github.com/aws/aws-sdk-go-v2/service/secretsmanager/types"
)

// A Client is the part of Secrets Manager's client that is used.
type Client interface {
	GetSecretValue(context.Context, *secretsmanager.GetSecretValueInput, ...func(*secretsmanager.Options)) (*secretsmanager.GetSecretValueOutput, error)
	PutSecretValue(context.Context, *secretsmanager.PutSecretValueInput, ...func(*secretsmanager.Options)) (*secretsmanager.PutSecretValueOutput, error)
}

// A Login is how a database user logs in, in the form that RDS and its rotation write it.
type Login struct {
	Username string `json:"username"`
	Password string `json:"password"`
}

// A CallbackKey signs the callbacks of the factory.
type CallbackKey struct {
	Key []byte `json:"key"` // base64 in the secret
}

// A Secret is one secret whose value is a JSON document of type T. It is read once, and again when asked to.
type Secret[T any] struct {
	client Client
	arn    string

	mu     sync.Mutex // guards what follows
	cached *T
}

// New makes a secret of an ARN or a name. Nothing is read yet.
func New[T any](client Client, arn string) *Secret[T] {
	return &Secret[T]{client: client, arn: arn}
}

// Get returns the current value. With refresh it is read again.
func (s *Secret[T]) Get(ctx context.Context, refresh bool) (T, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.cached != nil && !refresh {
		return *s.cached, nil
	}
	var value T
	out, err := s.client.GetSecretValue(ctx, &secretsmanager.GetSecretValueInput{SecretId: aws.String(s.arn)})
	if err != nil {
		return value, fmt.Errorf("reading secret %s: %w", s.arn, err)
	}
	if value, err = parse[T](out); err != nil {
		return value, fmt.Errorf("reading secret %s: %w", s.arn, err)
	}
	s.cached = &value
	return value, nil
}

var errMalformed = errors.New("its value is not the JSON document of")

// parse reads a value. Its error does not quote the secret, as the decoder's may.
func parse[T any](out *secretsmanager.GetSecretValueOutput) (value T, err error) {
	if json.Unmarshal([]byte(aws.ToString(out.SecretString)), &value) != nil {
		return value, fmt.Errorf("%w a %T", errMalformed, value)
	}
	return value, nil
}

// marshal is the JSON document of a value, as Secrets Manager keeps it.
func marshal(value any) ([]byte, error) {
	if secret, ok := value.(interface{ document() any }); ok {
		value = secret.document()
	}
	return json.Marshal(value)
}

// Put writes a new current value.
func (s *Secret[T]) Put(ctx context.Context, value T) error {
	text, err := marshal(value)
	if err != nil {
		return fmt.Errorf("writing secret %s: %w", s.arn, err)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if _, err := s.client.PutSecretValue(ctx, &secretsmanager.PutSecretValueInput{SecretId: aws.String(s.arn), SecretString: aws.String(string(text))}); err != nil {
		return fmt.Errorf("writing secret %s: %w", s.arn, err)
	}
	s.cached = &value
	return nil
}

// IsEmpty reports whether an error of Get says that the secret has no value yet.
func IsEmpty(err error) bool {
	var notFound *types.ResourceNotFoundException
	return errors.As(err, &notFound)
}

// Credentials is the form in which package mysql takes a login.
func Credentials(login *Secret[Login]) func(ctx context.Context, refresh bool) (user, password string, err error) {
	return func(ctx context.Context, refresh bool) (string, string, error) {
		l, err := login.Get(ctx, refresh)
		return l.Username, l.Password, err
	}
}
