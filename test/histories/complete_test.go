package histories

import (
	"go/ast"
	"go/parser"
	"go/token"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"

	"restock/internal/mysql"
	"restock/internal/shop"
)

// beside are the methods that do not change the books.
var beside = []string{
	"Advertisements", "Connect", "Ledger", "ProductionOrder", "ProductionOrders", "Products", "RecordWait",
	"SwitchAdvertisement",
}

// TestHistoriesDoAllThatTheShopCanDo finds operations that no random history contains. Histories
// call the shop, which calls the store.
func TestHistoriesDoAllThatTheShopCanDo(t *testing.T) {
	called := map[string]bool{}
	for _, pattern := range []string{"*.go", "../../internal/shop/*.go"} {
		paths, err := filepath.Glob(pattern)
		if err != nil {
			t.Fatal(err)
		}
		for _, path := range paths {
			file, err := parser.ParseFile(token.NewFileSet(), path, nil, 0)
			if err != nil {
				t.Fatal(err)
			}
			ast.Inspect(file, func(n ast.Node) bool {
				if call, ok := n.(*ast.CallExpr); ok {
					if method, ok := call.Fun.(*ast.SelectorExpr); ok {
						called[method.Sel.Name] = true
					}
				}
				return true
			})
		}
	}
	for _, of := range []reflect.Type{reflect.TypeFor[*shop.Shop](), reflect.TypeFor[*mysql.Store]()} {
		for i := range of.NumMethod() {
			if name := of.Method(i).Name; !called[name] && !slices.Contains(beside, name) {
				t.Errorf("no history calls %s.%s: add an action to test/histories/history_test.go that calls it, and "+
					"check its answers in invariants_test.go; or, if it does not change the books, name it in the "+
					"list beside in complete_test.go", strings.TrimPrefix(of.String(), "*"), name)
			}
		}
	}
}
