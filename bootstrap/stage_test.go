package main

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// The stages of pull requests have their own key and boundary, and their number is limited: each
// has a VPC, and an account has five of them in a region by default:
// https://docs.aws.amazon.com/vpc/latest/userguide/amazon-vpc-limits.html
func TestAStageOfAPullRequestIsSetUpForItsOwnRole(t *testing.T) {
	script, err := filepath.Abs("../.github/scripts/pr-stage")
	if err != nil {
		t.Fatal(err)
	}
	const listing = ".pulumi/stacks/restock/pr-1.json\t.pulumi/stacks/restock/pr-1.json.bak\t" +
		".pulumi/stacks/restock/pr-2.json"
	for _, test := range []struct{ stage, max, refused string }{
		{"pr-3", "2", "there are already 2 stages, pr-1 pr-2: delete one"},
		{"pr-3", "3", ""},
		{"pr-2", "2", ""}, // it exists
		{"pr-3", "", ""},  // a stage that is deleted
	} {
		dir := t.TempDir()
		for name, text := range map[string]string{
			"Pulumi.dev.yaml": "secretsprovider: awskms://dev\nencryptedkey: ZGV2\nconfig:\n  restock:settings: {}\n",
			"aws":             "#!/bin/sh\nprintf '" + listing + "'\n",
			"pulumi":          "#!/bin/sh\necho \"$@\" >> calls\n",
		} {
			if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o700); err != nil {
				t.Fatal(err)
			}
		}
		command := exec.Command(script, test.stage, test.max)
		command.Dir = dir
		command.Env = append(os.Environ(), "PATH="+dir+":"+os.Getenv("PATH"), "SECRETS_PROVIDER=awskms://pr",
			"PERMISSIONS_BOUNDARY=functions-pr", "PULUMI_BACKEND_URL=s3://state?region=r")
		out, err := command.CombinedOutput()
		if refused := err != nil; refused != (test.refused != "") || !strings.Contains(string(out), test.refused) {
			t.Errorf("%s of at most %q: %v: %s, want it refused with %q", test.stage, test.max, err, out, test.refused)
		}
		if test.refused != "" {
			continue
		}
		file, err := os.ReadFile(filepath.Join(dir, "Pulumi."+test.stage+".yaml"))
		if text := string(file); err != nil || strings.Contains(text, "ZGV2") || strings.Contains(text, "//dev") ||
			!strings.Contains(text, "secretsprovider: awskms://pr\n") {
			t.Errorf("%s has the settings %q (%v), want those of dev with the key of its own environment", test.stage,
				text, err)
		}
		calls, err := os.ReadFile(filepath.Join(dir, "calls"))
		if err != nil || !strings.Contains(string(calls), "settings.permissionsBoundary functions-pr") {
			t.Errorf("%s is made by %q (%v), want the boundary of its own environment", test.stage, calls, err)
		}
	}
}
