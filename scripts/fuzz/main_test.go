package main

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// module creates a module with a package that has fuzz targets, and changes to its folder.
func module(t *testing.T, targets string) {
	t.Helper()
	dir := t.TempDir()
	for name, text := range map[string]string{
		"go.mod":               "module example\n\ngo 1.26\n",
		"parser/a_test.go":     "package parser\n\nimport \"testing\"\n\n" + targets,
		"testdata/b_test.go":   "func FuzzOfAnotherModule(",
		"parser/parser.go":     "package parser\n",
		"plain/plain_test.go":  "package plain\n",
		".hidden/fuzz_test.go": "func FuzzHidden(",
	} {
		path := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o750); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	t.Chdir(dir)
}

const (
	good = "func FuzzGood(f *testing.F) { f.Fuzz(func(*testing.T, string) {}) }\n"
	bad  = "func FuzzBad(f *testing.F) { f.Add(\"x\"); f.Fuzz(func(t *testing.T, s string) { if s != \"x\" { " +
		"t.Fatal(s) } }) }\n"
)

func TestAFailingInputIsKeptAndPlayedAgainByTheCommandThatIsPrinted(t *testing.T) {
	module(t, good+bad)
	var out strings.Builder
	// It ends as soon as it fails.
	err := fuzzer{time: time.Hour, out: &out}.run(t.Context(), "Bad$", nil)
	if err == nil || !strings.Contains(err.Error(), "1 targets failed: example/parser FuzzBad") {
		t.Fatalf("got %v and\n%s, want FuzzBad to fail", err, &out)
	}
	_, command, found := strings.Cut(out.String(), "play it again: ")
	if !found {
		t.Fatalf("got\n%s, want the command that plays it again", &out)
	}
	again, err := exec.CommandContext(t.Context(), "sh", "-c", command).CombinedOutput()
	if err == nil || strings.Count(string(again), "--- FAIL: FuzzBad/") != 1 {
		t.Errorf("%s: got %v and\n%s, want the input to fail again, alone", command, err, again)
	}
}

func TestTargetsAreChosenByName(t *testing.T) {
	module(t, good+bad)
	var out strings.Builder
	err := fuzzer{time: time.Millisecond, out: &out}.run(t.Context(), "Good$", []string{"parser"})
	if text := out.String(); err != nil || !strings.Contains(text, "ok    example/parser FuzzGood") ||
		strings.Contains(text, "FuzzBad") {
		t.Errorf("got %v and\n%s, want FuzzGood alone to run, and to pass", err, &out)
	}
	if err := (fuzzer{out: &out}).run(t.Context(), "Ugly", nil); err == nil {
		t.Error("got no error where no target matches")
	}
}
