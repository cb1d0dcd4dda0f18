package secretsmanager

import (
	"fmt"
	"log/slog"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/google/uuid"
)

// newService returns a service with the secret "name", which has no value.
func newService(t *testing.T) *Service {
	t.Helper()
	s := New(Config{Region: "ap-northeast-2", AccountID: "000000000000"}, slog.New(slog.DiscardHandler))
	t.Cleanup(s.Close)
	if err := s.Create(SecretConfig{Name: "name", ARN: "arn"}); err != nil {
		t.Fatal(err)
	}
	return s
}

func TestOldVersionsWithoutLabelsMakeRoom(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newService(t)
		put := func(n int) error {
			_, err := s.putSecretValue(t.Context(), putSecretValueInput{
				SecretID: "name", ClientRequestToken: fmt.Sprintf("%032d", n), SecretString: aws.String("x"),
			})
			return err
		}
		for n := range maxVersions {
			if err := put(n); err != nil {
				t.Fatalf("version %d: %v", n, err)
			}
		}
		if err := put(maxVersions); code(err) != "LimitExceededException" {
			t.Fatalf("version %d: got %v, want LimitExceededException", maxVersions, err)
		}
		time.Sleep(minVersionLifetime)
		if err := put(maxVersions); err != nil {
			t.Fatalf("version %d a day later: %v", maxVersions, err)
		}
		listed, err := s.listSecretVersionIDs(t.Context(), listSecretVersionIDsInput{
			SecretID: "name", IncludeDeprecated: true,
		})
		if err != nil || len(listed.Versions) != maxVersions ||
			listed.Versions[0].VersionID != fmt.Sprintf("%032d", maxVersions) ||
			listed.Versions[maxVersions-1].VersionID != fmt.Sprintf("%032d", 1) {
			t.Errorf("got %d versions, %v; want the newest %d, the newest first",
				len(listed.Versions), err, maxVersions)
		}
	})
}

func TestSecretHasTwentyLabelsAtMost(t *testing.T) {
	s := newService(t)
	labels := []string{current}
	for n := 1; n < maxLabels; n++ {
		labels = append(labels, fmt.Sprint("label ", n))
	}
	id := strings.Repeat("1", 32)
	put := func(id string, labels []string) error {
		_, err := s.putSecretValue(t.Context(), putSecretValueInput{
			SecretID: "name", ClientRequestToken: id, SecretString: aws.String("x"), VersionStages: labels,
		})
		return err
	}
	if err := put(id, append(labels, "one more")); code(err) != "InvalidParameterException" {
		t.Errorf("21 labels in a request: got %v, want InvalidParameterException", err)
	}
	if err := put(id, labels); err != nil {
		t.Fatal(err)
	}
	if err := put(strings.Repeat("2", 32), []string{"one more"}); code(err) != "LimitExceededException" {
		t.Errorf("a 21st label put: got %v, want LimitExceededException", err)
	}
	_, err := s.updateSecretVersionStage(t.Context(), updateSecretVersionStageInput{
		SecretID: "name", VersionStage: "one more", MoveToVersionID: id,
	})
	if code(err) != "LimitExceededException" {
		t.Errorf("a 21st label attached: got %v, want LimitExceededException", err)
	}
}

func TestSecretIsRecoverableForItsWindow(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, ctx := newService(t), t.Context()
		const days = 7
		deleted, err := s.deleteSecret(ctx, deleteSecretInput{SecretID: "name", RecoveryWindowInDays: aws.Int(days)})
		if want := *timestamp(time.Now().AddDate(0, 0, days)); err != nil || *deleted.DeletionDate != want {
			t.Fatalf("DeleteSecret: got %+v, %v; want the date %v", deleted, err, want)
		}
		if described, err := s.describeSecret(ctx, secretRef{"name"}); err != nil ||
			*described.DeletedDate != *deleted.DeletionDate {
			t.Errorf("DescribeSecret: got %+v, %v", described, err)
		}
		time.Sleep(days*24*time.Hour - time.Second)
		if _, err := s.restoreSecret(ctx, secretRef{"name"}); err != nil {
			t.Fatalf("RestoreSecret within the window: %v", err)
		}
		if _, err := s.deleteSecret(ctx, deleteSecretInput{SecretID: "name"}); err != nil {
			t.Fatal(err)
		}
		time.Sleep(30 * 24 * time.Hour)
		if _, err := s.restoreSecret(ctx, secretRef{"name"}); code(err) != "ResourceNotFoundException" {
			t.Errorf("RestoreSecret after the window: got %v, want ResourceNotFoundException", err)
		}
		if listed, err := s.listSecrets(ctx, listSecretsInput{IncludePlannedDeletion: true}); err != nil ||
			len(listed.SecretList) != 0 {
			t.Errorf("ListSecrets after the window: got %+v, %v; want none", listed, err)
		}
	})
}

func TestSecretsOfAnAWSServiceAreChangedByThatServiceAlone(t *testing.T) {
	s, ctx, text := newService(t), t.Context(), "x"
	if err := s.Create(SecretConfig{Name: "rds!db-1", ARN: "arn:master", Value: "v"}); err != nil {
		t.Fatal(err)
	}
	described, err := s.describeSecret(ctx, secretRef{"arn:master"})
	if err != nil || described.OwningService != "rds" {
		t.Errorf("DescribeSecret: got %+v, %v; want the owning service rds", described, err)
	}
	for operation, call := range map[string]func() error{
		"PutSecretValue": func() error {
			_, err := s.putSecretValue(ctx, putSecretValueInput{
				SecretID: "arn:master", ClientRequestToken: uuid.NewString(), SecretString: &text,
			})
			return err
		},
		"UpdateSecret": func() error {
			_, err := s.updateSecret(ctx, updateSecretInput{
				SecretID: "arn:master", ClientRequestToken: uuid.NewString(), SecretString: &text,
			})
			return err
		},
		"UpdateSecretVersionStage": func() error {
			_, err := s.updateSecretVersionStage(ctx, updateSecretVersionStageInput{
				SecretID: "arn:master", VersionStage: "label", MoveToVersionID: s.find("arn:master").versions[0].id,
			})
			return err
		},
		"DeleteSecret": func() error {
			_, err := s.deleteSecret(ctx, deleteSecretInput{SecretID: "arn:master", ForceDeleteWithoutRecovery: true})
			return err
		},
	} {
		if err := call(); code(err) != "InvalidRequestException" || !strings.Contains(err.Error(), "managed by rds") {
			t.Errorf("%s: got %v, want an InvalidRequestException that names rds", operation, err)
		}
	}
}

// https://docs.aws.amazon.com/secretsmanager/latest/apireference/API_CreateSecret.html
func TestLengthsAreCountedInCharacters(t *testing.T) {
	s, ctx := newService(t), t.Context()
	for _, tt := range []struct {
		what  string
		limit int
		call  func(text string) error
	}{
		{"a description", 2048, func(text string) error {
			_, err := s.updateSecret(ctx, updateSecretInput{
				SecretID: "name", ClientRequestToken: uuid.NewString(), Description: &text,
			})
			return err
		}},
		{"a staging label", 256, func(text string) error {
			_, err := s.putSecretValue(ctx, putSecretValueInput{
				SecretID: "name", ClientRequestToken: uuid.NewString(), SecretString: &text,
				VersionStages: []string{text},
			})
			return err
		}},
		{"a token", 64, func(text string) error {
			_, err := s.putSecretValue(ctx, putSecretValueInput{
				SecretID: "name", ClientRequestToken: text, SecretString: &text,
			})
			return err
		}},
		{"a tag's key", 128, func(text string) error {
			_, err := s.tagResource(ctx, tagResourceInput{SecretID: "name", Tags: []tag{{Key: text}}})
			return err
		}},
		{"a tag's value", 256, func(text string) error {
			_, err := s.tagResource(ctx, tagResourceInput{SecretID: "name", Tags: []tag{{Key: "key", Value: text}}})
			return err
		}},
	} {
		if err := tt.call(strings.Repeat("도", tt.limit)); err != nil {
			t.Errorf("%s of %d characters: %v", tt.what, tt.limit, err)
		}
		if err := tt.call(strings.Repeat("도", tt.limit+1)); code(err) != "InvalidParameterException" {
			t.Errorf("%s of %d characters: got %v, want InvalidParameterException", tt.what, tt.limit+1, err)
		}
	}
}

// https://docs.aws.amazon.com/secretsmanager/latest/apireference/API_PutResourcePolicy.html
func TestResourcePolicyOfASecret(t *testing.T) {
	s, ctx := newService(t), t.Context()
	const (
		private = `{"Statement":{"Effect":"Allow","Principal":{"AWS":"arn:aws:iam::000000000000:role/r"},` +
			`"Action":"secretsmanager:GetSecretValue","Resource":"*"}}`
		public = `{"Statement":{"Effect":"Allow","Principal":"*","Action":"*","Resource":"*"}}`
	)
	wantPolicy := func(want string) {
		t.Helper()
		got, err := s.getResourcePolicy(ctx, secretRef{"name"})
		if now, ok := s.Policy("arn"); err != nil || got.ResourcePolicy != want || now != want || !ok {
			t.Errorf("the policy is %q, and %q decides, %v; want %q", got.ResourcePolicy, now, err, want)
		}
	}
	wantPolicy("")
	for _, tt := range []struct {
		in   putResourcePolicyInput
		code string
		want string // the policy after the call
	}{
		{putResourcePolicyInput{SecretID: "name", ResourcePolicy: private, BlockPublicPolicy: true}, "", private},
		{putResourcePolicyInput{SecretID: "name", ResourcePolicy: public, BlockPublicPolicy: true},
			"PublicPolicyException", private},
		{putResourcePolicyInput{SecretID: "name", ResourcePolicy: "{"}, "MalformedPolicyDocumentException", private},
		{putResourcePolicyInput{SecretID: "name", ResourcePolicy: "{}"}, "MalformedPolicyDocumentException", private},
		{putResourcePolicyInput{SecretID: "none", ResourcePolicy: public}, "ResourceNotFoundException", private},
		{putResourcePolicyInput{SecretID: "name", ResourcePolicy: public}, "", public},
	} {
		if _, err := s.putResourcePolicy(ctx, tt.in); code(err) != tt.code {
			t.Errorf("%+v: got %v, want %q", tt.in, err, tt.code)
		}
		wantPolicy(tt.want)
	}
	if _, err := s.deleteResourcePolicy(ctx, secretRef{"name"}); err != nil {
		t.Error(err)
	}
	wantPolicy("")
	if _, ok := s.Policy("name"); ok {
		t.Error("a name is not an ARN")
	}
}
