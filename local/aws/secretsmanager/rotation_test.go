package secretsmanager

import (
	"cmp"
	"context"
	"fmt"
	"log/slog"
	"reflect"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/uuid"
)

func TestRotateSecretCallsTheFunctionStepByStep(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRotating(t)
		prepared := map[string][]string{}
		r.function.before = func(_ context.Context, call rotationCall) error {
			if call.Step == createStep {
				prepared = r.describe().VersionIDsToStages
			}
			return nil
		}
		before := time.Now()
		two := r.rotateBy(rotateSecretInput{})
		synctest.Wait()
		for i, step := range allSteps {
			if want := (rotationCall{step, databaseARN, two, before}); i >= len(r.function.calls) ||
				r.function.calls[i] != want {
				t.Fatalf("calls: got %+v, want %+v as number %d", r.function.calls, want, i)
			}
		}
		if want := map[string][]string{r.one: {current}, two: {pending}}; !reflect.DeepEqual(prepared, want) {
			t.Errorf("stages when the function is called first: got %v, want %v", prepared, want)
		}
		r.wantStages(map[string][]string{two: {current}, r.one: {previous}})
		described := r.describe()
		if !*described.RotationEnabled || described.RotationLambdaARN != functionARN ||
			*described.LastRotatedDate != *timestamp(before) || described.NextRotationDate != nil {
			t.Errorf("rotation without rules: got %+v", described)
		}
		if got, err := r.getSecretValue(t.Context(), getSecretValueInput{SecretID: "dev/database"}); err != nil ||
			*got.SecretString != "value "+two {
			t.Errorf("value after the rotation: got %v, %v", got.SecretString, err)
		}
	})
}

func TestRotationOfASecretWithoutAValue(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRotating(t)
		if err := r.Create(SecretConfig{Name: "empty", ARN: "arn:empty"}); err != nil {
			t.Fatal(err)
		}
		out, err := r.rotateSecret(t.Context(), rotateSecretInput{
			SecretID: "empty", ClientRequestToken: uuid.NewString(), RotationLambdaARN: functionARN,
		})
		if err != nil {
			t.Fatal(err)
		}
		r.wantSteps(allSteps...)
		if got, err := r.getSecretValue(t.Context(), getSecretValueInput{SecretID: "empty"}); err != nil ||
			got.VersionID != out.VersionID {
			t.Errorf("AWSCURRENT: got %+v, %v; want version %s", got, err, out.VersionID)
		}
	})
}

func TestPreparedVersionHasNoValueUntilTheFunctionPutsOne(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRotating(t)
		r.function.failOn(createStep, 1)
		two := r.rotateBy(rotateSecretInput{})
		synctest.Wait()
		for _, in := range []getSecretValueInput{{VersionID: two}, {VersionStage: pending},
			{VersionID: two, VersionStage: pending}} {
			in.SecretID = databaseARN
			if _, err := r.getSecretValue(t.Context(), in); code(err) != "ResourceNotFoundException" {
				t.Errorf("GetSecretValue(%+v): got %v, want ResourceNotFoundException", in, err)
			}
		}
		_, err := r.updateSecretVersionStage(t.Context(), updateSecretVersionStageInput{
			SecretID: databaseARN, VersionStage: current, RemoveFromVersionID: r.one, MoveToVersionID: two,
		})
		if code(err) != "InvalidRequestException" {
			t.Errorf("moving AWSCURRENT to a version without a value: got %v, want InvalidRequestException", err)
		}
	})
}

func TestFailedStepLeavesTheRotationPendingAndIsTriedAgainFromTheFirstStep(t *testing.T) {
	for i, step := range allSteps {
		t.Run(step, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				r := newRotating(t)
				r.function.failOn(step, 2)
				two := r.rotateBy(rotateSecretInput{})
				r.wantSteps(allSteps[:i+1]...)
				r.wantStages(map[string][]string{r.one: {current}, two: {pending}})
				time.Sleep(firstRotationDelay)
				r.wantSteps(allSteps[:i+1]...)
				time.Sleep(2 * firstRotationDelay)
				r.wantSteps(allSteps...)
				r.wantStages(map[string][]string{two: {current}, r.one: {previous}})
				if log := r.log.text(); strings.Count(log, "step "+step) != 2 ||
					!strings.Contains(log, "secret rotation done") {
					t.Errorf("the log does not name the step that failed, or the end:\n%s", log)
				}
			})
		})
	}
}

func TestRotationIsGivenUpAndReattemptedWhenAskedFor(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRotating(t)
		r.function.failOn(setStep, rotationAttempts)
		two := r.rotateBy(rotateSecretInput{RotationRules: &RotationRules{AutomaticallyAfterDays: 7}})
		time.Sleep(time.Hour)
		var want []string
		for range rotationAttempts {
			want = append(want, createStep, setStep)
		}
		r.wantSteps(want...)
		if log := r.log.text(); !strings.Contains(log,
			fmt.Sprintf(`level=ERROR msg="secret rotation failed" secret=dev/database version=%s attempts=%d`, two,
				rotationAttempts)) {
			t.Errorf("the log does not say that the rotation failed:\n%s", log)
		}

		_, err := r.rotateSecret(t.Context(), rotateSecretInput{
			SecretID: databaseARN, ClientRequestToken: uuid.NewString(),
		})
		if code(err) != "InvalidRequestException" ||
			!strings.Contains(err.Error(), "A previous rotation isn't complete. That rotation will be reattempted.") {
			t.Errorf("RotateSecret with AWSPENDING on another version: got %v", err)
		}
		r.wantSteps(allSteps...)
		r.wantStages(map[string][]string{two: {current}, r.one: {previous}})
	})
}

func TestRotateSecretIsIdempotentByItsToken(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r, token := newRotating(t), strings.Repeat("2", 32)
		r.function.failOn(testStep, 1)
		for range 2 { // the second while the first is running
			if got := r.rotateBy(rotateSecretInput{ClientRequestToken: token}); got != token {
				t.Errorf("version: got %s, want %s", got, token)
			}
		}
		r.wantSteps(createStep, setStep, testStep)
		time.Sleep(firstRotationDelay)
		r.wantSteps(allSteps...)
		if got := r.rotateBy(rotateSecretInput{ClientRequestToken: token}); got != token {
			t.Errorf("version: got %s, want %s", got, token)
		}
		r.wantSteps()
	})
}

func TestRotateSecretWhileAwspendingIsOnAVersionPutByHand(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRotating(t)
		if err := r.put(strings.Repeat("2", 32), "two", pending); err != nil {
			t.Fatal(err)
		}
		_, err := r.rotateSecret(t.Context(), rotateSecretInput{
			SecretID: databaseARN, ClientRequestToken: uuid.NewString(), RotationLambdaARN: functionARN,
		})
		if code(err) != "InvalidRequestException" {
			t.Errorf("got %v, want InvalidRequestException", err)
		}
		r.wantSteps() // there is no rotation to restart
		if described := r.describe(); described.RotationEnabled != nil {
			t.Errorf("rotation configured by a refused request: %+v", described)
		}
	})
}

func TestFunctionThatDoesNotMoveAwscurrentFails(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		buffer := &syncBuffer{}
		s := New(Config{Invoke: func(context.Context, string, []byte) ([]byte, error) { return nil, nil }},
			slog.New(slog.NewTextHandler(buffer, nil)))
		defer s.Close()
		if err := s.Create(SecretConfig{Name: "name", ARN: "arn", Value: "one"}); err != nil {
			t.Fatal(err)
		}
		if _, err := s.rotateSecret(t.Context(), rotateSecretInput{
			SecretID: "arn", ClientRequestToken: uuid.NewString(), RotationLambdaARN: functionARN,
		}); err != nil {
			t.Fatal(err)
		}
		synctest.Wait()
		if log := buffer.text(); !strings.Contains(log, "level=WARN") ||
			!strings.Contains(log, "step finishSecret: the function succeeded, but version") {
			t.Errorf("log:\n%s", log)
		}
	})
}

func TestCancelRotateSecret(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRotating(t)
		if _, err := r.cancelRotateSecret(t.Context(), secretRef{databaseARN}); code(err) != "InvalidRequestException" {
			t.Errorf("without a rotation: got %v, want InvalidRequestException", err)
		}
		r.function.before = func(ctx context.Context, call rotationCall) error {
			if call.Step == setStep {
				<-ctx.Done()
			}
			return ctx.Err()
		}
		two := r.rotateBy(rotateSecretInput{RotationRules: &RotationRules{AutomaticallyAfterDays: 1}})
		synctest.Wait()
		out, err := r.cancelRotateSecret(t.Context(), secretRef{databaseARN})
		if err != nil || out.VersionID != two {
			t.Errorf("CancelRotateSecret: got %+v, %v; want version %s", out, err, two)
		}
		time.Sleep(72 * time.Hour)
		r.wantSteps(createStep, setStep)
		r.wantStages(map[string][]string{r.one: {current}, two: {pending}})
		described := r.describe()
		if *described.RotationEnabled || described.RotationRules.AutomaticallyAfterDays != 1 ||
			described.NextRotationDate != nil || described.LastRotatedDate != nil {
			t.Errorf("described: got %+v", described)
		}

		// The secret can be rotated again only after the label is removed.
		if _, err := r.rotateSecret(t.Context(), rotateSecretInput{
			SecretID: databaseARN, ClientRequestToken: uuid.NewString(),
		}); code(err) != "InvalidRequestException" {
			t.Errorf("RotateSecret after a cancelled rotation: got %v, want InvalidRequestException", err)
		}
		_, err = r.updateSecretVersionStage(t.Context(), updateSecretVersionStageInput{
			SecretID: databaseARN, VersionStage: pending, RemoveFromVersionID: two,
		})
		if err != nil {
			t.Fatal(err)
		}
		r.function.before = nil
		r.rotateBy(rotateSecretInput{})
		r.wantSteps(allSteps...)
	})
}

func TestCloseEndsARotationUnderWay(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRotating(t)
		r.function.before = func(ctx context.Context, _ rotationCall) error {
			<-ctx.Done()
			return ctx.Err()
		}
		r.rotateBy(rotateSecretInput{RotationRules: &RotationRules{AutomaticallyAfterDays: 1}})
		synctest.Wait()
		r.Close()
		if log := r.log.text(); !strings.Contains(log, "secret rotation cancelled") {
			t.Errorf("Close did not wait for the rotation; log:\n%s", log)
		}
		if _, err := r.rotateSecret(t.Context(), rotateSecretInput{
			SecretID: databaseARN, ClientRequestToken: uuid.NewString(),
		}); code(err) != "InvalidRequestException" {
			t.Errorf("RotateSecret after Close: got %v, want InvalidRequestException", err)
		}
		time.Sleep(72 * time.Hour)
		r.wantSteps(createStep)
	})
}

func TestDeletedSecretIsNotRotatedUntilItIsRestored(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRotating(t)
		r.rotateBy(rotateSecretInput{RotationRules: &RotationRules{AutomaticallyAfterDays: 1}})
		r.wantSteps(allSteps...)
		if _, err := r.deleteSecret(t.Context(), deleteSecretInput{SecretID: databaseARN}); err != nil {
			t.Fatal(err)
		}
		time.Sleep(72 * time.Hour)
		r.wantSteps()
		if _, err := r.restoreSecret(t.Context(), secretRef{databaseARN}); err != nil {
			t.Fatal(err)
		}
		time.Sleep(24 * time.Hour)
		r.wantSteps(allSteps...)
	})
}

func TestRotateSecretRefuses(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRotating(t)
		if err := r.Create(SecretConfig{Name: "rds!db-1", ARN: "arn:master", Value: "v"}); err != nil {
			t.Fatal(err)
		}
		rules := func(rules RotationRules) rotateSecretInput {
			return rotateSecretInput{SecretID: databaseARN, RotationLambdaARN: functionARN, RotationRules: &rules}
		}
		for _, tt := range []struct {
			name string
			in   rotateSecretInput
			code string
		}{
			{"no such secret", rotateSecretInput{SecretID: "nothing", RotationLambdaARN: functionARN},
				"ResourceNotFoundException"},
			{"no function", rotateSecretInput{SecretID: databaseARN}, "InvalidRequestException"},
			{"a secret that RDS manages", rotateSecretInput{SecretID: "arn:master", RotationLambdaARN: functionARN},
				"InvalidRequestException"},
			{"a short token", rotateSecretInput{SecretID: databaseARN, RotationLambdaARN: functionARN,
				ClientRequestToken: "short"}, "InvalidParameterException"},
			{"rules that contradict",
				rules(RotationRules{AutomaticallyAfterDays: 1, ScheduleExpression: "rate(1 day)"}),
				"InvalidParameterException"},
		} {
			tt.in.ClientRequestToken = cmp.Or(tt.in.ClientRequestToken, uuid.NewString())
			if _, err := r.rotateSecret(t.Context(), tt.in); code(err) != tt.code {
				t.Errorf("%s: got %v, want %s", tt.name, err, tt.code)
			}
		}
		r.wantSteps()

		without := New(Config{}, slog.New(slog.DiscardHandler))
		defer without.Close()
		if err := without.Create(SecretConfig{Name: "name", ARN: "arn", Value: "v"}); err != nil {
			t.Fatal(err)
		}
		if _, err := without.rotateSecret(t.Context(),
			rotateSecretInput{SecretID: "arn", ClientRequestToken: uuid.NewString(),
				RotationLambdaARN: functionARN}); code(err) != "InvalidRequestException" {
			t.Errorf("a service that calls no functions: got %v, want InvalidRequestException", err)
		}
	})
}

func TestFunctionThatMayNotBeInvokedIsRefused(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRotating(t)
		may := false
		r.config.MayInvoke = func(function, secret string) bool {
			if _, ok := r.Policy(secret); !ok || function != functionARN { // it takes the lock
				t.Errorf("asked for function %s and secret %s", function, secret)
			}
			return may
		}
		in := rotateSecretInput{SecretID: "dev/database", ClientRequestToken: uuid.NewString(),
			RotationLambdaARN: functionARN}
		if _, err := r.rotateSecret(t.Context(), in); code(err) != "AccessDeniedException" {
			t.Errorf("got %v, want AccessDeniedException", err)
		}
		r.wantSteps()
		if got := r.describe(); got.RotationEnabled != nil {
			t.Errorf("after a refusal, the rotation is configured: %+v", got)
		}
		may = true
		r.rotateBy(in)
		synctest.Wait()
		r.wantSteps(allSteps...)
	})
}

func TestSetRotation(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRotating(t)
		config := RotationConfig{FunctionARN: functionARN, Rules: RotationRules{AutomaticallyAfterDays: 30}}
		if err := r.SetRotation(databaseARN, config); err != nil {
			t.Fatal(err)
		}
		r.wantSteps(testStep)
		config.RotateImmediately = true
		if err := r.SetRotation(databaseARN, config); err != nil {
			t.Fatal(err)
		}
		r.wantSteps(allSteps...)
		if described := r.describe(); described.RotationRules.AutomaticallyAfterDays != 30 {
			t.Errorf("rules: got %+v", described.RotationRules)
		}
		if err := r.SetRotation("nothing", config); err == nil || !strings.Contains(err.Error(), `"nothing"`) {
			t.Errorf("a secret that is not there: got %v", err)
		}
	})
}

func TestRotationDoesNotLogValues(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRotating(t)
		r.function.failOn(finishStep, 1)
		r.rotateBy(rotateSecretInput{})
		time.Sleep(time.Hour)
		synctest.Wait()
		if log := r.log.text(); strings.Contains(log, "value 2") || strings.Contains(log, "=one") ||
			!strings.Contains(log, "secret rotation done") {
			t.Errorf("log:\n%s", log)
		}
	})
}
