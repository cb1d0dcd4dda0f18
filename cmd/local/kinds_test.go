package main

import (
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"maps"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// A reader is a folder with code that recognises events by their kinds.
type reader struct {
	folder  string
	ignores map[string]string // the reasons why it does not recognise a kind, by constant
	rest    string            // the reason why it ignores all other kinds
}

// because returns a reason for each of some kinds.
func because(reason string, kinds ...string) map[string]string {
	m := map[string]string{}
	for _, kind := range kinds {
		m[kind] = reason
	}
	return m
}

// merged returns all reasons in one map.
func merged(all ...map[string]string) map[string]string {
	m := map[string]string{}
	for _, reasons := range all {
		maps.Copy(m, reasons)
	}
	return m
}

// readers are the readers of the kinds of package events.
var readers = []reader{
	{folder: "local/view/console", ignores: merged(
		because("the report of the first invocation says that it was a cold start", "InstanceStarted"),
		because("the ids in its attributes connect the message to its journey", "MessageRedriven"),
		because("the event is a line of the secrets' node: nothing moves in the picture",
			"SecretValuePut", "SecretLabelMoved", "RotationStarted"),
		because("the event has no place in the picture", "Building", "DatabaseStarting", "EmulatorStarting",
			"FunctionRunning", "Ready"),
		because("the run calls the console instead: Console.Built and Console.Changed",
			"FunctionsReplaced", "UpdateFailed", "UpdateRecovered", "ProgramChanged"),
	)},
	{folder: "local/view/terminal", ignores: merged(
		because("the event is a line like others",
			"SubsegmentRecorded", "APIRequest", "AccessLogged", "InstanceStarted",
			"MessagePublished", "MessageDelivered", "MessageLost",
			"MessageSetAside", "MessageUnclaimed", "FilterMismatched",
			"MessageSent", "MessageDeadLettered", "MessageRedriven", "BatchProcessed", "BatchFailed",
			"MessageFailed", "FunctionThrottled", "ScheduledInvocationDone", "ScheduledInvocationFailed",
			"AWSCallAnswered", "AWSCallFailed", "AccessDenied", "NetworkBlocked", "FactoryOrderReceived",
			"FactoryStepDone", "LotDelivered", "CallbackRefused", "CallbackFailed", "Ready", "FunctionsReplaced",
			"UpdateFailed", "UpdateRecovered", "ProgramChanged"),
		because("the terminal reads the attribute progress of a step, whatever its kind", "Building",
			"DatabaseStarting", "EmulatorStarting", "FunctionRunning"),
	)},
	{folder: "local/view/otlp", rest: "it reads only the events that end a span"},
	{folder: "test/chaos", rest: "it reads only the events of processes that it may kill"},
	{folder: "test/bench", rest: "it reads only the memory of invocations"},
}

// business is the reader of the kinds of package journal.
var business = reader{folder: "cmd/local", ignores: merged(
	because("the line neither opens a production order nor receives units",
		"SaleRepeated", "BuyersWaited", "AdjustmentRepeated",
		"GoodsReceivedAgain", "StockMeasured", "BooksDiffer", "Inspected", "OrderPublished", "OrderNotPublished",
		"ProductNotReplenished", "OrderOverdue", "OrderAskedAgain", "OrderShort", "OrderFailed", "OrderCancelled",
		"PeopleNotified", "ProductionRequested", "RequestExpired", "DeliveriesForged", "WarmUpFailed"),
	because("the level and the message's id tell the console that a message has failed", "RequestFailed",
		"DeliveryFailed"),
)}

func TestEveryKindIsEmittedAndReadOrIgnoredForAReason(t *testing.T) {
	files := parseAll(t, "local", "cmd", "lambdas", "test")
	standIns := declaredKinds(t, files, "local/view/events/kinds.go")
	used := uses(files, "local/view/events", standIns)
	for _, r := range readers {
		r.check(t, standIns, used)
	}
	mustBeEmitted(t, standIns, used, readers)

	shops := declaredKinds(t, files, "lambdas/journal/kinds.go")
	used = uses(files, "lambdas/journal", shops)
	business.check(t, shops, used)
	mustBeEmitted(t, shops, used, []reader{business})
}

// check checks that a reader uses each kind, or ignores it for a reason.
func (r reader) check(t *testing.T, kinds []string, used map[string][]string) {
	t.Helper()
	for _, kind := range kinds {
		reads, ignored := slices.ContainsFunc(used[kind], r.has), r.ignores[kind] != "" || r.rest != ""
		switch {
		case !reads && !ignored:
			t.Errorf("%s neither reads the kind %s nor has a reason to ignore it", r.folder, kind)
		case reads && r.ignores[kind] != "":
			t.Errorf("%s reads the kind %s, but has a reason to ignore it: %s", r.folder, kind, r.ignores[kind])
		}
	}
	for kind := range r.ignores {
		if !slices.Contains(kinds, kind) {
			t.Errorf("%s ignores the kind %s, which does not exist", r.folder, kind)
		}
	}
}

func (r reader) has(folder string) bool {
	return strings.HasPrefix(folder+"/", r.folder+"/")
}

func mustBeEmitted(t *testing.T, kinds []string, used map[string][]string, readers []reader) {
	t.Helper()
	for _, kind := range kinds {
		emitted := slices.ContainsFunc(used[kind], func(folder string) bool {
			return !slices.ContainsFunc(readers, func(r reader) bool { return r.has(folder) })
		})
		if !emitted {
			t.Errorf("no code emits the kind %s", kind)
		}
	}
}

// parseAll parses the sources below folders, without tests. The keys are their paths below the
// module's root.
func parseAll(t *testing.T, folders ...string) map[string]*ast.File {
	t.Helper()
	files := map[string]*ast.File{}
	for _, folder := range folders {
		err := filepath.WalkDir(filepath.Join("../..", folder), func(path string, _ fs.DirEntry, err error) error {
			if err != nil || !strings.HasSuffix(path, ".go") || strings.HasSuffix(path, "_test.go") {
				return err
			}
			file, err := parser.ParseFile(token.NewFileSet(), path, nil, parser.ParseComments)
			if name, relErr := filepath.Rel("../..", path); relErr == nil {
				files[filepath.ToSlash(name)] = file
			}
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	return files
}

var snakeCase = regexp.MustCompile(`^[a-z]+(_[a-z]+)*$`)

// declaredKinds returns the constants of a file of kinds. It checks that each has a comment.
func declaredKinds(t *testing.T, files map[string]*ast.File, path string) (names []string) {
	t.Helper()
	var declared []string
	for _, d := range files[path].Decls {
		block, _ := d.(*ast.GenDecl)
		if block == nil || block.Tok != token.CONST {
			continue
		}
		for _, s := range block.Specs {
			constant := s.(*ast.ValueSpec)
			if typ, _ := constant.Type.(*ast.Ident); typ == nil || typ.Name != "Kind" {
				continue // not a kind
			}
			name := constant.Names[0].Name
			text, err := strconv.Unquote(constant.Values[0].(*ast.BasicLit).Value)
			if err != nil || !snakeCase.MatchString(text) || slices.Contains(declared, text) {
				t.Errorf("%s: the kind %s is %q, want a text in snake_case that no other kind has (%v)", path, name,
					text, err)
			}
			if !strings.HasPrefix(constant.Doc.Text(), name+" ") {
				t.Errorf("%s: the kind %s has no comment that begins with its name", path, name)
			}
			names, declared = append(names, name), append(declared, text)
		}
	}
	return names
}

// uses returns the folders that use each constant of a package. The file that declares the
// constants does not count.
func uses(files map[string]*ast.File, pkg string, names []string) map[string][]string {
	used := map[string][]string{}
	for path, file := range files {
		folder := filepath.ToSlash(filepath.Dir(path))
		imported := slices.ContainsFunc(file.Imports,
			func(i *ast.ImportSpec) bool { return i.Path.Value == `"restock/`+pkg+`"` })
		if filepath.Base(path) == "kinds.go" || !imported && folder != pkg {
			continue
		}
		ast.Inspect(file, func(n ast.Node) bool {
			name := ""
			switch n := n.(type) {
			case *ast.SelectorExpr:
				if x, _ := n.X.(*ast.Ident); x != nil && x.Name == filepath.Base(pkg) && imported {
					name = n.Sel.Name
				}
			case *ast.Ident:
				if folder == pkg {
					name = n.Name
				}
			}
			if slices.Contains(names, name) {
				used[name] = append(used[name], folder)
			}
			return true
		})
	}
	return used
}

// TestReadersDoNotCompareMessages checks that no reader branches on the text of a message, because
// texts may be reworded.
func TestReadersDoNotCompareMessages(t *testing.T) {
	isMessage := func(e ast.Expr) bool {
		s, _ := e.(*ast.SelectorExpr)
		return s != nil && (s.Sel.Name == "Message" || s.Sel.Name == "Msg")
	}
	isText := func(e ast.Expr) bool {
		l, _ := e.(*ast.BasicLit)
		return l != nil && l.Kind == token.STRING && l.Value != `""`
	}
	for path, file := range parseAll(t, "local/view", "local/run", "test/chaos", "test/bench", "cmd/local") {
		ast.Inspect(file, func(n ast.Node) bool {
			compares := false
			switch n := n.(type) {
			case *ast.BinaryExpr:
				compares = isMessage(n.X) && isText(n.Y) || isMessage(n.Y) && isText(n.X)
			case *ast.SwitchStmt:
				compares = n.Tag != nil && isMessage(n.Tag)
			case *ast.CallExpr:
				f, _ := n.Fun.(*ast.SelectorExpr)
				if f != nil && len(n.Args) == 2 {
					pkg, _ := f.X.(*ast.Ident)
					isText := pkg != nil && (pkg.Name == "strings" || pkg.Name == "slices")
					compares = isText && slices.ContainsFunc(n.Args, isMessage)
				}
			}
			if compares {
				t.Errorf("%s compares the text of a message: give the event a kind, and compare that", path)
			}
			return true
		})
	}
}
