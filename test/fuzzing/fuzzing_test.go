package fuzzing

import (
	"context"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"syscall"
	"testing"

	"restock/test/await"
)

// FuzzSum fails for one byte in eight if the variable broken is set. Its seed does not fail.
func FuzzSum(f *testing.F) {
	f.Add([]byte("x"))
	f.Fuzz(func(t *testing.T, text []byte) {
		for _, b := range text {
			if os.Getenv(broken) != "" && b&7 == 7 {
				t.Errorf("%q has a byte that fails", text)
			}
		}
	})
}

// broken is an environment variable that makes FuzzSum fail.
const broken = "RESTOCK_TEST_BROKEN_TARGET"

// Environment variables that name files of FuzzSeeds and FuzzHang.
const (
	inputsFile = "RESTOCK_TEST_INPUTS_FILE"
	hangFile   = "RESTOCK_TEST_HANG_FILE"
)

// FuzzSeeds writes a letter for each input into a file, if the variable names one: the letter that
// the input has most of. Each seed consists of one letter.
func FuzzSeeds(f *testing.F) {
	for i := range mutated + 1 {
		f.Add(strings.Repeat(string(rune('A'+i)), 100))
	}
	f.Fuzz(func(t *testing.T, text string) {
		if os.Getenv(inputsFile) == "" {
			return
		}
		most := 'A'
		for letter := 'A'; letter <= 'A'+mutated; letter++ {
			if strings.Count(text, string(letter)) > strings.Count(text, string(most)) {
				most = letter
			}
		}
		appendTo(t, os.Getenv(inputsFile), string(most))
	})
}

// FuzzHang writes its process id into a file, and does not return, if the variable names one.
func FuzzHang(f *testing.F) {
	f.Add("x")
	f.Fuzz(func(t *testing.T, _ string) {
		if os.Getenv(hangFile) != "" {
			appendTo(t, os.Getenv(hangFile), strconv.Itoa(os.Getpid())+"\n")
			<-t.Context().Done()
		}
	})
}

func appendTo(t *testing.T, name, text string) {
	file, err := os.OpenFile(name, os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o600)
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	if _, err := file.WriteString(text); err != nil {
		t.Fatal(err)
	}
}

func TestRandomInputs(t *testing.T) { Targets(t) }

// self returns the path of the test binary, which is also the program that is tested.
func self(t *testing.T) string {
	t.Helper()
	if testing.Short() {
		t.Skip("-short: fuzz targets get only their seeds")
	}
	path, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	return path
}

func TestAFailingInputFailsTheTestAndIsKept(t *testing.T) {
	dir := t.TempDir()
	run := func(arg string) (string, error) {
		again := exec.CommandContext(t.Context(), self(t), arg)
		again.Dir, again.Env = dir, append(os.Environ(), broken+"=1")
		out, err := again.CombinedOutput()
		return string(out), err
	}
	out, err := run("-test.run=^TestRandomInputs$/^FuzzSum$")
	kept, _ := filepath.Glob(filepath.Join(dir, "testdata/fuzz/FuzzSum/*")) // the pattern is well-formed
	if err == nil || !strings.Contains(out, "has a byte that fails") || len(kept) != 1 {
		t.Fatalf("got %v, the inputs %q and\n%s\nwant a failure, and its input", err, kept, out)
	}
	// The same without random inputs, as with go test -short.
	out, err = run("-test.run=^FuzzSum$")
	if err == nil || !strings.Contains(out, "FuzzSum/"+filepath.Base(kept[0])) {
		t.Errorf("got %v and\n%s\nwant the kept input to fail again", err, out)
	}
}

func TestRandomInputsComeFromTheFirstSeedsInEqualShares(t *testing.T) {
	file := filepath.Join(t.TempDir(), "inputs")
	t.Setenv(inputsFile, file)
	if out, err := send(t.Context(), self(t), "FuzzSeeds", t.TempDir()); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	seen, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if len(seen) != inputs {
		t.Errorf("the target got %d inputs, want %d", len(seen), inputs)
	}
	for letter := 'A'; letter < 'A'+mutated; letter++ {
		// A share ends after 100 ms. On a slow machine it may be one random input.
		if got := strings.Count(string(seen), string(letter)); got < 2 {
			t.Errorf("%d inputs come from the seed %c, want the seed and random ones", got, letter)
		}
	}
}

func TestAHangingTargetLeavesNoProcess(t *testing.T) {
	file := filepath.Join(t.TempDir(), "processes")
	t.Setenv(hangFile, file)
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	program, ended := self(t), make(chan error, 1)
	go func() {
		_, err := send(ctx, program, "FuzzHang", t.TempDir())
		ended <- err
	}()
	var process int
	await.Until(t, "the target hangs", func() bool {
		line, _, written := strings.Cut(read(file), "\n")
		process, _ = strconv.Atoi(line)
		return written
	})
	t.Cleanup(func() { _ = syscall.Kill(process, syscall.SIGKILL) }) // it fails if the process has ended
	cancel()
	if err := await.Receive(t, "the target has ended", ended); err == nil {
		t.Error("got no error of a target that hangs")
	}
	await.Until(t, "its process has ended", func() bool { return syscall.Kill(process, 0) == syscall.ESRCH })
}

// read returns the text of a file, or nothing if it cannot be read.
func read(name string) string {
	text, _ := os.ReadFile(name)
	return string(text)
}

var (
	target = regexp.MustCompile(`(?m)^func Fuzz\w+\(`)
	sends  = regexp.MustCompile(`\bTargets\(t\)`)
)

func TestEachPackageWithTargetsSendsRandomInputs(t *testing.T) {
	has, does := map[string]bool{}, map[string]bool{}
	err := filepath.WalkDir("../..", func(path string, entry fs.DirEntry, err error) error {
		name := entry.Name()
		if err == nil && entry.IsDir() && strings.HasPrefix(name, ".") && name != ".." {
			return fs.SkipDir
		}
		if err != nil || !strings.HasSuffix(name, "_test.go") {
			return err
		}
		source, err := os.ReadFile(path)
		dir := filepath.Dir(path)
		has[dir] = has[dir] || target.Match(source) && !strings.HasPrefix(dir, "../../scripts/")
		does[dir] = does[dir] || sends.Match(source)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	for dir := range has {
		if has[dir] && !does[dir] {
			t.Errorf("%s has fuzz targets, and no test that calls fuzzing.Targets", dir)
		}
	}
}
