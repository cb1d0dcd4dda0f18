package secretsmanager

import (
	"fmt"
	"net/http"
	"strings"

	"restock/local/aws/awsapi"
)

// Authorization lists the permissions that each operation requires.
// https://docs.aws.amazon.com/service-authorization/latest/reference/list_awssecretsmanager.html
func (s *Service) Authorization() *awsapi.Authorization {
	return &awsapi.Authorization{
		Permissions: s.permissions,
		Denied:      awsapi.Error{Status: http.StatusBadRequest, Code: "AccessDeniedException"},
	}
}

func (s *Service) permissions(operation string, decode func(any) error) ([]awsapi.Permission, error) {
	var in struct {
		SecretID          string `json:"SecretId"`
		Name              string
		RotationLambdaARN string
		Tags              []tag
	}
	if err := decode(&in); err != nil {
		return nil, err
	}
	p := awsapi.Permission{Action: "secretsmanager:" + operation}
	switch operation {
	case "ListSecrets", "GetRandomPassword":
		p.Resource = "*"
	case "CreateSecret":
		p.Resource = s.arnOf(in.Name)
	default:
		p.Resource = s.arnOf(in.SecretID)
	}
	permissions := []awsapi.Permission{p}
	if operation == "CreateSecret" && len(in.Tags) > 0 {
		// https://docs.aws.amazon.com/secretsmanager/latest/apireference/API_CreateSecret.html
		permissions = append(permissions, awsapi.Permission{
			Action: "secretsmanager:TagResource", Resource: p.Resource,
		})
	}
	if in.RotationLambdaARN != "" {
		// https://docs.aws.amazon.com/secretsmanager/latest/apireference/API_RotateSecret.html
		permissions = append(permissions, awsapi.Permission{
			Action: "lambda:InvokeFunction", Resource: in.RotationLambdaARN,
		})
	}
	return permissions, nil
}

// arnOf returns the full ARN of the secret with a name, an ARN or a partial ARN. For a missing
// secret it returns the ARN with ? for each of the six characters that Secrets Manager would
// choose.
func (s *Service) arnOf(id string) string {
	s.mu.Lock()
	defer s.mu.Unlock()
	if sec := s.find(id); sec != nil {
		return sec.arn
	}
	if strings.HasPrefix(id, "arn:") {
		return id
	}
	return fmt.Sprintf("arn:aws:secretsmanager:%s:%s:secret:%s-??????", s.config.Region, s.config.AccountID, id)
}
