package conformance

import (
	"bytes"
	"slices"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/secretsmanager"
	"github.com/google/uuid"
)

const partialARN = secretsGuide + "troubleshoot.html#ARN_secretnamehyphen"

func TestSecretValues(t *testing.T) {
	check(t, []conformanceCase{
		{"the default version is AWSCURRENT", secretsAPI + "GetSecretValue.html", func(t *T) {
			s := newSecret(t)
			one := s.put("one")
			s.put("two", "AWSPENDING")
			got, err := s.get("", "")
			t.ok(err)
			if *got.SecretString != "one" || *got.VersionId != one || *got.ARN != s.arn || *got.Name != s.name ||
				got.CreatedDate == nil || !slices.Equal(got.VersionStages, []string{"AWSCURRENT"}) {
				t.Errorf("got %+v", got)
			}
		}},
		{"a value is read by its version's id, by a stage, or by both", secretsAPI + "GetSecretValue.html", func(t *T) {
			s := newSecret(t)
			one, two := s.put("one"), s.put("two")
			for _, c := range []struct{ id, stage, want string }{
				{one, "", "one"}, {two, "", "two"}, {"", "AWSPREVIOUS", "one"}, {"", "AWSCURRENT", "two"},
				{one, "AWSPREVIOUS", "one"},
			} {
				got, err := s.get(c.id, c.stage)
				t.ok(err)
				if *got.SecretString != c.want {
					t.Errorf("version %q, stage %q: got %q, want %q", c.id, c.stage, *got.SecretString, c.want)
				}
			}
		}},
		{"an id and a stage of different versions are refused", secretsAPI + "GetSecretValue.html", func(t *T) {
			s := newSecret(t)
			one := s.put("one")
			s.put("two")
			_, err := s.get(one, "AWSCURRENT")
			t.refused(err, "InvalidRequestException", "ResourceNotFoundException")
		}},
		{"a missing secret, version or stage is not found", secretsAPI + "GetSecretValue.html", func(t *T) {
			s := newSecret(t)
			_, err := s.get("", "")
			t.refused(err, "ResourceNotFoundException")
			s.put("one")
			_, err = s.get("", "AWSPENDING")
			t.refused(err, "ResourceNotFoundException")
			_, err = s.get(uuid.NewString(), "")
			t.refused(err, "ResourceNotFoundException")
			_, err = s.GetSecretValue(t.Context(),
				&secretsmanager.GetSecretValueInput{SecretId: aws.String(unique("secret"))})
			t.refused(err, "ResourceNotFoundException")
		}},
		{"a secret is found by its name, its ARN and its ARN without the random characters", partialARN, func(t *T) {
			s := newSecret(t)
			s.put("one")
			for _, id := range []string{s.name, s.arn, s.arn[:len(s.arn)-len("-AbCdEf")]} {
				got, err := s.GetSecretValue(t.Context(), &secretsmanager.GetSecretValueInput{SecretId: &id})
				t.ok(err)
				if *got.ARN != s.arn {
					t.Errorf("SecretId %s: got %s, want %s", id, *got.ARN, s.arn)
				}
			}
		}},
		{"a binary value is returned unchanged", secretsAPI + "PutSecretValue.html", func(t *T) {
			s, binary := newSecret(t), []byte{0, 1, 254, 255}
			_, err := s.putValue(&secretsmanager.PutSecretValueInput{SecretBinary: binary})
			t.ok(err)
			got, err := s.get("", "")
			t.ok(err)
			if !bytes.Equal(got.SecretBinary, binary) || got.SecretString != nil {
				t.Errorf("got %v and text %v, want %v and none", got.SecretBinary, got.SecretString, binary)
			}
		}},
		{"PutSecretValue with the same token and value does nothing", secretsAPI + "PutSecretValue.html", func(t *T) {
			s := newSecret(t)
			one := s.put("one")
			two := s.put("two")
			t.ok(s.tryPut(one, "one"))
			s.stages(map[string][]string{two: {"AWSCURRENT"}, one: {"AWSPREVIOUS"}})
		}},
		{"PutSecretValue refuses another value for the same token", secretsAPI + "PutSecretValue.html", func(t *T) {
			s := newSecret(t)
			one := s.put("one")
			t.refused(s.tryPut(one, "other"), "ResourceExistsException")
			if got := s.text(""); got != "one" {
				t.Errorf("value: got %q, want %q", got, "one")
			}
		}},
		{"the id of a version is the token, of 32 to 64 characters", secretsAPI + "PutSecretValue.html", func(t *T) {
			s := newSecret(t)
			t.refused(s.tryPut(strings.Repeat("x", 31), "one"), "InvalidParameterException")
			t.refused(s.tryPut(strings.Repeat("x", 65), "one"), "InvalidParameterException")
			t.ok(s.tryPut(strings.Repeat("x", 64), "one"))
			s.stages(map[string][]string{strings.Repeat("x", 64): {"AWSCURRENT"}})
		}},
		{"a value may have 65,536 bytes and no more", secretsGuide + "reference_limits.html", func(t *T) {
			s := newSecret(t)
			s.put(strings.Repeat("x", 65536))
			t.refused(s.tryPut(uuid.NewString(), strings.Repeat("x", 65537)), "InvalidParameterException",
				"ValidationException")
		}},
		{"a request must have either a text or bytes", secretsAPI + "PutSecretValue.html", func(t *T) {
			s := newSecret(t)
			_, err := s.putValue(&secretsmanager.PutSecretValueInput{})
			t.refused(err, "InvalidRequestException", "InvalidParameterException")
			_, err = s.putValue(&secretsmanager.PutSecretValueInput{SecretString: aws.String("x"),
				SecretBinary: []byte("x")})
			t.refused(err, "InvalidRequestException", "InvalidParameterException")
		}},
		{"UpdateSecret makes a current version, and only with a value", secretsAPI + "UpdateSecret.html", func(t *T) {
			s := newSecret(t)
			one := s.put("one")
			changed, err := s.update(&secretsmanager.UpdateSecretInput{Description: aws.String("described")})
			t.ok(err)
			if changed.VersionId != nil {
				t.Errorf("a new description made version %s", *changed.VersionId)
			}
			updated, err := s.update(&secretsmanager.UpdateSecretInput{SecretString: aws.String("two")})
			t.ok(err)
			s.stages(map[string][]string{aws.ToString(updated.VersionId): {"AWSCURRENT"}, one: {"AWSPREVIOUS"}})
			if got := s.describe(); aws.ToString(got.Description) != "described" {
				t.Errorf("description: got %v, want %q", got.Description, "described")
			}
		}},
		{"UpdateSecret refuses the token of an existing version", secretsAPI + "UpdateSecret.html", func(t *T) {
			s := newSecret(t)
			one := s.put("one")
			for _, text := range []string{"one", "other"} {
				_, err := s.update(&secretsmanager.UpdateSecretInput{ClientRequestToken: &one, SecretString: &text})
				t.refused(err, "ResourceExistsException")
			}
		}},
	})
}
