package fuzzing_test

import (
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"restock/test/fuzzing"
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

func TestRandomInputs(t *testing.T) { fuzzing.Targets(t) }

func TestAFailingInputFailsTheTestAndIsKept(t *testing.T) {
	if testing.Short() {
		t.Skip("-short: fuzz targets get only their seeds")
	}
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	again := exec.CommandContext(t.Context(), self, "-test.run=^TestRandomInputs$")
	again.Dir, again.Env = t.TempDir(), append(os.Environ(), broken+"=1")
	out, err := again.CombinedOutput()
	kept, _ := filepath.Glob(filepath.Join(again.Dir, "testdata/fuzz/FuzzSum/*")) // the pattern is well-formed
	if err == nil || !strings.Contains(string(out), "has a byte that fails") || len(kept) != 1 {
		t.Errorf("got %v, the inputs %q and\n%s\nwant a failure, and its input", err, kept, out)
	}
}

var (
	target = regexp.MustCompile(`(?m)^func Fuzz\w+\(`)
	sends  = regexp.MustCompile(`\bfuzzing\.Targets\(`)
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
