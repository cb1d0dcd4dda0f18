package main

import (
	"bytes"
	"cmp"
	"context"
	_ "embed"
	"fmt"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"

	"github.com/pulumi/pulumi/sdk/v3/go/common/workspace"
)

// install says how to install pulumi. The Makefile prints the same file.
//
//go:embed pulumi.txt
var install string

// wanted is the version of pulumi in install. A test compares it with the SDK's version in go.mod.
var wanted = regexp.MustCompile(`--version (\S+)`).FindStringSubmatch(install)[1]

func (d *doctor) checkPulumi(ctx context.Context) finding {
	if _, err := exec.LookPath("pulumi"); err != nil {
		says, remedy, _ := strings.Cut(install, ". ")
		var ways []string
		for line := range strings.Lines(strings.TrimSpace(remedy)) {
			ways = append(ways, strings.Join(strings.Fields(line), " "))
		}
		return fail(ways[0]+" "+strings.Join(ways[1:], "; "), "%s", says)
	}
	version, err := pulumi(ctx, "version")
	if err != nil {
		return fail("run pulumi version", "pulumi does not run: %v", err)
	}
	version = strings.TrimPrefix(strings.TrimSpace(version), "v")
	if older(version, wanted) {
		return warn("install "+wanted+" or later", "pulumi %s is older than the SDK of the program", version)
	}
	return ok("%s", version)
}

// older reports whether a version is older than another, by major and minor number.
func older(version, than string) bool {
	var a, b [2]int
	if _, err := fmt.Sscanf(version, "%d.%d", &a[0], &a[1]); err != nil {
		return false
	}
	if _, err := fmt.Sscanf(than, "%d.%d", &b[0], &b[1]); err != nil {
		return false
	}
	return a[0] < b[0] || a[0] == b[0] && a[1] < b[1]
}

// backendURL is a line of pulumi whoami --verbose.
var backendURL = regexp.MustCompile(`(?m)^Backend URL: *(\S+)`)

func (d *doctor) checkBackend(ctx context.Context) finding {
	if _, err := exec.LookPath("pulumi"); err != nil {
		return finding{Status: skipped, Says: "not checked, because pulumi is not installed"}
	}
	const remedy = "run export PULUMI_BACKEND_URL=file://$HOME to keep the state on this machine, or name a bucket " +
		"(docs/delivery.md), or run pulumi login"
	text, err := pulumi(ctx, "whoami", "--verbose", "--non-interactive")
	if err != nil {
		return fail(remedy, "pulumi has no backend for its state: %v", err)
	}
	match := backendURL.FindStringSubmatch(text)
	if match == nil {
		return fail(remedy, "pulumi whoami names no backend")
	}
	d.backend = match[1]
	return ok("the state is in %s", withoutSecrets(d.backend))
}

// checkSecrets checks that pulumi can encrypt the secrets in the state.
// https://www.pulumi.com/docs/iac/concepts/secrets/
func (d *doctor) checkSecrets(context.Context) finding {
	project, err := workspace.LoadProject(filepath.Join(d.project, "Pulumi.yaml"))
	if err != nil {
		return fail("run make in the project's folder", "%v", err)
	}
	file, err := workspace.LoadProjectStack(nil, project, filepath.Join(d.project, d.file()))
	if err != nil {
		return fail("change it, see docs/reference.md#settings", "%v", err)
	}
	provider := cmp.Or(file.SecretsProvider, d.secretsProvider)
	_, hasPassphrase := os.LookupEnv("PULUMI_CONFIG_PASSPHRASE") // an empty one is a passphrase, too
	passphraseFile := os.Getenv("PULUMI_CONFIG_PASSPHRASE_FILE")
	const remedy = "run export PULUMI_CONFIG_PASSPHRASE='a passphrase', and keep it: the stage cannot be changed " +
		"without it"
	switch {
	case provider != "" && provider != "passphrase" && provider != "default":
		return ok("encrypted with %s", withoutSecrets(provider))
	case provider != "passphrase" && file.EncryptionSalt == "" && strings.HasPrefix(d.backend, "https://"):
		return ok("encrypted by the backend")
	case hasPassphrase:
		return ok("encrypted with the passphrase in PULUMI_CONFIG_PASSPHRASE")
	case passphraseFile == "":
		return fail(remedy, "pulumi has no passphrase for its secrets")
	}
	if _, err := os.Stat(passphraseFile); err != nil { // #nosec G703 -- the user names the file
		return fail(remedy, "PULUMI_CONFIG_PASSPHRASE_FILE cannot be read: %v", err)
	}
	return ok("encrypted with the passphrase in the file of PULUMI_CONFIG_PASSPHRASE_FILE")
}

// withoutSecrets returns a URL without its password and its parameters.
func withoutSecrets(address string) string {
	u, err := url.Parse(address)
	if err != nil {
		return "a URL that cannot be parsed"
	}
	u.RawQuery, u.Fragment = "", ""
	return u.Redacted()
}

// pulumi runs a command of pulumi and returns its output. The error has the first line that pulumi
// wrote.
func pulumi(ctx context.Context, args ...string) (string, error) {
	var out, problem bytes.Buffer
	command := exec.CommandContext(ctx, "pulumi", args...) // #nosec G204 -- the arguments are constants
	command.Env = append(os.Environ(), "PULUMI_SKIP_UPDATE_CHECK=true")
	command.Stdout, command.Stderr = &out, &problem
	command.WaitDelay = patience
	if err := command.Run(); err != nil {
		if ctx.Err() != nil {
			return "", fmt.Errorf("it did not answer in %v", patience)
		}
		line, _, _ := strings.Cut(strings.TrimSpace(problem.String()), "\n")
		return "", fmt.Errorf("%s (%w)", cmp.Or(line, "it said nothing"), err)
	}
	return out.String(), nil
}
