package conformance

import (
	"slices"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/secretsmanager"
	"github.com/google/uuid"
)

const updateStage = secretsAPI + "UpdateSecretVersionStage.html"

func TestSecretVersions(t *testing.T) {
	check(t, []conformanceCase{
		{"AWSPREVIOUS follows AWSCURRENT when a value is put", secretsAPI + "PutSecretValue.html", func(t *T) {
			s := newSecret(t)
			s.put("one")
			two, three := s.put("two"), s.put("three")
			s.stages(map[string][]string{three: {"AWSCURRENT"}, two: {"AWSPREVIOUS"}})
		}},
		{"the first version is AWSCURRENT whatever its labels", secretsAPI + "PutSecretValue.html", func(t *T) {
			s := newSecret(t)
			one := s.put("one", "AWSPENDING")
			s.stages(map[string][]string{one: {"AWSCURRENT", "AWSPENDING"}})
		}},
		{"a label that is put is removed from the version that had it", secretsAPI + "PutSecretValue.html", func(t *T) {
			s := newSecret(t)
			one := s.put("one")
			s.put("two", "blue")
			three := s.put("three", "blue", "green")
			s.stages(map[string][]string{one: {"AWSCURRENT"}, three: {"blue", "green"}})
		}},
		{"AWSPREVIOUS follows AWSCURRENT when it is moved", updateStage, func(t *T) {
			s := newSecret(t)
			s.put("one")
			two, three := s.put("two"), s.put("three", "AWSPENDING")
			t.ok(s.move("AWSCURRENT", two, three))
			t.ok(s.move("AWSPENDING", three, ""))
			s.stages(map[string][]string{three: {"AWSCURRENT"}, two: {"AWSPREVIOUS"}})
		}},
		{"AWSCURRENT moves back to the previous version", rotationFunctions, func(t *T) {
			s := newSecret(t)
			one, two := s.put("one"), s.put("two")
			t.ok(s.move("AWSCURRENT", two, one))
			s.stages(map[string][]string{one: {"AWSCURRENT"}, two: {"AWSPREVIOUS"}})
			if got := s.text(""); got != "one" {
				t.Errorf("value: got %q, want %q", got, "one")
			}
		}},
		{"a custom label is attached, moved and removed", updateStage, func(t *T) {
			s := newSecret(t)
			one, two := s.put("one"), s.put("two")
			t.ok(s.move("blue", "", one))
			t.ok(s.move("blue", one, two))
			s.stages(map[string][]string{two: {"AWSCURRENT", "blue"}, one: {"AWSPREVIOUS"}})
			t.ok(s.move("blue", two, ""))
			s.stages(map[string][]string{two: {"AWSCURRENT"}, one: {"AWSPREVIOUS"}})
		}},
		{"an attached label moves only if the request names its version", updateStage, func(t *T) {
			s := newSecret(t)
			one, two := s.put("one"), s.put("two")
			three := s.put("three", "blue")
			t.refused(s.move("AWSCURRENT", "", one), "InvalidParameterException")
			t.refused(s.move("AWSCURRENT", one, three), "InvalidParameterException")
			t.refused(s.move("blue", "", two), "InvalidParameterException")
			t.refused(s.move("blue", two, one), "InvalidParameterException")
			s.stages(map[string][]string{two: {"AWSCURRENT"}, one: {"AWSPREVIOUS"}, three: {"blue"}})
		}},
		{"AWSCURRENT cannot be removed", secretsGuide + "whats-in-a-secret.html#term_version", func(t *T) {
			s := newSecret(t)
			one := s.put("one")
			t.refused(s.move("AWSCURRENT", one, ""), "InvalidParameterException")
			s.stages(map[string][]string{one: {"AWSCURRENT"}})
		}},
		{"a label moves to and from versions that exist", updateStage, func(t *T) {
			s := newSecret(t)
			one := s.put("one")
			t.refused(s.move("blue", "", uuid.NewString()), "ResourceNotFoundException", "InvalidParameterException")
			t.refused(s.move("AWSCURRENT", uuid.NewString(), one), "ResourceNotFoundException",
				"InvalidParameterException")
		}},
		{"versions without labels are not described", secretsAPI + "DescribeSecret.html", func(t *T) {
			s := newSecret(t)
			one := s.put("one")
			s.put("two")
			s.put("three")
			if stages, described := s.describe().VersionIdsToStages[one]; described {
				t.Errorf("the version without labels is described, with %q", stages)
			}
		}},
		{"versions without labels are listed on request", secretsAPI + "ListSecretVersionIds.html", func(t *T) {
			s := newSecret(t)
			one, two, three := s.put("one"), s.put("two"), s.put("three")
			for deprecated, want := range map[bool][]string{false: {two, three}, true: {one, two, three}} {
				listed, err := s.ListSecretVersionIds(t.Context(),
					&secretsmanager.ListSecretVersionIdsInput{SecretId: &s.name, IncludeDeprecated: &deprecated})
				t.ok(err)
				var got []string
				for _, v := range listed.Versions {
					got = append(got, *v.VersionId)
				}
				slices.Sort(got)
				slices.Sort(want)
				if !slices.Equal(got, want) {
					t.Errorf("IncludeDeprecated %v: got %q, want %q", deprecated, got, want)
				}
				if aws.ToString(listed.ARN) != s.arn || aws.ToString(listed.Name) != s.name {
					t.Errorf("the secret of the list: got %v and %v, want %s and %s", aws.ToString(listed.ARN),
						aws.ToString(listed.Name), s.arn, s.name)
				}
			}
		}},
		{"versions are listed in pages", secretsAPI + "ListSecretVersionIds.html", func(t *T) {
			s := newSecret(t)
			want := []string{s.put("one"), s.put("two"), s.put("three", "AWSPENDING")}
			var got []string
			in := &secretsmanager.ListSecretVersionIdsInput{SecretId: &s.arn, MaxResults: aws.Int32(2)}
			for pages := secretsmanager.NewListSecretVersionIdsPaginator(s, in); pages.HasMorePages(); {
				page, err := pages.NextPage(t.Context())
				t.ok(err)
				if len(page.Versions) > 2 {
					t.Errorf("a page of %d versions, want 2 at most", len(page.Versions))
				}
				for _, v := range page.Versions {
					got = append(got, *v.VersionId)
				}
			}
			slices.Sort(got)
			slices.Sort(want)
			if !slices.Equal(got, want) {
				t.Errorf("versions: got %q, want %q", got, want)
			}
		}},
		{"a missing secret has no versions to list", secretsAPI + "ListSecretVersionIds.html", func(t *T) {
			_, err := secretsClient().ListSecretVersionIds(t.Context(),
				&secretsmanager.ListSecretVersionIdsInput{SecretId: aws.String(unique("secret"))})
			t.refused(err, "ResourceNotFoundException")
		}},
	})
}
