package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"restock/infra/stack/stacktest/pinned"
	"restock/test/linediff"
)

const projectDir = "../.."

// fakeAWS answers as AWS's documentation shows. A test changes the answers.
type fakeAWS struct {
	identity           string // XML of GetCallerIdentity
	status             int    // of GetCallerIdentity
	quota, unreserved  int    // Lambda's
	vpcs               []string
	vpcQuota           int // 0: the request is refused
	options, secondRow string
}

func (f *fakeAWS) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, _ := io.ReadAll(r.Body)
	authorization := r.Header.Get("Authorization")
	switch text := string(body); {
	case !strings.HasPrefix(authorization, "AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/"):
		w.WriteHeader(http.StatusForbidden)
	case strings.Contains(text, "Action=GetCallerIdentity"):
		// https://docs.aws.amazon.com/STS/latest/APIReference/API_GetCallerIdentity.html
		w.WriteHeader(f.status)
		fmt.Fprint(w, f.identity)
	case r.URL.Path == "/2016-08-19/account-settings":
		// https://docs.aws.amazon.com/lambda/latest/api/API_GetAccountSettings.html
		fmt.Fprintf(w, `{"AccountLimit":{"ConcurrentExecutions":%d,"UnreservedConcurrentExecutions":%d},
			"AccountUsage":{"FunctionCount":0}}`, f.quota, f.unreserved)
	case r.Header.Get("X-Amz-Target") == "ServiceQuotasV20190624.GetServiceQuota":
		// https://docs.aws.amazon.com/servicequotas/2019-06-24/apireference/API_GetServiceQuota.html
		w.Header().Set("Content-Type", "application/x-amz-json-1.1")
		if f.vpcQuota == 0 {
			w.WriteHeader(http.StatusBadRequest)
			fmt.Fprint(w, `{"__type":"AccessDeniedException"}`)
			return
		}
		fmt.Fprintf(w, `{"Quota":{"ServiceCode":"vpc","QuotaCode":"L-F678F1CE","Value":%d.0}}`, f.vpcQuota)
	case strings.Contains(text, "Action=DescribeVpcs") && strings.Contains(authorization, "/ec2/aws4_request"):
		// https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_DescribeVpcs.html
		fmt.Fprint(w, `<DescribeVpcsResponse xmlns="http://ec2.amazonaws.com/doc/2016-11-15/"><vpcSet>`)
		for _, stage := range f.vpcs {
			fmt.Fprintf(w, `<item><vpcId>vpc-1</vpcId><tagSet><item><key>project</key><value>restock</value></item>
				<item><key>stage</key><value>%s</value></item></tagSet></item>`, stage)
		}
		fmt.Fprint(w, `</vpcSet></DescribeVpcsResponse>`)
	case strings.Contains(text, "Action=DescribeOrderableDBInstanceOptions") &&
		strings.Contains(authorization, "/rds/aws4_request"):
		// https://docs.aws.amazon.com/AmazonRDS/latest/APIReference/API_DescribeOrderableDBInstanceOptions.html
		page, marker := f.options, "<Marker>next</Marker>"
		if strings.Contains(text, "Marker=next") {
			page, marker = f.secondRow, ""
		}
		fmt.Fprintf(w, `<DescribeOrderableDBInstanceOptionsResponse xmlns="http://rds.amazonaws.com/doc/2014-10-31/">
			<DescribeOrderableDBInstanceOptionsResult>%s<OrderableDBInstanceOptions>%s</OrderableDBInstanceOptions>
			</DescribeOrderableDBInstanceOptionsResult></DescribeOrderableDBInstanceOptionsResponse>`, marker, page)
	default:
		w.WriteHeader(http.StatusNotImplemented)
	}
}

func caller(arn string) string {
	return `<GetCallerIdentityResponse xmlns="https://sts.amazonaws.com/doc/2011-06-15/"><GetCallerIdentityResult>
		<Arn>` + arn + `</Arn><UserId>AIDA</UserId><Account>123456789012</Account></GetCallerIdentityResult>
		</GetCallerIdentityResponse>`
}

func option(version, storage string, zones ...string) string {
	text := "<OrderableDBInstanceOption><EngineVersion>" + version + "</EngineVersion><StorageType>" + storage +
		"</StorageType><AvailabilityZones>"
	for _, zone := range zones {
		text += "<AvailabilityZone><Name>" + zone + "</Name></AvailabilityZone>"
	}
	return text + "</AvailabilityZones></OrderableDBInstanceOption>"
}

// healthy is an account in which every stage can be deployed.
func healthy() *fakeAWS {
	return &fakeAWS{
		identity: caller("arn:aws:iam::123456789012:user/alice"), status: http.StatusOK,
		quota: 1000, unreserved: 1000, vpcs: []string{""}, vpcQuota: 5,
		options: option("10.6.20", "gp3", "ap-northeast-2b"),
		secondRow: option("10.11.10", "gp3", "ap-northeast-2a", "ap-northeast-2c") +
			option("10.11.10", "standard", "ap-northeast-2b"),
	}
}

// secrets are in the environment of each examination, and must not be in its output.
var secrets = []string{"wJalrXUtnFEMI", "hunter2", "correct horse"}

// prepare sets the environment of an examination: a fake pulumi and a fake AWS.
func prepare(t *testing.T, aws http.Handler) {
	t.Helper()
	server := httptest.NewServer(aws)
	t.Cleanup(server.Close)
	bin := t.TempDir()
	script := "#!/bin/sh\ncase $1 in version) echo v3.250.0;; " +
		"whoami) echo \"${FAKE_WHOAMI-User: alice\nBackend URL: s3://me:hunter2@state?key=hunter2}\";; esac\n" +
		"test -z \"$FAKE_PROBLEM\" || { echo \"$FAKE_PROBLEM\" >&2; exit 1; }\n"
	if err := os.WriteFile(filepath.Join(bin, "pulumi"), []byte(script), 0o700); err != nil { // #nosec G306 -- it runs
		t.Fatal(err)
	}
	nothing := filepath.Join(bin, "nothing")
	for name, value := range map[string]string{
		"PATH": bin + ":/usr/bin:/bin", "AWS_ENDPOINT_URL": server.URL, "AWS_ACCESS_KEY_ID": "AKIDEXAMPLE",
		"AWS_SECRET_ACCESS_KEY": secrets[0], "AWS_SESSION_TOKEN": "", "AWS_PROFILE": "",
		"AWS_CONFIG_FILE": nothing, "AWS_SHARED_CREDENTIALS_FILE": nothing, "AWS_EC2_METADATA_DISABLED": "true",
		"PULUMI_CONFIG_PASSPHRASE": secrets[2],
	} {
		t.Setenv(name, value)
	}
}

// examine runs the doctor, and returns its findings by check.
func examine(t *testing.T, args ...string) (report, map[string]finding) {
	t.Helper()
	var out bytes.Buffer
	well, err := run(t.Context(), append(args, "-json"), &out)
	if err != nil {
		t.Fatal(err)
	}
	for _, secret := range secrets {
		if strings.Contains(out.String(), secret) {
			t.Errorf("the output has the secret %q: %s", secret, &out)
		}
	}
	var r report
	if err := json.Unmarshal(out.Bytes(), &r); err != nil {
		t.Fatal(err)
	}
	if r.Passed != well {
		t.Errorf("the report says passed=%v, the exit status %v", r.Passed, well)
	}
	by := map[string]finding{}
	for _, f := range r.Findings {
		by[f.Check] = f
		if (f.Status == failed || f.Status == warning) && f.Remedy == "" {
			t.Errorf("%+v has no remedy", f)
		}
	}
	return r, by
}

func TestHealthyStagePasses(t *testing.T) {
	prepare(t, healthy())
	project := pinned.Project(t, projectDir)
	r, _ := examine(t, "-project", project)
	if len(r.Findings) != 10 {
		t.Errorf("got %d checks, want 10", len(r.Findings))
	}
	for _, f := range r.Findings {
		if f.Status != passed {
			t.Errorf("got %+v, want ok", f)
		}
	}
	var out bytes.Buffer
	if _, err := run(t.Context(), []string{"-project", project}, &out); err != nil ||
		strings.Count(out.String(), "\n") != len(r.Findings) {
		t.Errorf("got %v and the text\n%s\nwant a line for each check", err, &out)
	}
}

// TestEachProblemIsFound changes the account, the environment or the stage, and wants one check to
// say so.
func TestEachProblemIsFound(t *testing.T) {
	for _, c := range []struct {
		name, check string
		status      status
		says        string // a part of the line or of the remedy
		aws         func(*fakeAWS)
		env         map[string]string
		args        []string
	}{
		{name: "pulumi is missing", check: "pulumi", status: failed, says: "curl -fsSL https://get.pulumi.com",
			env: map[string]string{"PATH": "/nowhere"}},
		{name: "no backend", check: "backend", status: failed, says: "PULUMI_BACKEND_URL=file://$HOME",
			env: map[string]string{"FAKE_PROBLEM": "error: PULUMI_ACCESS_TOKEN must be set"}},
		{name: "no passphrase file", check: "secrets", status: failed, says: "PULUMI_CONFIG_PASSPHRASE",
			env: map[string]string{"PULUMI_CONFIG_PASSPHRASE": "-", "PULUMI_CONFIG_PASSPHRASE_FILE": "/nowhere"}},
		{name: "a key", check: "secrets", status: passed, says: "awskms://alias/restock-pulumi",
			env:  map[string]string{"PULUMI_CONFIG_PASSPHRASE": "-"},
			args: []string{"-secrets-provider", "awskms://alias/restock-pulumi?region=hunter2"}},
		{name: "Pulumi Cloud", check: "secrets", status: passed, says: "by the backend",
			env: map[string]string{"PULUMI_CONFIG_PASSPHRASE": "-",
				"FAKE_WHOAMI": "Backend URL: https://app.pulumi.com/alice"}},
		{name: "no credentials", check: "identity", status: failed, says: "there are no AWS credentials",
			env: map[string]string{"AWS_ACCESS_KEY_ID": "", "AWS_SECRET_ACCESS_KEY": ""}},
		{name: "AWS is not reached", check: "identity", status: failed, says: "AWS cannot be reached in ap-northeast-2",
			env: map[string]string{"AWS_ENDPOINT_URL": "http://127.0.0.1:1"}},
		{name: "expired credentials", check: "identity", status: failed, says: "(ExpiredToken)",
			aws: func(f *fakeAWS) {
				f.status, f.identity = http.StatusForbidden,
					`<ErrorResponse><Error><Code>ExpiredToken</Code><Message>hunter2</Message></Error></ErrorResponse>`
			}},
		{name: "the root user", check: "identity", status: warning, says: "is the root user",
			aws: func(f *fakeAWS) { f.identity = caller("arn:aws:iam::123456789012:root") }},
		{name: "a new account", check: "concurrency", status: failed, says: "concurrency: unreserved",
			aws: func(f *fakeAWS) { f.quota, f.unreserved = 10, 10 }},
		{name: "reservations of others", check: "concurrency", status: warning,
			says: "reserve 880 of the account's 1000",
			aws:  func(f *fakeAWS) { f.unreserved = 120 }},
		{name: "five VPCs", check: "vpc", status: failed, says: "--quota-code L-F678F1CE --desired-value 6",
			aws: func(f *fakeAWS) { f.vpcs = []string{"", "a", "b", "c", "d"} }},
		{name: "five VPCs of an unknown quota", check: "vpc", status: failed, says: "the default quota is 5",
			aws: func(f *fakeAWS) { f.vpcs, f.vpcQuota = []string{"", "a", "b", "c", "d"}, 0 }},
		{name: "its VPC exists", check: "vpc", status: passed, says: "has its VPC already",
			aws: func(f *fakeAWS) { f.vpcs = []string{"", "a", "b", "c", "dev"} }},
		{name: "another version", check: "database", status: failed,
			says: "does not offer db.t4g.micro with mariadb 10.11",
			aws:  func(f *fakeAWS) { f.secondRow = option("10.110.1", "gp3", "ap-northeast-2a") }},
		{name: "another zone", check: "database", status: failed, says: "0 of the zones",
			aws: func(f *fakeAWS) { f.secondRow = option("10.11.10", "gp3", "ap-northeast-2d") }},
		{name: "one zone for two instances", check: "database", status: failed, says: "the database needs 2",
			aws:  func(f *fakeAWS) { f.secondRow = option("10.11.10", "gp3", "ap-northeast-2a") },
			args: []string{"-stage", "prod"}},
		{name: "a factory that is an example", check: "factory", status: failed, says: "https://factory.example.com",
			args: []string{"-stage", "prod"}},
		{name: "no such stage", check: "settings", status: failed, says: `there is no stage "x"`,
			args: []string{"-stage", "x"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			f := healthy()
			if c.aws != nil {
				c.aws(f)
			}
			prepare(t, f)
			for name, value := range c.env {
				t.Setenv(name, value)
				if value == "-" {
					if err := os.Unsetenv(name); err != nil {
						t.Fatal(err)
					}
				}
			}
			r, findings := examine(t, append(c.args, "-project", pinned.Project(t, projectDir))...)
			got := findings[c.check]
			if got.Status != c.status || !strings.Contains(got.Says+got.Remedy, c.says) {
				t.Errorf("got %+v, want %s and %q", got, c.status, c.says)
			}
			if c.status == failed && r.Passed {
				t.Error("the examination passed")
			}
			if len(r.Findings) != 10 {
				t.Errorf("got %d checks, want 10: the others go on", len(r.Findings))
			}
		})
	}
}

func TestSmallAccountDeploysUnreservedStage(t *testing.T) {
	f := healthy()
	f.quota, f.unreserved = 10, 10
	prepare(t, f)
	dir := t.TempDir()
	for name, text := range map[string]string{
		"Pulumi.yaml": "name: restock\nruntime: go\n",
		"Pulumi.new.yaml": "config:\n  aws:region: ap-northeast-2\n  restock:settings:\n" +
			"    zones: [ap-northeast-2a, ap-northeast-2c]\n    concurrency: unreserved\n",
	} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	args := []string{"-project", dir, "-stage", "new"}
	if _, got := examine(t, args...); got["concurrency"].Status != passed {
		t.Errorf("the quota is 10: got %+v, want ok", got["concurrency"])
	}
	f.quota = 1000
	if _, got := examine(t, args...); got["concurrency"].Status != warning {
		t.Errorf("the quota is 1000: got %+v, want a warning about the connections", got["concurrency"])
	}
}

// TestInstallationIsOfTheSDKsVersion compares the version in pulumi.txt with go.mod.
func TestInstallationIsOfTheSDKsVersion(t *testing.T) {
	out, err := exec.CommandContext(t.Context(), "go", "list", "-m", "-f", "{{.Version}}",
		"github.com/pulumi/pulumi/sdk/v3").Output()
	if err != nil {
		t.Fatal(err)
	}
	if got := strings.TrimSpace(string(out)); got != "v"+wanted {
		t.Errorf("pulumi.txt installs %s, and go.mod has %s", wanted, got)
	}
	if !older("3.249.9", "3.250.0") || older("3.251.0", "3.250.1") || older("4.0.0", "3.250.0") {
		t.Error("versions compare wrongly")
	}
}

// TestMakeSaysHowToInstallPulumi runs the targets without pulumi.
func TestMakeSaysHowToInstallPulumi(t *testing.T) {
	gnumake, err := exec.LookPath("make")
	if err != nil {
		t.Skip("make is not installed")
	}
	bin := t.TempDir()
	for _, name := range []string{"cat", "sh"} {
		path, err := exec.LookPath(name)
		if err != nil {
			t.Fatal(err)
		}
		if err := os.Symlink(path, filepath.Join(bin, name)); err != nil {
			t.Fatal(err)
		}
	}
	for _, target := range []string{"preview", "up", "destroy"} {
		command := exec.CommandContext(t.Context(), gnumake, target) // #nosec G204 -- a constant
		command.Dir, command.Env = projectDir, []string{"PATH=" + bin}
		out, err := command.CombinedOutput()
		if err == nil || !strings.Contains(string(out), install) {
			t.Errorf("make %s without pulumi: got %v and\n%s\nwant cmd/doctor/pulumi.txt", target, err, out)
		}
	}
}

// TestMakeUpExaminesFirst keeps the order of the targets that make up needs.
func TestMakeUpExaminesFirst(t *testing.T) {
	text, err := os.ReadFile(filepath.Join(projectDir, "Makefile"))
	if err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(string(text), "\nup: pulumi doctor stack ") {
		t.Error("make up does not run pulumi, doctor and stack in this order")
	}
}

// TestDeployPageShowsTheDoctor compares the output in docs/deploy.md, where "…" is any text, with
// that for a new account; and the page's installation with pulumi.txt.
func TestDeployPageShowsTheDoctor(t *testing.T) {
	page, err := os.ReadFile(filepath.Join(projectDir, "docs", "deploy.md"))
	if err != nil {
		t.Fatal(err)
	}
	f := healthy()
	f.quota, f.unreserved = 10, 10
	prepare(t, f)
	t.Setenv("FAKE_WHOAMI", "User: alice\nBackend URL: file://~")
	var out bytes.Buffer
	args := []string{"-project", pinned.Project(t, projectDir)}
	if _, err := run(t.Context(), args, &out); err != nil {
		t.Fatal(err)
	}
	lines := regexp.MustCompile(`(?m)^    (ok|warning|failed|skipped) .*$`).FindAllString(string(page), -1)
	pattern := "^"
	for _, line := range lines {
		pattern += strings.ReplaceAll(regexp.QuoteMeta(strings.TrimSpace(line)), "…", ".*") + "\n"
	}
	if !regexp.MustCompile(pattern + "$").Match(out.Bytes()) {
		for i, line := range lines {
			lines[i] = strings.TrimPrefix(line, "    ")
			any := "(?m)^" + strings.ReplaceAll(regexp.QuoteMeta(lines[i]), "…", ".*") + "$"
			if printed := regexp.MustCompile(any).FindString(out.String()); printed != "" {
				lines[i] = printed
			}
		}
		t.Errorf("docs/deploy.md does not show what the doctor prints (- is the page, + is the doctor):\n%s",
			linediff.Diff(strings.Join(lines, "\n")+"\n", out.String()))
	}
	for _, command := range regexp.MustCompile(`(curl|brew) .*`).FindAllString(install, -1) {
		if !strings.Contains(string(page), command) {
			t.Errorf("docs/deploy.md does not have %q of pulumi.txt", command)
		}
	}
}
