package secretsmanager

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"time"
)

// The steps of a rotation. https://docs.aws.amazon.com/secretsmanager/latest/userguide/rotate-secrets_lambda-functions.html
const (
	createStep = "createSecret"
	setStep    = "setSecret"
	testStep   = "testSecret"
	finishStep = "finishSecret"
)

// "If any rotation step fails, Secrets Manager retries the entire rotation process multiple times." How often, and how long
// it waits, AWS does not say. https://docs.aws.amazon.com/secretsmanager/latest/userguide/rotate-secrets_lambda.html
const (
	rotationAttempts   = 5
	firstRotationDelay = 10 * time.Second // before the second attempt; twice as long before each further one
)

// rotationRun is a rotation under way.
type rotationRun struct {
	secret      *secret
	version     string // the id of the version that has AWSPENDING
	functionARN string
	log         *slog.Logger
	doneLevel   slog.Level // of the record that it is done
	cancel      context.CancelFunc
}

// begin starts work in the background as the secret's rotation to a version that has AWSPENDING. It must be called with the lock
// held, while the service is open.
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

// rotateDeclared is the rotation that comes with a secret's declaration. Nobody asked for it, so nobody waits to read that it is done.
func (s *Service) rotateDeclared(ctx context.Context, run *rotationRun) {
	run.doneLevel = slog.LevelDebug
	s.rotate(ctx, run)
}

// rotate attempts a rotation until it is done, too often, or cancelled. A rotation that was given up stays pending: AWSPENDING is
// on its version.
func (s *Service) rotate(ctx context.Context, run *rotationRun) {
	run.log.Info("secret rotation started", "function", run.functionARN)
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
		run.log.Warn("secret rotation failed, and will be tried again", "attempt", attempt, "delay", delay, "error", err)
		select {
		case <-ctx.Done():
		case <-time.After(delay):
		}
		delay *= 2
	}
}

// attempt takes all the steps once.
func (s *Service) attempt(ctx context.Context, run *rotationRun) error {
	for _, step := range []string{createStep, setStep, testStep, finishStep} {
		start := time.Now()
		if err := s.take(ctx, run, step); err != nil {
			return err
		}
		run.log.Info("secret rotation step done", "step", step, "duration", time.Since(start))
	}
	return s.finish(run)
}

// test takes the step testSecret alone, and takes its version away.
func (s *Service) test(ctx context.Context, run *rotationRun) {
	run.log.Info("secret rotation test started", "function", run.functionARN)
	if err := s.take(ctx, run, testStep); err != nil {
		run.log.Error("secret rotation test failed: the secret is not ready to be rotated", "error", err)
	} else {
		run.log.Info("secret rotation test done")
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if v := run.secret.version(run.version); v.has(current) { // a function that does more than it should
		v.drop(pending)
	} else {
		run.secret.remove(run.version)
	}
}

// take calls the function for a step. What the function answers says nothing. RotationToken is not sent: only functions that
// write the secret as another role need it.
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

// finish checks that the function has moved AWSCURRENT, and ends the rotation. AWSPENDING is then taken off the version that is
// current: the function need not do that.
// https://github.com/aws-samples/aws-secrets-manager-rotation-lambdas/pull/145
func (s *Service) finish(run *rotationRun) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	sec := run.secret
	if sec.rotation.run != run {
		return errCancelled
	}
	if v := sec.unfinished(); v != nil {
		return fmt.Errorf("step %s: the function is done, and AWSPENDING is still on version %s, which is not AWSCURRENT", finishStep, v.id)
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
