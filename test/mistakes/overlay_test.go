package mistakes_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// An overlay builds all mistakes into one program. Each has a number, and package mutant switches
// one on. A function with a mistake gets a second body, a variable a second value, a field a second
// tag. A wrong constant replaces the constant in everything of its package that mentions it.
type overlay struct {
	root  string
	files map[string]*source // by path, below root
}

// A source is a file of the program, and the changes to it.
type source struct {
	path     string
	absolute string
	text     string
	parsed   *ast.File
	set      *token.FileSet
	inserts  []insert
	inits    []string // statements of the file's init function
}

type insert struct {
	at   int
	text string
}

func parse(path, text string) (*source, error) {
	s := &source{path: path, text: text, set: token.NewFileSet()}
	var err error
	s.parsed, err = parser.ParseFile(s.set, path, text, parser.SkipObjectResolution|parser.ParseComments)
	return s, err
}

func (s *source) offset(p token.Pos) int { return s.set.Position(p).Offset }

func (s *source) of(n ast.Node) string { return s.text[s.offset(n.Pos()):s.offset(n.End())] }

func (s *source) contains(n ast.Node, at, length int) bool {
	return s.offset(n.Pos()) <= at && at+length <= s.offset(n.End())
}

func (o *overlay) source(path string) (*source, error) {
	if s := o.files[path]; s != nil {
		return s, nil
	}
	text, err := os.ReadFile(filepath.Join(o.root, path))
	if err != nil {
		return nil, err
	}
	s, err := parse(path, string(text))
	if err == nil {
		s.absolute = filepath.Join(o.root, path)
		o.files[path] = s
	}
	return s, err
}

// add makes a mistake. Its error says what is wrong with the row of the table.
func (o *overlay) add(n int, m mistake) error {
	s, err := o.source(m.file)
	if err != nil {
		return err
	}
	if count := strings.Count(s.text, m.correct); count != 1 {
		return fmt.Errorf("%s has this source text %d times, want once; choose the text in the table anew:\n%s",
			m.file, count, m.correct)
	}
	at := strings.Index(s.text, m.correct)
	wrong, err := parse(m.file, s.text[:at]+m.wrong+s.text[at+len(m.correct):])
	if err != nil {
		return fmt.Errorf("the replacement is no Go: %w", err)
	}
	for i, d := range s.parsed.Decls {
		if !s.contains(d, at, len(m.correct)) {
			continue
		}
		switch d := d.(type) {
		case *ast.FuncDecl:
			s.second(n, d, wrong.of(wrong.parsed.Decls[i].(*ast.FuncDecl).Body))
			return nil
		case *ast.GenDecl:
			return o.declaration(n, s, d, wrong, wrong.parsed.Decls[i].(*ast.GenDecl))
		}
	}
	return fmt.Errorf("the text is not within one declaration of %s:\n%s", m.file, m.correct)
}

// second gives a function a second body.
func (s *source) second(n int, f *ast.FuncDecl, body string) {
	end := ""
	if f.Type.Results == nil {
		end = "; return"
	}
	first := s.offset(f.Body.Lbrace) + 1
	where := s.set.Position(f.Body.Lbrace)
	here := fmt.Sprintf("/*line %s:%d:%d*/", s.absolute, where.Line, where.Column+1)
	s.inserts = append(s.inserts, insert{first,
		fmt.Sprintf("if mutant.On(%d) { %s%s%s };%s", n, here, body, end, here)})
}

func (o *overlay) declaration(n int, s *source, correct *ast.GenDecl, wrong *source, d *ast.GenDecl) error {
	for i, spec := range correct.Specs {
		if s.of(spec) == wrong.of(d.Specs[i]) {
			continue
		}
		switch spec := spec.(type) {
		case *ast.TypeSpec:
			return s.tags(n, spec, wrong, d.Specs[i].(*ast.TypeSpec))
		case *ast.ValueSpec:
			value := wrong.of(d.Specs[i].(*ast.ValueSpec).Values[0])
			if correct.Tok == token.VAR {
				s.inits = append(s.inits, fmt.Sprintf("mutant.Swap(%d, &%s, %s)", n, spec.Names[0].Name, value))
				return nil
			}
			if spec.Type != nil {
				value = s.of(spec.Type) + "(" + value + ")"
			}
			return o.constant(n, s, spec.Names[0].Name, value)
		}
	}
	return fmt.Errorf("the replacement changes nothing")
}

// tags makes a mistake in the tags of a struct.
func (s *source) tags(n int, correct *ast.TypeSpec, wrong *source, w *ast.TypeSpec) error {
	fields := w.Type.(*ast.StructType).Fields.List
	for i, field := range correct.Type.(*ast.StructType).Fields.List {
		if s.of(field) == wrong.of(fields[i]) {
			continue
		}
		if len(field.Names) != 1 || field.Names[0].Name != fields[i].Names[0].Name {
			return fmt.Errorf("of a struct, only tags can be wrong here: %s", s.of(field))
		}
		s.inits = append(s.inits, fmt.Sprintf("mutant.SetTag(%d, %q, %q, %s)", n, correct.Name.Name,
			field.Names[0].Name, fields[i].Tag.Value))
	}
	return nil
}

// constant replaces a constant in the functions and variables of its package.
func (o *overlay) constant(n int, of *source, name, value string) error {
	paths, err := filepath.Glob(filepath.Join(o.root, filepath.Dir(of.path), "*.go"))
	if err != nil {
		return err
	}
	mentioned := false
	for _, path := range paths {
		if strings.HasSuffix(path, "_test.go") {
			continue
		}
		relative, err := filepath.Rel(o.root, path)
		if err != nil {
			return err
		}
		s, err := o.source(relative)
		if err != nil {
			return err
		}
		for _, d := range s.parsed.Decls {
			switch d := d.(type) {
			case *ast.FuncDecl:
				if body, found := s.replaced(d.Body, name, value); found {
					s.second(n, d, body)
					mentioned = true
				}
			case *ast.GenDecl:
				for _, spec := range d.Specs {
					v, ok := spec.(*ast.ValueSpec)
					if !ok || len(v.Values) != 1 {
						continue
					}
					text, found := s.replaced(v.Values[0], name, value)
					if found && d.Tok == token.CONST {
						return fmt.Errorf("the constant %s is a part of the constant %s: choose the other",
							name, v.Names[0].Name)
					}
					if found {
						s.inits = append(s.inits, fmt.Sprintf("mutant.Swap(%d, &%s, %s)", n, v.Names[0].Name, text))
						mentioned = true
					}
				}
			}
		}
	}
	if !mentioned {
		return fmt.Errorf("no function of its package mentions the constant %s", name)
	}
	return nil
}

// replaced returns the text of a node in which a value replaces a name.
func (s *source) replaced(n ast.Node, name, value string) (text string, found bool) {
	text = s.of(n)
	start := s.offset(n.Pos())
	var at []int
	ast.Inspect(n, func(n ast.Node) bool {
		switch n := n.(type) {
		case *ast.SelectorExpr:
			ast.Inspect(n.X, func(x ast.Node) bool {
				if id, ok := x.(*ast.Ident); ok && id.Name == name {
					at = append(at, s.offset(id.Pos()))
				}
				return true
			})
			return false
		case *ast.Ident:
			if n.Name == name {
				at = append(at, s.offset(n.Pos()))
			}
		}
		return true
	})
	slices.Sort(at)
	for _, i := range slices.Backward(at) {
		text = text[:i-start] + "(" + value + ")" + text[i-start+len(name):]
	}
	return text, len(at) > 0
}

// write writes the changed files, and the file for the flag -overlay of go build.
func (o *overlay) write(t *testing.T, dir string) (path string) {
	t.Helper()
	replace := map[string]string{}
	for _, s := range o.files {
		if len(s.inserts)+len(s.inits) == 0 && s.path != tagReader {
			continue
		}
		changed := filepath.Join(dir, strings.ReplaceAll(s.path, "/", "__"))
		if err := os.WriteFile(changed, s.changed(), 0o600); err != nil {
			t.Fatal(err)
		}
		replace[filepath.Join(o.root, s.path)] = changed
	}
	text, err := json.Marshal(map[string]any{"Replace": replace})
	if err != nil {
		t.Fatal(err)
	}
	path = filepath.Join(dir, "overlay.json")
	if err := os.WriteFile(path, text, 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

// tagReader reads the tags of struct fields, in one place.
const tagReader, tagRead = "lambdas/environment.go", "v.Type().Field(i)"

func (s *source) changed() []byte {
	inserts := append(slices.Clone(s.inserts),
		insert{s.offset(s.parsed.Name.End()), `; import mutant "restock/test/mistakes/mutant"`})
	slices.SortStableFunc(inserts, func(a, b insert) int { return a.at - b.at })
	var out bytes.Buffer
	fmt.Fprintf(&out, "//line %s:1\n", s.absolute) // messages name the file and the line of the source
	done := 0
	for _, i := range inserts {
		out.WriteString(s.text[done:i.at] + i.text)
		done = i.at
	}
	out.WriteString(s.text[done:])
	if len(s.inits) > 0 {
		fmt.Fprintf(&out, "\nfunc init() {\n%s\n}\n", strings.Join(s.inits, "\n"))
	}
	text := out.Bytes()
	if s.path == tagReader {
		text = bytes.ReplaceAll(text, []byte(tagRead), []byte("mutant.Field(v.Type(), i)"))
	}
	return text
}
