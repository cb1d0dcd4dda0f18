package lambda

import (
	"bytes"
	"context"
	"crypto/sha256"
	"debug/elf"
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

// buildFlags are the flags of every build, so that the same source gives the same program. Like
// deployed programs, they have no debug information, which doubles the time of linking, and no
// commit. The tag leaves out code that only Lambda's former Go runtime needed.
var buildFlags = []string{"-tags=lambda.norpc", "-buildvcs=false", "-ldflags=-s -w"}

// debugFlags are the flags of a build for a debugger. Without optimizations it finds every line and
// variable of the module's own packages. Others are built as usual, which saves minutes.
var debugFlags = []string{"-tags=lambda.norpc", "-buildvcs=false", "-gcflags=./...=-N -l"}

// A BuildError is the error of packages that do not build.
type BuildError struct {
	Packages []string // the packages that failed, as given to Build
	Output   string   // the compiler's lines
	Err      error    // the exit of the go command
}

func (e *BuildError) Error() string {
	return fmt.Sprintf("building %s: %v\n%s", strings.Join(e.Packages, ", "), e.Err, e.Output)
}

func (e *BuildError) Unwrap() error { return e.Err }

// Build builds Go programs for this machine into outDir. Each program has the name of the last
// element of its package's path. packages are paths in the module at moduleDir, such as
// ./lambdas/stock. One call of the go command builds all of them, so that it shares its work. A new
// program replaces the former one atomically, even while that one runs. Several processes may build
// at the same time.
//
// If packages do not build, the error is a *BuildError whose first line names them. The other
// packages are built all the same.
func Build(ctx context.Context, moduleDir, outDir string, packages ...string) error {
	_, err := BuildSums(ctx, moduleDir, outDir, packages...)
	return err
}

// BuildSums is Build, and returns a sum of each built program's code, by the last element of its
// package's path. It also returns them with a *BuildError.
func BuildSums(ctx context.Context, moduleDir, outDir string, packages ...string) (map[string]string, error) {
	return build(ctx, builder{moduleDir: moduleDir, flags: buildFlags}, outDir, packages, install)
}

// BuildForDebugger is Build for programs that run under a debugger. Their directory must be another
// one.
func BuildForDebugger(ctx context.Context, moduleDir, outDir string, packages ...string) error {
	_, err := build(ctx, builder{moduleDir: moduleDir, flags: debugFlags}, outDir, packages, install)
	return err
}

// Prebuild checks whether programs build, and does not replace the existing ones. A later Build is
// then fast.
func Prebuild(ctx context.Context, moduleDir, outDir string, packages ...string) error {
	without := func(string, string) (string, error) { return "", nil }
	_, err := build(ctx, builder{moduleDir: moduleDir, flags: buildFlags}, outDir, packages, without)
	return err
}

// builtDir is a folder in the programs' directory in which the go command builds them. It skips the
// programs there that are up to date.
const builtDir = ".built"

// build builds packages and calls do with each built program.
func build(ctx context.Context, b builder, outDir string, packages []string,
	with func(built, program string) (sum string, err error)) (map[string]string, error) {
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
	b.dir = filepath.Join(outDir, builtDir)
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

// install replaces a program with the built one atomically. It links the file instead of copying
// it. While a file is being written, a process that forks at this moment inherits the open file,
// and then the file cannot be executed (https://go.dev/issue/22315). The go command never writes to
// a program that it has built; it creates a new file.
func install(built, program string) (sum string, err error) {
	if sum, err = sumOf(built); err != nil {
		return "", err
	}
	if same(built, program) {
		return sum, nil
	}
	beside := program + ".new"
	if err := os.Remove(beside); err != nil && !errors.Is(err, os.ErrNotExist) { // left by a killed process
		return "", err
	}
	if err := os.Link(built, beside); err != nil {
		return "", err
	}
	return sum, os.Rename(beside, program)
}

// same reports whether a program is a link to the built one.
func same(built, program string) bool {
	a, err := os.Stat(built)
	if err != nil {
		return false
	}
	b, err := os.Stat(program)
	return err == nil && os.SameFile(a, b)
}

// sumOf returns a sum that changes with the code of a program, and not with a comment in its
// source. The go command ends a build ID with a hash of the program without the ID; the parts
// before it change with every edit. Only Linux's programs keep the ID in a section of its own.
// Elsewhere the sum is that of the whole file.
func sumOf(file string) (string, error) {
	if program, err := elf.Open(file); err == nil {
		defer program.Close()
		if note := program.Section(".note.go.buildid"); note != nil {
			id, err := note.Data()
			if slash := bytes.LastIndexByte(id, '/'); err == nil && slash >= 0 {
				return string(bytes.TrimRight(id[slash+1:], "\x00")), nil
			}
		}
	}
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

// A builder builds packages of a module into a directory, with flags of the go command.
type builder struct {
	moduleDir, dir string
	flags          []string
}

// build returns the packages that it has built, and a *BuildError for the others.
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
		return built, nil // the source was fixed meanwhile
	}
	return built, failure
}

// compiling is the prefix of the line in which the go command names a package that does not
// compile.
const compiling = "# "

// whatCompiles builds as many packages as possible into an empty directory. In a directory with
// older programs, nothing would show which packages failed.
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

// whatLoads builds packages one by one. It is for a package that the go command cannot load, for
// example because of a missing import: then the go command compiles none of them.
func (b builder) whatLoads(ctx context.Context, packages []string) (built []string, output string, err error) {
	var lines []string
	for _, p := range packages {
		var failure *BuildError
		switch err := b.compile(ctx, []string{p}, b.dir); {
		case err == nil:
			built = append(built, p)
		case !errors.As(err, &failure):
			return nil, "", err
		case !slices.Contains(lines, failure.Output): // several packages have the same missing import
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
	// A cancelled go command is killed, and would leave its temporary folder behind.
	work := filepath.Join(b.dir, ".work")
	if err := errors.Join(os.RemoveAll(work), os.MkdirAll(work, 0o755)); err != nil {
		return fmt.Errorf("making a folder to build in: %w", err)
	}
	defer os.RemoveAll(work)
	args := append([]string{"build"}, b.flags...)
	// Because of the slash at the end, the go command treats -o as a directory.
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
