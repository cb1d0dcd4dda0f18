package lambda_test

import (
	"context"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"

	"restock/local/aws/lambda"
)

func TestBuildErrorCarriesTheCompilersOutput(t *testing.T) {
	err := lambda.Build(t.Context(), ".", t.TempDir(), "./testdata/broken")
	if err == nil {
		t.Fatal("it built")
	}
	first, rest, _ := strings.Cut(err.Error(), "\n")
	if want := "building ./testdata/broken: exit status 1"; first != want {
		t.Errorf("first line: got %q, want %q", first, want)
	}
	if want := filepath.FromSlash("testdata/broken/main.go:4:"); !strings.Contains(rest, want) {
		t.Errorf("got %q, want the compiler's message, at %s", rest, want)
	}
}

func TestBuildEndsWithItsContext(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	dir := t.TempDir()
	if err := lambda.Build(ctx, ".", dir, "./testdata/function"); !errors.Is(err, context.Canceled) {
		t.Errorf("got %v, want %v", err, context.Canceled)
	}
	if left, err := filepath.Glob(filepath.Join(dir, "[^.]*")); err != nil || len(left) != 0 {
		t.Errorf("it left %v (%v)", left, err)
	}
}

// module writes a module of commands, by name, and returns its folder.
func module(t *testing.T, commands map[string]string) (dir string) {
	t.Helper()
	dir = t.TempDir()
	files := map[string]string{"go.mod": "module example\n\ngo 1.26\n"}
	for name, main := range commands {
		files[name+"/main.go"] = "package main\n\n" + main
	}
	for path, text := range files {
		path = filepath.Join(dir, path)
		if err := errors.Join(os.MkdirAll(filepath.Dir(path), 0o755),
			os.WriteFile(path, []byte(text), 0o644)); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

func TestWhatBuildsIsBuiltBesideWhatDoesNot(t *testing.T) {
	const works = "func main() {}\n"
	for _, c := range []struct{ name, broken, want string }{
		{"an error of the compiler", "func main() { undefined() }\n", "b/main.go:3:15: undefined: undefined"},
		{"an error of the parser", "func main() {\n", "b/main.go:4:1: syntax error"},
		{"an import that is not there", "import _ \"example/nowhere\"\n\nfunc main() {}\n",
			"package example/nowhere is not in std"},
	} {
		t.Run(c.name, func(t *testing.T) {
			out := t.TempDir()
			dir := module(t, map[string]string{"a": works, "b": works, "c": works})
			if err := lambda.Prebuild(t.Context(), dir, out, "./a", "./b", "./c"); err != nil {
				t.Fatal(err)
			}
			if err := os.WriteFile(filepath.Join(dir, "b", "main.go"), []byte("package main\n\n"+c.broken),
				0o644); err != nil {
				t.Fatal(err)
			}
			sums, err := lambda.BuildSums(t.Context(), dir, out, "./a", "./b", "./c")
			var failure *lambda.BuildError
			if !errors.As(err, &failure) || strings.Join(failure.Packages, " ") != "./b" ||
				strings.Count(failure.Output, c.want) != 1 {
				t.Errorf("got %v, want that ./b fails, and once %q", err, c.want)
			}
			left, err := filepath.Glob(filepath.Join(out, "[^.]*"))
			if want := []string{filepath.Join(out, "a"), filepath.Join(out, "c")}; !slices.Equal(left, want) ||
				err != nil {
				t.Errorf("got %q (%v), want %q", left, err, want)
			}
			if len(sums) != 2 || sums["a"] == "" || sums["c"] == "" {
				t.Errorf("got the sums %v, want those of a and c", sums)
			}
		})
	}
}

func TestSameCodeHasTheSameSum(t *testing.T) {
	dir, out := module(t, map[string]string{"a": "func main() {}\n"}), t.TempDir()
	var sums []string
	for _, main := range []string{"func main() {}\n", "func main() {} // A comment.\n",
		"func main() { println(1) }\n"} {
		if err := os.WriteFile(filepath.Join(dir, "a", "main.go"), []byte("package main\n\n"+main), 0o644); err != nil {
			t.Fatal(err)
		}
		all, err := lambda.BuildSums(t.Context(), dir, out, "./a")
		if err != nil {
			t.Fatal(err)
		}
		sums = append(sums, all["a"])
	}
	if sums[0] == "" || sums[0] == sums[2] {
		t.Errorf("got %q, want another sum for another program", sums)
	}
	if sums[0] != sums[1] && runtime.GOOS == "linux" {
		t.Errorf("got %q, want the same sum after an edit of a comment", sums)
	}
	again, err := lambda.BuildSums(t.Context(), dir, out, "./a")
	if err != nil || again["a"] != sums[2] {
		t.Errorf("the same again: got %v (%v), want %s", again, err, sums[2])
	}
}

func TestAProgramIsBuiltInPlaceOfOneThatRuns(t *testing.T) {
	dir, out := module(t, map[string]string{"a": "func main() { select {} }\n"}), t.TempDir()
	if err := lambda.Build(t.Context(), dir, out, "./a"); err != nil {
		t.Fatal(err)
	}
	running := exec.CommandContext(t.Context(), filepath.Join(out, "a"))
	if err := running.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = running.Process.Kill(); _ = running.Wait() })
	if err := os.WriteFile(filepath.Join(dir, "a", "main.go"), []byte("package main\n\nfunc main() {}\n"),
		0o644); err != nil {
		t.Fatal(err)
	}
	if err := lambda.Build(t.Context(), dir, out, "./a"); err != nil {
		t.Fatal(err)
	}
	if err := exec.CommandContext(t.Context(), filepath.Join(out, "a")).Run(); err != nil {
		t.Errorf("the new one: %v", err)
	}
}
