package main

import (
	"encoding/json"
	"maps"
	"reflect"
	"slices"
	"strings"
	"testing"

	"restock/infra/graph"
	"restock/infra/policy"
	"restock/infra/recorder"
)

const (
	testSettings = `{"repository": "shop@12/restock@34", "environments": {"dev": "dev", "prod": "prod", "pr": "pr-*"}}`
	bucketARN    = "arn:aws:s3:::state"
	keyARN       = "arn:aws:kms:ap-northeast-2:000000000000:key/pulumi"
	providerARN  = "arn:aws:iam::000000000000:oidc-provider/token.actions.githubusercontent.com"
	policiesARN  = "arn:aws:iam::000000000000:policy/restock-delivery/"
)

func options(settings string) recorder.Options {
	return recorder.Options{
		Project: "restock-bootstrap",
		Stage:   "main",
		Config:  map[string]string{"aws:region": "ap-northeast-2", "restock-bootstrap:settings": settings},
		Answer: func(r *graph.Resource) error {
			switch r.Type {
			case graph.Bucket:
				r.Outputs["arn"], r.Outputs["bucket"] = bucketARN, r.Name
			case graph.Key:
				r.Outputs["arn"], r.Outputs["keyId"] = keyARN, r.Name
			case graph.IdentityProvider:
				r.Outputs["arn"] = providerARN
			case graph.ManagedPolicy:
				r.Outputs["arn"] = policiesARN + r.Name
			}
			return nil
		},
	}
}

func record(tb testing.TB) *graph.Graph {
	tb.Helper()
	g, err := recorder.Record(bootstrap, options(testSettings))
	if err != nil {
		tb.Fatal(err)
	}
	return g
}

func one(tb testing.TB, g *graph.Graph, token graph.Type) *graph.Resource {
	tb.Helper()
	found := g.OfType(token)
	if len(found) != 1 {
		tb.Fatalf("there are %d resources of type %s, want 1", len(found), token)
	}
	return found[0]
}

func policyOf(tb testing.TB, r *graph.Resource, output string) policy.Document {
	tb.Helper()
	var p policy.Document
	if err := json.Unmarshal([]byte(r.String(output)), &p); err != nil {
		tb.Fatalf("%s %s: %s is not a policy: %v", r.Type, r.Name, output, err)
	}
	return p
}

// permissions returns the statements of each role and each boundary, by its logical name.
func permissions(tb testing.TB, g *graph.Graph) map[string]policy.Document {
	tb.Helper()
	found := map[string]policy.Document{}
	add := func(name string, more policy.Document) {
		found[name] = policy.New(append(found[name].Statement, more.Statement...)...)
	}
	role := func(r *graph.Resource) string { return g.Find(graph.Role, "name", r.String("role")).Name }
	for _, r := range g.OfType(graph.RolePolicy) {
		add(role(r), policyOf(tb, r, "policy"))
	}
	for _, r := range g.OfType(graph.RolePolicyAttachment) {
		add(role(r), policyOf(tb, g.Find(graph.ManagedPolicy, "arn", r.String("policyArn")), "policy"))
	}
	for _, r := range g.OfType(graph.ManagedPolicy) {
		if strings.HasPrefix(r.Name, "functions-") {
			add(r.Name, policyOf(tb, r, "policy"))
		}
	}
	return found
}

func TestEachRoleTrustsOneSubjectOfOneRepository(t *testing.T) {
	got := map[string]string{}
	for _, role := range record(t).OfType(graph.Role) {
		trust := policyOf(t, role, "assumeRolePolicy")
		if len(trust.Statement) != 1 {
			t.Fatalf("role %s is trusted by %d statements, want 1", role.Name, len(trust.Statement))
		}
		s := trust.Statement[0]
		if s.Principal == nil || *s.Principal != (policy.Principal{Federated: providerARN}) ||
			!slices.Equal(s.Action, []string{"sts:AssumeRoleWithWebIdentity"}) {
			t.Errorf("role %s may be assumed by %+v with %v, want GitHub's provider alone, with its tokens alone",
				role.Name, s.Principal, s.Action)
		}
		conditions := s.Condition["StringEquals"]
		if len(s.Condition) != 1 || len(conditions) != 2 || conditions[issuer+":aud"] != "sts.amazonaws.com" {
			t.Errorf("role %s is trusted if %v, want the audience and the subject to equal", role.Name, s.Condition)
		}
		got[role.Name] = conditions[issuer+":sub"]
	}
	want := map[string]string{
		"preview-dev":  "repo:shop@12/restock@34:pull_request",
		"preview-prod": "repo:shop@12/restock@34:pull_request",
		"deploy-dev":   "repo:shop@12/restock@34:environment:dev",
		"deploy-prod":  "repo:shop@12/restock@34:environment:prod",
		"deploy-pr":    "repo:shop@12/restock@34:environment:pr",
	}
	if !maps.Equal(got, want) {
		t.Errorf("subjects are %v, want %v", got, want)
	}
}

func TestDeploymentWritesTheStateOfItsStagesAlone(t *testing.T) {
	for name, p := range permissions(t, record(t)) {
		kind, environment, _ := strings.Cut(name, "-")
		if kind != "deploy" {
			continue
		}
		stages := map[string]string{"dev": "dev", "prod": "prod", "pr": "pr-*"}[environment]
		for _, s := range p.Statement {
			if !slices.Contains(s.Action, "s3:PutObject") {
				continue
			}
			for _, resource := range s.Resource {
				if !strings.Contains(resource, "/restock/"+stages+".") &&
					!strings.Contains(resource, "/restock/"+stages+"/") {
					t.Errorf("role %s writes %s, want the files of %s alone", name, resource, stages)
				}
			}
		}
	}
}

// A deployment creates roles only below its stage's path and within the boundary, and passes them
// only to API Gateway, Lambda and RDS.
func TestDeploymentMakesBoundedRolesOfItsStagesAlone(t *testing.T) {
	for name, stages := range map[string]string{"deploy-dev": "dev", "deploy-prod": "prod", "deploy-pr": "pr-*"} {
		for _, s := range permissions(t, record(t))[name].Statement {
			for _, action := range s.Action {
				service, verb, _ := strings.Cut(action, ":")
				if service != "iam" || verb == "CreateServiceLinkedRole" {
					continue
				}
				if want := []string{"arn:aws:iam::000000000000:role/restock/" + stages +
					"/*"}; !slices.Equal(s.Resource, want) {
					t.Errorf("role %s: %s of %v, want %v", name, action, s.Resource, want)
				}
				boundary := policiesARN + "functions-" + strings.TrimPrefix(name, "deploy-")
				bounded := s.Condition["StringEquals"]["iam:PermissionsBoundary"] == boundary
				gives := slices.Contains(
					[]string{"CreateRole", "PutRolePolicy", "AttachRolePolicy", "PutRolePermissionsBoundary"}, verb)
				if gives && !bounded || verb == "DeleteRolePermissionsBoundary" || verb == "*" {
					t.Errorf("role %s: %s without the boundary", name, action)
				}
				services := []string{"apigateway.amazonaws.com", "lambda.amazonaws.com", "rds.amazonaws.com"}
				to := s.Condition["StringEquals"]["iam:PassedToService"]
				if verb == "PassRole" && !slices.Contains(services, to) {
					t.Errorf("role %s gives roles to services other than %v: %v", name, services, s.Condition)
				}
			}
		}
	}
}

// A statement may allow all actions of a service only if that service neither grants rights nor
// stores the data of the shop's customers.
func TestNoRoleMayDoEverything(t *testing.T) {
	for name, p := range permissions(t, record(t)) {
		for _, s := range p.Statement {
			if s.Effect == "Deny" {
				continue
			}
			for _, action := range s.Action {
				service, verb, _ := strings.Cut(action, ":")
				if service == "*" ||
					verb == "*" && slices.Contains([]string{"iam", "s3", "kms", "sts", "ec2", "rds",
						"secretsmanager"}, service) {
					t.Errorf("role %s may %s", name, action)
				}
			}
			bounds := strings.HasPrefix(name, "functions-") // a boundary allows nothing by itself
			if !bounds && slices.Contains(s.Action, "secretsmanager:GetSecretValue") {
				t.Errorf("role %s may read secrets", name)
			}
		}
	}
}

func TestStateIsPrivateEncryptedVersionedAndKept(t *testing.T) {
	g := record(t)
	bucket := one(t, g, graph.Bucket)
	key := one(t, g, graph.Key)
	for _, r := range []*graph.Resource{bucket, key, one(t, g, graph.KeyAlias)} {
		if !r.Protect {
			t.Errorf("%s is not protected", r.Type)
		}
	}
	if !key.Bool("enableKeyRotation") {
		t.Error("the key does not rotate")
	}

	access := one(t, g, graph.BucketPublicAccessBlock)
	for _, setting := range []string{"blockPublicAcls", "blockPublicPolicy", "ignorePublicAcls",
		"restrictPublicBuckets"} {
		if !access.Bool(setting) {
			t.Errorf("%s is false, want true", setting)
		}
	}
	if got := one(t, g, graph.BucketVersioning).Object(
		"versioningConfiguration")["status"]; got != "Enabled" {
		t.Errorf("versioning is %v, want Enabled", got)
	}
	encryption := one(t, g,
		graph.BucketEncryption)
	rules, _ := encryption.Outputs["rules"].([]any)
	if len(rules) != 1 {
		t.Fatalf("there are %d rules of encryption, want 1", len(rules))
	}
	// With a bucket key, S3 names the bucket in the encryption context of every file, so the key
	// could not tell the stages apart:
	// https://docs.aws.amazon.com/AmazonS3/latest/userguide/bucket-key.html
	if rules[0].(map[string]any)["bucketKeyEnabled"] != false {
		t.Error("the bucket uses a bucket key")
	}
	byDefault, _ := rules[0].(map[string]any)["applyServerSideEncryptionByDefault"].(map[string]any)
	if byDefault["sseAlgorithm"] != "aws:kms" || byDefault["kmsMasterKeyId"] != keyARN {
		t.Errorf("the bucket is encrypted with %v, want the key", byDefault)
	}

	got := policyOf(t, one(t, g, graph.BucketPolicy), "policy")
	want := policy.New(policy.EncryptedOnly(bucketARN, "s3:*"), policy.EncryptedOnly(bucketARN+"/*", "s3:*"))
	if !reflect.DeepEqual(got, want) {
		t.Errorf("the bucket's policy is %+v, want everything denied to everybody without TLS, and nothing else", got)
	}
	for _, r := range g.Resources {
		if strings.HasPrefix(string(r.Type), "aws:s3/bucket") && r != bucket &&
			r.String("bucket") != bucket.String("bucket") {
			t.Errorf("%s is about bucket %q, want %q", r.Type, r.String("bucket"), bucket.String("bucket"))
		}
	}
}

// IAM limits a managed policy to 6,144 characters without whitespace, the inline policies of a role
// to 10,240, and a role to ten managed policies:
// https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_iam-quotas.html
func TestPoliciesFit(t *testing.T) {
	g := record(t)
	for _, of := range []struct {
		token graph.Type
		limit int
	}{{graph.ManagedPolicy, 6144}, {graph.RolePolicy, 10240}} {
		for _, r := range g.OfType(of.token) {
			if size := len(r.String("policy")); size > of.limit {
				t.Errorf("the policy %s is %d characters long, want %d at most", r.Name, size, of.limit)
			}
		}
	}
	attached := map[string]int{}
	for _, r := range g.OfType(graph.RolePolicyAttachment) {
		if attached[r.String("role")]++; attached[r.String("role")] > 10 {
			t.Errorf("role %s has more than ten policies", r.String("role"))
		}
	}
}

// The secrets of each environment have an encryption context of their own: see the questions about
// kms:EncryptionContext.
func TestEachEnvironmentHasItsOwnSecretsProvider(t *testing.T) {
	const want = "awskms://alias/restock-pulumi?region=r&context_environment=pr"
	if got := secretsProvider("r", "pr"); got != want {
		t.Errorf("the secrets provider of pr is %s, want %s", got, want)
	}
}

// Whoever may push a branch may assume the role of stages of pull requests. The roles act in one
// region, on resources whose names begin with the project's name.
func TestTheShippedLayoutIsForTheStages(t *testing.T) {
	_, config, err := recorder.Config(".", "main")
	if err != nil {
		t.Fatal(err)
	}
	var s Settings
	if err := json.Unmarshal([]byte(config["restock-bootstrap:settings"]), &s); err != nil {
		t.Fatal(err)
	}
	for _, e := range s.environments() {
		if e.manyStages() {
			t.Errorf("environment %s deploys %s beside prod", e.name, e.stages)
			continue
		}
		name, stage, err := recorder.Config("..", e.stages)
		if err != nil {
			t.Fatal(err)
		}
		if name != project {
			t.Errorf("Pulumi.yaml has the name %q, and the roles are for %q", name, project)
		}
		if got, want := config["aws:region"], stage["aws:region"]; got != want {
			t.Errorf("the roles act in %s, and stage %s is in %s: change aws:region in bootstrap/Pulumi.main.yaml",
				got, e.stages, want)
		}
	}
	if len(s.Environments) == 0 {
		t.Error("there are no environments")
	}
}

func TestPreviewOfTheFirstDeployment(t *testing.T) {
	o := options(testSettings)
	o.Preview, o.Answer = true, nil
	if _, err := recorder.Record(bootstrap, o); err != nil {
		t.Fatal(err)
	}
}

func TestWrongSettingsAreRefusedByName(t *testing.T) {
	for name, test := range map[string]struct{ settings, want string }{
		"nothing":       {``, `restock-bootstrap:settings: is missing`},
		"no repository": {`{"environments": {"dev": "dev"}}`, `repository is "": owner@id/name@id`},
		"all repositories": {`{"repository": "shop/*", "environments": {"dev": "dev"}}`,
			`repository is "shop/*": owner@id/name@id`},
		"a repository's job": {`{"repository": "shop/restock:ref", "environments": {"dev": "dev"}}`,
			`repository is "shop/restock:ref"`},
		"unknown key": {`{"repositry": "shop/restock"}`,
			`repositry is unknown: want one of environments, repository`},
		"no environment": {`{"repository": "shop/restock"}`, `environments is "": one or more`},
		"every stage": {`{"repository": "shop/restock", "environments": {"dev": "*"}}`,
			`environments.dev is "*": a stage's name, or`},
		"a path": {`{"repository": "shop/restock", "environments": {"dev": "a/b"}}`,
			`environments.dev is "a/b": a stage's name, or`},
		"a stage in two": {`{"repository": "shop/restock", "environments": {"a": "prod", "b": "pro*"}}`,
			`environments.b is "pro*": no stage that environments.a deploys, prod`},
		"names that begin alike": {`{"repository": "shop/restock", "environments": {"a": "dev", "b": "dev-x"}}`,
			`environments.b is "dev-x": no stage`},
		"patterns in another": {`{"repository": "shop/restock", "environments": {"a": "pr-*", "b": "pr-x-*"}}`,
			`environments.b is "pr-x-*": no stage`},
		"two objects": {testSettings + `{}`, `is not an object`},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := recorder.Record(bootstrap, options(test.settings))
			if err == nil || !strings.Contains(err.Error(), test.want) {
				t.Errorf("settings %s: got error %v, want one with %q", test.settings, err, test.want)
			}
		})
	}
}
