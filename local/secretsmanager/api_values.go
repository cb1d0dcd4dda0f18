package secretsmanager

import (
	"context"
	"slices"
	"time"

	"github.com/google/uuid"

	"restock/local/awsapi"
)

// maxValueSize is the size limit of a secret's value in bytes.
// https://docs.aws.amazon.com/secretsmanager/latest/userguide/reference_limits.html
const maxValueSize = 64 << 10

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
		VersionStages: slices.Clone(v.stages),
		CreatedDate:   timestamp(v.created),
	}, nil
}

// choose returns the version with the id, which must have the label if one is given, or the version with the label, which
// is AWSCURRENT if neither is given.
func (s *secret) choose(id, stage string) (*version, error) {
	if id == "" {
		if stage == "" {
			stage = current
		}
		v := s.withStage(stage)
		if v == nil {
			return nil, valueNotFound("staging label: " + stage)
		}
		return v, nil
	}
	v, ok := s.versions[id]
	if !ok {
		return nil, valueNotFound("VersionId: " + id)
	}
	if stage != "" && !slices.Contains(v.stages, stage) {
		return nil, invalidRequest("You provided a VersionStage that is not associated to the provided VersionId.")
	}
	return v, nil
}

type putSecretValueInput struct {
	SecretID           string `json:"SecretId"`
	ClientRequestToken string
	SecretString       *string
	SecretBinary       []byte
	VersionStages      []string
}

type putSecretValueOutput struct {
	ARN           string
	Name          string
	VersionID     string `json:"VersionId"`
	VersionStages []string
}

// https://docs.aws.amazon.com/secretsmanager/latest/apireference/API_PutSecretValue.html
func (s *Service) putSecretValue(_ context.Context, in putSecretValueInput) (putSecretValueOutput, error) {
	id, err := versionID(in.ClientRequestToken)
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
	stages := in.VersionStages
	if len(stages) == 0 {
		stages = []string{current}
	}
	if len(stages) > 20 || slices.ContainsFunc(stages, func(s string) bool { return s == "" || len(s) > 256 }) {
		return putSecretValueOutput{}, invalidParameter("VersionStages must be 1 to 20 labels of 1 to 256 characters.")
	}

	s.mu.Lock()
	defer s.mu.Unlock()
	sec, err := s.findByID(in.SecretID)
	if err != nil {
		return putSecretValueOutput{}, err
	}
	v, exists := sec.versions[id]
	switch {
	case exists && !v.value.equal(val):
		return putSecretValueOutput{}, awsapi.Errorf("ResourceExistsException", "The version %s exists with another value, and a version can't be changed.", id)
	case !exists:
		v = sec.put(id, val, stages, time.Now())
		s.log.Info("secret value put", "secret", sec.name, "version", id, "stages", v.stages)
	}
	return putSecretValueOutput{ARN: sec.arn, Name: sec.name, VersionID: id, VersionStages: slices.Clone(v.stages)}, nil
}

// versionID is the id of a version to make: the client's token, which makes a repeated request harmless.
func versionID(token string) (string, error) {
	switch {
	case token == "":
		return uuid.NewString(), nil
	case len(token) < 32 || len(token) > 64:
		return "", invalidParameter("ClientRequestToken must be 32 to 64 characters long.")
	default:
		return token, nil
	}
}

func (v value) validate() error {
	switch {
	case v.text != nil && v.bytes != nil:
		return invalidParameter("You can't specify both a binary secret value and a string secret value in the same secret.")
	case v.text != nil && (*v.text == "" || len(*v.text) > maxValueSize), v.bytes != nil && (len(v.bytes) == 0 || len(v.bytes) > maxValueSize):
		return invalidParameter("The secret value must be 1 to %d bytes long.", maxValueSize)
	default:
		return nil
	}
}

type updateSecretVersionStageInput struct {
	SecretID            string `json:"SecretId"`
	VersionStage        string
	RemoveFromVersionID string `json:"RemoveFromVersionId"`
	MoveToVersionID     string `json:"MoveToVersionId"`
}

type updateSecretVersionStageOutput struct {
	ARN  string
	Name string
}

// https://docs.aws.amazon.com/secretsmanager/latest/apireference/API_UpdateSecretVersionStage.html
func (s *Service) updateSecretVersionStage(_ context.Context, in updateSecretVersionStageInput) (updateSecretVersionStageOutput, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	sec, err := s.findByID(in.SecretID)
	if err != nil {
		return updateSecretVersionStageOutput{}, err
	}
	if err := sec.moveStage(in.VersionStage, in.RemoveFromVersionID, in.MoveToVersionID); err != nil {
		return updateSecretVersionStageOutput{}, err
	}
	sec.changed = time.Now()
	s.log.Info("secret staging label moved", "secret", sec.name, "stage", in.VersionStage, "from", in.RemoveFromVersionID, "to", in.MoveToVersionID)
	return updateSecretVersionStageOutput{ARN: sec.arn, Name: sec.name}, nil
}

// moveStage takes a label from one version, gives it to another, or both. Who moves a label that is attached must say
// where it is, so that two people who move it at once do not both succeed.
func (s *secret) moveStage(stage, fromID, toID string) error {
	if stage == "" || len(stage) > 256 {
		return invalidParameter("VersionStage must be 1 to 256 characters long.")
	}
	for _, id := range []string{fromID, toID} {
		if _, ok := s.versions[id]; id != "" && !ok {
			return valueNotFound("VersionId: " + id)
		}
	}
	holder := s.withStage(stage)
	switch {
	case fromID == "" && toID == "":
		return invalidParameter("You must provide RemoveFromVersionId, MoveToVersionId or both.")
	case holder != nil && holder.id != fromID && holder.id != toID:
		return invalidParameter("The staging label %s is currently attached to version %s, so you must explicitly reference that version in RemoveFromVersionId.", stage, holder.id)
	case fromID != "" && (holder == nil || holder.id != fromID):
		return invalidParameter("The staging label %s is not attached to version %s.", stage, fromID)
	case toID == "" && stage == current:
		return invalidParameter("You can only move staging label AWSCURRENT to a different secret version. It can't be completely removed.")
	case toID == "":
		holder.drop(stage)
	default:
		s.attach(stage, s.versions[toID])
	}
	return nil
}
