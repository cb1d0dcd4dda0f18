package secrets_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/aws/aws-lambda-go/events"
	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/secretsmanager"

	"restock/internal/secrets"
	"restock/internal/secrets/secretstest"
)

const arn = "arn:secret"

// A lock stands for the database: it accepts the passwords that were set.
type lock struct {
	set    []string
	broken error
}

func newRotation(v *secretstest.Vault, l *lock) secrets.Rotation[secrets.Login] {
	made := 0
	return secrets.Rotation[secrets.Login]{
		Client: v, ARN: arn,
		Next: func(now secrets.Login) secrets.Login {
			made++
			return secrets.Login{Username: now.Username, Password: now.Password + strings.Repeat("+", made)}
		},
		Set: func(_ context.Context, next secrets.Login) error { l.set = append(l.set, next.Password); return nil },
		Test: func(_ context.Context, next secrets.Login) error {
			if len(l.set) == 0 || l.set[len(l.set)-1] != next.Password {
				return errors.New("the lock does not open")
			}
			return l.broken
		},
	}
}

// put stores a value in a pending version of the secret.
func put(v *secretstest.Vault, version, value string) {
	_, err := v.PutSecretValue(context.Background(), &secretsmanager.PutSecretValueInput{
		SecretId: aws.String(arn), ClientRequestToken: aws.String(version), SecretString: aws.String(value),
		VersionStages: []string{"AWSPENDING"},
	})
	if err != nil {
		panic(err)
	}
}

type rotationEvent = events.SecretsManagerSecretRotationEvent

func step(name string) rotationEvent {
	return rotationEvent{Step: name, SecretID: arn, ClientRequestToken: "token"}
}

func TestRotationWorksIfEveryStepRunsTwice(t *testing.T) {
	var v secretstest.Vault
	var l lock
	v.Set(arn, `{"username":"shop","password":"first"}`)
	v.Announce(arn, "token")
	r := newRotation(&v, &l)
	for _, name := range []string{"createSecret", "setSecret", "testSecret", "finishSecret"} {
		for range 2 {
			if err := r.Step(t.Context(), step(name)); err != nil {
				t.Fatal(err)
			}
		}
		if got, finished := v.Value(arn), name == "finishSecret"; strings.Contains(got, "first+") != finished {
			t.Errorf("after %s the value is %s", name, got)
		}
	}
	if got, want := v.Value(arn), `{"username":"shop","password":"first+"}`; got != want {
		t.Errorf("the value is %s, want %s: a repeated step makes no other password", got, want)
	}
}

func TestFailedRotationKeepsTheValue(t *testing.T) {
	for _, c := range []struct {
		name  string
		event rotationEvent
		after []string
		setup func(*secretstest.Vault, *lock)
		want  string
	}{
		{"another secret",
			rotationEvent{Step: "createSecret", SecretID: "arn:other", ClientRequestToken: "token"},
			nil, nil, "this function rotates the secret arn:secret only"},
		{"an unknown version",
			rotationEvent{Step: "createSecret", SecretID: arn, ClientRequestToken: "stray"},
			nil, nil, "version stray is not pending"},
		{"an unknown step", step("shuffle"), nil, nil, "there is no such step"},
		{"the pending value cannot be read", step("createSecret"), nil,
			func(v *secretstest.Vault, _ *lock) { v.Unreadable = errors.New("throttled") }, "throttled"},
		{"nothing was created", step("setSecret"), nil, nil, "ResourceNotFound"},
		{"the value is refused", step("testSecret"), []string{"createSecret", "setSecret"},
			func(_ *secretstest.Vault, l *lock) { l.broken = errors.New("access denied") }, "access denied"},
		{"the pending value is not a login", step("setSecret"), nil,
			func(v *secretstest.Vault, _ *lock) { put(v, "token", "hunter2") },
			"not the JSON document of a secrets.Login"},
		{"the vault refuses to write", step("createSecret"), nil,
			func(v *secretstest.Vault, _ *lock) { v.Broken = errors.New("AccessDenied") }, "AccessDenied"},
	} {
		var v secretstest.Vault
		var l lock
		v.Set(arn, `{"username":"shop","password":"first"}`)
		v.Announce(arn, "token")
		r := newRotation(&v, &l)
		for _, name := range c.after {
			if err := r.Step(t.Context(), step(name)); err != nil {
				t.Fatal(err)
			}
		}
		if c.setup != nil {
			c.setup(&v, &l)
		}
		err := r.Step(t.Context(), c.event)
		text := fmt.Sprint(err)
		if !strings.Contains(text, c.want) || strings.Contains(text, "hunter2") || strings.Contains(text, "first") {
			t.Errorf("%s: got %v, want an error with %q and without a password", c.name, err, c.want)
		}
		if got := v.Value(arn); got != `{"username":"shop","password":"first"}` {
			t.Errorf("%s: the value is %s now", c.name, got)
		}
	}
}
