package main

import (
	"bufio"
	"os"
	"strings"
	"syscall"
	"testing"

	"restock/cmd/local/programs"
)

func TestAFlagSelectsTheProgram(t *testing.T) {
	for _, c := range []struct {
		args []string
		want string // empty: parseFlags fails
	}{
		{nil, programs.Shop().Name},
		{[]string{"-program", "shop"}, programs.Shop().Name},
		{[]string{"-program", "tutorial"}, programs.Tutorial().Name},
		{[]string{"-program", "bakery"}, ""},
		{[]string{"-program", "../../examples/plain", "-config", "aws:region=eu-west-1"}, "plain"},
		{[]string{"-program", "../../examples"}, ""}, // no Pulumi.yaml
		{[]string{"-config", "aws:region=eu-west-1"}, ""},
		{[]string{"-program", "../../examples/plain", "-config", "aws:region"}, ""},
	} {
		o, err := parseFlags(c.args)
		if got := o.run.Program.Name; (err != nil) != (c.want == "") || err == nil && got != c.want {
			t.Errorf("%q: got %q, %v; want %q", c.args, got, err, c.want)
		}
	}
}

// The tutorial's folder has a Pulumi.yaml of its own, and is not the module's root. The tutorial
// declares no database and no factory, so the run starts none.
func TestTheTutorialRunsFromItsOwnFolder(t *testing.T) {
	cmd, stderr := command(t, "-program", "tutorial", "-api", "127.0.0.1:0", "-aws", "127.0.0.1:0",
		"-factory", "nowhere", "-console", "", "-watch=false")
	cmd.Dir = "../../" + programs.Tutorial().Project
	stdout, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	var welcome []string
	for lines := bufio.NewScanner(stdout); lines.Scan(); {
		if welcome = append(welcome, lines.Text()); strings.Contains(lines.Text(), "Ctrl-C") {
			break
		}
	}
	got := strings.Join(welcome, "\n")
	if !strings.Contains(strings.Join(strings.Fields(got), " "), "the tutorial http://127.0.0.1:") ||
		strings.Contains(got, "the factory") {
		t.Errorf("the program prints\n%s\n%s\nwant the tutorial's address, and no factory", got, stderr)
	}
	functions, err := os.ReadDir("../../" + programs.Tutorial().Functions)
	if err != nil {
		t.Fatal(err)
	}
	if processes := children(t, cmd.Process.Pid); len(processes) != len(functions) {
		t.Errorf("the run has the children %v, want one instance of each of %v, and no database", processes, functions)
	}
	if err := cmd.Process.Signal(syscall.SIGINT); err != nil {
		t.Fatal(err)
	}
	if err := cmd.Wait(); err != nil {
		t.Errorf("after Ctrl-C: %v; the program prints\n%s", err, stderr)
	}
}
