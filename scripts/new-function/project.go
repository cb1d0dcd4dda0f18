package main

import (
	"bytes"
	"embed"
	"errors"
	"fmt"
	"go/ast"
	"go/format"
	"go/parser"
	"go/token"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"text/template"
)

//go:embed templates/*.tmpl
var templates embed.FS

var skeleton = template.Must(template.ParseFS(templates, "templates/*.tmpl"))

// A source is a Go file of package lambdas.
type source struct {
	path string
	text []byte
	file *ast.File
	set  *token.FileSet
	// insertions are texts to insert, by offset.
	insertions map[int]string
}

func parse(path string) (*source, error) {
	text, err := os.ReadFile(path) // #nosec G304 -- a file of the project
	if err != nil {
		return nil, err
	}
	s := &source{path: path, text: text, set: token.NewFileSet(), insertions: map[int]string{}}
	s.file, err = parser.ParseFile(s.set, path, text, parser.ParseComments)
	return s, err
}

func (s *source) insert(at token.Pos, text string) {
	s.insertions[s.set.Position(at).Offset] += text
}

// edited returns the formatted text with all insertions.
func (s *source) edited() ([]byte, error) {
	var out bytes.Buffer
	last := 0
	for _, at := range sortedKeys(s.insertions) {
		out.Write(s.text[last:at])
		out.WriteString(s.insertions[at])
		last = at
	}
	out.Write(s.text[last:])
	return format.Source(out.Bytes())
}

func sortedKeys(m map[int]string) (keys []int) {
	for key := range m {
		keys = append(keys, key)
	}
	slices.Sort(keys)
	return keys
}

// A project is the project's declarations.
type project struct {
	root                  string
	lambdas, environments *source
	all                   []*source         // of package lambdas
	names                 []string          // of the declared functions
	texts                 map[string]string // the names of the constants in lambdas.go, by their values
	files                 map[string][]byte // to write, by path
}

func open(root string) (*project, error) {
	p := &project{root: root, texts: map[string]string{}, files: map[string][]byte{}}
	paths, err := filepath.Glob(filepath.Join(root, "lambdas", "*.go"))
	if err != nil {
		return nil, fmt.Errorf("listing package lambdas: %w", err)
	}
	for _, path := range paths {
		s, err := parse(path)
		if err != nil {
			return nil, fmt.Errorf("reading package lambdas: %w", err)
		}
		switch filepath.Base(path) {
		case "lambdas.go":
			p.lambdas = s
		case "environment.go":
			p.environments = s
		}
		p.all = append(p.all, s)
	}
	if p.lambdas == nil || p.environments == nil {
		return nil, fmt.Errorf("%s has no lambdas/lambdas.go and lambdas/environment.go: is it the project's root?",
			root)
	}
	ast.Inspect(p.lambdas.file, func(n ast.Node) bool {
		switch n := n.(type) {
		case *ast.ValueSpec:
			for i, value := range n.Values {
				if text, ok := textOf(value); ok {
					p.texts[text] = n.Names[i].Name
				}
			}
		case *ast.KeyValueExpr:
			if key, ok := n.Key.(*ast.Ident); ok && key.Name == "Name" {
				if text, ok := textOf(n.Value); ok {
					p.names = append(p.names, text)
				}
			}
		}
		return true
	})
	return p, nil
}

func textOf(e ast.Expr) (string, bool) {
	literal, ok := e.(*ast.BasicLit)
	if !ok || literal.Kind != token.STRING {
		return "", false
	}
	text, err := strconv.Unquote(literal.Value)
	return text, err == nil
}

// declared reports whether package lambdas declares a name.
func (p *project) declared(name string) bool {
	for _, s := range p.all {
		if find(s, name) != nil {
			return true
		}
	}
	return false
}

// find returns the declaration of a name; nil if the file does not declare it.
func find(s *source, name string) ast.Decl {
	for _, d := range s.file.Decls {
		switch d := d.(type) {
		case *ast.FuncDecl:
			if d.Recv == nil && d.Name.Name == name {
				return d
			}
		case *ast.GenDecl:
			for _, spec := range d.Specs {
				switch spec := spec.(type) {
				case *ast.TypeSpec:
					if spec.Name.Name == name {
						return d
					}
				case *ast.ValueSpec:
					for _, n := range spec.Names {
						if n.Name == name {
							return d
						}
					}
				}
			}
		}
	}
	return nil
}

// declare adds the function to lambdas.go and environment.go.
func (p *project) declare(f function) error {
	all, ok := find(p.lambdas, "All").(*ast.FuncDecl)
	if !ok {
		return errors.New("lambdas/lambdas.go has no function All")
	}
	list, ok := all.Body.List[0].(*ast.ReturnStmt)
	if !ok {
		return errors.New("the function All in lambdas/lambdas.go does not begin with return")
	}
	functions, ok := list.Results[0].(*ast.CompositeLit)
	if !ok {
		return errors.New("the function All in lambdas/lambdas.go does not return a list")
	}
	p.lambdas.insert(functions.Rbrace, f.Ident()+",\n")
	constants := func(beside, text string) error {
		block, ok := find(p.lambdas, beside).(*ast.GenDecl)
		if !ok || !block.Rparen.IsValid() {
			return fmt.Errorf("lambdas/lambdas.go has no list of constants with %s", beside)
		}
		p.lambdas.insert(block.Rparen, text+"\n")
		return nil
	}
	var err error
	if f.Route != "" {
		err = constants("RouteStorefront", fmt.Sprintf("Route%s = %q", f.Ident(), f.Route))
	}
	if f.Queue != "" {
		err = constants("StockQueue", fmt.Sprintf("%s = %q // SQS queue: buffers messages for the function %s",
			f.QueueIdent(), f.Queue, f.Name))
	}
	decode := find(p.environments, "Environment")
	if err != nil || decode == nil {
		return errors.Join(err, errors.New("lambdas/environment.go has no function Environment"))
	}
	for name, at := range map[string]struct {
		s   *source
		pos token.Pos
	}{
		"declaration.tmpl": {p.lambdas, p.lambdas.file.FileEnd},
		"environment.tmpl": {p.environments, decode.(*ast.FuncDecl).Doc.Pos()},
	} {
		text, err := f.execute(name, p)
		if err != nil {
			return err
		}
		at.s.insert(at.pos, text)
	}
	for _, s := range []*source{p.lambdas, p.environments} {
		text, err := s.edited()
		if err != nil {
			return fmt.Errorf("writing %s: %w", s.path, err)
		}
		p.files[s.path] = text
	}
	return nil
}

// addHandler adds the folder of the handler.
func (p *project) addHandler(f function) error {
	folder := filepath.Join(p.root, "lambdas", f.Name)
	if _, err := os.Stat(folder); err == nil {
		return fmt.Errorf("the folder lambdas/%s exists", f.Name)
	}
	kind := "schedule"
	if f.Route != "" {
		kind = "route"
	} else if f.Queue != "" {
		kind = "queue"
	}
	for file, name := range map[string]string{"main.go": kind + ".tmpl", "main_test.go": kind + "_test.tmpl"} {
		text, err := f.execute(name, p)
		if err != nil {
			return err
		}
		formatted, err := format.Source([]byte(text))
		if err != nil {
			return fmt.Errorf("writing %s: %w", file, err)
		}
		p.files[filepath.Join(folder, file)] = formatted
	}
	return nil
}

// execute runs a template.
func (f function) execute(name string, p *project) (string, error) {
	var out strings.Builder
	err := skeleton.ExecuteTemplate(&out, name, struct {
		function
		TopicIdent string
	}{f, p.texts[f.Topic]})
	return out.String(), err
}

func (p *project) save() error {
	for path, text := range p.files {
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			return err
		}
		if err := os.WriteFile(path, text, 0o644); err != nil {
			return err
		}
	}
	return nil
}
