package secretsmanager

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"strings"
	"time"
	"unicode/utf8"
)

type createSecretInput struct {
	Name               string
	Description        string
	ClientRequestToken string
	SecretString       *string
	SecretBinary       []byte
	Tags               []tag
}

// https://docs.aws.amazon.com/secretsmanager/latest/apireference/API_CreateSecret.html
func (s *Service) createSecret(_ context.Context, in createSecretInput) (named, error) {
	id, err := versionID(in.ClientRequestToken, invalidRequest)
	if err != nil {
		return named{}, err
	}
	val := value{text: in.SecretString, bytes: in.SecretBinary}
	if err := val.validate(); err != nil {
		return named{}, err
	}
	if err := validDescription(in.Description); err != nil {
		return named{}, err
	}
	tags, err := withTags(nil, in.Tags)
	if err != nil {
		return named{}, err
	}
	switch {
	case !secretName.MatchString(in.Name):
		return named{}, invalidName()
	case strings.Contains(in.Name, "!"):
		return named{}, invalidParameter("Invalid name: %s is kept for secrets that AWS services manage.", in.Name)
	}

	s.mu.Lock()
	defer s.mu.Unlock()
	if sec := s.find(in.Name); sec != nil {
		if err := sec.notDeleted(); err != nil {
			return named{}, invalidRequest(
				"You can't create this secret because a secret with this name is already scheduled for deletion.")
		}
		// A repeated request, recognized by its token and its value, gets the first answer.
		if v := sec.version(id); v != nil && v.value.equal(val) {
			return sec.named(id), nil
		}
	}
	sec, err := s.add(in.Name, s.newARN(in.Name), in.Description)
	switch {
	case errors.Is(err, errTaken):
		return named{}, resourceExists("The operation failed because the secret %s already exists.", in.Name)
	case err != nil:
		return named{}, invalidName()
	}
	sec.tags = tags
	s.log.Info("secret created", "secret", sec.name)
	if val.empty() {
		return sec.named(""), nil
	}
	if _, err := sec.put(id, val, nil, time.Now()); err != nil {
		return named{}, err
	}
	return sec.named(id), nil
}

// newARN returns an ARN for a name. Because of its random suffix, a policy for a deleted secret
// does not apply to a later secret with the same name.
func (s *Service) newARN(name string) string {
	return fmt.Sprintf("arn:aws:secretsmanager:%s:%s:secret:%s-%s",
		s.config.Region, s.config.AccountID, name, rand.Text()[:6])
}

func validDescription(description string) error {
	const maxDescription = 2048 // characters
	if utf8.RuneCountInString(description) > maxDescription {
		return invalidParameter("Description must be at most %d characters long.", maxDescription)
	}
	return nil
}

type updateSecretInput struct {
	SecretID           string `json:"SecretId"`
	ClientRequestToken string
	Description        *string
	SecretString       *string
	SecretBinary       []byte
}

// https://docs.aws.amazon.com/secretsmanager/latest/apireference/API_UpdateSecret.html
func (s *Service) updateSecret(_ context.Context, in updateSecretInput) (named, error) {
	id, err := versionID(in.ClientRequestToken, invalidRequest)
	if err != nil {
		return named{}, err
	}
	val := value{text: in.SecretString, bytes: in.SecretBinary}
	if err := val.validate(); err != nil {
		return named{}, err
	}
	if in.Description != nil {
		if err := validDescription(*in.Description); err != nil {
			return named{}, err
		}
	}

	s.mu.Lock()
	defer s.mu.Unlock()
	sec, err := s.findWritable(in.SecretID)
	if err != nil {
		return named{}, err
	}
	updated := sec.named("")
	if !val.empty() {
		// PutSecretValue, in contrast, accepts a repeated request.
		if sec.version(id) != nil {
			return named{}, resourceExists(
				"You can't use ClientRequestToken %s because that value is already in use for a version of secret %s.",
				id, sec.arn)
		}
		if _, err := s.putVersion(sec, id, val, []string{current}); err != nil {
			return named{}, err
		}
		updated = sec.named(id)
	}
	if in.Description != nil {
		sec.description = *in.Description
	}
	sec.changed = time.Now()
	return updated, nil
}

// The recovery window of a deleted secret, in days.
const (
	minRecoveryWindow     = 7
	defaultRecoveryWindow = 30
	maxRecoveryWindow     = 30
)

type deleteSecretInput struct {
	SecretID                   string `json:"SecretId"`
	RecoveryWindowInDays       *int
	ForceDeleteWithoutRecovery bool
}

type deleteSecretOutput struct {
	named
	DeletionDate *float64
}

// https://docs.aws.amazon.com/secretsmanager/latest/apireference/API_DeleteSecret.html
func (s *Service) deleteSecret(_ context.Context, in deleteSecretInput) (deleteSecretOutput, error) {
	window := defaultRecoveryWindow
	switch {
	case in.RecoveryWindowInDays != nil && in.ForceDeleteWithoutRecovery:
		return deleteSecretOutput{},
			invalidParameter("You can't use ForceDeleteWithoutRecovery in conjunction with RecoveryWindowInDays.")
	case in.RecoveryWindowInDays != nil:
		window = *in.RecoveryWindowInDays
	}
	if window < minRecoveryWindow || window > maxRecoveryWindow {
		return deleteSecretOutput{},
			invalidParameter("RecoveryWindowInDays value must be between %d and %d days (inclusive).",
				minRecoveryWindow, maxRecoveryWindow)
	}

	s.mu.Lock()
	defer s.mu.Unlock()
	now := time.Now()
	sec, err := s.findByID(in.SecretID)
	switch {
	case sec == nil && in.ForceDeleteWithoutRecovery && validID(in.SecretID) == nil:
		// A missing secret counts as deleted.
		return deleteSecretOutput{named{ARN: s.newARN(in.SecretID), Name: in.SecretID}, timestamp(now)}, nil
	case err != nil:
		return deleteSecretOutput{}, err
	case sec.owner() != "":
		return deleteSecretOutput{}, sec.writable()
	case in.ForceDeleteWithoutRecovery:
		sec.stopRotation()
		delete(s.secrets, sec.name)
		s.log.Info("secret deleted", "secret", sec.name)
		return deleteSecretOutput{sec.named(""), timestamp(now)}, nil
	}
	if err := sec.notDeleted(); err != nil {
		return deleteSecretOutput{}, err
	}
	sec.stopRotation()
	sec.deletion, sec.changed = now.AddDate(0, 0, window), now
	s.log.Info("secret marked for deletion", "secret", sec.name, "deletion", sec.deletion)
	return deleteSecretOutput{sec.named(""), timestamp(sec.deletion)}, nil
}

// https://docs.aws.amazon.com/secretsmanager/latest/apireference/API_RestoreSecret.html
func (s *Service) restoreSecret(_ context.Context, in secretRef) (named, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	sec, err := s.findByID(in.SecretID)
	if err != nil {
		return named{}, err
	}
	if !sec.deletion.IsZero() {
		sec.deletion, sec.changed = time.Time{}, time.Now()
		s.schedule(sec, time.Now())
		s.log.Info("secret restored", "secret", sec.name)
	}
	return sec.named(""), nil
}
