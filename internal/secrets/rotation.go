package secrets

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/aws/aws-lambda-go/events"
	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/secretsmanager"
	"github.com/aws/aws-sdk-go-v2/service/secretsmanager/types"
)

// A RotationClient is the part of the Secrets Manager client that a rotation uses.
type RotationClient interface {
	Client
	DescribeSecret(context.Context, *secretsmanager.DescribeSecretInput,
		...func(*secretsmanager.Options)) (*secretsmanager.DescribeSecretOutput, error)
	UpdateSecretVersionStage(context.Context, *secretsmanager.UpdateSecretVersionStageInput,
		...func(*secretsmanager.Options)) (*secretsmanager.UpdateSecretVersionStageOutput, error)
}

// The stages of a secret's versions.
const (
	current  = "AWSCURRENT"
	pending  = "AWSPENDING"
	previous = "AWSPREVIOUS"
)

// A Rotation replaces a secret's value in the four steps of Secrets Manager's rotations. Each step
// may run again.
//
//	https://docs.aws.amazon.com/secretsmanager/latest/userguide/rotate-secrets_lambda-functions.html#rotate-secrets_lambda-functions-code
type Rotation[T any] struct {
	Client RotationClient
	ARN    string
	// Next returns the value that follows the current one. It has no side effects.
	Next func(current T) T
	// Set makes the database accept the next value, in addition to the current one.
	Set func(ctx context.Context, next T) error
	// Test tries the next value.
	Test func(ctx context.Context, next T) error
}

// Step runs one step. If it fails, the current value stays in force, and the rotation can be tried
// again.
func (r Rotation[T]) Step(ctx context.Context, event events.SecretsManagerSecretRotationEvent) error {
	failed := func(err error) error {
		return fmt.Errorf("rotating secret %s, step %s: %w", event.SecretID, event.Step, err)
	}
	if event.SecretID != r.ARN {
		return failed(fmt.Errorf("this function rotates the secret %s only", r.ARN))
	}
	described, err := r.Client.DescribeSecret(ctx, &secretsmanager.DescribeSecretInput{SecretId: aws.String(r.ARN)})
	if err != nil {
		return failed(err)
	}
	stages := described.VersionIdsToStages[event.ClientRequestToken]
	if slices.Contains(stages, current) {
		return nil // this rotation is done
	}
	if !slices.Contains(stages, pending) {
		return failed(fmt.Errorf("version %s is not pending", event.ClientRequestToken))
	}
	var step func(ctx context.Context, version string) error
	switch event.Step {
	case "createSecret":
		step = r.create
	case "setSecret":
		step = r.withPending(r.Set)
	case "testSecret":
		step = r.withPending(r.Test)
	case "finishSecret":
		step = func(ctx context.Context, version string) error {
			return r.finish(ctx, version, described.VersionIdsToStages)
		}
	default:
		return failed(errors.New("there is no such step"))
	}
	if err := step(ctx, event.ClientRequestToken); err != nil {
		return failed(err)
	}
	return nil
}

// create stores the next value as the pending version, once.
func (r Rotation[T]) create(ctx context.Context, version string) error {
	_, err := r.value(ctx, pending, version)
	var notFound *types.ResourceNotFoundException
	if !errors.As(err, &notFound) {
		return err // nil: the version exists already
	}
	now, err := r.value(ctx, current, "")
	if err != nil {
		return err
	}
	text, err := marshal(r.Next(now))
	if err != nil {
		return err
	}
	_, err = r.Client.PutSecretValue(ctx, &secretsmanager.PutSecretValueInput{
		SecretId: aws.String(r.ARN), ClientRequestToken: aws.String(version), SecretString: aws.String(string(text)),
		VersionStages: []string{pending},
	})
	return err
}

// withPending returns a step that calls do with the pending value.
func (r Rotation[T]) withPending(do func(context.Context, T) error) func(context.Context, string) error {
	return func(ctx context.Context, version string) error {
		next, err := r.value(ctx, pending, version)
		if err != nil {
			return err
		}
		return do(ctx, next)
	}
}

// finish makes the pending version the current one. Secrets Manager keeps the old one as the
// previous version.
func (r Rotation[T]) finish(ctx context.Context, version string, stages map[string][]string) error {
	var from *string
	for id, of := range stages {
		if slices.Contains(of, current) {
			from = aws.String(id)
		}
	}
	_, err := r.Client.UpdateSecretVersionStage(ctx, &secretsmanager.UpdateSecretVersionStageInput{
		SecretId: aws.String(r.ARN), VersionStage: aws.String(current), MoveToVersionId: aws.String(version),
		RemoveFromVersionId: from,
	})
	return err
}

func (r Rotation[T]) value(ctx context.Context, stage, version string) (value T, err error) {
	in := &secretsmanager.GetSecretValueInput{SecretId: aws.String(r.ARN), VersionStage: aws.String(stage)}
	if version != "" {
		in.VersionId = aws.String(version)
	}
	out, err := r.Client.GetSecretValue(ctx, in)
	if err != nil {
		return value, err
	}
	return parse[T](out)
}
