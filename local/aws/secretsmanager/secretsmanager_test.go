package secretsmanager

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http/httptest"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	awssecrets "github.com/aws/aws-sdk-go-v2/service/secretsmanager"
	"github.com/aws/aws-sdk-go-v2/service/secretsmanager/types"
	"github.com/aws/smithy-go"

	"restock/local/aws/awsapi"
)

const databaseARN = "arn:aws:secretsmanager:ap-northeast-2:000000000000:secret:dev/database-AbCdEf"

// fixture is a service with the secret "dev/database", which has no value, its SDK client and its
// log.
type fixture struct {
	*awssecrets.Client
	service *Service
	log     *syncBuffer
}

type syncBuffer struct {
	mu sync.Mutex
	bytes.Buffer
}

func (b *syncBuffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.Buffer.Write(p)
}

func (b *syncBuffer) text() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.String()
}

func newFixture(t *testing.T) fixture {
	t.Helper()
	buffer := &syncBuffer{}
	log := slog.New(slog.NewTextHandler(buffer, &slog.HandlerOptions{Level: slog.LevelDebug}))
	service := New(Config{Region: "ap-northeast-2", AccountID: "000000000000"}, log)
	if err := service.Create(SecretConfig{Name: "dev/database", ARN: databaseARN}); err != nil {
		t.Fatal(err)
	}
	server := httptest.NewServer(awsapi.NewHandler(log, service.API()))
	t.Cleanup(server.Close)
	return fixture{awssecrets.New(awssecrets.Options{
		BaseEndpoint: &server.URL,
		Region:       "ap-northeast-2",
		Credentials:  credentials.NewStaticCredentialsProvider("AKIDLOCAL", "local", ""),
	}), service, buffer}
}

func (f fixture) put(t *testing.T, text string, stages ...string) (versionID string) {
	t.Helper()
	out, err := f.PutSecretValue(t.Context(), &awssecrets.PutSecretValueInput{
		SecretId: aws.String("dev/database"), SecretString: &text, VersionStages: stages,
	})
	if err != nil {
		t.Fatalf("putting %q: %v", text, err)
	}
	return *out.VersionId
}

// get returns the value with the staging label, or the error's message in brackets.
func (f fixture) get(ctx context.Context, stage string) string {
	out, err := f.GetSecretValue(ctx, &awssecrets.GetSecretValueInput{
		SecretId: aws.String("dev/database"), VersionStage: &stage,
	})
	if refused, ok := errors.AsType[smithy.APIError](err); ok {
		return "[" + refused.ErrorMessage() + "]"
	}
	return *out.SecretString
}

func wantCode(t *testing.T, err error, want string) {
	t.Helper()
	if refused, ok := errors.AsType[smithy.APIError](err); !ok || refused.ErrorCode() != want {
		t.Errorf("got error %v, want code %s", err, want)
	}
}

func TestSecretWithoutAValueIsNotFoundAsOnAWS(t *testing.T) {
	f := newFixture(t)
	_, err := f.GetSecretValue(t.Context(), &awssecrets.GetSecretValueInput{SecretId: aws.String("dev/database")})
	notFound, ok := errors.AsType[*types.ResourceNotFoundException](err)
	if !ok {
		t.Fatalf("got error %v, want %T", err, notFound)
	}
	const want = "Secrets Manager can't find the specified secret value for staging label: AWSCURRENT"
	if got := notFound.ErrorMessage(); got != want {
		t.Errorf("message: got %q, want %q", got, want)
	}
	_, err = f.GetSecretValue(t.Context(), &awssecrets.GetSecretValueInput{SecretId: aws.String("nothing")})
	wantCode(t, err, "ResourceNotFoundException")
}

func TestSecretIsFoundByNameARNAndPartialARN(t *testing.T) {
	f := newFixture(t)
	f.put(t, "value")
	for _, id := range []string{"dev/database", databaseARN, strings.TrimSuffix(databaseARN, "-AbCdEf")} {
		out, err := f.GetSecretValue(t.Context(), &awssecrets.GetSecretValueInput{SecretId: &id})
		if err != nil || *out.SecretString != "value" || *out.ARN != databaseARN || *out.Name != "dev/database" {
			t.Errorf("GetSecretValue(%s): got %+v, %v", id, out, err)
		}
	}
	longer := databaseARN[:strings.LastIndex(databaseARN, "/")] + "/queue-key-AbCdEf"
	if err := f.service.Create(SecretConfig{Name: "dev/queue-key", ARN: longer, Value: "x"}); err != nil {
		t.Fatal(err)
	}
	for id, want := range map[string]string{
		"dev/data": "ResourceNotFoundException",
		strings.TrimSuffix(longer, "-key-AbCdEf"): "ResourceNotFoundException",
		strings.TrimPrefix(longer, "arn:"):        "ValidationException", // not a name
	} {
		_, err := f.GetSecretValue(t.Context(), &awssecrets.GetSecretValueInput{SecretId: &id})
		wantCode(t, err, want)
	}
}

func TestPutMovesTheStagingLabels(t *testing.T) {
	f := newFixture(t)
	first := f.put(t, "one")
	f.put(t, "two")
	third := f.put(t, "three")
	pending := f.put(t, "four", "AWSPENDING")
	for stage, want := range map[string]string{"AWSCURRENT": "three", "AWSPREVIOUS": "two", "AWSPENDING": "four"} {
		if got := f.get(t.Context(), stage); got != want {
			t.Errorf("%s: got %s, want %s", stage, got, want)
		}
	}

	described, err := f.DescribeSecret(t.Context(), &awssecrets.DescribeSecretInput{
		SecretId: aws.String("dev/database"),
	})
	if err != nil {
		t.Fatal(err)
	}
	if got := described.VersionIdsToStages; len(got) != 3 || !slices.Equal(got[third], []string{"AWSCURRENT"}) ||
		!slices.Equal(got[pending], []string{"AWSPENDING"}) {
		t.Errorf("versions and their labels: got %v", got)
	}
	if described.LastAccessedDate == nil || described.CreatedDate.After(*described.LastChangedDate) {
		t.Errorf("dates: got %+v", described)
	}
	for deprecated, want := range map[bool]int{false: 3, true: 4} {
		versions, err := f.ListSecretVersionIds(t.Context(), &awssecrets.ListSecretVersionIdsInput{
			SecretId: aws.String("dev/database"), IncludeDeprecated: &deprecated,
		})
		if err != nil || len(versions.Versions) != want {
			t.Errorf("versions, deprecated %v: got %+v, %v; want %d", deprecated, versions, err, want)
		}
	}

	out, err := f.GetSecretValue(t.Context(), &awssecrets.GetSecretValueInput{
		SecretId: aws.String("dev/database"), VersionId: &first,
	})
	if err != nil || *out.SecretString != "one" || len(out.VersionStages) != 0 {
		t.Errorf("version one by its id: got %+v, %v", out, err)
	}
	_, err = f.GetSecretValue(t.Context(), &awssecrets.GetSecretValueInput{
		SecretId: aws.String("dev/database"), VersionId: &first, VersionStage: aws.String("AWSCURRENT"),
	})
	wantCode(t, err, "InvalidRequestException")
}

func TestFirstVersionIsCurrentWhateverItsLabels(t *testing.T) {
	f := newFixture(t)
	f.put(t, "one", "AWSPENDING")
	if got := f.get(t.Context(), "AWSCURRENT"); got != "one" {
		t.Errorf("AWSCURRENT: got %s, want one", got)
	}
}

func TestPutIsIdempotentByItsToken(t *testing.T) {
	f, token := newFixture(t), aws.String(strings.Repeat("t", 32))
	put := func(text string, token *string) error {
		_, err := f.PutSecretValue(t.Context(), &awssecrets.PutSecretValueInput{
			SecretId: aws.String("dev/database"), SecretString: &text, ClientRequestToken: token,
		})
		return err
	}
	if err := put("one", token); err != nil {
		t.Fatal(err)
	}
	f.put(t, "two")
	if err := put("one", token); err != nil {
		t.Errorf("the same value again: %v", err)
	}
	if got := f.get(t.Context(), "AWSCURRENT"); got != "two" {
		t.Errorf("AWSCURRENT after a repeated request: got %s, want two", got)
	}
	wantCode(t, put("other", token), "ResourceExistsException")
	wantCode(t, put("x", aws.String("short")), "InvalidParameterException")
	wantCode(t, put("", nil), "InvalidParameterException")
	wantCode(t, put(strings.Repeat("x", 64<<10+1), nil), "InvalidParameterException")
	_, err := f.PutSecretValue(t.Context(), &awssecrets.PutSecretValueInput{SecretId: aws.String("dev/database")})
	wantCode(t, err, "InvalidRequestException")
}

func TestUpdateSecretVersionStage(t *testing.T) {
	f := newFixture(t)
	one, two := f.put(t, "one"), f.put(t, "two")
	pending := f.put(t, "three", "AWSPENDING")
	move := func(stage string, from, to *string) error {
		_, err := f.UpdateSecretVersionStage(t.Context(), &awssecrets.UpdateSecretVersionStageInput{
			SecretId: aws.String("dev/database"), VersionStage: &stage, RemoveFromVersionId: from, MoveToVersionId: to,
		})
		return err
	}
	// another version has the label, and the call does not name it
	wantCode(t, move("AWSCURRENT", nil, &pending), "InvalidParameterException")
	// the named version does not have the label
	wantCode(t, move("AWSCURRENT", &one, &pending), "InvalidParameterException")
	wantCode(t, move("AWSCURRENT", &two, nil), "InvalidParameterException") // it cannot be removed
	wantCode(t, move("AWSCURRENT", nil, nil), "InvalidParameterException")
	wantCode(t, move("AWSCURRENT", &two, aws.String(strings.Repeat("x", 32))), "ResourceNotFoundException")
	if got := f.get(t.Context(), "AWSCURRENT"); got != "two" {
		t.Errorf("after refused moves: AWSCURRENT is %s, want two", got)
	}

	if err := move("AWSCURRENT", &two, &pending); err != nil {
		t.Fatal(err)
	}
	if err := move("AWSPENDING", &pending, nil); err != nil {
		t.Fatal(err)
	}
	for stage, want := range map[string]string{
		"AWSCURRENT": "three", "AWSPREVIOUS": "two",
		"AWSPENDING": "[Secrets Manager can't find the specified secret value for staging label: AWSPENDING]",
	} {
		if got := f.get(t.Context(), stage); got != want {
			t.Errorf("%s: got %s, want %s", stage, got, want)
		}
	}
}

func TestCreateSecret(t *testing.T) {
	f, ctx := newFixture(t), t.Context()
	in := &awssecrets.CreateSecretInput{
		Name: aws.String("operator/key"), Description: aws.String("made by hand"), SecretBinary: []byte{0, 255},
		ClientRequestToken: aws.String(strings.Repeat("t", 36)),
		Tags:               []types.Tag{{Key: aws.String("a"), Value: aws.String("b")}},
	}
	created, err := f.CreateSecret(ctx, in)
	if err != nil {
		t.Fatal(err)
	}
	if !regexp.MustCompile(
		`^arn:aws:secretsmanager:ap-northeast-2:000000000000:secret:operator/key-[A-Za-z0-9]{6}$`).MatchString(
		*created.ARN) {
		t.Errorf("ARN: got %s", *created.ARN)
	}
	got, err := f.GetSecretValue(ctx, &awssecrets.GetSecretValueInput{SecretId: created.ARN})
	if err != nil || !bytes.Equal(got.SecretBinary, []byte{0, 255}) || got.SecretString != nil ||
		*got.VersionId != *in.ClientRequestToken {
		t.Errorf("value: got %+v, %v", got, err)
	}
	if again, err := f.CreateSecret(ctx, in); err != nil || *again.ARN != *created.ARN {
		t.Errorf("the same request again: got %+v, %v; want the same answer", again, err)
	}
	_, err = f.CreateSecret(ctx, &awssecrets.CreateSecretInput{
		Name: aws.String("operator/key"), SecretString: aws.String("x"),
	})
	wantCode(t, err, "ResourceExistsException")
	for name, want := range map[string]string{"a b": "ValidationException", "rds!db-1": "InvalidParameterException"} {
		_, err = f.CreateSecret(ctx, &awssecrets.CreateSecretInput{Name: &name, SecretString: aws.String("x")})
		wantCode(t, err, want)
	}

	var names []string
	for pages := awssecrets.NewListSecretsPaginator(f,
		&awssecrets.ListSecretsInput{MaxResults: aws.Int32(1)}); pages.HasMorePages(); {
		page, err := pages.NextPage(ctx)
		if err != nil {
			t.Fatal(err)
		}
		for _, s := range page.SecretList {
			names = append(names, *s.Name+" "+aws.ToString(s.Description))
		}
	}
	if want := []string{"dev/database ", "operator/key made by hand"}; !reflect.DeepEqual(names, want) {
		t.Errorf("secrets: got %q, want %q", names, want)
	}
}

func TestProgrammaticCreate(t *testing.T) {
	f := newFixture(t)
	if err := f.service.Create(SecretConfig{Name: "rds!db-1", ARN: "arn:master", Value: "v"}); err != nil {
		t.Fatal(err)
	}
	out, err := f.GetSecretValue(t.Context(), &awssecrets.GetSecretValueInput{SecretId: aws.String("arn:master")})
	if err != nil || *out.SecretString != "v" || !slices.Equal(out.VersionStages, []string{"AWSCURRENT"}) {
		t.Errorf("got %+v, %v", out, err)
	}
	for _, config := range []SecretConfig{{Name: "rds!db-1", ARN: "arn:other"}, {Name: "other", ARN: "arn:master"},
		{Name: "other"}, {Name: "a b", ARN: "arn:x"}} {
		if err := f.service.Create(config); err == nil {
			t.Errorf("Create(%+v): got no error", config)
		}
	}
}

func TestSecretValuesAreNotLogged(t *testing.T) {
	f, ctx := newFixture(t), t.Context()
	f.put(t, "hunter2")
	f.get(ctx, "AWSCURRENT")
	_, _ = f.CreateSecret(ctx, &awssecrets.CreateSecretInput{
		Name: aws.String("a b"), SecretString: aws.String("hunter2"),
	})
	_, _ = f.PutSecretValue(ctx, &awssecrets.PutSecretValueInput{
		SecretId: aws.String("nothing"), SecretString: aws.String("hunter2"),
	})
	v := value{text: aws.String("hunter2"), bytes: []byte("hunter2")}
	f.service.log.Info("by mistake", "value", v)
	for _, verb := range []string{"%v", "%+v", "%s", "%#v"} {
		if got := fmt.Sprintf(verb, v); got != "(secret)" {
			t.Errorf("a value printed by %s: got %s", verb, got)
		}
	}

	if log := f.log.text(); strings.Contains(log, "hunter2") || !strings.Contains(log, "PutSecretValue") {
		t.Errorf("the log has a secret's value, or misses the calls:\n%s", log)
	}
}

func TestConcurrentPutsLeaveOneCurrentVersion(t *testing.T) {
	f := newFixture(t)
	var wg sync.WaitGroup
	for i := range 16 {
		wg.Go(func() { f.put(t, fmt.Sprint("value ", i)) })
	}
	wg.Wait()
	described, err := f.DescribeSecret(t.Context(), &awssecrets.DescribeSecretInput{
		SecretId: aws.String("dev/database"),
	})
	if err != nil || len(described.VersionIdsToStages) != 2 {
		t.Errorf("labels: got %v, %v; want one AWSCURRENT and one AWSPREVIOUS", described.VersionIdsToStages, err)
	}
}

func TestGetRandomPassword(t *testing.T) {
	f := newFixture(t)
	for _, tt := range []struct {
		name string
		in   awssecrets.GetRandomPasswordInput
		want string // a pattern for the password, or the error's code
	}{
		{"default", awssecrets.GetRandomPasswordInput{}, `^[!-~]{32}$`},
		{"letters and digits",
			awssecrets.GetRandomPasswordInput{ExcludePunctuation: aws.Bool(true), PasswordLength: aws.Int64(1000)},
			`^[A-Za-z0-9]{1000}$`},
		{"digits without 0",
			awssecrets.GetRandomPasswordInput{ExcludePunctuation: aws.Bool(true), ExcludeLowercase: aws.Bool(true),
				ExcludeUppercase: aws.Bool(true), ExcludeCharacters: aws.String("0")}, `^[1-9]{32}$`},
		{"each type in four characters", awssecrets.GetRandomPasswordInput{PasswordLength: aws.Int64(4)}, `^[!-~]{4}$`},
		{"one character of four types",
			awssecrets.GetRandomPasswordInput{PasswordLength: aws.Int64(1), RequireEachIncludedType: aws.Bool(false)},
			`^[!-~]$`},
		{"too short for each type", awssecrets.GetRandomPasswordInput{PasswordLength: aws.Int64(3)},
			"InvalidParameterException"},
		{"too long", awssecrets.GetRandomPasswordInput{PasswordLength: aws.Int64(4097)}, "InvalidParameterException"},
		{"nothing left", awssecrets.GetRandomPasswordInput{ExcludePunctuation: aws.Bool(true),
			ExcludeLowercase: aws.Bool(true), ExcludeUppercase: aws.Bool(true), ExcludeNumbers: aws.Bool(true)},
			"InvalidParameterException"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			out, err := f.GetRandomPassword(t.Context(), &tt.in)
			if !strings.HasPrefix(tt.want, "^") {
				wantCode(t, err, tt.want)
				return
			}
			if err != nil || !regexp.MustCompile(tt.want).MatchString(*out.RandomPassword) {
				t.Fatalf("got %+v, %v; want a match of %s", out, err, tt.want)
			}
			if tt.in.RequireEachIncludedType == nil && !hasEach(*out.RandomPassword, getRandomPasswordInput{
				ExcludeCharacters:  aws.ToString(tt.in.ExcludeCharacters),
				ExcludeLowercase:   aws.ToBool(tt.in.ExcludeLowercase),
				ExcludeUppercase:   aws.ToBool(tt.in.ExcludeUppercase),
				ExcludePunctuation: aws.ToBool(tt.in.ExcludePunctuation),
			}.characterTypes()) {
				t.Errorf("%q does not have each type", *out.RandomPassword)
			}
		})
	}
}
