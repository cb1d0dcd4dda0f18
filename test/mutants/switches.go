package main

import (
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"
)

// variable is the environment variable that names the mutant of a process.
const variable = "RESTOCK_MUTANT"

// A switchable file has mutants of its functions and variables that a process can switch on, so
// that one build does for all of them. A function with a mutant gets a second body, and a variable
// gets a second value.
type switchable struct {
	text    string
	set     *token.FileSet
	parsed  *ast.File
	inserts []insert
}

type insert struct {
	at   int
	text string
}

func parseFile(text string) (s *switchable, err error) {
	s = &switchable{text: text, set: token.NewFileSet()}
	s.parsed, err = parser.ParseFile(s.set, "", text, parser.SkipObjectResolution|parser.ParseComments)
	return s, err
}

func (s *switchable) offset(p token.Pos) int { return s.set.Position(p).Offset }

func (s *switchable) of(n ast.Node) string { return s.text[s.offset(n.Pos()):s.offset(n.End())] }

// add adds a mutant, and reports whether it is within the body of a function or in a variable.
func (s *switchable) add(m mutant) bool {
	at := strings.Index(s.text, m.correct)
	wrong, err := parseFile(strings.Replace(s.text, m.correct, m.wrong, 1))
	if at < 0 || err != nil || len(wrong.parsed.Decls) != len(s.parsed.Decls) {
		return false
	}
	for i, d := range s.parsed.Decls {
		name, value := s.variable(d, at, len(m.correct)), wrong.value(wrong.parsed.Decls[i])
		if name != "" && value != "" {
			s.inserts = append(s.inserts, insert{len(s.text),
				fmt.Sprintf("\nfunc init() { if mutantIs(%q) { %s = %s } }\n", m.name, name, value)})
			return true
		}
		f, ok := d.(*ast.FuncDecl)
		if !ok || f.Body == nil || at <= s.offset(f.Body.Lbrace) || at+len(m.correct) > s.offset(f.Body.Rbrace) {
			continue
		}
		body := wrong.of(wrong.parsed.Decls[i].(*ast.FuncDecl).Body)
		switched := fmt.Sprintf("if mutantIs(%q) { func() %s(); return }; ", m.name, body)
		if f.Type.Results != nil {
			switched = fmt.Sprintf("if mutantIs(%q) { return func() %s %s() }; ", m.name, s.of(f.Type.Results), body)
		}
		s.inserts = append(s.inserts, insert{s.offset(f.Body.Lbrace) + 1, switched})
		return true
	}
	return false
}

// variable returns the name of the only variable of a declaration, if a text is in it.
func (s *switchable) variable(d ast.Decl, at, length int) string {
	if at < s.offset(d.Pos()) || at+length > s.offset(d.End()) || s.value(d) == "" {
		return ""
	}
	return d.(*ast.GenDecl).Specs[0].(*ast.ValueSpec).Names[0].Name
}

// value returns the value of the only variable of a declaration.
func (s *switchable) value(d ast.Decl) string {
	g, ok := d.(*ast.GenDecl)
	if !ok || g.Tok != token.VAR || len(g.Specs) != 1 {
		return ""
	}
	if v := g.Specs[0].(*ast.ValueSpec); len(v.Names) == 1 && len(v.Values) == 1 {
		return s.of(v.Values[0])
	}
	return ""
}

// changed returns the text with the second bodies.
func (s *switchable) changed() string {
	text := s.text
	slices.SortStableFunc(s.inserts, func(a, b insert) int { return b.at - a.at })
	for _, in := range s.inserts {
		text = text[:in.at] + in.text + text[in.at:]
	}
	return text
}

// switches writes the files with the second bodies of mutants. It returns the changed files for the
// flag -overlay, and the names of the mutants that can be switched on.
func switches(root, dir string, mutants []mutant) (replace map[string]string, names []string, err error) {
	files := map[string]*switchable{}
	for _, m := range mutants {
		if !strings.HasSuffix(m.file, ".go") {
			continue
		}
		s := files[m.file]
		if s == nil {
			text, err := os.ReadFile(filepath.Join(root, m.file))
			if err != nil {
				return nil, nil, err
			}
			if s, err = parseFile(string(text)); err != nil {
				return nil, nil, err
			}
			files[m.file] = s
		}
		if s.add(m) {
			names = append(names, m.name)
		}
	}
	replace = map[string]string{}
	for file, s := range files {
		if len(s.inserts) == 0 {
			continue
		}
		const name = "zz_mutant.go" // a new file of the package
		source := fmt.Sprintf("package %s\n\nimport \"os\"\n\nvar mutant%s = os.Getenv(%q)\n\n"+
			"func mutantIs(name string) bool { return mutant%[2]s == name }\n", s.parsed.Name.Name, "Name", variable)
		for _, f := range [][2]string{{file, s.changed()}, {path.Join(path.Dir(file), name), source}} {
			correct, err := filepath.Abs(filepath.Join(root, f[0]))
			if err != nil {
				return nil, nil, err
			}
			replace[correct] = filepath.Join(dir, strings.ReplaceAll(f[0], "/", "__"))
			if err := os.WriteFile(replace[correct], []byte(f[1]), 0o600); err != nil {
				return nil, nil, err
			}
		}
	}
	return replace, names, nil
}
