// Package overlay builds many mistakes into one program, with the flag -overlay of go build. Each
// mistake has a name, and package mutant switches one on. A function with a mistake gets a second
// body, and a variable gets a second value.
package overlay

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
)

// An Edit makes a mistake: it replaces a text that a file has once.
type Edit struct {
	File           string // its path, below the project's folder
	Correct, Wrong string
}

// Apply returns the text of the file with the mistake.
func (e Edit) Apply(root string) (string, error) {
	text, err := os.ReadFile(filepath.Join(root, e.File))
	if err != nil {
		return "", err
	}
	return e.apply(string(text))
}

func (e Edit) apply(text string) (string, error) {
	if count := strings.Count(text, e.Correct); count != 1 {
		return "", fmt.Errorf("%s has this text %d times, want once; choose the text in the table anew:\n%s",
			e.File, count, e.Correct)
	}
	return strings.Replace(text, e.Correct, e.Wrong, 1), nil
}

// Write writes the file with the mistake, and the file for the flag -overlay, which it returns.
func (e Edit) Write(root, dir, name string) (file string, err error) {
	text, err := e.Apply(root)
	if err != nil {
		return "", err
	}
	correct, err := filepath.Abs(filepath.Join(root, e.File))
	if err != nil {
		return "", err
	}
	return write(dir, name, map[string][]byte{correct: []byte(text)})
}

// write writes changed files, and the file for the flag -overlay.
func write(dir, name string, changed map[string][]byte) (file string, err error) {
	replace := map[string]string{}
	for correct, text := range changed {
		replace[correct] = filepath.Join(dir, fmt.Sprintf("%s-%d%s", name, len(replace), filepath.Ext(correct)))
		if err := os.WriteFile(replace[correct], text, 0o600); err != nil {
			return "", err
		}
	}
	text, err := json.Marshal(map[string]any{"Replace": replace})
	if err != nil {
		return "", err
	}
	file = filepath.Join(dir, name+".json")
	return file, os.WriteFile(file, text, 0o600)
}

// An Overlay has files with mistakes that can be switched on.
type Overlay struct {
	// Declarations allows mistakes in constants and in the tags of structs. A wrong constant
	// replaces the constant in everything of its package that mentions it, except tests. So a test
	// that compares with the constant of its package notices the mistake only here.
	Declarations bool

	root     string
	files    map[string]*source // by path, below root
	rewrites []Edit
}

// New returns an overlay of the project in a folder.
func New(root string) (*Overlay, error) {
	root, err := filepath.Abs(root)
	return &Overlay{root: root, files: map[string]*source{}}, err
}

// Rewrite replaces a text for all mistakes, in second bodies too. The replacement may use package
// mutant.
func (o *Overlay) Rewrite(e Edit) error {
	s, err := o.source(e.File)
	if err != nil {
		return err
	}
	_, err = e.apply(s.text)
	o.rewrites = append(o.rewrites, e)
	return err
}

// A source is a file of the program, and the changes to it.
type source struct {
	path, absolute string
	text           string
	parsed         *ast.File
	set            *token.FileSet
	inserts        []insert
	inits          []string // statements of the file's init function
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

func (o *Overlay) source(path string) (*source, error) {
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

// Add adds a mistake. Its error says what is wrong with the edit, or why the mistake cannot be
// switched on.
func (o *Overlay) Add(name string, e Edit) error {
	s, err := o.source(e.File)
	if err != nil {
		return err
	}
	text, err := e.apply(s.text)
	if err != nil {
		return err
	}
	wrong, err := parse(e.File, text)
	if err != nil {
		return fmt.Errorf("the replacement is no Go: %w", err)
	}
	if len(wrong.parsed.Decls) != len(s.parsed.Decls) {
		return fmt.Errorf("the replacement adds or removes a declaration of %s", e.File)
	}
	at, length := strings.Index(s.text, e.Correct), len(e.Correct)
	for i, d := range s.parsed.Decls {
		switch d := d.(type) {
		case *ast.FuncDecl:
			if d.Body != nil && s.contains(d.Body, at, length) {
				s.second(name, d, wrong.of(wrong.parsed.Decls[i].(*ast.FuncDecl).Body))
				return nil
			}
		case *ast.GenDecl:
			if s.contains(d, at, length) {
				return o.declaration(name, s, d, wrong, wrong.parsed.Decls[i].(*ast.GenDecl))
			}
		}
	}
	return fmt.Errorf("the text is not in the body of one function or in one declaration of %s:\n%s",
		e.File, e.Correct)
}

// second gives a function a second body. It is a function of its own, because a result that has a
// name belongs to the block of the body.
func (s *source) second(name string, f *ast.FuncDecl, body string) {
	where := s.set.Position(f.Body.Lbrace)
	here := fmt.Sprintf("/*line %s:%d:%d*/", s.absolute, where.Line, where.Column)
	behind := fmt.Sprintf("/*line %s:%d:%d*/", s.absolute, where.Line, where.Column+1)
	call := fmt.Sprintf("func() %s%s(); return", here, body)
	if f.Type.Results != nil {
		call = fmt.Sprintf("return func() %s %s%s()", s.of(f.Type.Results), here, body)
	}
	s.inserts = append(s.inserts, insert{s.offset(f.Body.Lbrace) + 1,
		fmt.Sprintf("if mutant.On(%q) { %s };%s", name, call, behind)})
}

func (o *Overlay) declaration(name string, s *source, correct *ast.GenDecl, wrong *source, d *ast.GenDecl) error {
	for i, spec := range correct.Specs {
		if s.of(spec) == wrong.of(d.Specs[i]) {
			continue
		}
		v, isValue := spec.(*ast.ValueSpec)
		if isValue && correct.Tok == token.VAR && len(v.Names) == 1 && len(v.Values) == 1 {
			value := wrong.of(d.Specs[i].(*ast.ValueSpec).Values[0])
			s.inits = append(s.inits, fmt.Sprintf("mutant.Swap(%q, &%s, %s)", name, v.Names[0].Name, value))
			return nil
		}
		if !o.Declarations {
			break
		}
		if t, isType := spec.(*ast.TypeSpec); isType {
			return s.tags(name, t, wrong, d.Specs[i].(*ast.TypeSpec))
		}
		if isValue && correct.Tok == token.CONST {
			value := wrong.of(d.Specs[i].(*ast.ValueSpec).Values[0])
			if v.Type != nil {
				value = s.of(v.Type) + "(" + value + ")"
			}
			return o.constant(name, s, v.Names[0].Name, value)
		}
	}
	return fmt.Errorf("the replacement changes no declaration of %s that can be switched", s.path)
}

// tags makes a mistake in the tags of a struct.
func (s *source) tags(name string, correct *ast.TypeSpec, wrong *source, w *ast.TypeSpec) error {
	fields := w.Type.(*ast.StructType).Fields.List
	for i, field := range correct.Type.(*ast.StructType).Fields.List {
		if s.of(field) == wrong.of(fields[i]) {
			continue
		}
		if len(field.Names) != 1 || field.Names[0].Name != fields[i].Names[0].Name {
			return fmt.Errorf("of a struct, only tags can be wrong here: %s", s.of(field))
		}
		s.inits = append(s.inits, fmt.Sprintf("mutant.SetTag(%q, %q, %q, %s)", name, correct.Name.Name,
			field.Names[0].Name, fields[i].Tag.Value))
	}
	return nil
}

// constant replaces a constant in the functions and variables of its package.
func (o *Overlay) constant(name string, of *source, constant, value string) error {
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
				if body, found := s.replaced(d.Body, constant, value); found {
					s.second(name, d, body)
					mentioned = true
				}
			case *ast.GenDecl:
				for _, spec := range d.Specs {
					v, ok := spec.(*ast.ValueSpec)
					if !ok || len(v.Values) != 1 {
						continue
					}
					text, found := s.replaced(v.Values[0], constant, value)
					if found && d.Tok == token.CONST {
						return fmt.Errorf("the constant %s is a part of the constant %s: choose the other",
							constant, v.Names[0].Name)
					}
					if found {
						s.inits = append(s.inits, fmt.Sprintf("mutant.Swap(%q, &%s, %s)", name, v.Names[0].Name, text))
						mentioned = true
					}
				}
			}
		}
	}
	if !mentioned {
		return fmt.Errorf("no function of its package mentions the constant %s", constant)
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

// Write writes the changed files, and the file for the flag -overlay, which it returns.
func (o *Overlay) Write(dir string) (file string, err error) {
	changed := map[string][]byte{}
	for _, s := range o.files {
		rewritten := slices.ContainsFunc(o.rewrites, func(e Edit) bool { return e.File == s.path })
		if len(s.inserts)+len(s.inits) > 0 || rewritten {
			changed[s.absolute] = o.changed(s)
		}
	}
	return write(dir, "overlay", changed)
}

func (o *Overlay) changed(s *source) []byte {
	inserts := append(slices.Clone(s.inserts),
		insert{s.offset(s.parsed.Name.End()), `; import mutant "restock/test/overlay/mutant"`})
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
	for _, e := range o.rewrites {
		if e.File == s.path {
			text = bytes.ReplaceAll(text, []byte(e.Correct), []byte(e.Wrong))
		}
	}
	return text
}
