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
	"restock/lambdas"
	"restock/lambdas/journal"
)

// userPrefix and the database's name form the name of the functions' user. Users belong to the
// server, and another database on it may have a user with its plain name.
const userPrefix = "restock_"

// callbackKeySize is the size of the callback key, in bytes: the size of the signature's hash.
const callbackKeySize = 32

// A setup prepares what the functions need. It may run again at any time, and keeps what exists.
type setup struct {
	db          *sql.DB
	login       *secrets.Secret[secrets.Login]
	callbackKey *secrets.Secret[secrets.CallbackKey]
	proxy       proxySecrets
	user        string // the name of the functions' user, for an empty secret
	catalogue   string // the name of the catalogue that a new database gets
	log         *slog.Logger
}

// A report is setup's answer. The deployment's state stores it, so it holds no secret.
type report struct {
	SchemaVersion int64 `json:"schema_version"`
}

// An event is a step of a rotation, or empty in a deployment.
type event = events.SecretsManagerSecretRotationEvent

// handler runs the setup for an empty event, and otherwise the step of the rotation.
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
	if err := s.fill(ctx); err != nil {
		return report{}, err
	}
	if err := s.ensureUser(ctx); err != nil {
		return report{}, err
	}
	if err := s.ensureCallbackKey(ctx); err != nil {
		return report{}, err
	}
	return report{SchemaVersion: version}, nil
}

// fill stores the stage's catalogue in a new database.
func (s setup) fill(ctx context.Context) error {
	catalogue, err := lambdas.Catalogue(s.catalogue)
	if err != nil {
		return err
	}
	added, err := migrate.Fill(ctx, s.db, catalogue)
	if err != nil {
		return fmt.Errorf("catalogue %s: %w", s.catalogue, err)
	}
	if added > 0 {
		s.log.InfoContext(ctx, "new products", "catalogue", s.catalogue, "products", added)
	}
	return nil
}

// ensureUser creates the functions' database user with the password in its secret. If the secret is
// empty, ensureUser writes it first: a crash between the two steps must not leave a user with an
// unknown password.
func (s setup) ensureUser(ctx context.Context) error {
	login, err := s.login.Get(ctx, true)
	if secrets.IsEmpty(err) {
		login = secrets.Login{Username: s.user, Password: rand.Text()}
		err = s.login.Put(ctx, login)
	}
	if err != nil {
		return err
	}
	if err := s.setUser(ctx, login); err != nil {
		return err
	}
	return s.ensureOtherUser(ctx, login)
}

// ensureOtherUser makes the proxy know both users before functions connect through it. The other
// user may be in use by functions that read the secret before its last rotation, and keeps its
// password.
func (s setup) ensureOtherUser(ctx context.Context, login secrets.Login) error {
	other := nextLogin(login)
	secret := s.proxy.of(other.Username)
	if secret == nil {
		return nil
	}
	known, err := secret.Get(ctx, true)
	if secrets.IsEmpty(err) {
		known, err = s.login.Previous(ctx)
	}
	if err != nil {
		return err
	}
	if known.Username == other.Username {
		other = known
	}
	return s.setUser(ctx, other)
}

// setUser creates the functions' database user of a login, or changes its password to the login's.
func (s setup) setUser(ctx context.Context, login secrets.Login) error {
	if err := migrate.User(ctx, s.db, login.Username, login.Password); err != nil {
		return err
	}
	if err := s.proxy.set(ctx, login); err != nil {
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
