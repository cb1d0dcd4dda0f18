package conformance

import (
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/secretsmanager"
	"github.com/aws/aws-sdk-go-v2/service/secretsmanager/types"
	"github.com/google/uuid"
)

func TestSecrets(t *testing.T) {
	check(t, []conformanceCase{
		{"an ARN ends in the name, a hyphen and six characters", secretsAPI + "CreateSecret.html", func(t *T) {
			s := newSecret(t)
			want := `^arn:aws:secretsmanager:` + endpoint.region + `:\d{12}:secret:` + s.name + `-[A-Za-z0-9]{6}$`
			if !regexp.MustCompile(want).MatchString(s.arn) {
				t.Errorf("ARN: got %s, want a match of %s", s.arn, want)
			}
		}},
		{"a secret that is created with a value has a current version", secretsAPI + "CreateSecret.html", func(t *T) {
			token := uuid.NewString()
			s := createSecret(t, &secretsmanager.CreateSecretInput{Name: aws.String(unique("secret")),
				SecretString: aws.String("one"), ClientRequestToken: &token})
			s.stages(map[string][]string{token: {"AWSCURRENT"}})
		}},
		{"a secret that is created without a value has no versions", secretsAPI + "CreateSecret.html", func(t *T) {
			got := newSecret(t).describe()
			if len(got.VersionIdsToStages) != 0 || got.RotationEnabled != nil || got.LastAccessedDate != nil ||
				got.DeletedDate != nil {
				t.Errorf("got %+v", got)
			}
		}},
		{"CreateSecret can be repeated with the same token and value", secretsAPI + "CreateSecret.html", func(t *T) {
			in := &secretsmanager.CreateSecretInput{Name: aws.String(unique("secret")), SecretString: aws.String("one"),
				ClientRequestToken: aws.String(uuid.NewString())}
			s := createSecret(t, in)
			again, err := s.CreateSecret(t.Context(), in)
			t.ok(err)
			if *again.ARN != s.arn {
				t.Errorf("the same request again: got %s, want %s", *again.ARN, s.arn)
			}
			_, err = s.CreateSecret(t.Context(), &secretsmanager.CreateSecretInput{Name: in.Name,
				SecretString: aws.String("other")})
			t.refused(err, "ResourceExistsException")
		}},
		{"a name has only letters, digits and /_+=.@-", secretsAPI + "CreateSecret.html", func(t *T) {
			createSecret(t, &secretsmanager.CreateSecretInput{Name: aws.String(unique("secret") + "/_+=.@-x")})
			for _, name := range []string{"with space", "with:colon"} {
				_, err := secretsClient().CreateSecret(t.Context(),
					&secretsmanager.CreateSecretInput{Name: aws.String(unique("secret") + name)})
				t.refused(err, "InvalidParameterException", "ValidationException")
			}
		}},
		{"DescribeSecret has the description, the tags and the dates", secretsAPI + "DescribeSecret.html", func(t *T) {
			s := createSecret(t, &secretsmanager.CreateSecretInput{
				Name: aws.String(unique("secret")), Description: aws.String("described"),
				Tags: []types.Tag{{Key: aws.String("team"), Value: aws.String("shop")}},
			})
			got := s.describe()
			if *got.Description != "described" || len(got.Tags) != 1 || *got.Tags[0].Key != "team" ||
				*got.Tags[0].Value != "shop" || got.CreatedDate == nil || got.LastChangedDate == nil {
				t.Errorf("got %+v", got)
			}
		}},
		{"DescribeSecret has the day of the last read", secretsAPI + "DescribeSecret.html", func(t *T) {
			s := newSecret(t)
			s.put("one")
			s.text("")
			got := s.describe()
			if got.LastAccessedDate == nil ||
				!got.LastAccessedDate.Equal(got.LastAccessedDate.UTC().Truncate(24*time.Hour)) {
				t.Errorf("LastAccessedDate: got %v, want the day of the read", got.LastAccessedDate)
			}
		}},
		{"a secret that is deleted can be restored", secretsAPI + "DeleteSecret.html", func(t *T) {
			s := newSecret(t)
			s.put("one")
			deleted, err := s.DeleteSecret(t.Context(), &secretsmanager.DeleteSecretInput{SecretId: &s.name,
				RecoveryWindowInDays: aws.Int64(7)})
			t.ok(err)
			if in := time.Until(*deleted.DeletionDate); in < 6*24*time.Hour || in > 8*24*time.Hour {
				t.Errorf("DeletionDate: got %v, want a week from now", deleted.DeletionDate)
			}
			_, err = s.get("", "")
			t.refused(err, "InvalidRequestException")
			if s.describe().DeletedDate == nil {
				t.Errorf("DescribeSecret has no DeletedDate")
			}
			_, err = s.RestoreSecret(t.Context(), &secretsmanager.RestoreSecretInput{SecretId: &s.name})
			t.ok(err)
			if got := s.text(""); got != "one" || s.describe().DeletedDate != nil {
				t.Errorf("after RestoreSecret: got %q, deleted on %v", got, s.describe().DeletedDate)
			}
		}},
		{"a secret that is marked for deletion cannot be changed", secretsAPI + "PutSecretValue.html", func(t *T) {
			s := newSecret(t)
			one := s.put("one")
			_, err := s.delete(&secretsmanager.DeleteSecretInput{})
			t.ok(err)
			t.refused(s.tryPut(uuid.NewString(), "two"), "InvalidRequestException")
			t.refused(s.move("blue", "", one), "InvalidRequestException")
			_, err = s.update(&secretsmanager.UpdateSecretInput{SecretString: aws.String("two")})
			t.refused(err, "InvalidRequestException")
			_, err = s.RotateSecret(t.Context(), &secretsmanager.RotateSecretInput{SecretId: &s.arn})
			t.refused(err, "InvalidRequestException")
		}},
		{"the name of a secret that is marked for deletion is taken", secretsAPI + "CreateSecret.html", func(t *T) {
			s := newSecret(t)
			_, err := s.delete(&secretsmanager.DeleteSecretInput{})
			t.ok(err)
			_, err = s.CreateSecret(t.Context(), &secretsmanager.CreateSecretInput{Name: &s.name})
			t.refused(err, "InvalidRequestException")
		}},
		{"a secret that is deleted by force is gone", secretsAPI + "DeleteSecret.html", func(t *T) {
			s, force := newSecret(t), aws.Bool(true)
			_, err := s.delete(&secretsmanager.DeleteSecretInput{ForceDeleteWithoutRecovery: force})
			t.ok(err)
			t.eventually("the secret is gone", func() bool {
				_, err := s.DescribeSecret(t.Context(), &secretsmanager.DescribeSecretInput{SecretId: &s.arn})
				return err != nil
			})
			_, err = s.DescribeSecret(t.Context(), &secretsmanager.DescribeSecretInput{SecretId: &s.arn})
			t.refused(err, "ResourceNotFoundException")
			_, err = s.RestoreSecret(t.Context(), &secretsmanager.RestoreSecretInput{SecretId: &s.arn})
			t.refused(err, "ResourceNotFoundException")
			_, err = s.DeleteSecret(t.Context(), &secretsmanager.DeleteSecretInput{SecretId: &s.name,
				ForceDeleteWithoutRecovery: force})
			t.ok(err)
		}},
		{"a recovery window has 7 to 30 days, and excludes force", secretsAPI + "DeleteSecret.html", func(t *T) {
			s := newSecret(t)
			for _, in := range []secretsmanager.DeleteSecretInput{
				{RecoveryWindowInDays: aws.Int64(6)}, {RecoveryWindowInDays: aws.Int64(31)},
				{RecoveryWindowInDays: aws.Int64(7), ForceDeleteWithoutRecovery: aws.Bool(true)},
			} {
				_, err := s.delete(&in)
				t.refused(err, "InvalidParameterException")
			}
		}},
		{"secrets are listed by filters", secretsAPI + "Filter.html", func(t *T) {
			prefix := unique("List")
			for name, description := range map[string]string{"-a": "One thing", "-b": "another thing"} {
				createSecret(t, &secretsmanager.CreateSecretInput{Name: aws.String(prefix + name),
					Description: &description})
			}
			for _, c := range []struct {
				key    types.FilterNameStringType
				values []string
				want   []string
			}{
				{types.FilterNameStringTypeName, []string{prefix}, []string{"-a", "-b"}},
				{types.FilterNameStringTypeName, []string{prefix + "-a"}, []string{"-a"}},
				{types.FilterNameStringTypeName, []string{prefix + "-a", prefix + "-b"}, []string{"-a", "-b"}},
				{types.FilterNameStringTypeName, []string{strings.ToLower(prefix)}, nil},
				{types.FilterNameStringTypeDescription, []string{"one th"}, []string{"-a"}},
				{types.FilterNameStringTypeDescription, []string{"!One"}, []string{"-b"}},
			} {
				got := listSecrets(t, prefix, types.Filter{Key: c.key, Values: c.values})
				if !slices.Equal(got, c.want) {
					t.Errorf("%s %q: got %q, want %q", c.key, c.values, got, c.want)
				}
			}
		}},
		{"secrets that are marked for deletion are listed on request", secretsAPI + "ListSecrets.html", func(t *T) {
			s := newSecret(t)
			_, err := s.delete(&secretsmanager.DeleteSecretInput{})
			t.ok(err)
			for planned, want := range map[bool]int{false: 0, true: 1} {
				mine := types.Filter{Key: types.FilterNameStringTypeName, Values: []string{s.name}}
				listed, err := s.ListSecrets(t.Context(), &secretsmanager.ListSecretsInput{
					IncludePlannedDeletion: &planned, Filters: []types.Filter{mine},
				})
				t.ok(err)
				if len(listed.SecretList) != want {
					t.Errorf("IncludePlannedDeletion %v: got %d secrets, want %d", planned,
						len(listed.SecretList), want)
				}
			}
		}},
	})
}

// listSecrets lists the secrets whose names begin with prefix and that match the filter. It returns
// the sorted names without the prefix.
func listSecrets(t *T, prefix string, filter types.Filter) (names []string) {
	t.Helper()
	mine := types.Filter{Key: types.FilterNameStringTypeName, Values: []string{prefix}}
	in := &secretsmanager.ListSecretsInput{MaxResults: aws.Int32(1), Filters: []types.Filter{mine, filter}}
	for pages := secretsmanager.NewListSecretsPaginator(secretsClient(), in); pages.HasMorePages(); {
		page, err := pages.NextPage(t.Context())
		t.ok(err)
		for _, s := range page.SecretList {
			names = append(names, strings.TrimPrefix(*s.Name, prefix))
		}
	}
	slices.Sort(names)
	return names
}

func TestRandomPasswords(t *testing.T) {
	type input = secretsmanager.GetRandomPasswordInput
	password := func(t *T, in *input) string {
		t.Helper()
		got, err := secretsClient().GetRandomPassword(t.Context(), in)
		t.ok(err)
		return *got.RandomPassword
	}
	matches := func(t *T, password string, patterns ...string) {
		t.Helper()
		for _, pattern := range patterns {
			if !regexp.MustCompile(pattern).MatchString(password) {
				t.Errorf("password %q: want a match of %s", password, pattern)
			}
		}
	}
	doc := secretsAPI + "GetRandomPassword.html"
	check(t, []conformanceCase{
		{"the default is 32 characters, some of each type", doc, func(t *T) {
			for range 20 {
				matches(t, password(t, &input{}), `^[!-~]{32}$`, `[a-z]`, `[A-Z]`, `[0-9]`, "[!-/:-@[-`{-~]")
			}
		}},
		{"PasswordLength is at most 4,096", doc, func(t *T) {
			matches(t, password(t, &input{PasswordLength: aws.Int64(20)}), `^.{20}$`)
			if got := len(password(t, &input{PasswordLength: aws.Int64(4096)})); got != 4096 {
				t.Errorf("length: got %d, want 4096", got)
			}
			_, err := secretsClient().GetRandomPassword(t.Context(), &input{PasswordLength: aws.Int64(4097)})
			t.refused(err, "InvalidParameterException", "ValidationException")
		}},
		{"excluded characters do not occur", doc, func(t *T) {
			in := &input{PasswordLength: aws.Int64(500), ExcludePunctuation: aws.Bool(true),
				ExcludeCharacters: aws.String("aeiou0")}
			matches(t, password(t, in), `^[b-df-hj-np-tv-zA-Z1-9]{500}$`)
			in = &input{ExcludePunctuation: aws.Bool(true), ExcludeLowercase: aws.Bool(true),
				ExcludeUppercase: aws.Bool(true)}
			matches(t, password(t, in), `^[0-9]{32}$`)
		}},
		{"spaces occur only with IncludeSpace", doc, func(t *T) {
			matches(t, password(t, &input{PasswordLength: aws.Int64(4000)}), `^[^ ]+$`)
			matches(t, password(t, &input{PasswordLength: aws.Int64(4000), IncludeSpace: aws.Bool(true)}), ` `)
		}},
		{"a password that requires each type has at least 4 characters", doc, func(t *T) {
			_, err := secretsClient().GetRandomPassword(t.Context(), &input{PasswordLength: aws.Int64(3)})
			t.refused(err, "InvalidParameterException")
			matches(t, password(t, &input{PasswordLength: aws.Int64(1), RequireEachIncludedType: aws.Bool(false)}),
				`^[!-~]$`)
		}},
	})
}
