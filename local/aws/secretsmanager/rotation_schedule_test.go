package secretsmanager

import (
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/google/uuid"
)

func TestRotateImmediatelyFalseTestsTheFunction(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRotating(t)
		id := r.rotateBy(rotateSecretInput{
			RotateImmediately: aws.Bool(false), RotationRules: &RotationRules{ScheduleExpression: "rate(4 hours)"},
		})
		r.wantSteps(testStep)
		r.wantStages(map[string][]string{r.one: {current}})
		if described := r.describe(); id != "" || described.LastRotatedDate != nil ||
			described.NextRotationDate == nil {
			t.Errorf("a test is no rotation: got version %q, %+v", id, described)
		}
		if log := r.log.text(); !strings.Contains(log, "secret rotation test done") {
			t.Errorf("a function that reads AWSPENDING in testSecret failed; log:\n%s", log)
		}
		r.function.failOn(testStep, 1)
		r.rotateBy(rotateSecretInput{RotateImmediately: aws.Bool(false)})
		r.wantSteps(testStep)
		r.wantStages(map[string][]string{r.one: {current}})
		if log := r.log.text(); !strings.Contains(log, "level=ERROR msg=\"secret rotation test failed") {
			t.Errorf("log:\n%s", log)
		}
	})
}

func TestRotationOnSchedule(t *testing.T) {
	synctest.Test(t, func(t *testing.T) { // a bubble begins at midnight UTC
		r := newRotating(t)
		r.rotateBy(rotateSecretInput{RotationRules: &RotationRules{AutomaticallyAfterDays: 2, Duration: "3h"}})
		r.wantSteps(allSteps...)
		midnight := time.Now()
		if got, want := *r.describe().NextRotationDate, *timestamp(midnight.Add(51 * time.Hour)); got != want {
			t.Errorf("NextRotationDate: got %v, want %v", got, want)
		}
		time.Sleep(48*time.Hour - time.Second)
		r.wantSteps()
		time.Sleep(time.Second)
		r.wantSteps(allSteps...)

		time.Sleep(30 * time.Hour)
		if err := r.put(uuid.NewString(), "by hand"); err != nil { // counts as a rotation
			t.Fatal(err)
		}
		time.Sleep(40 * time.Hour)
		r.wantSteps()
		time.Sleep(2 * time.Hour)
		r.wantSteps(allSteps...)
		if got, want := *r.describe().LastRotatedDate, *timestamp(midnight.AddDate(0, 0, 5)); got != want {
			t.Errorf("LastRotatedDate: got %v, want %v", got, want)
		}
		time.Sleep(48 * time.Hour)
		r.wantSteps(allSteps...)
	})
}

func TestScheduleReattemptsAnUnfinishedRotation(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRotating(t)
		r.function.failOn(createStep, rotationAttempts)
		two := r.rotateBy(rotateSecretInput{RotationRules: &RotationRules{AutomaticallyAfterDays: 1}})
		time.Sleep(23 * time.Hour)
		r.function.takeCalls()
		time.Sleep(time.Hour)
		r.wantSteps(allSteps...)
		r.wantStages(map[string][]string{two: {current}, r.one: {previous}})
	})
}

func TestFailedScheduledRotationLeavesItsDateInThePast(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRotating(t)
		r.rotateBy(rotateSecretInput{RotationRules: &RotationRules{AutomaticallyAfterDays: 1}})
		synctest.Wait()
		r.function.failOn(createStep, rotationAttempts)
		time.Sleep(72 * time.Hour)
		synctest.Wait()
		if next := *r.describe().NextRotationDate; next >= *timestamp(time.Now()) {
			t.Errorf("NextRotationDate: got %v, want a time before %v", next, *timestamp(time.Now()))
		}
	})
}
