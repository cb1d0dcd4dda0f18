package main

import (
	"bytes"
	"context"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
)

// declaration matches the declaration of a fuzz target.
var declaration = regexp.MustCompile(`(?m)^func Fuzz\w+\(`)

// find returns the folders below root whose tests declare fuzz targets.
func find(root string) (dirs []string, err error) {
	err = filepath.WalkDir(root, func(path string, entry fs.DirEntry, err error) error {
		name := entry.Name()
		switch {
		case err != nil:
			return err
		case entry.IsDir() && path != root && (name == "testdata" || strings.HasPrefix(name, ".")):
			return filepath.SkipDir
		case entry.IsDir() || !strings.HasSuffix(name, "_test.go"):
			return nil
		}
		source, err := os.ReadFile(path)
		if err == nil && declaration.Match(source) {
			dirs = append(dirs, filepath.Dir(path))
		}
		return err
	})
	return slices.Compact(dirs), err // WalkDir sorts
}

// A testBinary is a package's compiled tests.
type testBinary struct {
	dir, importPath string
	path            string
	targets         []string
}

// build compiles the tests of a package with instruments for coverage, as well as all packages that
// they depend on.
func build(ctx context.Context, dir, into string) (testBinary, error) {
	t := testBinary{dir: dir}
	importPath, err := output(exec.CommandContext(ctx, "go", "list", "./"+filepath.ToSlash(filepath.Clean(dir))))
	if err != nil {
		return t, fmt.Errorf("finding package %s: %w", dir, err)
	}
	t.importPath = strings.TrimSpace(importPath)
	t.path = filepath.Join(into, strings.ReplaceAll(t.importPath, "/", "-")+".test")
	// lint runs vet. Without symbols, linking takes half the time.
	compile := exec.CommandContext(ctx, "go", "test", "-c", "-o", t.path, "-vet=off", "-ldflags=-s -w",
		"-fuzz=^Fuzz", t.importPath)
	if _, err := output(compile); err != nil {
		return t, fmt.Errorf("building the tests of %s: %w", t.importPath, err)
	}
	list := exec.CommandContext(ctx, t.path, "-test.list=^Fuzz")
	list.Dir = dir
	names, err := output(list)
	if err != nil {
		return t, fmt.Errorf("listing the targets of %s: %w", t.importPath, err)
	}
	t.targets = strings.Fields(names)
	return t, nil
}

// cacheDir returns the folder in which go test -fuzz keeps its inputs. It has one folder a package.
func cacheDir(ctx context.Context) (string, error) {
	dir, err := output(exec.CommandContext(ctx, "go", "env", "GOCACHE"))
	if err != nil {
		return "", fmt.Errorf("finding Go's build cache: %w", err)
	}
	return filepath.Join(strings.TrimSpace(dir), "fuzz"), nil
}

// output runs a command and returns its output. The error includes the output.
func output(c *exec.Cmd) (string, error) {
	var stdout, stderr bytes.Buffer
	c.Stdout, c.Stderr = &stdout, &stderr
	if err := c.Run(); err != nil {
		return "", fmt.Errorf("%w\n%s%s", err, &stdout, &stderr)
	}
	return stdout.String(), nil
}
