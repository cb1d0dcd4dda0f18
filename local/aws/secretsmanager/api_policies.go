package secretsmanager

import (
	"context"
	"slices"

	"restock/infra/policy/evaluation"
	"restock/local/aws/awsapi"
)

type putResourcePolicyInput struct {
	SecretID          string `json:"SecretId"`
	ResourcePolicy    string
	BlockPublicPolicy bool
}

// https://docs.aws.amazon.com/secretsmanager/latest/apireference/API_PutResourcePolicy.html
func (s *Service) putResourcePolicy(_ context.Context, in putResourcePolicyInput) (named, error) {
	policy, err := evaluation.Parse(evaluation.Resource, in.ResourcePolicy)
	switch {
	case err != nil:
		// The first sentence is AWS's:
		// https://github.com/awsdocs/aws-cloudformation-user-guide/pull/623
		return named{}, awsapi.Errorf("MalformedPolicyDocumentException", "This policy has invalid syntax. It is %v",
			err)
	case in.BlockPublicPolicy && slices.ContainsFunc(policy.Statements, isPublic):
		return named{}, awsapi.Errorf("PublicPolicyException",
			"This resource policy allows broad access to the secret.")
	}
	return s.changePolicy(in.SecretID, in.ResourcePolicy)
}

// isPublic reports whether a statement allows everybody to do something without a condition. AWS's
// BlockPublicPolicy also refuses weak conditions.
func isPublic(s evaluation.Statement) bool {
	return s.Effect == "Allow" && s.Principal != nil && s.Principal.Everybody && len(s.Condition) == 0
}

// https://docs.aws.amazon.com/secretsmanager/latest/apireference/API_DeleteResourcePolicy.html
func (s *Service) deleteResourcePolicy(_ context.Context, in secretRef) (named, error) {
	return s.changePolicy(in.SecretID, "")
}

func (s *Service) changePolicy(id, policy string) (named, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	sec, err := s.findByID(id)
	if err != nil {
		return named{}, err
	}
	if err := sec.notDeleted(); err != nil {
		return named{}, err
	}
	sec.policy = policy
	s.log.Info("secret policy changed", "secret", sec.name)
	return sec.named(""), nil
}

type getResourcePolicyOutput struct {
	named
	ResourcePolicy string `json:",omitempty"`
}

// https://docs.aws.amazon.com/secretsmanager/latest/apireference/API_GetResourcePolicy.html
func (s *Service) getResourcePolicy(_ context.Context, in secretRef) (getResourcePolicyOutput, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	sec, err := s.findByID(in.SecretID)
	if err != nil {
		return getResourcePolicyOutput{}, err
	}
	if err := sec.notDeleted(); err != nil {
		return getResourcePolicyOutput{}, err
	}
	return getResourcePolicyOutput{sec.named(""), sec.policy}, nil
}

// Policy returns the current policy of the secret with an ARN, "" if it has none. ok is false if
// there is no such secret.
func (s *Service) Policy(arn string) (policy string, ok bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if sec := s.find(arn); sec != nil && sec.arn == arn {
		return sec.policy, true
	}
	return "", false
}
