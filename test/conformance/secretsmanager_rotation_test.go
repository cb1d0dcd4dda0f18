package conformance

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/secretsmanager"
	"github.com/aws/aws-sdk-go-v2/service/secretsmanager/types"
	"github.com/google/uuid"
)

// rotators maps the ARN of a case's rotation function to its *rotator. The local endpoint calls
// invokeRotator, where the local run calls a Lambda function. Other endpoints cannot call a
// function of this process.
var rotators sync.Map

// invokeRotator calls a rotation function for the local endpoint.
func invokeRotator(ctx context.Context, arn string, payload []byte) ([]byte, error) {
	r, ok := rotators.Load(arn)
	if !ok {
		return nil, fmt.Errorf("there is no function %s", arn)
	}
	return []byte("null"), r.(*rotator).handle(ctx, payload)
}

// isRotator reports whether there is a rotation function with an ARN.
func isRotator(functionARN, _ string) bool {
	_, ok := rotators.Load(functionARN)
	return ok
}

// A rotationEvent is the input of a rotation function.
type rotationEvent struct{ Step, SecretId, ClientRequestToken string }

// A rotator is a rotation function that does what AWS's template does.
// https://github.com/aws-samples/aws-secrets-manager-rotation-lambdas/blob/master/SecretsManagerRotationTemplate/lambda_function.py
type rotator struct {
	secret secret
	arn    string
	before func(rotationEvent) error // optional: called before each step; set it before the rotation starts

	mu     sync.Mutex // guards events
	events []rotationEvent
}

// newRotator returns a rotation function for the secret. It skips the case if another endpoint than
// the local one is tested.
func newRotator(s secret) *rotator {
	if os.Getenv("CONFORMANCE_ENDPOINT") != "" {
		s.t.Skip("only the local endpoint can call a rotation function of this process")
	}
	r := &rotator{secret: s, arn: "arn:aws:lambda:" + endpoint.region + ":000000000000:function:" + unique("rotator")}
	rotators.Store(r.arn, r)
	s.t.Cleanup(func() { rotators.Delete(r.arn) })
	return r
}

// seen returns the events that the function has got so far.
func (r *rotator) seen() []rotationEvent {
	r.mu.Lock()
	defer r.mu.Unlock()
	return slices.Clone(r.events)
}

func (r *rotator) steps() (steps []string) {
	for _, e := range r.seen() {
		steps = append(steps, e.Step)
	}
	return steps
}

func (r *rotator) handle(ctx context.Context, payload []byte) error {
	var event rotationEvent
	if err := json.Unmarshal(payload, &event); err != nil {
		return err
	}
	r.mu.Lock()
	r.events = append(r.events, event)
	r.mu.Unlock()
	if r.before != nil {
		if err := r.before(event); err != nil {
			return err
		}
	}
	token, client := &event.ClientRequestToken, r.secret.Client
	switch event.Step {
	case "createSecret":
		_, err := client.GetSecretValue(ctx, &secretsmanager.GetSecretValueInput{SecretId: &event.SecretId,
			VersionId: token, VersionStage: aws.String("AWSPENDING")})
		if _, missing := errors.AsType[*types.ResourceNotFoundException](err); !missing {
			return err
		}
		_, err = client.PutSecretValue(ctx, &secretsmanager.PutSecretValueInput{
			SecretId: &event.SecretId, ClientRequestToken: token, SecretString: aws.String("rotated"),
			VersionStages: []string{"AWSPENDING"},
		})
		return err
	case "finishSecret":
		described, err := client.DescribeSecret(ctx, &secretsmanager.DescribeSecretInput{SecretId: &event.SecretId})
		if err != nil {
			return err
		}
		for id, stages := range described.VersionIdsToStages {
			if slices.Contains(stages, "AWSCURRENT") {
				_, err = client.UpdateSecretVersionStage(ctx, &secretsmanager.UpdateSecretVersionStageInput{
					SecretId: &event.SecretId, VersionStage: aws.String("AWSCURRENT"), MoveToVersionId: token,
					RemoveFromVersionId: &id,
				})
				return err
			}
		}
		return errors.New("no version has AWSCURRENT")
	default:
		return nil
	}
}

// rotate starts a rotation of this secret and returns the id of the new version.
func (s secret) rotate(in *secretsmanager.RotateSecretInput) string {
	s.t.Helper()
	in.SecretId = &s.arn
	out, err := s.RotateSecret(s.t.Context(), in)
	s.t.ok(err)
	return aws.ToString(out.VersionId)
}

// waitCurrent waits until a version is AWSCURRENT.
func (s secret) waitCurrent(id string) {
	s.t.Helper()
	s.t.eventually("the new version is AWSCURRENT", func() bool {
		return slices.Contains(s.describe().VersionIdsToStages[id], "AWSCURRENT")
	})
}

const (
	rotateSecret      = secretsAPI + "RotateSecret.html"
	rotationFunctions = secretsGuide + "rotate-secrets_lambda-functions.html"
)

// pendingWithoutValue checks that the secret's version with the id is AWSPENDING and has no value.
// It returns an error: a rotation function runs outside of the case's goroutine.
func pendingWithoutValue(s secret, id string) error {
	described, err := s.DescribeSecret(s.t.Context(), &secretsmanager.DescribeSecretInput{SecretId: &s.arn})
	if err != nil {
		return err
	}
	if stages := described.VersionIdsToStages; !slices.Equal(stages[id], []string{"AWSPENDING"}) {
		return fmt.Errorf("stages in createSecret: got %v, want AWSPENDING for %s", stages, id)
	}
	_, err = s.get("", "AWSPENDING")
	if _, notFound := errors.AsType[*types.ResourceNotFoundException](err); notFound {
		return nil
	}
	return cmp.Or(err, errors.New("AWSPENDING has a value in createSecret"))
}

func TestSecretRotation(t *testing.T) {
	check(t, []conformanceCase{
		{"the function is called with each step, in order", rotationFunctions, func(t *T) {
			s := newSecret(t)
			one, r := s.put("one"), newRotator(s)
			two := s.rotate(&secretsmanager.RotateSecretInput{RotationLambdaARN: &r.arn})
			s.waitCurrent(two)
			var want []rotationEvent
			for _, step := range []string{"createSecret", "setSecret", "testSecret", "finishSecret"} {
				want = append(want, rotationEvent{step, s.arn, two})
			}
			if got := r.seen(); !slices.Equal(got, want) {
				t.Errorf("events: got %+v, want %+v", got, want)
			}
			if got := s.text(""); got != "rotated" {
				t.Errorf("value: got %q, want %q", got, "rotated")
			}
			t.eventually("AWSPENDING is removed", func() bool {
				return len(s.describe().VersionIdsToStages[two]) == 1
			})
			s.stages(map[string][]string{two: {"AWSCURRENT"}, one: {"AWSPREVIOUS"}})
		}},
		{"the pending version exists before it has a value", secretsAPI + "DescribeSecret.html", func(t *T) {
			s := newSecret(t)
			s.put("one")
			r := newRotator(s)
			seen := make(chan error, 1)
			r.before = func(event rotationEvent) error {
				if event.Step == "createSecret" {
					seen <- pendingWithoutValue(s, event.ClientRequestToken)
				}
				return nil
			}
			two := s.rotate(&secretsmanager.RotateSecretInput{RotationLambdaARN: &r.arn})
			s.waitCurrent(two)
			t.ok(<-seen)
		}},
		{"an unfinished rotation blocks another", rotateSecret, func(t *T) {
			s := newSecret(t)
			one, r := s.put("one"), newRotator(s)
			r.before = func(event rotationEvent) error {
				if event.Step == "setSecret" {
					return errors.New("the function fails")
				}
				return nil
			}
			token := uuid.NewString()
			got := s.rotate(&secretsmanager.RotateSecretInput{RotationLambdaARN: &r.arn, ClientRequestToken: &token})
			if got != token {
				t.Errorf("version: got %s, want the token %s", got, token)
			}
			t.eventually("the function has failed", func() bool { return slices.Contains(r.steps(), "setSecret") })
			s.stages(map[string][]string{one: {"AWSCURRENT"}, token: {"AWSPENDING"}})
			_, err := s.RotateSecret(t.Context(), &secretsmanager.RotateSecretInput{SecretId: &s.arn})
			t.refused(err, "InvalidRequestException")
			cancelled, err := s.CancelRotateSecret(t.Context(),
				&secretsmanager.CancelRotateSecretInput{SecretId: &s.arn})
			t.ok(err)
			if aws.ToString(cancelled.VersionId) != token {
				t.Errorf("the version of the rotation that was cancelled: got %s, want %s",
					aws.ToString(cancelled.VersionId), token)
			}
		}},
		{"RotateImmediately false runs only the step testSecret", rotateSecret, func(t *T) {
			s := newSecret(t)
			one, r := s.put("one"), newRotator(s)
			s.rotate(&secretsmanager.RotateSecretInput{
				RotationLambdaARN: &r.arn, RotateImmediately: aws.Bool(false),
				RotationRules: &types.RotationRulesType{AutomaticallyAfterDays: aws.Int64(7)},
			})
			t.eventually("testSecret is done and AWSPENDING is removed", func() bool {
				return len(r.steps()) > 0 && len(s.describe().VersionIdsToStages) == 1
			})
			if got := r.steps(); !slices.Equal(got, []string{"testSecret"}) {
				t.Errorf("steps: got %q, want testSecret", got)
			}
			s.stages(map[string][]string{one: {"AWSCURRENT"}})
		}},
		{"DescribeSecret has the rotation, until it is cancelled", secretsAPI + "DescribeSecret.html", func(t *T) {
			s := newSecret(t)
			s.put("one")
			r := newRotator(s)
			rules := types.RotationRulesType{ScheduleExpression: aws.String("rate(10 days)"),
				Duration: aws.String("3h")}
			two := s.rotate(&secretsmanager.RotateSecretInput{RotationLambdaARN: &r.arn, RotationRules: &rules})
			s.waitCurrent(two)
			t.eventually("the rotation is over", func() bool { return s.describe().LastRotatedDate != nil })
			got := s.describe()
			if !aws.ToBool(got.RotationEnabled) || aws.ToString(got.RotationLambdaARN) != r.arn ||
				aws.ToString(got.RotationRules.ScheduleExpression) != *rules.ScheduleExpression ||
				aws.ToString(got.RotationRules.Duration) != *rules.Duration {
				t.Errorf("got %+v", got)
			}
			if next := time.Until(aws.ToTime(got.NextRotationDate)); next < 9*24*time.Hour || next > 11*24*time.Hour {
				t.Errorf("NextRotationDate: got %v, want ten days from now", got.NextRotationDate)
			}
			_, err := s.CancelRotateSecret(t.Context(), &secretsmanager.CancelRotateSecretInput{SecretId: &s.arn})
			t.ok(err)
			got = s.describe()
			if aws.ToBool(got.RotationEnabled) || got.NextRotationDate != nil || got.RotationRules == nil {
				t.Errorf("after CancelRotateSecret: got %+v", got)
			}
		}},
		{"a secret without a rotation function is not rotated", rotateSecret, func(t *T) {
			s := newSecret(t)
			one := s.put("one")
			_, err := s.RotateSecret(t.Context(), &secretsmanager.RotateSecretInput{SecretId: &s.arn})
			t.refused(err, "InvalidRequestException")
			s.stages(map[string][]string{one: {"AWSCURRENT"}})
			_, err = s.CancelRotateSecret(t.Context(), &secretsmanager.CancelRotateSecretInput{SecretId: &s.arn})
			t.refused(err, "InvalidRequestException")
		}},
		{"rules that Secrets Manager does not have are refused", secretsAPI + "RotationRulesType.html", func(t *T) {
			s := newSecret(t)
			one := s.put("one")
			function := "arn:aws:lambda:" + endpoint.region + ":000000000000:function:none"
			for _, rules := range []types.RotationRulesType{
				{AutomaticallyAfterDays: aws.Int64(1001)},
				{AutomaticallyAfterDays: aws.Int64(1), ScheduleExpression: aws.String("rate(1 day)")},
				{ScheduleExpression: aws.String("rate(3 hours)")},
				{ScheduleExpression: aws.String("rate(4 hours)"), Duration: aws.String("5h")},
			} {
				_, err := s.RotateSecret(t.Context(), &secretsmanager.RotateSecretInput{
					SecretId: &s.arn, RotationLambdaARN: &function, RotationRules: &rules,
				})
				t.refused(err, "InvalidParameterException")
			}
			s.stages(map[string][]string{one: {"AWSCURRENT"}})
		}},
		{"a missing secret is not rotated", rotateSecret, func(t *T) {
			_, err := secretsClient().RotateSecret(t.Context(),
				&secretsmanager.RotateSecretInput{SecretId: aws.String(unique("secret"))})
			t.refused(err, "ResourceNotFoundException")
		}},
	})
}
