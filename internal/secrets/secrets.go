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

// A Client is the part of the Secrets Manager client that the package uses.
type Client interface {
	GetSecretValue(context.Context, *secretsmanager.GetSecretValueInput,
		...func(*secretsmanager.Options)) (*secretsmanager.GetSecretValueOutput, error)
	PutSecretValue(context.Context, *secretsmanager.PutSecretValueInput,
		...func(*secretsmanager.Options)) (*secretsmanager.PutSecretValueOutput, error)
}

// A Login is the user name and password of a database user, in the form that RDS and its rotation
// use.
type Login struct {
	Username string `json:"username"`
	Password string `json:"password"`
}

// A CallbackKey signs the callback URLs that the factory gets.
type CallbackKey struct {
	Key []byte `json:"key"` // base64 in the secret
}

// A Secret is a secret whose value is a JSON document of type T. It caches the value.
type Secret[T any] struct {
	client Client
	arn    string

	mu     sync.Mutex // guards cached
	cached *T
}

// New returns the secret with an ARN or a name. It reads nothing yet.
func New[T any](client Client, arn string) *Secret[T] {
	return &Secret[T]{client: client, arn: arn}
}

// Get returns the current value. With refresh it does not use the cached value.
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

// parse decodes a value. Its error does not quote the secret; the decoder's error might.
func parse[T any](out *secretsmanager.GetSecretValueOutput) (value T, err error) {
	if json.Unmarshal([]byte(aws.ToString(out.SecretString)), &value) != nil {
		return value, fmt.Errorf("%w a %T", errMalformed, value)
	}
	return value, nil
}

// marshal encodes a value as the JSON document that Secrets Manager stores.
func marshal(value any) ([]byte, error) {
	if secret, ok := value.(interface{ document() any }); ok {
		value = secret.document()
	}
	return json.Marshal(value)
}

// Put stores a new current value.
func (s *Secret[T]) Put(ctx context.Context, value T) error {
	text, err := marshal(value)
	if err != nil {
		return fmt.Errorf("writing secret %s: %w", s.arn, err)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	in := &secretsmanager.PutSecretValueInput{SecretId: aws.String(s.arn), SecretString: aws.String(string(text))}
	if _, err := s.client.PutSecretValue(ctx, in); err != nil {
		return fmt.Errorf("writing secret %s: %w", s.arn, err)
	}
	s.cached = &value
	return nil
}

// IsEmpty reports whether an error of Get means that the secret has no value yet.
func IsEmpty(err error) bool {
	var notFound *types.ResourceNotFoundException
	return errors.As(err, &notFound)
}

// Previous returns the value before the current one. If there was none, it returns the current one.
func (s *Secret[T]) Previous(ctx context.Context) (value T, err error) {
	out, err := s.client.GetSecretValue(ctx, &secretsmanager.GetSecretValueInput{
		SecretId: aws.String(s.arn), VersionStage: aws.String(previous),
	})
	if IsEmpty(err) {
		return s.Get(ctx, false)
	}
	if err == nil {
		value, err = parse[T](out)
	}
	if err != nil {
		return value, fmt.Errorf("reading the previous version of secret %s: %w", s.arn, err)
	}
	return value, nil
}

// Credentials returns a login in the form that package mysql needs: the cached login, then the
// current one, then the previous one.
func Credentials(login *Secret[Login]) func(ctx context.Context, try int) (user, password string, err error) {
	return func(ctx context.Context, try int) (string, string, error) {
		if try < 2 {
			l, err := login.Get(ctx, try == 1)
			return l.Username, l.Password, err
		}
		l, err := login.Previous(ctx)
		return l.Username, l.Password, err
	}
}
