package watch

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path"
	"slices"
	"strings"
)

// Sources are the files of some of a module's packages and of the packages that they import,
// including embedded files. They exclude tests, the standard library and other modules.
type Sources struct {
	roots   []string // the requested packages
	folders map[string]*folder
}

// A folder has a package.
type folder struct {
	packages []string // the requested packages that depend on it
	embeds   []string // patterns of //go:embed, below the folder
}

// List asks the go command for the files of packages. Packages have names such as
// "./lambdas/stock", in the module at a directory. Packages that do not compile are no error: List
// returns what the go command knows of them.
func List(ctx context.Context, moduleDir string, packages ...string) (*Sources, error) {
	args := append([]string{"list", "-deps", "-e", "-json=ImportPath,Deps,EmbedPatterns,Module", "--"}, packages...)
	list := exec.CommandContext(ctx, "go", args...)
	list.Dir = moduleDir
	list.Env = append(os.Environ(), "PWD="+moduleDir)
	var complaints bytes.Buffer
	list.Stderr = &complaints
	output, err := list.Output()
	if ctx.Err() != nil {
		return nil, context.Cause(ctx)
	}
	if err != nil {
		return nil, fmt.Errorf("listing the sources of %s: %w: %s", strings.Join(packages, ", "), err,
			bytes.TrimSpace(complaints.Bytes()))
	}
	s, err := read(output, packages)
	if err != nil {
		return nil, fmt.Errorf("listing the sources of %s: %w", strings.Join(packages, ", "), err)
	}
	return s, nil
}

// listed is a package in the go command's output.
type listed struct {
	ImportPath    string
	Deps          []string
	EmbedPatterns []string
	Module        *struct {
		Path string
		Main bool
	}
}

// folder returns the package's folder below the module. ok is false for a package outside the main
// module.
func (p listed) folder() (dir string, ok bool) {
	if p.Module == nil || !p.Module.Main {
		return "", false
	}
	if p.ImportPath == p.Module.Path {
		return ".", true
	}
	return strings.CutPrefix(p.ImportPath, p.Module.Path+"/")
}

func read(output []byte, packages []string) (*Sources, error) {
	s := &Sources{roots: packages, folders: map[string]*folder{}}
	byPath := map[string]listed{}
	for decoder := json.NewDecoder(bytes.NewReader(output)); ; {
		var p listed
		if err := decoder.Decode(&p); errors.Is(err, io.EOF) {
			break
		} else if err != nil {
			return nil, fmt.Errorf("reading what the go command says: %w", err)
		}
		byPath[p.ImportPath] = p
		if dir, ok := p.folder(); ok {
			s.folders[dir] = &folder{embeds: p.EmbedPatterns}
		}
	}
	for _, p := range byPath {
		dir, ok := p.folder()
		if !ok {
			continue
		}
		for _, root := range packages {
			if path.Clean(root) != dir {
				continue
			}
			for _, dependency := range append(p.Deps, p.ImportPath) {
				if at, ok := byPath[dependency].folder(); ok {
					s.folders[at].packages = append(s.folders[at].packages, root)
				}
			}
		}
	}
	return s, nil
}

// MadeOf returns the packages to build again when a file changes. The file may be new or deleted,
// or a deleted directory. MadeOf may return a package too many: its build then gives the same
// program.
func (s *Sources) MadeOf(file string) []string {
	if slices.Contains([]string{"go.mod", "go.sum", "go.work"}, file) {
		return slices.Sorted(slices.Values(s.roots))
	}
	var packages []string
	for dir, f := range s.folders {
		if IsSource(file) && path.Dir(file) == dir || dir == file || strings.HasPrefix(dir, file+"/") ||
			f.holds(dir, file) {
			packages = append(packages, f.packages...)
		}
	}
	slices.Sort(packages)
	return slices.Compact(packages)
}

// IsSource reports whether the go command compiles a file in a package's folder, even if no package
// imports that folder yet:
// https://pkg.go.dev/cmd/go#hdr-Package_lists_and_patterns
func IsSource(file string) bool {
	name := path.Base(file)
	if strings.HasPrefix(name, ".") || strings.HasPrefix(name, "_") || strings.HasSuffix(name, "_test.go") {
		return false
	}
	return slices.Contains([]string{".go", ".s", ".h", ".c", ".syso"}, path.Ext(name))
}

// holds reports whether a pattern embeds the file or a directory above it. The file may be deleted.
func (f *folder) holds(dir, file string) bool {
	below := file
	if dir != "." {
		var ok bool
		if below, ok = strings.CutPrefix(file, dir+"/"); !ok {
			return false
		}
	}
	for _, pattern := range f.embeds {
		pattern = strings.TrimPrefix(pattern, "all:")
		for at := below; at != "."; at = path.Dir(at) {
			// the go command has refused bad patterns
			if matches, _ := path.Match(pattern, at); matches || pattern == "." {
				return true
			}
		}
	}
	return false
}
