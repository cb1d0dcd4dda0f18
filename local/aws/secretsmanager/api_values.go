package secretsmanager

import (
	"context"
	"slices"
	"time"
	"unicode/utf8"

	"restock/local/view/events"
)

type getSecretValueInput struct {
	SecretID     string `json:"SecretId"`
	VersionID    string `json:"VersionId"`
	VersionStage string
}

type getSecretValueOutput struct {
	ARN           string
	Name          string
	VersionID     string   `json:"VersionId"`
	SecretString  *string  `json:",omitempty"`
	SecretBinary  []byte   `json:",omitempty"`
	VersionStages []string `json:",omitempty"`
	CreatedDate   *float64
}

// https://docs.aws.amazon.com/secretsmanager/latest/apireference/API_GetSecretValue.html
func (s *Service) getSecretValue(_ context.Context, in getSecretValueInput) (getSecretValueOutput, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	sec, err := s.findByID(in.SecretID)
	if err != nil {
		return getSecretValueOutput{}, err
	}
	if err := sec.notDeleted(); err != nil {
		return getSecretValueOutput{}, err
	}
	v, err := sec.choose(in.VersionID, in.VersionStage)
	if err != nil {
		return getSecretValueOutput{}, err
	}
	now := time.Now()
	sec.accessed, v.accessed = now, now
	return getSecretValueOutput{
		ARN:           sec.arn,
		Name:          sec.name,
		VersionID:     v.id,
		SecretString:  v.value.text,
		SecretBinary:  v.value.bytes,
		VersionStages: slices.Clone(v.labels),
		CreatedDate:   timestamp(v.created),
	}, nil
}

type putSecretValueInput struct {
	SecretID           string `json:"SecretId"`
	ClientRequestToken string
	SecretString       *string
	SecretBinary       []byte
	VersionStages      []string
}

type putSecretValueOutput struct {
	named
	VersionStages []string
}

// https://docs.aws.amazon.com/secretsmanager/latest/apireference/API_PutSecretValue.html
func (s *Service) putSecretValue(_ context.Context, in putSecretValueInput) (putSecretValueOutput, error) {
	id, err := versionID(in.ClientRequestToken, invalidRequest)
	if err != nil {
		return putSecretValueOutput{}, err
	}
	val := value{text: in.SecretString, bytes: in.SecretBinary}
	if val.empty() {
		return putSecretValueOutput{}, invalidRequest("You must provide either SecretString or SecretBinary.")
	}
	if err := val.validate(); err != nil {
		return putSecretValueOutput{}, err
	}
	labels := in.VersionStages
	if len(labels) == 0 {
		labels = []string{current}
	}
	if len(labels) > maxLabels {
		return putSecretValueOutput{}, invalidParameter("VersionStages must be 1 to %d staging labels.", maxLabels)
	}
	for _, label := range labels {
		if err := validLabel(label); err != nil {
			return putSecretValueOutput{}, err
		}
	}

	s.mu.Lock()
	defer s.mu.Unlock()
	sec, err := s.findWritable(in.SecretID)
	if err != nil {
		return putSecretValueOutput{}, err
	}
	v, err := s.putVersion(sec, id, val, labels)
	if err != nil {
		return putSecretValueOutput{}, err
	}
	return putSecretValueOutput{named: sec.named(id), VersionStages: slices.Clone(v.labels)}, nil
}

// putVersion creates the version, or sets the value of the version that a rotation has prepared
// under the id. A repeated request, recognized by its id and its value, changes nothing. putVersion
// requires the lock.
func (s *Service) putVersion(sec *secret, id string, val value, labels []string) (*version, error) {
	v, now := sec.version(id), time.Now()
	switch {
	case v != nil && v.value.equal(val):
		return v, nil
	case v != nil && !v.value.empty():
		return nil, resourceExists(
			"You can't use ClientRequestToken %s because that value is already in use for a version of secret %s.",
			id, sec.arn)
	}
	var err error
	if v != nil {
		err = sec.fill(v, val, labels, now)
	} else {
		v, err = sec.put(id, val, labels, now)
	}
	if err != nil {
		return nil, err
	}
	if v.has(current) {
		s.schedule(sec, now)
	}
	s.log.Info("secret value put", events.SecretValuePut.Attr(), "secret", sec.name, "version", id, "stages", v.labels)
	return v, nil
}

// versionID returns the id of a new version: the client's token, so that a repeated request is
// harmless. SDKs make one if a program names none. missing is the error of a request without one.
func versionID(token string, missing func(format string, args ...any) error) (string, error) {
	switch n := utf8.RuneCountInString(token); {
	case n == 0:
		return "", missing("You must provide a ClientRequestToken value. We recommend a UUID-type value.")
	case n < 32 || n > 64:
		return "", invalidParameter("ClientRequestToken must be 32-64 characters long.")
	default:
		return token, nil
	}
}
