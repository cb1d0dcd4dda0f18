package factory

import (
	"go/ast"
	"go/parser"
	"go/token"
	"testing"
)

// The duration of the comparison must not reveal how much of a forged signature was right. To
// measure it would depend on the load of the machine, so the test reads the source: Verify may only
// pass the two signatures to hmac.Equal, whose duration depends on their lengths alone.
func TestSignaturesAreComparedInConstantTime(t *testing.T) {
	file, err := parser.ParseFile(token.NewFileSet(), "signature.go", nil, 0)
	if err != nil {
		t.Fatal(err)
	}
	compared := 0
	for _, declaration := range file.Decls {
		f, ok := declaration.(*ast.FuncDecl)
		if !ok || f.Name.Name != "Verify" {
			continue
		}
		safe := map[ast.Node]bool{} // nodes inside a call of hmac.Equal
		ast.Inspect(f, func(n ast.Node) bool {
			if call, ok := n.(*ast.CallExpr); ok && isCall(call, "hmac", "Equal") {
				compared++
				ast.Inspect(call, func(below ast.Node) bool { safe[below] = true; return true })
			}
			return true
		})
		ast.Inspect(f, func(n ast.Node) bool {
			if assignment, ok := n.(*ast.AssignStmt); ok && assignment.Tok == token.DEFINE && len(assignment.Lhs) == 1 {
				safe[assignment.Lhs[0]] = true // given := …
			}
			switch n := n.(type) {
			case *ast.Ident:
				if n.Name == "given" && !safe[n] {
					t.Errorf("byte %d: Verify uses the given signature outside of hmac.Equal", n.Pos())
				}
			case *ast.CallExpr:
				if isCall(n, "s", "sign") && !safe[n] {
					t.Errorf("byte %d: Verify uses our signature outside of hmac.Equal", n.Pos())
				}
			}
			return true
		})
	}
	if compared != 1 {
		t.Errorf("Verify calls hmac.Equal %d times, want once", compared)
	}
}

// isCall reports whether a call is receiver.name(…), for example hmac.Equal(…).
func isCall(call *ast.CallExpr, receiver, name string) bool {
	function, ok := call.Fun.(*ast.SelectorExpr)
	if !ok || function.Sel.Name != name {
		return false
	}
	of, ok := function.X.(*ast.Ident)
	return ok && of.Name == receiver
}
