package secrets_test

import (
	"strings"
	"testing"

	"restock/internal/secrets"
	"restock/internal/secrets/secretstest"
)

func TestSecretIsReadOnceUntilARefresh(t *testing.T) {
	v := &secretstest.Vault{}
	v.Set("arn", `{"username":"shop","password":"first"}`)
	s := secrets.New[secrets.Login](v, "arn")
	for _, c := range []struct {
		refresh  bool
		password string
		reads    int
	}{{false, "first", 1}, {false, "first", 1}, {true, "second", 2}, {false, "second", 2}} {
		if c.password == "second" {
			v.Set("arn", `{"username":"shop","password":"second"}`)
		}
		got, err := s.Get(t.Context(), c.refresh)
		if err != nil || got.Password != c.password || v.Reads() != c.reads {
			t.Errorf("Get(refresh %v): got %q after %d reads, %v; want %q after %d",
				c.refresh, got.Password, v.Reads(), err, c.password, c.reads)
		}
	}
}

func TestSecretWithoutAValueIsEmptyAndWritable(t *testing.T) {
	s := secrets.New[secrets.CallbackKey](&secretstest.Vault{}, "arn")
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
	v := &secretstest.Vault{}
	v.Set("arn:secret", `{"username":"shop","password":hunter2}`)
	s := secrets.New[secrets.Login](v, "arn:secret")
	_, err := s.Get(t.Context(), false)
	if err == nil || strings.Contains(err.Error(), "hunter2") || !strings.Contains(err.Error(), "arn:secret") {
		t.Errorf("got %v, want an error that names the secret and not its value", err)
	}
}
