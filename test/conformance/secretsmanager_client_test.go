package conformance

import (
	"context"
	"maps"
	"reflect"
	"slices"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/secretsmanager"
	"github.com/google/uuid"
)

// The pages of Secrets Manager's documentation that the cases refer to.
const (
	secretsAPI   = "https://docs.aws.amazon.com/secretsmanager/latest/apireference/API_"
	secretsGuide = "https://docs.aws.amazon.com/secretsmanager/latest/userguide/"
)

// secretsClient returns a client of the endpoint under test that does not retry.
func secretsClient() *secretsmanager.Client {
	return secretsmanager.New(secretsmanager.Options{
		BaseEndpoint: &endpoint.url, Region: endpoint.region, Credentials: credentialsProvider,
		Retryer: aws.NopRetryer{},
	})
}

// A secret belongs to one case.
type secret struct {
	*secretsmanager.Client
	t         *T
	name, arn string
}

// newSecret creates a secret without a value. The secret is deleted when the case ends.
func newSecret(t *T) secret {
	t.Helper()
	return createSecret(t, &secretsmanager.CreateSecretInput{Name: aws.String(unique("secret"))})
}

// createSecret creates a secret as the request says. The secret is deleted when the case ends.
func createSecret(t *T, in *secretsmanager.CreateSecretInput) secret {
	t.Helper()
	client := secretsClient()
	created, err := client.CreateSecret(t.Context(), in)
	t.ok(err)
	t.Cleanup(func() {
		// The case may have deleted it.
		_, _ = client.DeleteSecret(context.WithoutCancel(t.Context()),
			&secretsmanager.DeleteSecretInput{SecretId: created.ARN, ForceDeleteWithoutRecovery: aws.Bool(true)})
	})
	return secret{Client: client, t: t, name: *created.Name, arn: *created.ARN}
}

// put stores a value as a new version and returns the version's id.
func (s secret) put(text string, stages ...string) (versionID string) {
	s.t.Helper()
	id := uuid.NewString()
	s.t.ok(s.tryPut(id, text, stages...))
	return id
}

// tryPut stores a value as the version with the id, and returns the error.
func (s secret) tryPut(id, text string, stages ...string) error {
	_, err := s.putValue(&secretsmanager.PutSecretValueInput{
		ClientRequestToken: &id, SecretString: &text, VersionStages: stages,
	})
	return err
}

// putValue, update and delete send a request for this secret and return the answer, so that a case
// can expect an error.
func (s secret) putValue(in *secretsmanager.PutSecretValueInput) (*secretsmanager.PutSecretValueOutput, error) {
	in.SecretId = &s.arn
	return s.PutSecretValue(s.t.Context(), in)
}

func (s secret) update(in *secretsmanager.UpdateSecretInput) (*secretsmanager.UpdateSecretOutput, error) {
	in.SecretId = &s.arn
	return s.UpdateSecret(s.t.Context(), in)
}

func (s secret) delete(in *secretsmanager.DeleteSecretInput) (*secretsmanager.DeleteSecretOutput, error) {
	in.SecretId = &s.arn
	return s.DeleteSecret(s.t.Context(), in)
}

// get reads a value by a version's id, a stage, or both. "" leaves the id or the stage out.
func (s secret) get(id, stage string) (*secretsmanager.GetSecretValueOutput, error) {
	in := &secretsmanager.GetSecretValueInput{SecretId: &s.arn}
	if id != "" {
		in.VersionId = &id
	}
	if stage != "" {
		in.VersionStage = &stage
	}
	return s.GetSecretValue(s.t.Context(), in)
}

// text reads the value of a stage, and fails the case if there is none.
func (s secret) text(stage string) string {
	s.t.Helper()
	got, err := s.get("", stage)
	s.t.ok(err)
	return aws.ToString(got.SecretString)
}

func (s secret) describe() *secretsmanager.DescribeSecretOutput {
	s.t.Helper()
	got, err := s.DescribeSecret(s.t.Context(), &secretsmanager.DescribeSecretInput{SecretId: &s.arn})
	s.t.ok(err)
	return got
}

// stages checks which versions have which staging labels. It ignores versions without labels:
// another case checks whether they are described.
func (s secret) stages(want map[string][]string) {
	s.t.Helper()
	got := s.describe().VersionIdsToStages
	maps.DeleteFunc(got, func(_ string, stages []string) bool { return len(stages) == 0 })
	for _, stages := range got {
		slices.Sort(stages)
	}
	if !reflect.DeepEqual(got, want) {
		s.t.Errorf("staging labels: got %v, want %v", got, want)
	}
}

// move moves a stage from one version to another. "" leaves the version out.
func (s secret) move(stage, from, to string) error {
	in := &secretsmanager.UpdateSecretVersionStageInput{SecretId: &s.arn, VersionStage: &stage}
	if from != "" {
		in.RemoveFromVersionId = &from
	}
	if to != "" {
		in.MoveToVersionId = &to
	}
	_, err := s.UpdateSecretVersionStage(s.t.Context(), in)
	return err
}
