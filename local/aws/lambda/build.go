package lambda

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"sync"

	"restock/local/system/filelock"
	"restock/local/system/process"
)

// buildFlags are those of every build, so that the same source is the same program. Like what is deployed, it has neither debug
// information, which takes the linker twice as long, nor the commit; the tag leaves out what only Lambda's former runtime for Go needed.
var buildFlags = []string{"-tags=lambda.norpc", "-buildvcs=false", "-ldflags=-s -w"}

// A BuildError says that packages do not build.
type BuildError struct {
	Packages []string // as they were given to Build
	Output   string   // the compiler's lines
	Err      error    // how the go command ended
}

func (e *BuildError) Error() string {
	return fmt.Sprintf("building %s: %v\n%s", strings.Join(e.Packages, ", "), e.Err, e.Output)
}

func (e *BuildError) Unwrap() error { return e.Err }

// Build builds Go programs for this machine into outDir, each as the last element of
// its package's path. packages are paths of packages in the module at moduleDir, as ./lambdas/stock. All are
// built by one call of the go command, which then shares its work among
// them. A program takes the place of a former one at once, which may be running. Many processes may build at once.
//
// What does not build is a *BuildError, whose first line says what failed; the others are built all the same.
func Build(ctx context.Context, moduleDir, outDir string, packages ...string) error {
	_, err := BuildSums(ctx, moduleDir, outDir, packages...)
	return err
}

// BuildSums is Build, and returns the SHA-256 of what was built, in hex, by the last element of its package's path. It does so with a
// *BuildError too.
func BuildSums(ctx context.Context, moduleDir, outDir string, packages ...string) (map[string]string, error) {
	return build(ctx, moduleDir, outDir, packages, install)
}

// Prebuild finds out whether programs build, and leaves what is there in its place. A Build that follows has little to do.
func Prebuild(ctx context.Context, moduleDir, outDir string, packages ...string) error {
	_, err := build(ctx, moduleDir, outDir, packages, func(string, string) (string, error) { return "", nil })
	return err
}

// builtDir, in a directory of programs, is where the go command builds them, and finds them the next time: it takes what is up to date as it is.
const builtDir = ".built"

// build builds, and does with each program what is to be done with it.
func build(ctx context.Context, moduleDir, outDir string, packages []string, with func(built, program string) (sum string, err error)) (map[string]string, error) {
	failed := func(err error) (map[string]string, error) {
		if ctx.Err() != nil {
			return nil, context.Cause(ctx)
		}
		return nil, fmt.Errorf("building %s: %w", strings.Join(packages, ", "), err)
	}
	outDir, err := filepath.Abs(outDir)
	if err != nil {
		return failed(err)
	}
	b := builder{moduleDir: moduleDir, dir: filepath.Join(outDir, builtDir)}
	if err := os.MkdirAll(b.dir, 0o755); err != nil {
		return failed(err)
	}
	lock, err := filelock.Wait(ctx, filepath.Join(b.dir, ".lock"))
	if err != nil {
		return failed(err)
	}
	defer lock.Release()
	built, err := b.build(ctx, packages)
	var failure *BuildError
	if ctx.Err() != nil || err != nil && !errors.As(err, &failure) {
		return failed(err)
	}
	sums := map[string]string{}
	for _, p := range built {
		name := path.Base(p)
		if sums[name], err = with(filepath.Join(b.dir, name), filepath.Join(outDir, name)); err != nil {
			return failed(err)
		}
	}
	if failure != nil {
		return sums, failure
	}
	return sums, nil
}

// install puts a program that was built in its place, at once. It is linked rather than copied: while a file is written, a process that is
// being started at that moment has it open too, and then it cannot be run (https://go.dev/issue/22315). The go command never
// writes to a program that it has built, but makes another one.
func install(built, program string) (sum string, err error) {
	if sum, err = sumOf(built); err != nil {
		return "", err
	}
	if same(built, program) {
		return sum, nil
	}
	beside := program + ".new"
	if err := os.Remove(beside); err != nil && !errors.Is(err, os.ErrNotExist) { // of a process that was killed
		return "", err
	}
	if err := os.Link(built, beside); err != nil {
		return "", err
	}
	return sum, os.Rename(beside, program)
}

// same tells whether a program is what was built, linked there before.
func same(built, program string) bool {
	a, err := os.Stat(built)
	if err != nil {
		return false
	}
	b, err := os.Stat(program)
	return err == nil && os.SameFile(a, b)
}

func sumOf(file string) (string, error) {
	f, err := os.Open(file)
	if err != nil {
		return "", err
	}
	defer f.Close()
	hash := sha256.New()
	if _, err := io.Copy(hash, f); err != nil {
		return "", err
	}
	return hex.EncodeToString(hash.Sum(nil)), nil
}

// A builder builds packages of a module into a directory.
type builder struct{ moduleDir, dir string }

// build returns the packages that it has built, and a *BuildError of the others.
func (b builder) build(ctx context.Context, packages []string) (built []string, err error) {
	err = b.compile(ctx, packages, b.dir)
	var failure *BuildError
	switch {
	case err == nil:
		return packages, nil
	case ctx.Err() != nil, !errors.As(err, &failure), len(packages) == 1:
		return nil, err
	case strings.HasPrefix(failure.Output, compiling):
		built, err = b.whatCompiles(ctx, packages)
	default:
		built, failure.Output, err = b.whatLoads(ctx, packages)
	}
	if err != nil {
		return nil, err
	}
	failure.Packages = nil
	for _, p := range packages {
		if !slices.Contains(built, p) {
			failure.Packages = append(failure.Packages, p)
		}
	}
	if len(failure.Packages) == 0 {
		return built, nil // it was mended meanwhile
	}
	return built, failure
}

// compiling begins the line in which the go command names the package whose compilation failed.
const compiling = "# "

// whatCompiles builds what can be built of packages, into an empty directory first: in one where all were built before, nothing tells those
// that failed.
func (b builder) whatCompiles(ctx context.Context, packages []string) (built []string, err error) {
	empty, err := os.MkdirTemp(b.dir, ".some-")
	if err != nil {
		return nil, err
	}
	defer os.RemoveAll(empty)
	var failure *BuildError
	if err := b.compile(ctx, packages, empty); err != nil && !errors.As(err, &failure) {
		return nil, err
	}
	for _, p := range packages {
		name := path.Base(p)
		switch err := os.Rename(filepath.Join(empty, name), filepath.Join(b.dir, name)); {
		case err == nil:
			built = append(built, p)
		case !errors.Is(err, os.ErrNotExist):
			return nil, err
		}
	}
	return built, nil
}

// whatLoads builds packages one by one, where the go command does not get to compiling because it cannot load one of them: one with an import
// that is not there.
func (b builder) whatLoads(ctx context.Context, packages []string) (built []string, output string, err error) {
	var lines []string
	for _, p := range packages {
		var failure *BuildError
		switch err := b.compile(ctx, []string{p}, b.dir); {
		case err == nil:
			built = append(built, p)
		case !errors.As(err, &failure):
			return nil, "", err
		case !slices.Contains(lines, failure.Output): // of an import that several packages miss
			lines = append(lines, failure.Output)
		}
	}
	return built, strings.Join(lines, "\n"), nil
}

func (b builder) compile(ctx context.Context, packages []string, dir string) error {
	var mu sync.Mutex
	var output []string
	collect := func(line string) {
		mu.Lock()
		defer mu.Unlock()
		output = append(output, line)
	}
	// The go command is killed where a build is broken off, and would leave its own folder behind.
	work := filepath.Join(b.dir, ".work")
	if err := errors.Join(os.RemoveAll(work), os.MkdirAll(work, 0o755)); err != nil {
		return fmt.Errorf("making a folder to build in: %w", err)
	}
	defer os.RemoveAll(work)
	args := append([]string{"build"}, buildFlags...)
	// A slash at the end of -o makes the go command treat it as a directory.
	args = append(args, "-o", dir+string(filepath.Separator), "--")
	err := process.Run(ctx, process.Config{
		Path:   "go",
		Args:   append(args, packages...),
		Env:    append(os.Environ(), "GOTMPDIR="+work), // the go command finds its caches and settings there
		Dir:    b.moduleDir,
		Stdout: collect,
		Stderr: collect,
	})
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	if err != nil {
		return &BuildError{Packages: packages, Output: strings.Join(output, "\n"), Err: err}
	}
	return nil
}
