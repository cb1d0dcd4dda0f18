package main

import (
	"bufio"
	"encoding/json"
	"errors"
	"flag"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"

	"restock/cmd/local/programs"
	"restock/local/mariadb/mariadbtest"
	"restock/test/await"
)

// beMain is an environment variable that turns the test binary into the program.
const beMain = "RESTOCK_TEST_BE_MAIN"

func TestMain(m *testing.M) {
	if os.Getenv(beMain) != "" {
		main()
		os.Exit(0)
	}
	os.Exit(m.Run())
}

// command returns the program with a command line, and its standard error.
func command(t *testing.T, args ...string) (*exec.Cmd, *strings.Builder) {
	t.Helper()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.CommandContext(t.Context(), self, args...)
	cmd.Dir = "../.."
	cmd.Env = append(os.Environ(), beMain+"=1")
	stderr := &strings.Builder{}
	cmd.Stderr = stderr
	return cmd, stderr
}

var freePorts = []string{"-api", "127.0.0.1:0", "-aws", "127.0.0.1:0", "-factory", "127.0.0.1:0", "-console",
	"127.0.0.1:0", "-watch=false"}

// children returns the processes whose parent is a process. It reads /proc of Linux:
// https://man7.org/linux/man-pages/man5/proc_pid_stat.5.html
func children(t *testing.T, parent int) (pids []int) {
	t.Helper()
	if runtime.GOOS != "linux" {
		t.Skip("only Linux has /proc, which lists the children of a process")
	}
	stats, err := filepath.Glob("/proc/[0-9]*/stat")
	if err != nil {
		t.Fatal(err)
	}
	for _, path := range stats {
		text, err := os.ReadFile(path)
		if err != nil {
			continue // the process has ended
		}
		_, afterName, _ := strings.Cut(string(text), ") ")
		if fields := strings.Fields(afterName); len(fields) > 1 && fields[1] == strconv.Itoa(parent) {
			pid, err := strconv.Atoi(filepath.Base(filepath.Dir(path)))
			if err != nil {
				t.Fatal(err)
			}
			pids = append(pids, pid)
		}
	}
	return pids
}

func TestRunServesUntilCtrlCAndLeavesNoProcessBehind(t *testing.T) {
	mariadbtest.Require(t)
	ready := filepath.Join(t.TempDir(), "ready.json")
	cmd, stderr := command(t, append(freePorts, "-ready", ready)...)
	stdout, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	for lines := bufio.NewScanner(stdout); lines.Scan() && !strings.Contains(lines.Text(), "Ctrl-C"); {
	}
	text, err := os.ReadFile(ready)
	if err != nil {
		t.Fatalf("%v; the program prints\n%s", err, stderr)
	}
	var e programs.Endpoints
	if err := json.Unmarshal(text, &e); err != nil {
		t.Fatalf("the ready file is %s: %v", text, err)
	}
	onSale(t, e.API)
	before := children(t, cmd.Process.Pid)
	if len(before) < 2 {
		t.Errorf("the run has the children %v, want the database and functions", before)
	}
	if err := cmd.Process.Signal(syscall.SIGINT); err != nil {
		t.Fatal(err)
	}
	if err := cmd.Wait(); err != nil {
		t.Errorf("after Ctrl-C: %v; the program prints\n%s", err, stderr)
	}
	for _, pid := range before {
		if err := syscall.Kill(pid, 0); !errors.Is(err, syscall.ESRCH) {
			t.Errorf("process %d still runs", pid)
		}
	}
	if _, err := os.Stat(ready); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("the ready file still exists: %v", err)
	}
}

func TestAFailedStartPrintsOneLineAndExits(t *testing.T) {
	busy, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer busy.Close()
	for _, c := range []struct {
		name string
		args []string
		code int
		want string
	}{
		{"a busy port", append(freePorts, "-api", busy.Addr().String()), 1,
			"local: -api " + busy.Addr().String() + " is in use"},
		{"an unknown stage", append(freePorts, "-stage", "nowhere"), 1, `local: there is no stage "nowhere"`},
		{"a ready file without a folder", append(freePorts, "-ready", "/nowhere/ready.json"), 1,
			"local: -ready: stat /nowhere: no such file"},
		{"a ready file that is a folder", append(freePorts, "-ready", t.TempDir()), 1,
			"local: -ready: " + os.TempDir()},
		{"an unreachable server", append(freePorts, "-dsn", "root@tcp(127.0.0.1:1)/"), 1,
			"local: creating database restock on the server at 127.0.0.1:1"},
		{"an unknown flag", []string{"-nope"}, 2, "flag provided but not defined: -nope"},
		{"two databases", []string{"-data", "d", "-dsn", "root@tcp(127.0.0.1:1)/"}, 2,
			"local: -data keeps the private database, and -dsn names another one"},
		{"an argument", []string{"now"}, 2, `local: unexpected argument "now"`},
		{"a step without duration", []string{"-factory-step", "0s"}, 2, "local: -factory-step is 0s: it must be"},
	} {
		t.Run(c.name, func(t *testing.T) {
			cmd, stderr := command(t, c.args...)
			done := make(chan error, 1)
			go func() { done <- cmd.Run() }()
			err := await.Receive(t, "the program has ended", done)
			var exit *exec.ExitError
			if !errors.As(err, &exit) || exit.ExitCode() != c.code {
				t.Errorf("ended with %v, want exit code %d", err, c.code)
			}
			first, rest, _ := strings.Cut(stderr.String(), "\n")
			for strings.Contains(first, " INF ") { // steps before the failure
				first, rest, _ = strings.Cut(rest, "\n")
			}
			if !strings.HasPrefix(first, c.want) || c.code == 1 && rest != "" {
				t.Errorf("the program prints\n%s, want one line that begins with %s", stderr, c.want)
			}
		})
	}
}

func TestARunDoesNotStartWithATooLowLimitOfOpenFiles(t *testing.T) {
	program, stderr := command(t, freePorts...)
	shell, err := exec.LookPath("sh")
	if err != nil {
		t.Skip("a shell must set the limit, and there is none")
	}
	program.Args = append([]string{shell, "-c", `ulimit -n 64 && exec "$0" "$@"`, program.Path}, program.Args[1:]...)
	program.Path = shell
	var exit *exec.ExitError
	if err := program.Run(); !errors.As(err, &exit) || exit.ExitCode() != exitFailure {
		t.Errorf("ended with %v, want exit code %d", err, exitFailure)
	}
	want := regexp.MustCompile(`^local: this process may have 64 files and connections open \(ulimit -n\), and needs ` +
		"[0-9]{3,}: type `ulimit -n [0-9]+` .*\n$")
	if !want.MatchString(stderr.String()) {
		t.Errorf("the program prints\n%s, want a line like %s", stderr, want)
	}
}

func TestAFlagWithAPasswordIsNotRepeated(t *testing.T) {
	for _, args := range [][]string{
		{"-otlp", "tcp://user:hunter2@127.0.0.1:4318"},
		{"-otlp", "user:hunter2@127.0.0.1:4318"},
		{"-service", "dynamodb=tcp://user:hunter2@127.0.0.1:8000"},
		{"-service", "s3=user:hunter2@127.0.0.1:9000"},
		{"-service", "s3=http://user:hunter2@192.0.2.1:9000/hunter2"},
		{"-config", "hunter2"},
		{"privileges", "-config", "hunter2", "-program", "tutorial"},
	} {
		cmd, stderr := command(t, args...)
		err := cmd.Run()
		var exit *exec.ExitError
		flag := args[slices.IndexFunc(args, func(arg string) bool { return arg[0] == '-' })]
		if !errors.As(err, &exit) || exit.ExitCode() != exitUsage ||
			!strings.Contains(stderr.String(), "local: "+flag+": ") || strings.Contains(stderr.String(), "hunter2") {
			t.Errorf("%s: got %v and %q, want the exit code %d and an error without the password", args, err, stderr,
				exitUsage)
		}
	}
}

func TestHelpIsNoError(t *testing.T) {
	for _, args := range [][]string{{"-h"}, {"record", "-h"}} {
		cmd, stderr := command(t, args...)
		if err := cmd.Run(); err != nil || !strings.Contains(stderr.String(), "-stage") {
			t.Errorf("%q: %v; the program prints\n%s", args, err, stderr)
		}
	}
}

func TestReferenceNamesEveryFlagAndItsDefault(t *testing.T) {
	reference, err := os.ReadFile("../../docs/reference.md")
	if err != nil {
		t.Fatal(err)
	}
	new(options).flags().VisitAll(func(f *flag.Flag) {
		row := "| `-" + f.Name + "` | "
		if f.DefValue != "" && f.DefValue != "false" {
			row += "`" + f.DefValue + "` "
		}
		if !strings.Contains(string(reference), row+"|") {
			t.Errorf("docs/reference.md has no row that begins with %s|", row)
		}
	})
}
