package run

import (
	"archive/zip"
	"debug/buildinfo"
	"debug/elf"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"net/url"
	"os"
	"path/filepath"
	"runtime"
	"runtime/debug"
	"slices"
	"strings"

	"restock/infra/graph"
)

// unpackFunctions unpacks the archives of an external program's functions, and replaces the code of
// each function with the path of its executable. It records the functions that it cannot run: see
// Run.notRun. Relative paths of archives are below dir.
func (r *Run) unpackFunctions(g *graph.Graph, dir string) error {
	byARN := map[string]*graph.Resource{}
	for _, f := range g.OfType(graph.Function) {
		arn := f.String("arn")
		if other := byARN[arn]; other != nil {
			return fmt.Errorf("two functions have the name %s in a run: %s and %s: give one of them another name",
				f.String("name"), other.Source, f.Source)
		}
		byARN[arn] = f
		if reason := notExecutable(f); reason != "" {
			r.notRun[f.URN] = reason
			continue
		}
		if f.String("runtime") == retiredGo {
			r.config.Log.Warn("AWS has ended the runtime go1.x and refuses new functions: use provided.al2023, and "+
				"name the program bootstrap", "function", f.Name, "declared_in", f.Source)
		}
		// A logical name may be a path: one function must not get its folder in that of another.
		to := filepath.Join(r.config.BuildDir, functionsDir, url.PathEscape(f.Name))
		if err := errors.Join(os.RemoveAll(to), os.MkdirAll(to, 0o755)); err != nil {
			return fmt.Errorf("function %s: %w", f.Name, err)
		}
		err := unpack(f.Outputs["code"], dir, to)
		if errors.Is(err, errAtURI) {
			r.notRun[f.URN] = err.Error()
			continue
		}
		if err == nil {
			f.Outputs["code"] = filepath.Join(to, entrypoint(f))
			err = checkExecutable(f.String("code"))
			r.warnOfSDK(f)
		}
		if err != nil {
			return fmt.Errorf("function %s (%s): %w", f.Name, f.Source, err)
		}
	}
	return nil
}

// entrypoint returns the name of the executable in a function's archive. Custom runtimes run
// "bootstrap":
// https://docs.aws.amazon.com/lambda/latest/dg/runtimes-custom.html#runtimes-custom-bootstrap
// The retired runtime go1.x ran the handler. An executable for it also speaks the Runtime API.
func entrypoint(f *graph.Resource) string {
	if f.String("runtime") == retiredGo {
		return f.String("handler")
	}
	return "bootstrap"
}

// retiredGo is the runtime for Go that Lambda has ended:
// https://docs.aws.amazon.com/lambda/latest/dg/lambda-runtimes.html#runtimes-deprecated
const retiredGo = "go1.x"

// notExecutable returns why the run cannot run a function, or "".
func notExecutable(f *graph.Resource) string {
	switch runtime := f.String("runtime"); {
	case f.String("packageType") == "Image":
		return "its code is a container image: the run executes archives only"
	case f.String("s3Bucket") != "":
		return "its code is in an S3 bucket: give it an archive in code"
	case runtime != retiredGo && !strings.HasPrefix(runtime, "provided."):
		return fmt.Sprintf("the run has no runtime %s: it executes programs for provided.al2023", runtime)
	case f.Outputs["code"] == nil:
		return "its code is not known"
	}
	return ""
}

// errAtURI is the error of an archive that has a part on another machine.
var errAtURI = errors.New("its code is at a URI, and the run downloads nothing: give it files")

// unpack writes the files of an archive into a folder. The archive is a path of a zip or a folder,
// or an object with further archives and files, by name.
func unpack(archive any, dir, to string) error {
	switch archive := archive.(type) {
	case string:
		return unpackFile(absolute(dir, archive), archive, to)
	case map[string]any:
		if text, ok := archive[graph.TextAsset].(string); ok {
			if err := os.MkdirAll(filepath.Dir(to), 0o755); err != nil {
				return err
			}
			return os.WriteFile(to, []byte(text), 0o644)
		}
		if archive[graph.URIAsset] != nil {
			return errAtURI
		}
		for _, name := range slices.Sorted(maps.Keys(archive)) {
			if !filepath.IsLocal(name) {
				return fmt.Errorf("the archive has a file outside its folder: %q", name)
			}
			part, target := archive[name], filepath.Join(to, name)
			if path, ok := part.(string); ok && name != "." && !isArchive(absolute(dir, path)) {
				if err := copyFile(absolute(dir, path), target); err != nil {
					return err
				}
			} else if err := unpack(part, dir, target); err != nil {
				return err
			}
		}
		return nil
	}
	return fmt.Errorf("its code is a %T: the run reads archives of files", archive)
}

func absolute(dir, path string) string {
	if filepath.IsAbs(path) {
		return path
	}
	return filepath.Join(dir, path)
}

func isArchive(path string) bool {
	info, err := os.Stat(path)
	return filepath.Ext(path) == ".zip" || err == nil && info.IsDir()
}

// unpackFile unpacks a zip, or copies a folder.
func unpackFile(path, declared, to string) error {
	info, err := os.Stat(path)
	if errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("its archive %s does not exist: build it first, or let the run build it: "+
			"add \"local: {build: make build}\" to Pulumi.yaml, with your command", declared)
	}
	if err != nil {
		return err
	}
	if info.IsDir() {
		return os.CopyFS(to, os.DirFS(path))
	}
	archive, err := zip.OpenReader(path)
	if err != nil {
		return fmt.Errorf("its archive %s: %w", declared, err)
	}
	defer archive.Close()
	return os.CopyFS(to, archive)
}

func copyFile(from, to string) error {
	if err := os.MkdirAll(filepath.Dir(to), 0o755); err != nil {
		return err
	}
	source, err := os.Open(from)
	if err != nil {
		return err
	}
	defer source.Close()
	info, err := source.Stat()
	if err != nil {
		return err
	}
	target, err := os.OpenFile(to, os.O_CREATE|os.O_WRONLY, info.Mode().Perm())
	if err != nil {
		return err
	}
	if _, err := io.Copy(target, source); err != nil {
		return errors.Join(err, target.Close())
	}
	return target.Close()
}

// oldSDK is the version 1 of AWS's SDK for Go, which does not know AWS_ENDPOINT_URL:
// https://docs.aws.amazon.com/sdkref/latest/guide/feature-ss-endpoints.html
const oldSDK = "github.com/aws/aws-sdk-go"

// warnOfSDK warns of a function whose calls do not reach the run.
func (r *Run) warnOfSDK(f *graph.Resource) {
	info, err := buildinfo.ReadFile(f.String("code"))
	if err != nil {
		return // it is no program in Go
	}
	if slices.ContainsFunc(info.Deps, func(m *debug.Module) bool { return m.Path == oldSDK }) {
		r.config.Log.Warn("the function has version 1 of AWS's SDK for Go, which ignores AWS_ENDPOINT_URL: its calls "+
			"leave this machine with invalid credentials, and fail: use github.com/aws/aws-sdk-go-v2",
			"function", f.Name, "declared_in", f.Source)
	}
}

// machines are the architectures of Go's names for them, in the headers of Linux's programs.
var machines = map[elf.Machine]string{elf.EM_X86_64: "amd64", elf.EM_AARCH64: "arm64"}

// checkExecutable returns an error if this machine cannot run a program from an archive.
func checkExecutable(path string) error {
	info, err := os.Stat(path)
	if err != nil {
		return fmt.Errorf("its archive has no file %s", filepath.Base(path))
	}
	if info.Mode().Perm()&0o100 == 0 {
		return fmt.Errorf("the file %s in its archive is not executable: run chmod +x before you zip it", info.Name())
	}
	program, err := elf.Open(path)
	if err != nil {
		return nil // a script, or a program for another system than Linux
	}
	defer program.Close()
	built := machines[program.Machine]
	if runtime.GOOS == "linux" && built == runtime.GOARCH {
		return nil
	}
	return fmt.Errorf("the program %s in its archive is for linux/%s, and this machine is %s/%s: build it with "+
		"GOOS=%[3]s GOARCH=%[4]s for this run", info.Name(), built, runtime.GOOS, runtime.GOARCH)
}
