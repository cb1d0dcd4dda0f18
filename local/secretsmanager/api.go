package secretsmanager

import (
	"time"

	"restock/local/awsapi"
)

// API returns the service's operations for an AWS endpoint.
// https://docs.aws.amazon.com/secretsmanager/latest/apireference/API_Operations.html
func (s *Service) API() awsapi.Service {
	return awsapi.Service{
		Name:     "secretsmanager",
		Protocol: awsapi.JSON("1.1", "secretsmanager"),
		Operations: map[string]awsapi.Operation{
			"GetSecretValue":           awsapi.Handle(s.getSecretValue),
			"PutSecretValue":           awsapi.Handle(s.putSecretValue),
			"UpdateSecretVersionStage": awsapi.Handle(s.updateSecretVersionStage),
			"ListSecretVersionIds":     awsapi.Handle(s.listSecretVersionIDs),

			"CreateSecret":   awsapi.Handle(s.createSecret),
			"DescribeSecret": awsapi.Handle(s.describeSecret),
			"ListSecrets":    awsapi.Handle(s.listSecrets),

			"GetRandomPassword": awsapi.Handle(getRandomPassword),
		},
	}
}

func secretNotFound() error {
	return awsapi.Errorf("ResourceNotFoundException", "Secrets Manager can't find the specified secret.")
}

func valueNotFound(what string) error {
	return awsapi.Errorf("ResourceNotFoundException", "Secrets Manager can't find the specified secret value for %s", what)
}

func invalidParameter(format string, args ...any) error {
	return awsapi.Errorf("InvalidParameterException", format, args...)
}

func invalidRequest(format string, args ...any) error {
	return awsapi.Errorf("InvalidRequestException", format, args...)
}

// timestamp is a time as the JSON protocol writes it: seconds since 1970, in milliseconds' precision; nil for the zero time.
func timestamp(t time.Time) *float64 {
	if t.IsZero() {
		return nil
	}
	return new(float64(t.UnixMilli()) / 1000)
}

// findByID is find for a request's SecretId. It must be called with the lock held.
func (s *Service) findByID(id string) (*secret, error) {
	if id == "" {
		return nil, invalidParameter("You must provide a SecretId.")
	}
	sec := s.find(id)
	if sec == nil {
		return nil, secretNotFound()
	}
	return sec, nil
}
