package secretsmanager

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"strings"
	"time"

	"restock/local/awsapi"
)

type tag struct{ Key, Value string }

type createSecretInput struct {
	Name               string
	Description        string
	ClientRequestToken string
	SecretString       *string
	SecretBinary       []byte
	Tags               []tag
}

type createSecretOutput struct {
	ARN       string
	Name      string
	VersionID string `json:"VersionId,omitempty"`
}

// https://docs.aws.amazon.com/secretsmanager/latest/apireference/API_CreateSecret.html
func (s *Service) createSecret(_ context.Context, in createSecretInput) (createSecretOutput, error) {
	id, err := versionID(in.ClientRequestToken)
	if err != nil {
		return createSecretOutput{}, err
	}
	val := value{text: in.SecretString, bytes: in.SecretBinary}
	if err := val.validate(); err != nil {
		return createSecretOutput{}, err
	}
	if strings.Contains(in.Name, "!") {
		return createSecretOutput{}, invalidParameter("Invalid name: %s is kept for secrets that AWS services manage.", in.Name)
	}
	arn := fmt.Sprintf("arn:aws:secretsmanager:%s:%s:secret:%s-%s", s.config.Region, s.config.AccountID, in.Name, rand.Text()[:6])

	s.mu.Lock()
	defer s.mu.Unlock()
	// A repeated request, known by its token and its value, gets the answer of the first.
	if sec := s.secrets[in.Name]; sec != nil {
		if v := sec.versions[id]; v != nil && v.value.equal(val) {
			return createSecretOutput{ARN: sec.arn, Name: sec.name, VersionID: id}, nil
		}
	}
	sec, err := s.add(in.Name, arn, in.Description)
	switch {
	case errors.Is(err, errTaken):
		return createSecretOutput{}, awsapi.Errorf("ResourceExistsException", "The operation failed because the secret %s already exists.", in.Name)
	case err != nil:
		return createSecretOutput{}, invalidParameter("Invalid name: %s.", err)
	}
	sec.tags = in.Tags
	out := createSecretOutput{ARN: sec.arn, Name: sec.name}
	if !val.empty() {
		out.VersionID = sec.put(id, val, nil, time.Now()).id
	}
	s.log.Info("secret created", "secret", sec.name)
	return out, nil
}

// description is what DescribeSecret and ListSecrets have in common.
type description struct {
	ARN              string
	Name             string
	Description      string `json:",omitempty"`
	Tags             []tag  `json:",omitempty"`
	CreatedDate      *float64
	LastChangedDate  *float64
	LastAccessedDate *float64 `json:",omitempty"`
}

func (s *secret) describe() description {
	return description{
		ARN:         s.arn,
		Name:        s.name,
		Description: s.description,
		Tags:        s.tags,
		CreatedDate: timestamp(s.created), LastChangedDate: timestamp(s.changed),
		// AWS gives the day alone.
		LastAccessedDate: timestamp(s.accessed.UTC().Truncate(24 * time.Hour)),
	}
}

type describeSecretInput struct {
	SecretID string `json:"SecretId"`
}

type describeSecretOutput struct {
	description
	VersionIDsToStages map[string][]string `json:"VersionIdsToStages,omitempty"`
}

func (s *Service) describeSecret(_ context.Context, in describeSecretInput) (describeSecretOutput, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	sec, err := s.findByID(in.SecretID)
	if err != nil {
		return describeSecretOutput{}, err
	}
	return describeSecretOutput{description: sec.describe(), VersionIDsToStages: sec.stages()}, nil
}

const maxListed = 100 // entries a page, and the default

type listSecretsInput struct {
	MaxResults int
	NextToken  string
}

type listSecretsOutput struct {
	SecretList []listedSecret
	NextToken  string `json:",omitempty"`
}

type listedSecret struct {
	description
	SecretVersionsToStages map[string][]string `json:",omitempty"`
}

func (s *Service) listSecrets(_ context.Context, in listSecretsInput) (listSecretsOutput, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	page, next, err := page(s.sorted(), in.MaxResults, in.NextToken)
	if err != nil {
		return listSecretsOutput{}, err
	}
	out := listSecretsOutput{SecretList: []listedSecret{}, NextToken: next}
	for _, sec := range page {
		out.SecretList = append(out.SecretList, listedSecret{description: sec.describe(), SecretVersionsToStages: sec.stages()})
	}
	return out, nil
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

type listedVersion struct {
	VersionID        string   `json:"VersionId"`
	VersionStages    []string `json:",omitempty"`
	CreatedDate      *float64
	LastAccessedDate *float64 `json:",omitempty"`
}

// https://docs.aws.amazon.com/secretsmanager/latest/apireference/API_ListSecretVersionIds.html
func (s *Service) listSecretVersionIDs(_ context.Context, in listSecretVersionIDsInput) (listSecretVersionIDsOutput, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	sec, err := s.findByID(in.SecretID)
	if err != nil {
		return listSecretVersionIDsOutput{}, err
	}
	versions := []listedVersion{}
	for _, v := range sec.newestFirst() {
		if len(v.stages) == 0 && !in.IncludeDeprecated {
			continue
		}
		versions = append(versions, listedVersion{
			VersionID:        v.id,
			VersionStages:    append([]string(nil), v.stages...),
			CreatedDate:      timestamp(v.created),
			LastAccessedDate: timestamp(v.accessed),
		})
	}
	versions, next, err := page(versions, in.MaxResults, in.NextToken)
	if err != nil {
		return listSecretVersionIDsOutput{}, err
	}
	return listSecretVersionIDsOutput{ARN: sec.arn, Name: sec.name, Versions: versions, NextToken: next}, nil
}

func page[T any](items []T, limit int, token string) ([]T, string, error) {
	if limit < 0 || limit > maxListed {
		return nil, "", invalidParameter("MaxResults must be 1 to %d.", maxListed)
	}
	if limit == 0 {
		limit = maxListed
	}
	items, next, ok := awsapi.Page(items, limit, token)
	if !ok {
		return nil, "", awsapi.Errorf("InvalidNextTokenException", "The NextToken value is invalid.")
	}
	return items, next, nil
}
