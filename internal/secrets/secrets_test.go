package secrets_test

import (
	"context"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/secretsmanager"
	"github.com/aws/aws-sdk-go-v2/service/secretsmanager/types"

	"restock/internal/secrets"
)

// A vault is a Secrets Manager of one secret.
type vault struct {
	value *string
	reads int
}

func (v *vault) GetSecretValue(context.Context, *secretsmanager.GetSecretValueInput, ...func(*secretsmanager.Options)) (*secretsmanager.GetSecretValueOutput, error) {
	v.reads++
	if v.value == nil {
		return nil, &types.ResourceNotFoundException{}
	}
	return &secretsmanager.GetSecretValueOutput{SecretString: v.value}, nil
}

func (v *vault) PutSecretValue(_ context.Context, in *secretsmanager.PutSecretValueInput, _ ...func(*secretsmanager.Options)) (*secretsmanager.PutSecretValueOutput, error) {
	v.value = in.SecretString
	return &secretsmanager.PutSecretValueOutput{}, nil
}

func TestSecretIsReadOnceUntilARefresh(t *testing.T) {
	v := &vault{value: aws.String(`{"username":"shop","password":"first"}`)}
	s := secrets.New[secrets.Login](v, "arn")
	for _, c := range []struct {
		refresh  bool
		password string
		reads    int
	}{{false, "first", 1}, {false, "first", 1}, {true, "second", 2}, {false, "second", 2}} {
		if c.password == "second" {
			v.value = aws.String(`{"username":"shop","password":"second"}`)
		}
		got, err := s.Get(t.Context(), c.refresh)
		if err != nil || got.Password != c.password || v.reads != c.reads {
			t.Errorf("Get(refresh %v): got %q after %d reads, %v; want %q after %d", c.refresh, got.Password, v.reads, err, c.password, c.reads)
		}
	}
}

func TestSecretWithoutAValueIsEmptyAndWritable(t *testing.T) {
	s := secrets.New[secrets.CallbackKey](&vault{}, "arn")
	if _, err := s.Get(t.Context(), false); !secrets.IsEmpty(err) {
		t.Fatalf("got %v, want an error that IsEmpty", err)
	}
	if err := s.Put(t.Context(), secrets.CallbackKey{Key: []byte{1, 2, 3}}); err != nil {
		t.Fatal(err)
	}
	if got, err := s.Get(t.Context(), true); err != nil || string(got.Key) != "\x01\x02\x03" {
		t.Errorf("got %v, %v; want what was put", got.Key, err)
	}
}

func TestErrorDoesNotShowTheSecret(t *testing.T) {
	s := secrets.New[secrets.Login](&vault{value: aws.String(`{"username":"shop","password":hunter2}`)}, "arn:secret")
	_, err := s.Get(t.Context(), false)
	if err == nil || strings.Contains(err.Error(), "hunter2") || !strings.Contains(err.Error(), "arn:secret") {
		t.Errorf("got %v, want an error that names the secret and not its value", err)
	}
}
