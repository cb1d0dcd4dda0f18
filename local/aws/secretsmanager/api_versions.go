package secretsmanager

import (
	"context"
	"slices"
	"time"

	"restock/local/view/events"
)

type updateSecretVersionStageInput struct {
	SecretID            string `json:"SecretId"`
	VersionStage        string
	RemoveFromVersionID string `json:"RemoveFromVersionId"`
	MoveToVersionID     string `json:"MoveToVersionId"`
}

// https://docs.aws.amazon.com/secretsmanager/latest/apireference/API_UpdateSecretVersionStage.html
func (s *Service) updateSecretVersionStage(_ context.Context, in updateSecretVersionStageInput) (named, error) {
	if err := validLabel(in.VersionStage); err != nil {
		return named{}, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	sec, err := s.findWritable(in.SecretID)
	if err != nil {
		return named{}, err
	}
	if err := sec.move(in.VersionStage, in.RemoveFromVersionID, in.MoveToVersionID); err != nil {
		return named{}, err
	}
	sec.changed = time.Now()
	s.log.Info("secret staging label moved", events.SecretLabelMoved.Attr(), "secret", sec.name,
		"stage", in.VersionStage, "from", in.RemoveFromVersionID, "to", in.MoveToVersionID)
	return sec.named(""), nil
}

type listSecretVersionIDsInput struct {
	SecretID          string `json:"SecretId"`
	IncludeDeprecated bool
	MaxResults        int
	NextToken         string
}

type listSecretVersionIDsOutput struct {
	ARN       string
	Name      string
	Versions  []listedVersion
	NextToken string `json:",omitempty"`
}

// defaultKey is AWS's name of the key aws/secretsmanager in lists of versions.
const defaultKey = "DefaultEncryptionKey"

type listedVersion struct {
	VersionID        string   `json:"VersionId"`
	VersionStages    []string `json:",omitempty"`
	KMSKeyIDs        []string `json:"KmsKeyIds"`
	CreatedDate      *float64
	LastAccessedDate *float64 `json:",omitempty"`
}

// https://docs.aws.amazon.com/secretsmanager/latest/apireference/API_ListSecretVersionIds.html
func (s *Service) listSecretVersionIDs(_ context.Context,
	in listSecretVersionIDsInput) (listSecretVersionIDsOutput, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	sec, err := s.findByID(in.SecretID)
	if err != nil {
		return listSecretVersionIDsOutput{}, err
	}
	versions := []listedVersion{}
	for _, v := range slices.Backward(sec.versions) {
		if len(v.labels) == 0 && !in.IncludeDeprecated {
			continue
		}
		versions = append(versions, listedVersion{
			VersionID:        v.id,
			VersionStages:    slices.Clone(v.labels),
			KMSKeyIDs:        []string{defaultKey},
			CreatedDate:      timestamp(v.created),
			LastAccessedDate: day(v.accessed),
		})
	}
	versions, next, err := page(versions, in.MaxResults, in.NextToken)
	if err != nil {
		return listSecretVersionIDsOutput{}, err
	}
	return listSecretVersionIDsOutput{ARN: sec.arn, Name: sec.name, Versions: versions, NextToken: next}, nil
}
