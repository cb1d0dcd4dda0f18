package run

import (
	"archive/zip"
	"bytes"
	"debug/elf"
	"log/slog"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"testing"

	"restock/infra/graph"
)

// writeZip writes a zip with one file.
func writeZip(t *testing.T, path, name string, content []byte, mode os.FileMode) {
	t.Helper()
	file, err := os.Create(path)
	if err != nil {
		t.Fatal(err)
	}
	w := zip.NewWriter(file)
	header := &zip.FileHeader{Name: name}
	header.SetMode(mode)
	entry, err := w.CreateHeader(header)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := entry.Write(content); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	if err := file.Close(); err != nil {
		t.Fatal(err)
	}
}

// header returns the header of a program for Linux on a machine.
func header(machine elf.Machine) []byte {
	h := make([]byte, 64)
	copy(h, "\x7fELF\x02\x01\x01") // 64 bits, little endian
	h[16], h[18], h[20], h[52] = byte(elf.ET_EXEC), byte(machine), 1, 64
	return h
}

func TestArchivesOfFunctions(t *testing.T) {
	dir := t.TempDir()
	write := func(name string, content string) {
		path := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(content), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	const script = "#!/bin/sh\n"
	write("folder/bootstrap", script)
	write("built", script)
	here, other := elf.EM_X86_64, elf.EM_AARCH64
	if runtime.GOARCH == "arm64" {
		here, other = other, here
	}
	writeZip(t, filepath.Join(dir, "here.zip"), "bootstrap", header(here), 0o755)
	writeZip(t, filepath.Join(dir, "other.zip"), "bootstrap", header(other), 0o755)
	writeZip(t, filepath.Join(dir, "mode.zip"), "bootstrap", header(here), 0o644)
	writeZip(t, filepath.Join(dir, "go1.zip"), "hello", []byte(script), 0o755)
	for _, c := range []struct {
		name             string
		runtime, handler string
		code             any
		want             string // the end of the executable's path, or a part of the error
		notRun           string
	}{
		{"folder", "provided.al2023", "bootstrap", "folder", "/folder/bootstrap", ""},
		{"zip", "provided.al2", "bootstrap", "here.zip", "/zip/bootstrap", ""},
		{"file", "provided.al2023", "any", map[string]any{"bootstrap": "built"}, "/file/bootstrap", ""},
		{"inner", "provided.al2023", "any", map[string]any{".": "here.zip"}, "/inner/bootstrap", ""},
		{"retired", "go1.x", "hello", "go1.zip", "/retired/hello", ""},
		{"other", "provided.al2023", "bootstrap", "other.zip", "is for linux/" + machines[other], ""},
		{"mode", "provided.al2023", "bootstrap", "mode.zip", "is not executable", ""},
		{"name", "provided.al2023", "bootstrap", "go1.zip", "has no file bootstrap", ""},
		{"none", "provided.al2023", "bootstrap", "none.zip", "none.zip does not exist: build it first", ""},
		{"outside", "provided.al2023", "bootstrap", map[string]any{"../x": "built"}, "outside its folder", ""},
		{"text", "provided.al2023", "any", map[string]any{
			"bootstrap": map[string]any{graph.TextAsset: script},
		}, "is not executable", ""},
		{"remote", "provided.al2023", "any", map[string]any{graph.URIAsset: "https://x.test/a.zip"},
			"", "its code is at a URI"},
		{"part", "provided.al2023", "any", map[string]any{
			"bootstrap": "built", "lib": map[string]any{graph.URIAsset: "https://x.test/a.zip"},
		}, "", "its code is at a URI"},
		{"node", "nodejs22.x", "index.handler", "folder", "", "the run has no runtime nodejs22.x"},
	} {
		outputs := map[string]any{"runtime": c.runtime, "handler": c.handler, "code": c.code}
		f := &graph.Resource{URN: c.name, Type: graph.Function, Name: c.name, Source: "main.go:1", Outputs: outputs}
		config := Config{BuildDir: t.TempDir(), Log: slog.New(slog.DiscardHandler)}
		r := &Run{config: config, notRun: map[string]string{}}
		err := r.unpackFunctions(&graph.Graph{Resources: []*graph.Resource{f}}, dir)
		got := f.String("code")
		if err != nil {
			got = err.Error()
		}
		if c.notRun == "" && !strings.HasSuffix(got, c.want) && (err == nil || !strings.Contains(got, c.want)) {
			t.Errorf("%s: got %q, want %q", c.name, got, c.want)
		}
		if reason := r.notRun[c.name]; !strings.Contains(reason, c.notRun) || (reason == "") != (c.notRun == "") {
			t.Errorf("%s: the run does not run it because of %q, want %q", c.name, reason, c.notRun)
		}
	}
}

func TestAFunctionWithTheOldSDKIsNamed(t *testing.T) {
	dir := t.TempDir()
	for name, content := range map[string]string{
		"go.mod":     "module m\nrequire " + oldSDK + " v1.0.0\nreplace " + oldSDK + " => ./sdk\n",
		"main.go":    "package main\nimport _ \"" + oldSDK + "\"\nfunc main() {}\n",
		"sdk/go.mod": "module " + oldSDK + "\n",
		"sdk/sdk.go": "package sdk\n",
	} {
		if err := os.MkdirAll(filepath.Join(dir, filepath.Dir(name)), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(dir, name), []byte(content), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	build := exec.Command("go", "build", "-o", "built", ".")
	build.Dir = dir
	if out, err := build.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	var log bytes.Buffer
	r := &Run{config: Config{Log: slog.New(slog.NewTextHandler(&log, nil))}}
	code := func(path string) *graph.Resource {
		return &graph.Resource{Name: "old", Source: "main.go:4", Outputs: map[string]any{"code": path}}
	}
	r.warnOfSDK(code(filepath.Join(dir, "main.go")))
	if log.Len() > 0 {
		t.Errorf("a file that is no program: the log is %s", log.String())
	}
	r.warnOfSDK(code(filepath.Join(dir, "built")))
	if want := "function=old declared_in=main.go:4"; !strings.Contains(log.String(), want) {
		t.Errorf("the log is %q, want a warning of the SDK's version with %s", log.String(), want)
	}
}

func TestEachFunctionOfAProgramHasItsOwnCode(t *testing.T) {
	dir := t.TempDir()
	function := func(name, arn, source string) *graph.Resource {
		archive := filepath.Join(dir, arn+source+".zip")
		writeZip(t, archive, "bootstrap", []byte("#!/bin/sh\n# "+source), 0o755)
		return &graph.Resource{Type: graph.Function, Name: name, Source: source, Outputs: map[string]any{
			"arn": arn, "name": arn, "runtime": "provided.al2023", "code": archive,
		}}
	}
	r := &Run{notRun: map[string]string{}, config: Config{BuildDir: filepath.Join(dir, "build"), Log: slog.Default()}}
	outer, inner := function("a/b", "b", "main.go:1"), function("a", "a", "main.go:2")
	if err := r.unpackFunctions(&graph.Graph{Resources: []*graph.Resource{outer, inner}}, dir); err != nil {
		t.Fatal(err)
	}
	for _, f := range []*graph.Resource{outer, inner} {
		if text, err := os.ReadFile(f.String("code")); err != nil || !strings.HasSuffix(string(text), f.Source) {
			t.Errorf("the code of %s is %q, %v; want that of %s", f.Name, text, err, f.Source)
		}
	}
	same := []*graph.Resource{function("handler", "h", "api.go:1"), function("handler", "h", "jobs.go:2")}
	err := r.unpackFunctions(&graph.Graph{Resources: same}, dir)
	if err == nil || !strings.Contains(err.Error(), "api.go:1 and jobs.go:2") {
		t.Errorf("two functions with one name: got %v, want an error with both lines", err)
	}
}
