// Command doctor checks whether a stage can be deployed: pulumi and its backend, the AWS account
// and its quotas, the stage's settings and its cost. Each check prints one line, with the remedy if
// it failed. The command changes nothing. It reads what the Pulumi program declares, so its numbers
// are those of the next deployment.
package main

import (
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"io"
	"os"
	"strings"
)

func main() {
	passed, err := run(context.Background(), os.Args[1:], os.Stdout)
	if err != nil {
		fmt.Fprintln(os.Stderr, "doctor:", err)
	}
	if err != nil || !passed {
		os.Exit(1)
	}
}

// A status is the result of a check.
type status string

const (
	passed  status = "ok"
	warning status = "warning" // the deployment works
	failed  status = "failed"
	skipped status = "skipped" // another check has to pass first
)

// A finding is the result of a check, in one line.
type finding struct {
	Check  string `json:"check"`
	Status status `json:"status"`
	Says   string `json:"says"`
	Remedy string `json:"remedy,omitempty"`
}

// A report is the output with --json.
type report struct {
	Stage    string    `json:"stage"`
	Passed   bool      `json:"passed"`
	Findings []finding `json:"checks"`
}

// run reports whether no check failed.
func run(ctx context.Context, args []string, stdout io.Writer) (bool, error) {
	d := doctor{}
	flags := flag.NewFlagSet("doctor", flag.ExitOnError)
	flags.StringVar(&d.stage, "stage", "dev", "the stage, with its configuration in Pulumi.<stage>.yaml")
	flags.StringVar(&d.project, "project", ".", "the folder of Pulumi.yaml")
	flags.StringVar(&d.secretsProvider, "secrets-provider", "", "the secrets provider of a stack that is new")
	asJSON := flags.Bool("json", false, "print JSON")
	_ = flags.Parse(args) // exits if a flag is wrong
	if flags.NArg() > 0 {
		return false, fmt.Errorf("%q is not a flag: see -h", flags.Arg(0))
	}
	r := report{Stage: d.stage, Passed: true, Findings: d.examine(ctx)}
	for _, f := range r.Findings {
		r.Passed = r.Passed && f.Status != failed
	}
	if *asJSON {
		encoder := json.NewEncoder(stdout)
		encoder.SetEscapeHTML(false)
		encoder.SetIndent("", "  ")
		return r.Passed, encoder.Encode(r)
	}
	for _, f := range r.Findings {
		line := fmt.Sprintf("%-8s %-12s %s", f.Status, f.Check, f.Says)
		if f.Remedy != "" {
			line += ": " + f.Remedy
		}
		if _, err := fmt.Fprintln(stdout, oneLine(line)); err != nil {
			return false, err
		}
	}
	return r.Passed, nil
}

// oneLine joins the lines of a text.
func oneLine(text string) string {
	return strings.TrimRight(strings.NewReplacer("\r", "", "\n", " ").Replace(text), " ")
}
