// Package bundle builds functions into zips that are equal byte for byte on every machine with the
// same release of Go. So a preview shows a function as changed only if its code changed.
package bundle

import (
	"archive/zip"
	"bytes"
	"compress/flate"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path"
	"path/filepath"
	"strings"
	"time"
)

// OutDir is the folder of the zips, below the module's root.
const OutDir = "dist"

// A Zip is a function's code for a deployment.
type Zip struct {
	Path string
	Size int64  // in bytes
	Hash string // SHA-256, in hex
}

// A Builder builds the code of functions, by name.
type Builder func(ctx context.Context, names []string) (map[string]Zip, error)

// From returns the Builder of a deployment. The functions' sources are in a folder of the module
// around the working directory, each in a folder with its name.
func From(folder string) Builder {
	return func(ctx context.Context, names []string) (map[string]Zip, error) {
		return BuildModule(ctx, folder, names)
	}
}

// WithoutCode is a Builder that builds nothing. It is for recordings, which only need the declared
// resources.
func WithoutCode(_ context.Context, names []string) (map[string]Zip, error) {
	zips := map[string]Zip{}
	for _, name := range names {
		zips[name] = Zip{Path: "code of " + name, Hash: "hash of " + name}
	}
	return zips, nil
}

// BuildModule builds the functions in a folder of the module around the working directory into
// OutDir.
func BuildModule(ctx context.Context, folder string, names []string) (map[string]Zip, error) {
	root, err := moduleRoot(ctx)
	if err != nil {
		return nil, err
	}
	return Build(ctx, root, folder, filepath.Join(root, OutDir), names)
}

func moduleRoot(ctx context.Context) (string, error) {
	out, err := exec.CommandContext(ctx, "go", "env", "GOMOD").Output()
	if err != nil {
		return "", fmt.Errorf("looking for the Go module: %w", err)
	}
	return filepath.Dir(strings.TrimSpace(string(out))), nil
}

// Build builds the functions in a folder of the module at root into zips in outDir, one for each
// name. It does not write a zip that has not changed. The error contains all output of the
// compiler.
func Build(ctx context.Context, root, folder, outDir string, names []string) (map[string]Zip, error) {
	binaries, err := os.MkdirTemp("", "restock-bundle-")
	if err != nil {
		return nil, err
	}
	defer os.RemoveAll(binaries)
	if err := compile(ctx, root, folder, binaries, names); err != nil {
		return nil, err
	}
	if err := os.MkdirAll(outDir, 0o750); err != nil {
		return nil, err
	}
	zips := map[string]Zip{}
	for _, name := range names {
		content, err := pack(filepath.Join(binaries, name))
		if err != nil {
			return nil, fmt.Errorf("zipping function %s: %w", name, err)
		}
		file := filepath.Join(outDir, name+".zip")
		if err := replace(file, content); err != nil {
			return nil, fmt.Errorf("writing the zip of function %s: %w", name, err)
		}
		sum := sha256.Sum256(content)
		zips[name] = Zip{Path: file, Size: int64(len(content)), Hash: hex.EncodeToString(sum[:])}
	}
	return zips, nil
}

// compile builds all functions with one go command, which compiles shared packages only once.
func compile(ctx context.Context, root, folder, outDir string, names []string) error {
	args := []string{
		"build", "-o", outDir + string(filepath.Separator),
		"-trimpath", "-buildvcs=false", // no paths and no commit of this machine in the binary
		"-tags", "lambda.norpc", // no support for the retired go1.x runtime
		"-ldflags", "-s -w -buildid=",
	}
	for _, name := range names {
		args = append(args, "./"+path.Join(folder, name))
	}
	// #nosec G204 -- the program declares the names
	build := exec.CommandContext(ctx, "go", args...)
	build.Dir = root
	// These settings override those of the machine that would change the result.
	build.Env = append(os.Environ(), "GOOS=linux", "GOARCH=arm64", "GOARM64=v8.0", "CGO_ENABLED=0",
		"GOFLAGS=", "GOEXPERIMENT=", "GOFIPS140=off", "GOWORK=off")
	if out, err := build.CombinedOutput(); err != nil {
		return fmt.Errorf("go build: %w\n%s", err, out)
	}
	return nil
}

// zipTime is the time of every entry: the earliest that the format allows.
var zipTime = time.Date(1980, 1, 1, 0, 0, 0, 0, time.UTC)

// pack zips a binary in the form that Lambda's custom runtimes require: an executable named
// bootstrap.
func pack(binary string) ([]byte, error) {
	code, err := os.ReadFile(binary) // #nosec G304 -- it was just built
	if err != nil {
		return nil, err
	}
	var buffer bytes.Buffer
	w := zip.NewWriter(&buffer)
	w.RegisterCompressor(zip.Deflate, func(out io.Writer) (io.WriteCloser, error) {
		return flate.NewWriter(out, flate.BestCompression)
	})
	header := &zip.FileHeader{Name: "bootstrap", Method: zip.Deflate, Modified: zipTime}
	header.SetMode(0o755)
	entry, err := w.CreateHeader(header)
	if err != nil {
		return nil, err
	}
	if _, err := entry.Write(code); err != nil {
		return nil, err
	}
	if err := w.Close(); err != nil {
		return nil, err
	}
	return buffer.Bytes(), nil
}

// replace writes a file atomically, so that nobody reads an incomplete file. It does nothing if the
// file already has the content.
func replace(path string, content []byte) error {
	// #nosec G304 -- the path is in outDir
	if old, err := os.ReadFile(path); err == nil && bytes.Equal(old, content) {
		return nil
	}
	f, err := os.CreateTemp(filepath.Dir(path), filepath.Base(path)+".*")
	if err != nil {
		return err
	}
	defer os.Remove(f.Name())
	if _, err := f.Write(content); err != nil {
		_ = f.Close() // it is removed
		return err
	}
	if err := f.Close(); err != nil {
		return err
	}
	return os.Rename(f.Name(), path)
}
