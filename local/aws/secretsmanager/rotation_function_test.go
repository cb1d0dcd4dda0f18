package secretsmanager

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"reflect"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/google/uuid"

	"restock/local/aws/awsapi"
)

const functionARN = "arn:aws:lambda:ap-northeast-2:000000000000:function:rotate"

// rotationFunction is a rotation function like AWS's template, with faults on demand.
// https://github.com/aws-samples/aws-secrets-manager-rotation-lambdas/blob/master/SecretsManagerRotationTemplate/lambda_function.py
type rotationFunction struct {
	service *Service

	mu     sync.Mutex
	calls  []rotationCall
	before func(ctx context.Context, call rotationCall) error // called before each step, if not nil
}

type rotationCall struct {
	Step, SecretID, ClientRequestToken string
	at                                 time.Time
}

func (f *rotationFunction) invoke(ctx context.Context, arn string, payload []byte) ([]byte, error) {
	call := rotationCall{at: time.Now()}
	if err := json.Unmarshal(payload, &call); err != nil || arn != functionARN {
		return nil, fmt.Errorf("function %s called with %s: %w", arn, payload, err)
	}
	f.mu.Lock()
	f.calls = append(f.calls, call)
	before := f.before
	f.mu.Unlock()
	if before != nil {
		if err := before(ctx, call); err != nil {
			return nil, err
		}
	}
	return []byte("null"), f.step(ctx, call)
}

func (f *rotationFunction) step(ctx context.Context, call rotationCall) error {
	described, err := f.service.describeSecret(ctx, secretRef{call.SecretID})
	if err != nil {
		return err
	}
	if stages := described.VersionIDsToStages[call.ClientRequestToken]; !slices.Contains(stages, pending) {
		return fmt.Errorf("version %s has the stages %v, not AWSPENDING", call.ClientRequestToken, stages)
	}
	value, err := f.service.getSecretValue(ctx, getSecretValueInput{
		SecretID: call.SecretID, VersionID: call.ClientRequestToken, VersionStage: pending,
	})
	missing := code(err) == "ResourceNotFoundException"
	if err != nil && !missing {
		return err
	}
	switch call.Step {
	case createStep:
		if missing {
			_, err = f.service.putSecretValue(ctx, putSecretValueInput{
				SecretID: call.SecretID, ClientRequestToken: call.ClientRequestToken,
				SecretString: aws.String("value " + call.ClientRequestToken), VersionStages: []string{pending},
			})
			return err
		}
	case setStep, testStep:
		if missing || value.SecretString == nil {
			return fmt.Errorf("%s: AWSPENDING has no value", call.Step)
		}
	case finishStep:
		from := ""
		for id, stages := range described.VersionIDsToStages {
			if slices.Contains(stages, current) {
				from = id
			}
		}
		_, err := f.service.updateSecretVersionStage(ctx, updateSecretVersionStageInput{
			SecretID: call.SecretID, VersionStage: current, RemoveFromVersionID: from,
			MoveToVersionID: call.ClientRequestToken,
		})
		return err
	default:
		return fmt.Errorf("unknown step %q", call.Step)
	}
	return nil
}

// failOn makes a step fail a number of times.
func (f *rotationFunction) failOn(step string, times int) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.before = func(_ context.Context, call rotationCall) error {
		if call.Step == step && times > 0 {
			times--
			return errors.New("the function failed")
		}
		return nil
	}
}

// takeCalls returns the steps that were called since the last takeCalls.
func (f *rotationFunction) takeCalls() (steps []string) {
	f.mu.Lock()
	defer f.mu.Unlock()
	for _, c := range f.calls {
		steps = append(steps, c.Step)
	}
	f.calls = nil
	return steps
}

func code(err error) string {
	if refused, ok := errors.AsType[*awsapi.Error](err); ok {
		return refused.Code
	}
	return ""
}

var allSteps = []string{createStep, setStep, testStep, finishStep}

// rotating is a service with the secret dev/database, whose version one has the value "one", and
// its rotation function. Use it in a synctest bubble.
type rotating struct {
	*Service
	function *rotationFunction
	log      *syncBuffer
	one      string // the id of the first version
	t        *testing.T
}

func newRotating(t *testing.T) rotating {
	t.Helper()
	function, buffer := &rotationFunction{}, &syncBuffer{}
	log := slog.New(slog.NewTextHandler(buffer, &slog.HandlerOptions{Level: slog.LevelDebug}))
	function.service = New(Config{Region: "ap-northeast-2", AccountID: "000000000000", Invoke: function.invoke}, log)
	t.Cleanup(function.service.Close)
	r := rotating{Service: function.service, function: function, log: buffer, one: strings.Repeat("1", 32), t: t}
	if err := r.Create(SecretConfig{Name: "dev/database", ARN: databaseARN}); err != nil {
		t.Fatal(err)
	}
	if err := r.put(r.one, "one"); err != nil {
		t.Fatal(err)
	}
	return r
}

func (r rotating) put(id, text string, stages ...string) error {
	_, err := r.putSecretValue(r.t.Context(), putSecretValueInput{
		SecretID: databaseARN, ClientRequestToken: id, SecretString: &text, VersionStages: stages,
	})
	return err
}

// rotateBy starts a rotation and returns the id of the new version.
func (r rotating) rotateBy(in rotateSecretInput) string {
	r.t.Helper()
	in.SecretID, in.RotationLambdaARN = "dev/database", functionARN
	in.ClientRequestToken = cmp.Or(in.ClientRequestToken, uuid.NewString())
	out, err := r.rotateSecret(r.t.Context(), in)
	if err != nil || out.ARN != databaseARN || out.Name != "dev/database" {
		r.t.Fatalf("RotateSecret(%+v): got %+v, %v", in, out, err)
	}
	return out.VersionID
}

func (r rotating) describe() describeSecretOutput {
	r.t.Helper()
	out, err := r.describeSecret(r.t.Context(), secretRef{databaseARN})
	if err != nil {
		r.t.Fatal(err)
	}
	return out
}

// wantStages checks the labels of each version.
func (r rotating) wantStages(want map[string][]string) {
	r.t.Helper()
	if got := r.describe().VersionIDsToStages; !reflect.DeepEqual(got, want) {
		r.t.Errorf("stages: got %v, want %v", got, want)
	}
}

func (r rotating) wantSteps(want ...string) {
	r.t.Helper()
	synctest.Wait()
	if got := r.function.takeCalls(); !slices.Equal(got, want) {
		r.t.Errorf("steps: got %q, want %q", got, want)
	}
}
