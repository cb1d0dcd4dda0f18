package bundle_test

import (
	"archive/zip"
	"bytes"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"restock/infra/bundle"
)

// module writes a module with one function into a directory.
func module(tb testing.TB, dir, source string) string {
	tb.Helper()
	files := map[string]string{"go.mod": "module example\n\ngo 1.26\n", "functions/hello/main.go": source}
	for path, content := range files {
		path = filepath.Join(dir, path)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			tb.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(content), 0o644); err != nil {
			tb.Fatal(err)
		}
	}
	return dir
}

const hello = "package main\n\nfunc main() { println(\"hello\") }\n"

func TestSameSourceMakesTheSameZipAnywhere(t *testing.T) {
	build := func(source string, settings map[string]string) []byte {
		t.Helper()
		for name, value := range settings {
			t.Setenv(name, value)
		}
		root := module(t, t.TempDir(), source)
		zips, err := bundle.Build(t.Context(), root, "functions", filepath.Join(root, "out"), []string{"hello"})
		if err != nil {
			t.Fatal(err)
		}
		content, err := os.ReadFile(zips["hello"].Path)
		if err != nil {
			t.Fatal(err)
		}
		if int64(len(content)) != zips["hello"].Size {
			t.Errorf("the zip has %d bytes, Build reports %d", len(content), zips["hello"].Size)
		}
		return content
	}
	first := build(hello, nil)
	settings := map[string]string{
		"GOFLAGS": "-gcflags=-N", "GOARM64": "v8.1", "CGO_ENABLED": "1", "GOFIPS140": "latest",
	}
	if !bytes.Equal(first, build(hello, settings)) {
		t.Error("two builds of one source in two directories, with different Go settings, differ")
	}
	if bytes.Equal(first, build(strings.Replace(hello, "hello", "other", 1), nil)) {
		t.Error("two builds of different sources are the same")
	}

	archive, err := zip.NewReader(bytes.NewReader(first), int64(len(first)))
	if err != nil {
		t.Fatal(err)
	}
	if len(archive.File) != 1 || archive.File[0].Name != "bootstrap" || archive.File[0].Mode() != 0o755 {
		t.Fatalf("the zip contains %+v, want only an executable bootstrap", archive.File)
	}
	f, err := archive.File[0].Open()
	if err != nil {
		t.Fatal(err)
	}
	header := make([]byte, 20)
	if _, err := io.ReadFull(f, header); err != nil {
		t.Fatal(err)
	}
	if string(header[:4]) != "\x7fELF" || header[18] != 183 { // EM_AARCH64
		t.Errorf("bootstrap begins with % x, want an ELF binary for arm64", header)
	}
}

func TestBuildErrorHasTheCompilersOutput(t *testing.T) {
	root := module(t, t.TempDir(), "package main\n\nfunc main() { undefined() }\n")
	_, err := bundle.Build(t.Context(), root, "functions", filepath.Join(root, "out"), []string{"hello"})
	if err == nil || !strings.Contains(err.Error(), "undefined: undefined") {
		t.Errorf("got %v, want the compiler's output", err)
	}
}

func TestBuildKeepsAnEqualZip(t *testing.T) {
	root := module(t, t.TempDir(), hello)
	build := func() os.FileInfo {
		t.Helper()
		zips, err := bundle.Build(t.Context(), root, "functions", filepath.Join(root, "out"), []string{"hello"})
		if err != nil {
			t.Fatal(err)
		}
		info, err := os.Stat(zips["hello"].Path)
		if err != nil {
			t.Fatal(err)
		}
		return info
	}
	if first, second := build(), build(); !os.SameFile(first, second) {
		t.Error("the second build replaced an equal zip")
	}
}
