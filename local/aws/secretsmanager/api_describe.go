package secretsmanager

import (
	"cmp"
	"context"
	"slices"
	"strings"
	"time"
)

// description has the fields that DescribeSecret and ListSecrets share.
type description struct {
	ARN               string
	Name              string
	Description       string         `json:",omitempty"`
	OwningService     string         `json:",omitempty"`
	RotationEnabled   *bool          `json:",omitempty"`
	RotationLambdaARN string         `json:",omitempty"`
	RotationRules     *RotationRules `json:",omitempty"`
	LastRotatedDate   *float64       `json:",omitempty"`
	NextRotationDate  *float64       `json:",omitempty"`
	Tags              []tag          `json:",omitzero"` // empty once a secret has lost its tags
	CreatedDate       *float64
	LastChangedDate   *float64
	LastAccessedDate  *float64 `json:",omitempty"`
	DeletedDate       *float64 `json:",omitempty"`
}

func (s *secret) describe() description {
	d := description{
		ARN:              s.arn,
		Name:             s.name,
		Description:      s.description,
		OwningService:    s.owner(),
		Tags:             s.tags,
		CreatedDate:      timestamp(s.created),
		LastChangedDate:  timestamp(s.changed),
		LastAccessedDate: day(s.accessed),
		DeletedDate:      timestamp(s.deletion),
	}
	r := &s.rotation
	if r.functionARN == "" {
		return d
	}
	d.RotationEnabled, d.RotationLambdaARN = new(r.enabled), r.functionARN
	if r.schedule != nil {
		d.RotationRules = new(r.rules)
	}
	if r.enabled {
		d.LastRotatedDate, d.NextRotationDate = timestamp(r.last), timestamp(r.next)
	}
	return d
}

type describeSecretOutput struct {
	description
	VersionIDsToStages map[string][]string `json:"VersionIdsToStages,omitempty"`
}

// https://docs.aws.amazon.com/secretsmanager/latest/apireference/API_DescribeSecret.html
func (s *Service) describeSecret(_ context.Context, in secretRef) (describeSecretOutput, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	sec, err := s.findByID(in.SecretID)
	if err != nil {
		return describeSecretOutput{}, err
	}
	return describeSecretOutput{description: sec.describe(), VersionIDsToStages: sec.versionLabels()}, nil
}

type listSecretsInput struct {
	Filters                []filter
	IncludePlannedDeletion bool
	MaxResults             int
	NextToken              string
	SortBy                 string
	SortOrder              string
}

type listSecretsOutput struct {
	SecretList []listedSecret
	NextToken  string `json:",omitempty"`
}

type listedSecret struct {
	description
	SecretVersionsToStages map[string][]string `json:",omitempty"`
}

// https://docs.aws.amazon.com/secretsmanager/latest/apireference/API_ListSecrets.html
func (s *Service) listSecrets(_ context.Context, in listSecretsInput) (listSecretsOutput, error) {
	for _, f := range in.Filters {
		if err := f.validate(); err != nil {
			return listSecretsOutput{}, err
		}
	}
	order, err := secretOrder(in.SortBy, in.SortOrder)
	if err != nil {
		return listSecretsOutput{}, err
	}

	s.mu.Lock()
	defer s.mu.Unlock()
	s.forgetDeleted()
	var matching []*secret
	for _, sec := range s.secrets {
		listed := in.IncludePlannedDeletion || sec.deletion.IsZero()
		if listed && !slices.ContainsFunc(in.Filters, func(f filter) bool { return !f.match(sec, s.config.Region) }) {
			matching = append(matching, sec)
		}
	}
	slices.SortFunc(matching, order)
	page, next, err := page(matching, in.MaxResults, in.NextToken)
	if err != nil {
		return listSecretsOutput{}, err
	}
	out := listSecretsOutput{SecretList: []listedSecret{}, NextToken: next}
	for _, sec := range page {
		out.SecretList = append(out.SecretList, listedSecret{
			description: sec.describe(), SecretVersionsToStages: sec.versionLabels(),
		})
	}
	return out, nil
}

// secretOrder compares two secrets by the SortBy field, which defaults to the date of creation, and
// then by name.
func secretOrder(by, direction string) (func(a, b *secret) int, error) {
	key, ok := map[string]func(*secret) time.Time{
		"":                   func(s *secret) time.Time { return s.created },
		"created-date":       func(s *secret) time.Time { return s.created },
		"last-accessed-date": func(s *secret) time.Time { return s.accessed },
		"last-changed-date":  func(s *secret) time.Time { return s.changed },
		"name":               func(*secret) time.Time { return time.Time{} },
	}[by]
	if !ok {
		return nil, invalidParameter("SortBy must be created-date, last-accessed-date, last-changed-date or name.")
	}
	sign := 1
	switch direction {
	case "", "asc":
	case "desc":
		sign = -1
	default:
		return nil, invalidParameter("SortOrder must be asc or desc.")
	}
	return func(a, b *secret) int {
		return sign * cmp.Or(key(a).Compare(key(b)), strings.Compare(a.name, b.name))
	}, nil
}
