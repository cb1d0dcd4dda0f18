package conformance

import (
	"encoding/json"
	"errors"
	"maps"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/secretsmanager"
	"github.com/google/uuid"
)

// A recordedSecret belongs to one recording.
type recordedSecret struct {
	r         *Recorded
	name, arn string
}

// secrets calls an operation, as the SDKs do with a token.
func (r *Recorded) secrets(operation string, in input) *answer {
	r.Helper()
	switch operation {
	case "CreateSecret", "UpdateSecret", "PutSecretValue", "RotateSecret":
		in["ClientRequestToken"] = uuid.NewString()
	}
	return r.call("secretsmanager", operation, in)
}

// createSecret creates a secret with a name that is made up unless the request has one.
func (r *Recorded) createSecret(in input) (recordedSecret, *answer) {
	r.Helper()
	if in["Name"] == nil {
		in["Name"] = unique("secret")
	}
	created := r.secrets("CreateSecret", in).ok()
	s := recordedSecret{r: r, name: created.text("Name"), arn: created.text("ARN")}
	r.Cleanup(func() { s.call("DeleteSecret", input{"ForceDeleteWithoutRecovery": true}) })
	return s, created
}

// textSecret creates a secret with a value, checks the answer, and returns the version's id.
func (r *Recorded) textSecret(value string) (s recordedSecret, version string) {
	r.Helper()
	s, created := r.createSecret(input{"SecretString": value})
	created.answered(s.named(input{"VersionId": id, "ARN": arnOfSecret(s.name)}))
	return s, created.text("VersionId")
}

// call calls an operation for the secret.
func (s recordedSecret) call(operation string, in input) *answer {
	s.r.Helper()
	if in["SecretId"] == nil {
		in["SecretId"] = s.name
	}
	return s.r.secrets(operation, in)
}

var id = regexp.MustCompile(`[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}`)

func arnOfSecret(name string) *regexp.Regexp {
	return regexp.MustCompile(`arn:aws:secretsmanager:` + endpoint.region + `:\d{12}:secret:` + regexp.QuoteMeta(name) +
		`-[A-Za-z0-9]{6}`)
}

// named returns the members of an answer about the secret, with more of them.
func (s recordedSecret) named(more input) input {
	members := input{"ARN": s.arn, "Name": s.name}
	maps.Copy(members, more)
	return members
}

// put stores a value, checks the answer, and returns the version's id.
func (s recordedSecret) put(value string, stages ...string) (version string) {
	s.r.Helper()
	in, want := input{"SecretString": value}, []string{"AWSCURRENT"}
	if stages != nil {
		in["VersionStages"], want = stages, stages
	}
	return s.call("PutSecretValue", in).answered(s.named(input{"VersionId": id, "VersionStages": anyOrder(want)})).
		text("VersionId")
}

// get checks the answer for the version with AWSCURRENT.
func (s recordedSecret) get(version, value string, stages ...string) {
	s.r.Helper()
	s.call("GetSecretValue", input{}).answered(s.value(version, value, stages...))
}

func (s recordedSecret) value(version, value string, stages ...string) input {
	return s.named(input{"VersionId": version, "SecretString": value, "SecretBinary": missing{},
		"CreatedDate": number{}, "VersionStages": anyOrder(stages)})
}

// move moves AWSCURRENT.
func (s recordedSecret) move(from, to string) {
	s.r.Helper()
	s.call("UpdateSecretVersionStage", input{"VersionStage": "AWSCURRENT", "RemoveFromVersionId": from,
		"MoveToVersionId": to}).answered(s.named(input{"VersionId": missing{}}))
}

// delete deletes the secret at once.
func (s recordedSecret) delete() {
	s.r.Helper()
	s.call("DeleteSecret", input{"ForceDeleteWithoutRecovery": true}).answered(s.named(input{"DeletionDate": number{}}))
}

// versions checks a list of versions.
func (s recordedSecret) versions(in input, versions ...exactly) {
	s.r.Helper()
	want := unordered{}
	for _, v := range versions {
		want = append(want, v)
	}
	s.call("ListSecretVersionIds", in).answered(s.named(input{"Versions": want}))
}

// listed returns a version in a list; read also has the date of its last read.
func listed(version string, stages ...string) exactly {
	v := exactly{"VersionId": version, "CreatedDate": number{}, "KmsKeyIds": []any{"DefaultEncryptionKey"}}
	if stages != nil {
		v["VersionStages"] = anyOrder(stages)
	}
	return v
}

func read(version string, stages ...string) exactly {
	v := listed(version, stages...)
	v["LastAccessedDate"] = number{}
	return v
}

// describe checks the description of the secret. more are the members besides those that each
// secret has.
func (s recordedSecret) describe(more input) {
	s.r.Helper()
	s.call("DescribeSecret", input{}).answered(nil).
		check("members", exactly(s.named(input{"CreatedDate": number{}, "LastChangedDate": number{}})).with(more))
}

func (e exactly) with(more input) exactly {
	maps.Copy(e, more)
	return e
}

// check checks the answer's members.
func (a *answer) check(what string, want any) {
	a.r.Helper()
	a.r.fact(a.service, a.operation, members, what, a.members, want)
}

func anyOrder(texts []string) unordered {
	list := unordered{}
	for _, t := range texts {
		list = append(list, t)
	}
	return list
}

// labels returns the member with the staging labels of versions.
func labels(of map[string]string) input {
	versions := exactly{}
	for version, label := range of {
		versions[version] = []any{label}
	}
	return input{"VersionIdsToStages": versions}
}

// listSecrets returns all secrets that match the filters, by name.
func (r *Recorded) listSecrets(filters ...input) map[string]any {
	r.Helper()
	found := map[string]any{}
	for in := (input{"Filters": filters}); ; {
		page := r.secrets("ListSecrets", in).ok()
		list, _ := page.members["SecretList"].([]any)
		for _, secret := range list {
			found[secret.(map[string]any)["Name"].(string)] = secret
		}
		if page.members["NextToken"] == nil {
			return found
		}
		in["NextToken"] = page.members["NextToken"]
	}
}

// isListed checks the secret's entry in the list of all secrets.
func (s recordedSecret) isListed(version, description string) {
	s.r.Helper()
	s.r.fact("secretsmanager", "ListSecrets", members, "the secret's entry", s.r.listSecrets()[s.name],
		exactly(s.named(input{"CreatedDate": number{}, "LastChangedDate": number{}, "Description": description,
			"SecretVersionsToStages": exactly{version: []any{"AWSCURRENT"}}})))
}

func TestRecordedSecretsManager(t *testing.T) {
	const (
		isMarked = "You can't perform this operation on the secret because it was marked for deletion."
		noSecret = "Secrets Manager can't find the specified secret."
		notFound = "ResourceNotFoundException"
	)
	recordings := []recording{
		{"test_secret_restore", "2024-03-20", func(r *Recorded) {
			s, _ := r.createSecret(input{"SecretString": "x", "Description": "d"})
			s.call("DeleteSecret", input{}).answered(s.named(input{"DeletionDate": number{}}))
			s.call("RestoreSecret", input{}).answered(s.named(input{"VersionId": missing{}}))
		}},
		{"test_secret_not_found", "2024-03-15", func(r *Recorded) {
			for _, operation := range []string{"GetSecretValue", "ListSecretVersionIds"} {
				r.secrets(operation, input{"SecretId": unique("missing")}).refused(400, notFound, noSecret)
			}
		}},
		{"test_secret_version_not_found", "2024-06-13", func(r *Recorded) {
			s, _ := r.createSecret(input{})
			version, none := uuid.NewString(), "Secrets Manager can't find the specified secret value for "
			s.call("GetSecretValue", input{}).refused(400, notFound, none+"staging label: AWSCURRENT")
			s.call("GetSecretValue", input{"VersionId": version}).refused(400, notFound, none+"VersionId: "+version)
			s.call("GetSecretValue", input{"VersionStage": "AWSPENDING"}).
				refused(400, notFound, none+"staging label: AWSPENDING")
		}},
		{"test_get_secret_value_errors", "2024-04-11", func(r *Recorded) {
			s, created := r.createSecret(input{"SecretString": "x"})
			s.call("GetSecretValue", input{"SecretId": s.arn, "VersionStage": "AWSPREVIOUS"}).refused(400, notFound,
				"Secrets Manager can't find the specified secret value for staging label: AWSPREVIOUS")
			s.call("GetSecretValue", input{"VersionId": created.text("VersionId"), "VersionStage": "AWSPREVIOUS"}).
				refused(400, "InvalidRequestException",
					"You provided a VersionStage that is not associated to the provided VersionId.")
		}},
		{"test_get_secret_value", "2024-09-24", func(r *Recorded) {
			s, created := r.createSecret(input{"SecretBinary": "Zm9vdGVzdA=="})
			for _, id := range []string{s.arn, s.name} {
				s.call("GetSecretValue", input{"SecretId": id}).answered(s.named(input{
					"SecretBinary": "Zm9vdGVzdA==", "SecretString": missing{}, "VersionId": created.text("VersionId"),
					"CreatedDate": number{}, "VersionStages": []any{"AWSCURRENT"},
				}))
			}
		}},

		{"test_call_lists_secrets_multiple_times", "2024-03-15", listsOften},
		{"test_call_lists_secrets_multiple_times_snapshots", "2022-09-28", listsOften},
		{"test_create_multi_secrets", "2024-03-15", listsMany},
		{"test_create_multi_secrets_snapshot", "2022-09-28", listsMany},
		{"test_list_secrets_filtering", "2024-04-10", func(r *Recorded) {
			base := unique("")
			names := map[string]string{
				"1": base + "/one", "2": "/" + base + "/two", "3": base + "/three", "4": "/" + base + "/four",
			}
			for number, description := range map[string]string{
				"1": "a secret", "2": "an secret", "3": "asecret", "4": "thesecret",
			} {
				r.createSecret(input{"Name": names[number], "SecretString": "x", "Description": description})
			}
			by := func(key, value string) input { return input{"Key": key, "Values": []string{value}} }
			for _, c := range []struct {
				want    string
				filters []input
			}{
				{"24", []input{by("name", "/")}}, {"13", []input{by("name", "!/")}},
				{"", []input{by("name", base+" one")}},
				{"123", []input{by("description", "a")}}, {"4", []input{by("description", "!a")}},
				{"12", []input{by("description", "a secret")}}, {"1234", []input{by("description", "!c")}},
				{"", []input{by("description", "a"), by("name", "secret")}},
				{"", []input{by("description", "a"), by("name", "an")}},
			} {
				found, got := r.listSecrets(c.filters...), ""
				for _, number := range []string{"1", "2", "3", "4"} {
					if found[names[number]] != nil {
						got += number
					}
				}
				text, _ := json.Marshal(c.filters)
				r.fact("secretsmanager", "ListSecrets", members, "the secrets by "+string(text), got, c.want)
			}
		}},

		{"test_get_random_exclude_characters_and_symbols", "2024-03-15", func(r *Recorded) {
			r.secrets("GetRandomPassword", input{"PasswordLength": 120, "ExcludeCharacters": "xyzDje@?!."}).
				answered(input{"RandomPassword": regexp.MustCompile(`[^xyzDje@?!.]{120}`)})
		}},
		{"test_resource_policy", "2024-03-19", func(r *Recorded) {
			const policy = `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":"*",` +
				`"Action":"secretsmanager:GetSecretValue","Resource":"*"}]}`
			s, _ := r.createSecret(input{"SecretString": "x", "Description": "d"})
			s.call("PutResourcePolicy", input{"ResourcePolicy": policy}).answered(s.named(nil))
			answer := s.call("GetResourcePolicy", input{}).answered(s.named(nil))
			var got, want any
			err := errors.Join(json.Unmarshal([]byte(answer.text("ResourcePolicy")), &got),
				json.Unmarshal([]byte(policy), &want))
			if err != nil {
				r.Fatal(err)
			}
			r.fact("secretsmanager", "GetResourcePolicy", members, "the policy", got, want)
			s.call("DeleteResourcePolicy", input{}).answered(nil)
		}},

		{"test_rotate_secret_with_lambda_success[True]", "2025-03-30", func(r *Recorded) {
			rotates(r, input{"RotationRules": input{"AutomaticallyAfterDays": 1}, "RotateImmediately": true})
		}},
		{"test_rotate_secret_with_lambda_success[None]", "2025-03-30", func(r *Recorded) {
			rotates(r, input{"RotationRules": input{"AutomaticallyAfterDays": 1}})
		}},
		{"test_rotate_secret_multiple_times_with_lambda_success", "2025-03-29", func(r *Recorded) {
			rotates(r, input{"RotationRules": input{"AutomaticallyAfterDays": 1}, "RotateImmediately": true}, input{})
		}},
		{"test_rotate_secret_invalid_lambda_arn", "2024-03-15", func(r *Recorded) {
			s, version := r.textSecret("x")
			function := "arn:aws:lambda:" + endpoint.region + ":000000000000:function:rotate_secret_invalid_lambda_arn"
			s.call("RotateSecret", input{"RotationLambdaARN": function,
				"RotationRules": input{"AutomaticallyAfterDays": 1}}).refused(400, "AccessDeniedException",
				"Secrets Manager cannot invoke the specified Lambda function. Ensure that the function policy grants "+
					"access to the principal secretsmanager.amazonaws.com.")
			s.describe(labels(map[string]string{version: "AWSCURRENT"}))
		}},
		{"test_first_rotate_secret_with_missing_lambda_arn", "2025-03-27", func(r *Recorded) {
			s, version := r.textSecret("x")
			s.call("RotateSecret", input{"RotationRules": input{"AutomaticallyAfterDays": 1}}).
				refused(400, "InvalidRequestException",
					"No Lambda rotation function ARN is associated with this secret.")
			s.describe(labels(map[string]string{version: "AWSCURRENT"}))
		}},

		{"test_last_accessed_date", "2024-03-15", func(r *Recorded) {
			s, _ := r.createSecret(input{"SecretString": "x"})
			day := func() any { return s.call("DescribeSecret", input{}).ok().members["LastAccessedDate"] }
			fact := func(what string, got, want any) {
				r.fact("secretsmanager", "DescribeSecret", members, what, got, want)
			}
			fact("the day of no read", day(), missing{})
			s.call("GetSecretValue", input{}).ok()
			first := day()
			fact("the day of the first read", first, number{})
			s.call("GetSecretValue", input{}).ok()
			fact("the day of the second read", day(), first)
		}},
		{"test_last_updated_date", "2024-03-15", func(r *Recorded) {
			s, _ := r.createSecret(input{"SecretString": "x"})
			changed := func() float64 {
				date, _ := s.call("DescribeSecret", input{}).ok().members["LastChangedDate"].(float64)
				return date
			}
			before := changed()
			for _, value := range []string{"y", "y", "z"} {
				for float64(time.Now().UnixMilli())/1000 <= before { // the date has milliseconds
				}
				s.call("UpdateSecret", input{"SecretString": value}).ok()
				after := changed()
				r.fact("secretsmanager", "DescribeSecret", members, "the date is later", after > before, true)
				before = after
			}
		}},
		{"test_update_secret_description", "2024-03-15", func(r *Recorded) {
			s, one := r.textSecret("x")
			s.describe(labels(map[string]string{one: "AWSCURRENT"}))
			none := s.named(input{"VersionId": missing{}})
			s.call("UpdateSecret", input{"Description": "d"}).answered(none)
			described := func(description string, of map[string]string) {
				more := labels(of)
				more["Description"] = description
				s.describe(more)
			}
			described("d", map[string]string{one: "AWSCURRENT"})
			two := s.call("UpdateSecret", input{"SecretString": "y", "Description": "e"}).
				answered(s.named(input{"VersionId": id})).text("VersionId")
			described("e", map[string]string{one: "AWSPREVIOUS", two: "AWSCURRENT"})
			three := s.call("UpdateSecret", input{"SecretString": "z"}).
				answered(s.named(input{"VersionId": id})).text("VersionId")
			described("e", map[string]string{two: "AWSPREVIOUS", three: "AWSCURRENT"})
			s.call("UpdateSecret", input{}).answered(none)
			described("e", map[string]string{two: "AWSPREVIOUS", three: "AWSCURRENT"})
			s.delete()
		}},

		{"test_put_secret_value_with_version_stages", "2024-03-15", func(r *Recorded) {
			s, zero := r.textSecret("0")
			s.get(zero, "0", "AWSCURRENT")
			for _, stages := range [][]string{
				{"SAMPLESTAGE1", "SAMPLESTAGE0"}, {"SAMPLESTAGE1", "SAMPLESTAGE0"}, {"AWSPENDING"},
			} {
				s.put("1", stages...)
				s.get(zero, "0", "AWSCURRENT")
			}
			s.get(s.put("4"), "4", "AWSCURRENT")
			s.delete()
		}},
		{"test_update_secret_version_stages_return_type", "2024-03-15", func(r *Recorded) {
			s, one := r.textSecret("1")
			s.move(one, s.put("2", "AWSPENDING"))
			s.delete()
		}},
		{"test_update_secret_version_stages_current_previous", "2024-03-15", func(r *Recorded) {
			s, one := r.textSecret("1")
			s.versions(input{}, listed(one, "AWSCURRENT"))
			two := s.call("UpdateSecret", input{"SecretString": "2"}).answered(s.named(input{"VersionId": id})).
				text("VersionId")
			s.versions(input{}, listed(one, "AWSPREVIOUS"), listed(two, "AWSCURRENT"))
			s.delete()
		}},
		{"test_update_secret_version_stages_current_pending", "2024-03-15", func(r *Recorded) {
			s, one := r.textSecret("1")
			two := s.put("2", "AWSPENDING")
			s.versions(input{}, listed(one, "AWSCURRENT"), listed(two, "AWSPENDING"))
			s.move(one, two)
			s.versions(input{}, listed(one, "AWSPREVIOUS"), listed(two, "AWSCURRENT", "AWSPENDING"))
			three := s.put("3")
			s.versions(input{}, listed(two, "AWSPREVIOUS"), listed(three, "AWSCURRENT"))
			s.delete()
		}},
		{"test_update_secret_version_stages_current_pending_cycle", "2024-03-15", func(r *Recorded) {
			s, one := r.textSecret("1")
			two := s.put("2", "AWSPENDING")
			s.versions(input{}, listed(one, "AWSCURRENT"), listed(two, "AWSPENDING"))
			s.get(one, "1", "AWSCURRENT")
			s.move(one, two)
			s.versions(input{}, read(one, "AWSPREVIOUS"), listed(two, "AWSCURRENT", "AWSPENDING"))
			s.get(two, "2", "AWSCURRENT", "AWSPENDING")
			three := s.put("3", "AWSPENDING")
			s.versions(input{}, read(one, "AWSPREVIOUS"), read(two, "AWSCURRENT"), listed(three, "AWSPENDING"))
			s.get(two, "2", "AWSCURRENT")
			s.move(two, three)
			s.versions(input{}, read(two, "AWSPREVIOUS"), listed(three, "AWSCURRENT", "AWSPENDING"))
			s.get(three, "3", "AWSCURRENT", "AWSPENDING")
			s.delete()
		}},
		{"test_update_secret_version_stages_current_pending_cycle_custom_stages_1", "2024-03-15", func(r *Recorded) {
			s, one := r.textSecret("1")
			two := s.put("2", "AWSSOMETHING", "AWSPENDING", "PUT1")
			s.versions(input{}, listed(one, "AWSCURRENT"), listed(two, "AWSPENDING", "AWSSOMETHING", "PUT1"))
			s.get(one, "1", "AWSCURRENT")
			s.move(one, two)
			s.versions(input{}, read(one, "AWSPREVIOUS"),
				listed(two, "AWSCURRENT", "AWSPENDING", "AWSSOMETHING", "PUT1"))
			s.get(two, "2", "AWSCURRENT", "AWSPENDING", "AWSSOMETHING", "PUT1")
			three := s.put("3", "AWSPENDING", "PUT2")
			s.versions(input{}, read(one, "AWSPREVIOUS"), read(two, "AWSCURRENT", "AWSSOMETHING", "PUT1"),
				listed(three, "AWSPENDING", "PUT2"))
			s.get(two, "2", "AWSCURRENT", "AWSSOMETHING", "PUT1")
			s.move(two, three)
			s.versions(input{}, read(two, "AWSPREVIOUS", "AWSSOMETHING", "PUT1"),
				listed(three, "AWSCURRENT", "AWSPENDING", "PUT2"))
			s.get(three, "3", "AWSCURRENT", "AWSPENDING", "PUT2")
			s.delete()
		}},
		{"test_update_secret_version_stages_current_pending_cycle_custom_stages_2", "2024-03-15", func(r *Recorded) {
			s, zero := r.textSecret("0")
			one := s.put("1", "AWSCURRENT", "PUT0")
			s.versions(input{}, listed(zero, "AWSPREVIOUS"), listed(one, "AWSCURRENT", "PUT0"))
			two := s.put("2", "AWSPENDING", "PUT1")
			s.versions(input{}, listed(zero, "AWSPREVIOUS"), listed(one, "AWSCURRENT", "PUT0"),
				listed(two, "AWSPENDING", "PUT1"))
			s.get(one, "1", "AWSCURRENT", "PUT0")
			s.move(one, two)
			s.versions(input{}, read(one, "AWSPREVIOUS", "PUT0"), listed(two, "AWSCURRENT", "AWSPENDING", "PUT1"))
			s.get(two, "2", "AWSCURRENT", "AWSPENDING", "PUT1")
			three := s.put("3", "AWSPENDING", "PUT2")
			s.versions(input{}, read(one, "AWSPREVIOUS", "PUT0"), read(two, "AWSCURRENT", "PUT1"),
				listed(three, "AWSPENDING", "PUT2"))
			s.get(two, "2", "AWSCURRENT", "PUT1")
			s.move(two, three)
			s.versions(input{}, read(one, "PUT0"), read(two, "AWSPREVIOUS", "PUT1"),
				listed(three, "AWSCURRENT", "AWSPENDING", "PUT2"))
			s.get(three, "3", "AWSCURRENT", "AWSPENDING", "PUT2")
			s.delete()
		}},
		{"test_update_secret_version_stages_current_pending_cycle_custom_stages_3", "2024-03-15", func(r *Recorded) {
			s, one := r.textSecret("1")
			two := s.put("2", "PENDING")
			s.versions(input{}, listed(one, "AWSCURRENT"), listed(two, "PENDING"))
			get := func(version, value string, stages ...string) {
				r.Helper()
				s.call("GetSecretValue", input{"VersionId": version}).answered(s.value(version, value, stages...))
			}
			get(one, "1", "AWSCURRENT")
			get(two, "2", "PENDING")
			s.move(one, two)
			get(one, "1", "AWSPREVIOUS")
			get(two, "2", "AWSCURRENT", "PENDING")
			s.call("UpdateSecretVersionStage", input{"VersionStage": "PENDING", "RemoveFromVersionId": two}).
				answered(s.named(nil))
			get(one, "1", "AWSPREVIOUS")
			get(two, "2", "AWSCURRENT")
			s.delete()
		}},
		{"test_non_versioning_version_stages_replacement", "2024-03-15", func(r *Recorded) {
			s, one := r.textSecret("1")
			two := s.put("2", "one", "two", "three")
			s.versions(input{}, listed(one, "AWSCURRENT"), listed(two, "one", "two", "three"))
			three := s.put("3", "one", "two", "three", "four")
			s.versions(input{}, listed(one, "AWSCURRENT"), listed(three, "one", "two", "three", "four"))
			s.delete()
		}},
		{"test_non_versioning_version_stages_no_replacement", "2024-03-15", func(r *Recorded) {
			s, one := r.textSecret("1")
			two := s.put("2", "one", "two", "three")
			s.versions(input{}, listed(one, "AWSCURRENT"), listed(two, "one", "two", "three"))
			three := s.put("3", "one", "two", "four")
			s.versions(input{}, listed(one, "AWSCURRENT"), listed(two, "three"), listed(three, "one", "two", "four"))
			s.delete()
		}},
		{"test_deprecated_secret_version_stage", "2024-03-29", func(r *Recorded) {
			s, one := r.textSecret("1")
			s.versions(input{}, listed(one, "AWSCURRENT"))
			two := s.put("2")
			s.versions(input{}, listed(one, "AWSPREVIOUS"), listed(two, "AWSCURRENT"))
			three := s.put("3")
			s.versions(input{}, listed(two, "AWSPREVIOUS"), listed(three, "AWSCURRENT"))
			all := input{"IncludeDeprecated": true}
			s.versions(all, listed(one), listed(two, "AWSPREVIOUS"), listed(three, "AWSCURRENT"))
			four := s.put("4")
			s.versions(input{}, listed(three, "AWSPREVIOUS"), listed(four, "AWSCURRENT"))
			s.versions(all, listed(one), listed(two), listed(three, "AWSPREVIOUS"), listed(four, "AWSCURRENT"))
		}},
		{"test_create_secret_version_from_empty_secret", "2024-03-15", func(r *Recorded) {
			s, created := r.createSecret(input{"Description": ""})
			created.answered(s.named(input{"VersionId": missing{}, "ARN": arnOfSecret(s.name)}))
			s.describe(nil)
			s.put("x")
		}},

		{"test_delete_non_existent_secret_returns_as_if_secret_exists", "2024-03-15", func(r *Recorded) {
			name := unique("missing")
			r.secrets("DeleteSecret", input{"SecretId": name, "ForceDeleteWithoutRecovery": true}).
				answered(input{"Name": name, "ARN": arnOfSecret(name), "DeletionDate": number{}})
		}},
		{"test_exp_raised_on_creation_of_secret_scheduled_for_deletion", "2024-03-15", func(r *Recorded) {
			s, _ := r.createSecret(input{"SecretString": "x"})
			s.call("DeleteSecret", input{"RecoveryWindowInDays": 7}).answered(s.named(input{"DeletionDate": number{}}))
			r.secrets("CreateSecret", input{"Name": s.name, "SecretString": "x"}).refused(400,
				"InvalidRequestException",
				"You can't create this secret because a secret with this name is already scheduled for deletion.")
		}},
		{"test_can_recreate_delete_secret", "2024-03-15", func(r *Recorded) {
			s, one := r.textSecret("x")
			s.delete()
			again := r.secrets("CreateSecret", input{"Name": s.name, "SecretString": "x"}).
				answered(input{"Name": s.name, "ARN": arnOfSecret(s.name), "VersionId": id})
			r.fact("secretsmanager", "CreateSecret", members, "another ARN and version",
				again.text("ARN") != s.arn && again.text("VersionId") != one, true)
		}},
		{"test_force_delete_deleted_secret", "2024-10-11", func(r *Recorded) {
			s, version := r.textSecret("x")
			s.call("DeleteSecret", input{"SecretId": s.arn}).answered(s.named(input{"DeletionDate": number{}}))
			more := labels(map[string]string{version: "AWSCURRENT"})
			more["DeletedDate"] = number{}
			s.describe(more)
			s.delete()
		}},
		{"test_secret_exists", "2024-03-15", exists},
		{"test_secret_exists_snapshots", "2024-03-15", exists},
		{"test_secret_tags", "2024-04-01", func(r *Recorded) {
			s, created := r.createSecret(input{})
			created.answered(s.named(input{"VersionId": missing{}}))
			s.describe(nil)
			tag := func(n string) input { return input{"Key": "tag" + n, "Value": "value" + n} }
			add := func(tags ...input) { s.call("TagResource", input{"Tags": tags}).answered(nil) }
			remove := func(keys ...string) { s.call("UntagResource", input{"TagKeys": keys}).answered(nil) }
			has := func(tags ...input) { s.describe(input{"Tags": slices.Clip(tags)}) }
			add(tag("1"))
			has(tag("1"))
			add(tag("2"))
			has(tag("1"), tag("2"))
			remove("tag1")
			has(tag("2"))
			remove("tag2")
			s.describe(input{"Tags": []any{}})
			add(tag("3"), tag("4"))
			has(tag("3"), tag("4"))
			remove("tag3", "tag4")
			s.describe(input{"Tags": []any{}})
		}},
		{"test_tag_untag_resource_on_deleted_secret", "2026-01-29", func(r *Recorded) {
			s, created := r.createSecret(input{"SecretString": "x", "Tags": []input{{"Key": "k", "Value": "v"}}})
			created.answered(s.named(input{"VersionId": id}))
			s.call("DeleteSecret", input{}).answered(s.named(input{"DeletionDate": number{}}))
			s.call("TagResource", input{"Tags": []input{{"Key": "a", "Value": "b"}}}).
				refused(400, "InvalidRequestException", isMarked)
			s.call("UntagResource", input{"TagKeys": []string{"k"}}).refused(400, "InvalidRequestException", isMarked)
		}},
	}
	for _, name := range []string{
		"s-c64bdc03", "Valid/_+=.@-Name", "Valid/_+=.@-Name-a1b2", "Valid/_+=.@-Name-a1b2c3-",
	} {
		recordings = append(recordings, recording{"test_create_and_update_secret[" + name + "]", "2024-03-15",
			func(r *Recorded) { changes(r, unique("")+name) }})
	}
	// ValidateResourcePolicy is not implemented, and none of the facts is about it.
	for _, name := range []string{"Inv Name", " Inv Name", " Inv*Name? ", ` Inv *?!]Name\-`} {
		test := "test_invalid_secret_name[" + strings.ReplaceAll(name, `\`, `\\`) + "]"
		recordings = append(recordings, recording{test, "2024-03-15", func(r *Recorded) { isNoName(r, name) }})
	}
	for operation, code := range map[string]string{
		"CreateSecret": "InvalidRequestException", "UpdateSecret": "InvalidRequestException",
		"PutSecretValue": "InvalidRequestException", "RotateSecret": "InvalidParameterException",
	} {
		recordings = append(recordings, recording{"test_no_client_request_token[" + operation + "]", "2024-03-15",
			func(r *Recorded) {
				in := input{"SecretId": unique("missing")}
				switch operation {
				case "CreateSecret":
					in = input{"Name": unique("missing"), "SecretString": "x"}
				case "UpdateSecret", "PutSecretValue":
					in["SecretString"] = "x"
				}
				r.call("secretsmanager", operation, in).refused(400, code,
					"You must provide a ClientRequestToken value. We recommend a UUID-type value.")
			}})
	}
	checkRecorded(t, "secretsmanager/test_secretsmanager", recordings,
		leftOut{2, "they need a second account"},
		leftOut{1, "the test was changed since, and says that AWS does something else"},
		leftOut{1, "it has been replaced by tests with a parameter, which are checked"},
	)
}

func listsOften(r *Recorded) {
	s, created := r.createSecret(input{"SecretString": "x", "Description": "testing creation of secrets"})
	created.answered(s.named(input{"VersionId": id}))
	for range 3 {
		s.isListed(created.text("VersionId"), "testing creation of secrets")
	}
	s.delete()
}

func listsMany(r *Recorded) {
	const description = "Testing secrets creation."
	versions := map[recordedSecret]string{}
	for range 3 {
		s, created := r.createSecret(input{"SecretString": "x", "Description": description})
		versions[s] = created.text("VersionId")
	}
	for s, version := range versions {
		s.isListed(version, description)
	}
	for s := range versions {
		s.delete()
	}
}

func exists(r *Recorded) {
	s, _ := r.createSecret(input{"SecretString": "x", "Description": "d"})
	r.secrets("CreateSecret", input{"Name": s.name, "SecretString": "x", "Description": "d"}).
		refused(400, "ResourceExistsException", "The operation failed because the secret "+s.name+" already exists.")
	s.delete()
}

// changes reads a secret by its name, its ARN and a part of its ARN, and changes it.
func changes(r *Recorded, name string) {
	s, created := r.createSecret(input{"Name": name, "SecretString": "a", "Description": "d"})
	one := created.answered(s.named(input{"VersionId": id, "ARN": arnOfSecret(name)})).text("VersionId")
	s.get(one, "a", "AWSCURRENT")
	more := labels(map[string]string{one: "AWSCURRENT"})
	more["Description"], more["LastAccessedDate"] = "d", number{}
	s.describe(more)
	for _, id := range []string{s.arn, s.arn[:len(s.arn)-7]} {
		s.call("GetSecretValue", input{"SecretId": id}).answered(s.value(one, "a", "AWSCURRENT"))
	}
	s.get(s.put("b"), "b", "AWSCURRENT")
	s.call("UpdateSecret", input{"SecretId": s.arn, "SecretString": "c", "Description": "e"}).
		answered(s.named(input{"VersionId": id}))
	s.delete()
}

func isNoName(r *Recorded, name string) {
	for _, c := range []struct {
		operation string
		in        input
	}{
		{"CreateSecret", input{"Name": name, "SecretString": "x"}},
		{"DeleteSecret", input{"ForceDeleteWithoutRecovery": true}}, {"DescribeSecret", input{}},
		{"GetSecretValue", input{}}, {"ListSecretVersionIds", input{"IncludeDeprecated": true}},
		{"PutSecretValue", input{"SecretString": "x"}},
		{"TagResource", input{"Tags": []input{{"Key": "k", "Value": "v"}}}},
		{"UntagResource", input{"TagKeys": []string{"k"}}}, {"UpdateSecret", input{"Description": "d"}},
	} {
		if c.operation != "CreateSecret" {
			c.in["SecretId"] = name
		}
		r.secrets(c.operation, c.in).refused(400, "ValidationException",
			"Invalid name. Must be a valid name containing alphanumeric characters, or any of the following: -/_+=.@!")
	}
}

// rotates rotates a secret once for each request.
func rotates(r *Recorded, requests ...input) {
	if endpoint.other {
		r.Skip("only the local endpoint can call a rotation function of this process")
	}
	const description = "testing rotation of secrets"
	s, created := r.createSecret(input{"SecretString": "x", "Description": description})
	client := secretsClient()
	function := &rotator{
		secret: secret{Client: client},
		arn:    "arn:aws:lambda:" + endpoint.region + ":000000000000:function:" + unique("rotator"),
		before: func(e rotationEvent) error {
			if e.Step != "createSecret" {
				return nil
			}
			_, err := client.GetSecretValue(r.Context(), &secretsmanager.GetSecretValueInput{SecretId: &s.arn})
			return err
		},
	}
	rotators.Store(function.arn, function)
	r.Cleanup(func() { rotators.Delete(function.arn) })

	before := created.text("VersionId")
	for i, in := range requests {
		if i == 0 {
			in["RotationLambdaARN"] = function.arn
		}
		after := s.call("RotateSecret", in).answered(s.named(input{"VersionId": id})).text("VersionId")
		(&T{T: r.T}).eventually("the rotation is done", func() bool {
			members := s.call("DescribeSecret", input{}).ok().members
			stages, _ := members["VersionIdsToStages"].(map[string]any)
			return match(stages[after], []any{"AWSCURRENT"}) == nil && members["LastRotatedDate"] != nil
		})
		more := labels(map[string]string{before: "AWSPREVIOUS", after: "AWSCURRENT"})
		maps.Copy(more, input{
			"Description": description, "RotationEnabled": true, "RotationLambdaARN": function.arn,
			"RotationRules":    exactly{"AutomaticallyAfterDays": 1},
			"LastAccessedDate": number{}, "LastRotatedDate": number{}, "NextRotationDate": number{},
		})
		s.describe(more)
		s.versions(input{}, read(before, "AWSPREVIOUS"), listed(after, "AWSCURRENT"))
		before = after
	}
}
