package secretsmanager

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"restock/local/view/events"
)

// The steps of a rotation. See
// https://docs.aws.amazon.com/secretsmanager/latest/userguide/rotate-secrets_lambda-functions.html
const (
	createStep = "createSecret"
	setStep    = "setSecret"
	testStep   = "testSecret"
	finishStep = "finishSecret"
)

// "If any rotation step fails, Secrets Manager retries the entire rotation process multiple times."
// AWS does not document the number of attempts or the delays. See
// https://docs.aws.amazon.com/secretsmanager/latest/userguide/rotate-secrets_lambda.html
const (
	rotationAttempts   = 5
	firstRotationDelay = 10 * time.Second // before the second attempt; doubled before each later one
)

// rotationRun is a running rotation.
type rotationRun struct {
	secret      *secret
	version     string // the id of the version with AWSPENDING
	functionARN string
	log         *slog.Logger
	doneLevel   slog.Level // of the record that says that it is done
	cancel      context.CancelFunc
}

// begin runs work in the background as the secret's rotation to the version with AWSPENDING. It
// requires the lock, and an open service.
func (s *Service) begin(sec *secret, id string, work func(context.Context, *rotationRun)) {
	ctx, cancel := context.WithCancel(s.closed)
	run := &rotationRun{
		secret: sec, version: id, functionARN: sec.rotation.functionARN,
		log:    s.log.With("secret", sec.name, "version", id),
		cancel: cancel,
	}
	sec.rotation.run = run
	s.rotations.Go(func() {
		defer cancel()
		work(ctx, run)
		s.mu.Lock()
		defer s.mu.Unlock()
		if sec.rotation.run == run {
			sec.rotation.run = nil
		}
	})
}

// rotateDeclared runs the rotation that follows a secret's declaration. It logs its end at a low
// level, because no person has asked for it.
func (s *Service) rotateDeclared(ctx context.Context, run *rotationRun) {
	run.doneLevel = slog.LevelDebug
	s.rotate(ctx, run)
}

// rotate attempts a rotation until it succeeds, reaches the maximum number of attempts, or is
// cancelled. An abandoned rotation stays pending: its version keeps AWSPENDING.
func (s *Service) rotate(ctx context.Context, run *rotationRun) {
	run.log.Info("secret rotation started", events.RotationStarted.Attr(), "function", run.functionARN)
	delay := firstRotationDelay
	for attempt := 1; ; attempt++ {
		err := s.attempt(ctx, run)
		switch {
		case err == nil:
			run.log.Log(ctx, run.doneLevel, "secret rotation done")
			return
		case ctx.Err() != nil:
			run.log.Info("secret rotation cancelled", "error", err)
			return
		case attempt == rotationAttempts:
			run.log.Error("secret rotation failed", "attempts", attempt, "error", err)
			return
		}
		run.log.Warn("secret rotation failed, and will be tried again", "attempt", attempt, "delay", delay,
			"error", err)
		select {
		case <-ctx.Done():
		case <-time.After(delay):
		}
		delay *= 2
	}
}

// attempt runs all steps once.
func (s *Service) attempt(ctx context.Context, run *rotationRun) error {
	for _, step := range []string{createStep, setStep, testStep, finishStep} {
		start := time.Now()
		if err := s.take(ctx, run, step); err != nil {
			return err
		}
		run.log.Info("secret rotation step done", events.RotationStepDone.Attr(), "function", run.functionARN,
			"step", step, "duration", time.Since(start))
	}
	return s.finish(run)
}

// test runs only the step testSecret, and then removes its version.
func (s *Service) test(ctx context.Context, run *rotationRun) {
	run.log.Info("secret rotation test started", "function", run.functionARN)
	if err := s.take(ctx, run, testStep); err != nil {
		run.log.Error("secret rotation test failed: the secret cannot be rotated", "error", err)
	} else {
		run.log.Info("secret rotation test done")
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if v := run.secret.version(run.version); v.has(current) { // a function that does more than this step
		v.drop(pending)
	} else {
		run.secret.remove(run.version)
	}
}

// take calls the function for a step and ignores its answer. It sends no RotationToken: only
// functions that write the secret with another role need it.
// https://docs.aws.amazon.com/secretsmanager/latest/userguide/rotate-secrets_lambda.html
func (s *Service) take(ctx context.Context, run *rotationRun, step string) error {
	payload, err := json.Marshal(struct {
		Step               string
		SecretID           string `json:"SecretId"`
		ClientRequestToken string
	}{step, run.secret.arn, run.version})
	if err != nil {
		return fmt.Errorf("writing the event of step %s: %w", step, err)
	}
	if _, err := s.config.Invoke(ctx, run.functionARN, payload); err != nil {
		return fmt.Errorf("step %s: %w", step, err)
	}
	return nil
}

var errCancelled = errors.New("the rotation was cancelled")

// finish checks that the function has moved AWSCURRENT, and ends the rotation. It removes
// AWSPENDING from the current version, since the function need not do so.
// https://github.com/aws-samples/aws-secrets-manager-rotation-lambdas/pull/145
func (s *Service) finish(run *rotationRun) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	sec := run.secret
	if sec.rotation.run != run {
		return errCancelled
	}
	if v := sec.unfinished(); v != nil {
		return fmt.Errorf("step %s: the function succeeded, but version %s has AWSPENDING and not AWSCURRENT",
			finishStep, v.id)
	}
	if v := sec.labelled(pending); v != nil {
		v.drop(pending)
	}
	now := time.Now()
	sec.rotation.last, sec.changed = now, now
	sec.rotation.run = nil
	s.schedule(sec, now)
	return nil
}
