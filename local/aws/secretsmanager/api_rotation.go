package secretsmanager

import (
	"context"
	"fmt"
	"time"

	"github.com/google/uuid"

	"restock/local/aws/awsapi"
)

type rotateSecretInput struct {
	SecretID           string `json:"SecretId"`
	ClientRequestToken string
	RotationLambdaARN  string
	RotationRules      *RotationRules
	RotateImmediately  *bool

	declared bool // the request comes from SetRotation, not from a client
}

// https://docs.aws.amazon.com/secretsmanager/latest/apireference/API_RotateSecret.html
func (s *Service) rotateSecret(_ context.Context, in rotateSecretInput) (named, error) {
	id, err := versionID(in.ClientRequestToken, invalidParameter)
	if err != nil {
		return named{}, err
	}
	if err := s.checkFunction(in); err != nil {
		return named{}, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	sec, err := s.findWritable(in.SecretID)
	if err != nil {
		return named{}, err
	}
	changed, err := s.configured(sec.rotation, in)
	if err != nil {
		return named{}, err
	}
	switch unfinished, known := sec.unfinished(), sec.version(id); {
	case unfinished != nil || sec.rotation.run != nil:
		s.reattempt(sec, unfinished)
		if unfinished != nil && unfinished.id == id {
			return sec.named(id), nil
		}
		return named{}, invalidRequest("A previous rotation isn't complete. That rotation will be reattempted.")
	case known != nil: // a repeated request whose rotation is finished
		return sec.named(id), nil
	}

	immediately := in.RotateImmediately == nil || *in.RotateImmediately
	var initial value
	if v := sec.labelled(current); v != nil && !immediately {
		// AWS's rotation functions log in with the value of AWSPENDING in the step testSecret.
		initial = v.value
	}
	if _, err := sec.preparePending(id, initial); err != nil {
		return named{}, err
	}
	sec.rotation = changed
	s.schedule(sec, time.Now())
	if !immediately {
		s.begin(sec, id, s.test)
		return sec.named(""), nil
	}
	work := s.rotate
	if in.declared {
		work = s.rotateDeclared
	}
	s.begin(sec, id, work)
	return sec.named(id), nil
}

// checkFunction returns an error if Secrets Manager may not invoke the rotation function of a
// client's request. It must not have the lock: MayInvoke may ask for the policies of secrets.
func (s *Service) checkFunction(in rotateSecretInput) error {
	if in.declared || s.config.MayInvoke == nil {
		return nil
	}
	s.mu.Lock()
	var changed rotation
	sec, err := s.findWritable(in.SecretID)
	if err == nil {
		changed, err = s.configured(sec.rotation, in)
	}
	s.mu.Unlock()
	if err != nil {
		return err
	}
	if !s.config.MayInvoke(changed.functionARN, sec.arn) {
		return awsapi.Errorf("AccessDeniedException", "Secrets Manager cannot invoke the specified Lambda "+
			"function. Ensure that the function policy grants access to the principal secretsmanager.amazonaws.com.")
	}
	return nil
}

// configured returns the rotation, enabled, with the settings of the request.
func (s *Service) configured(r rotation, in rotateSecretInput) (rotation, error) {
	if in.RotationLambdaARN != "" {
		r.functionARN = in.RotationLambdaARN
	}
	switch {
	case r.functionARN == "":
		return r, invalidRequest("No Lambda rotation function ARN is associated with this secret.")
	case s.config.Invoke == nil:
		return r, invalidRequest("Secrets can't be rotated here: this endpoint calls no functions.")
	case s.closed.Err() != nil:
		return r, invalidRequest("Secrets can't be rotated any more: the endpoint is closing.")
	}
	if in.RotationRules != nil {
		schedule, err := in.RotationRules.schedule()
		if err != nil {
			return r, err
		}
		r.rules, r.schedule = *in.RotationRules, schedule
		if rate, daily := schedule.(dailyRate); daily {
			r.rules.AutomaticallyAfterDays = rate.days
		}
	}
	r.enabled = true
	return r, nil
}

// reattempt restarts an abandoned rotation with its configuration.
func (s *Service) reattempt(sec *secret, unfinished *version) {
	if sec.rotation.run == nil && sec.rotation.enabled {
		s.begin(sec, unfinished.id, s.rotate)
	}
}

// https://docs.aws.amazon.com/secretsmanager/latest/apireference/API_CancelRotateSecret.html
func (s *Service) cancelRotateSecret(_ context.Context, in secretRef) (named, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	sec, err := s.findWritable(in.SecretID)
	if err != nil {
		return named{}, err
	}
	if sec.rotation.functionARN == "" {
		return named{}, invalidRequest("No Lambda rotation function ARN is associated with this secret.")
	}
	sec.stopRotation()
	sec.rotation.enabled, sec.changed = false, time.Now()
	s.log.Info("secret rotation switched off", "secret", sec.name)
	if v := sec.unfinished(); v != nil {
		return sec.named(v.id), nil
	}
	return sec.named(""), nil
}

// RotationConfig is the configuration of a secret's rotation.
type RotationConfig struct {
	// FunctionARN is the ARN of the rotation function.
	FunctionARN string
	Rules       RotationRules
	// RotateImmediately starts a rotation at once, which is AWS's default. Without it, only the
	// function's step testSecret is called, to check that rotation will work.
	RotateImmediately bool
}

// SetRotation configures a secret's rotation like RotateSecret. It does not wait for the function,
// which must accept calls. It fails if the secret does not exist, if the rules are invalid, or if
// the service has no Invoke.
func (s *Service) SetRotation(secretARN string, config RotationConfig) error {
	_, err := s.rotateSecret(s.closed, rotateSecretInput{
		SecretID: secretARN, ClientRequestToken: uuid.NewString(),
		RotationLambdaARN: config.FunctionARN, RotationRules: &config.Rules,
		RotateImmediately: &config.RotateImmediately,
		declared:          true,
	})
	if err != nil {
		return fmt.Errorf("setting the rotation of secret %q: %w", secretARN, err)
	}
	return nil
}
