package main

import (
	"context"
	"crypto/rand"
	"database/sql"
	"fmt"
	"log/slog"

	"github.com/aws/aws-lambda-go/events"

	"restock/internal/mysql/migrate"
	"restock/internal/secrets"
	"restock/lambdas/journal"
)

// userPrefix, before the database's name, names the functions' user: users are the server's, and other databases on it may have
// a user of their name.
const userPrefix = "restock_"

// callbackKeySize is in bytes: as long as the signature's hash.
const callbackKeySize = 32

// A setup prepares what the functions need. It may be run again at any time: what is there stays.
type setup struct {
	db          *sql.DB
	login       *secrets.Secret[secrets.Login]
	callbackKey *secrets.Secret[secrets.CallbackKey]
	user        string // of the functions, where their secret is empty
	log         *slog.Logger
}

// A report is what setup answers. The deployment's state keeps it: nothing in it is secret.
type report struct {
	SchemaVersion int64 `json:"schema_version"`
}

// An event is a deployment's, which is empty, or a step of a rotation.
type event = events.SecretsManagerSecretRotationEvent

// handler does what it is asked for.
func (s setup) handler(rotation secrets.Rotation[secrets.Login]) func(context.Context, event) (*report, error) {
	return func(ctx context.Context, e event) (*report, error) {
		if e.Step == "" {
			r, err := s.run(ctx)
			return &r, err
		}
		if err := rotation.Step(ctx, e); err != nil {
			return nil, err
		}
		s.log.InfoContext(ctx, "rotated", journal.RotationStepTaken.Attr(), "secret", e.SecretID, "step", e.Step)
		return nil, nil
	}
}

func (s setup) run(ctx context.Context) (report, error) {
	version, err := migrate.Up(ctx, s.db)
	if err != nil {
		return report{}, err
	}
	s.log.InfoContext(ctx, "schema is up to date", "version", version)
	if err := s.ensureUser(ctx); err != nil {
		return report{}, err
	}
	if err := s.ensureCallbackKey(ctx); err != nil {
		return report{}, err
	}
	return report{SchemaVersion: version}, nil
}

// ensureUser makes the functions' database user with the password of its secret, and the secret where it is empty. The secret is written
// first: were it the other way round, a crash in between would leave a user whose password nobody knows.
func (s setup) ensureUser(ctx context.Context) error {
	login, err := s.login.Get(ctx, true)
	if secrets.IsEmpty(err) {
		login = secrets.Login{Username: s.user, Password: rand.Text()}
		err = s.login.Put(ctx, login)
	}
	if err != nil {
		return err
	}
	return s.setUser(ctx, login)
}

// setUser makes the functions' database user of a login, or gives it the login's password.
func (s setup) setUser(ctx context.Context, login secrets.Login) error {
	if err := migrate.User(ctx, s.db, login.Username, login.Password); err != nil {
		return err
	}
	s.log.InfoContext(ctx, "database user is ready", journal.DatabaseUserReady.Attr(), "user", login.Username)
	return nil
}

func (s setup) ensureCallbackKey(ctx context.Context) error {
	_, err := s.callbackKey.Get(ctx, true)
	if !secrets.IsEmpty(err) {
		return err
	}
	key := make([]byte, callbackKeySize)
	if _, err := rand.Read(key); err != nil {
		return fmt.Errorf("making the callback key: %w", err)
	}
	return s.callbackKey.Put(ctx, secrets.CallbackKey{Key: key})
}
