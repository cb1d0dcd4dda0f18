package main

import (
	"context"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"
)

// A relative is a test of another package that makes mutants itself. Each of its subtests passes if
// the mutant is killed, and logs how.
type relative struct {
	prefix string // of the names
	kind   kind
	file   string // the file of the test, with a table whose rows have a field name
	test   string
}

var relatives = []relative{
	{"model: ", protocol, "test/model/mutants_test.go", "TestMutantsBreakRules"},
	{"histories: ", store, "test/histories/broken_test.go", "TestBrokenShopsAreCaught"},
}

// names returns the names of the mutants in the test's table.
func (r relative) names(root string) (names []string, err error) {
	file, err := parser.ParseFile(token.NewFileSet(), filepath.Join(root, r.file), nil, parser.SkipObjectResolution)
	if err != nil {
		return nil, err
	}
	ast.Inspect(file, func(n ast.Node) bool {
		pair, ok := n.(*ast.KeyValueExpr)
		if !ok {
			return true
		}
		key, isName := pair.Key.(*ast.Ident)
		value, isText := pair.Value.(*ast.BasicLit)
		if isName && isText && key.Name == "name" && value.Kind == token.STRING {
			name, failure := strconv.Unquote(value.Value)
			if failure != nil {
				err = failure
			}
			names = append(names, name)
		}
		return true
	})
	if err == nil && len(names) == 0 {
		err = fmt.Errorf("%s has no rows with a field name", r.file)
	}
	return names, err
}

// run runs the subtests with the names.
func (r relative) run(ctx context.Context, names []string) (results []result) {
	subtests := make([]string, len(names))
	for i, name := range names {
		subtests[i] = strings.ReplaceAll(name, " ", "_")
	}
	quoted := make([]string, len(subtests))
	for i, name := range subtests {
		quoted[i] = regexp.QuoteMeta(name)
	}
	begin := time.Now()
	pkg := filepath.Dir(r.file)
	events, err := goTest(ctx, pkg, "^"+r.test+"$/^("+strings.Join(quoted, "|")+")$")
	for i, name := range names {
		of := slices.DeleteFunc(slices.Clone(events), func(e event) bool { return e.Test != r.test+"/"+subtests[i] })
		results = append(results, r.result(name, of, err, since(begin)/float64(len(names))))
	}
	return results
}

// result returns the result of one subtest. seconds is its share of the time, because the subtests
// run at the same time.
func (r relative) result(name string, events []event, err error, seconds float64) result {
	x := result{
		Name: r.prefix + name, Kind: r.kind, Outcome: broken, Seconds: seconds,
		Test: filepath.Dir(r.file) + " " + r.test,
	}
	if err != nil {
		x.Message = err.Error()
		return x
	}
	for _, e := range events {
		if m := errorLine.FindStringSubmatch(e.Output); m != nil && x.Message == "" {
			x.Message = m[1]
		}
		switch e.Action {
		case "pass":
			x.Outcome, x.OK = killed, true
		case "fail":
			x.Outcome = survived
		}
	}
	return x
}
