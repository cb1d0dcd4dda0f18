package secretsmanager

import (
	"strings"
	"time"

	"restock/local/aws/awsapi"
)

// API returns the service's operations for an AWS endpoint.
// https://docs.aws.amazon.com/secretsmanager/latest/apireference/API_Operations.html
func (s *Service) API() awsapi.Service {
	return awsapi.Service{
		Name:          "secretsmanager",
		Protocol:      awsapi.JSON("1.1", "secretsmanager"),
		Authorization: s.Authorization(),
		Operations: map[string]awsapi.Operation{
			"GetSecretValue": awsapi.Handle(s.getSecretValue),
			"PutSecretValue": awsapi.Handle(s.putSecretValue),

			"UpdateSecretVersionStage": awsapi.Handle(s.updateSecretVersionStage),
			"ListSecretVersionIds":     awsapi.Handle(s.listSecretVersionIDs),

			"RotateSecret":       awsapi.Handle(s.rotateSecret),
			"CancelRotateSecret": awsapi.Handle(s.cancelRotateSecret),

			"CreateSecret":   awsapi.Handle(s.createSecret),
			"DescribeSecret": awsapi.Handle(s.describeSecret),
			"ListSecrets":    awsapi.Handle(s.listSecrets),
			"UpdateSecret":   awsapi.Handle(s.updateSecret),
			"DeleteSecret":   awsapi.Handle(s.deleteSecret),
			"RestoreSecret":  awsapi.Handle(s.restoreSecret),

			"TagResource":   awsapi.Handle(s.tagResource),
			"UntagResource": awsapi.Handle(s.untagResource),

			"PutResourcePolicy":    awsapi.Handle(s.putResourcePolicy),
			"GetResourcePolicy":    awsapi.Handle(s.getResourcePolicy),
			"DeleteResourcePolicy": awsapi.Handle(s.deleteResourcePolicy),

			"GetRandomPassword": awsapi.Handle(getRandomPassword),
		},
	}
}

// secretRef is the input of the operations whose only parameter is a secret.
type secretRef struct {
	SecretID string `json:"SecretId"`
}

// named is the output of the operations that return the secret's name and, if they create one, the
// new version's id.
type named struct {
	ARN       string
	Name      string
	VersionID string `json:"VersionId,omitempty"`
}

func (s *secret) named(versionID string) named {
	return named{ARN: s.arn, Name: s.name, VersionID: versionID}
}

func secretNotFound() error {
	return awsapi.Errorf("ResourceNotFoundException", "Secrets Manager can't find the specified secret.")
}

func valueNotFound(what string) error {
	return awsapi.Errorf("ResourceNotFoundException",
		"Secrets Manager can't find the specified secret value for %s", what)
}

func resourceExists(format string, args ...any) error {
	return awsapi.Errorf("ResourceExistsException", format, args...)
}

func invalidParameter(format string, args ...any) error {
	return awsapi.Errorf("InvalidParameterException", format, args...)
}

// AWS answered every operation so for a name with spaces: see the recorded facts of
// test_invalid_secret_name in test/conformance.
func invalidName() error {
	return awsapi.Errorf("ValidationException", "Invalid name. Must be a valid name containing alphanumeric "+
		"characters, or any of the following: -/_+=.@!")
}

func invalidRequest(format string, args ...any) error {
	return awsapi.Errorf("InvalidRequestException", format, args...)
}

// timestamp formats a time like the JSON protocol: seconds since 1970 with three decimals. It
// returns nil for the zero time.
func timestamp(t time.Time) *float64 {
	if t.IsZero() {
		return nil
	}
	return new(float64(t.UnixMilli()) / 1000)
}

// day returns the timestamp of the day of an access: AWS does not report the hour.
func day(t time.Time) *float64 { return timestamp(t.UTC().Truncate(24 * time.Hour)) }

// validID returns an error for a SecretId that is neither an ARN nor a name.
func validID(id string) error {
	switch {
	case id == "":
		return invalidParameter("You must provide a SecretId.")
	case !strings.HasPrefix(id, "arn:") && !secretName.MatchString(id):
		return invalidName()
	default:
		return nil
	}
}

// findByID is find for a request's SecretId. It requires the lock.
func (s *Service) findByID(id string) (*secret, error) {
	if err := validID(id); err != nil {
		return nil, err
	}
	sec := s.find(id)
	if sec == nil {
		return nil, secretNotFound()
	}
	return sec, nil
}

// findWritable is findByID for an operation that changes the secret. It requires the lock.
func (s *Service) findWritable(id string) (*secret, error) {
	sec, err := s.findByID(id)
	if err != nil {
		return nil, err
	}
	return sec, sec.writable()
}

func page[T any](items []T, limit int, token string) ([]T, string, error) {
	const maxListed = 100 // entries a page, and the default
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
