package lambdas_test

import (
	"fmt"
	"os"
	"os/exec"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"restock/lambdas"
)

func TestDeclarationsCanBeDeployed(t *testing.T) {
	for _, f := range lambdas.All() {
		if err := f.Validate(); err != nil {
			t.Error(err)
		}
		if f.Description == "" || strings.HasPrefix(f.Description, "TODO") {
			t.Errorf("the description of function %s is %q: say in lambdas/lambdas.go what it does", f.Name,
				f.Description)
		}
	}
}

func TestHandlersAndDeclarationsMatch(t *testing.T) {
	var handlers, declared []string
	entries, err := os.ReadDir(".")
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range entries {
		if _, err := os.Stat(e.Name() + "/main.go"); err == nil {
			handlers = append(handlers, e.Name())
		}
	}
	for _, f := range lambdas.All() {
		declared = append(declared, f.Name)
	}
	slices.Sort(declared)
	if !slices.Equal(handlers, declared) {
		t.Errorf("the handlers are %v, the declarations are %v", handlers, declared)
	}
}

func TestRoutesOfExistingClientsAreServed(t *testing.T) {
	for _, route := range []string{"GET /product/donut", "POST /checkout"} {
		if !slices.Contains(lambdas.SalesAPI.Routes, route) {
			t.Errorf("sales-api does not serve %s, which clients use: its routes are %v", route,
				lambdas.SalesAPI.Routes)
		}
	}
}

func TestTheRouteOfTheCallbackIsPublic(t *testing.T) {
	for _, f := range lambdas.All() {
		if slices.Contains(f.Routes, lambdas.RouteGoodsReceipt) && f.Access == lambdas.Public {
			return
		}
	}
	t.Errorf("no function has the public route %s: the factory cannot sign its calls", lambdas.RouteGoodsReceipt)
}

// A handler that decodes the environment of another function exits at its start.
func TestHandlersDecodeTheDeclaredEnvironment(t *testing.T) {
	for _, f := range lambdas.All() {
		main, err := os.ReadFile(f.Name + "/main.go")
		if err != nil {
			t.Fatal(err)
		}
		want := "function.Process[" + reflect.TypeOf(f.Environment).String() + "]"
		if !strings.Contains(string(main), want) {
			t.Errorf("lambdas/%s/main.go has no %s, the environment of its declaration", f.Name, want)
		}
	}
}

func TestNoRouteIsDeclaredTwice(t *testing.T) {
	owner := map[string]string{}
	for _, f := range lambdas.All() {
		for _, route := range f.Routes {
			if other := owner[route]; other != "" {
				t.Errorf("route %q belongs to %s and to %s", route, other, f.Name)
			}
			owner[route] = f.Name
		}
	}
}

// forbidden are the packages that a handler must not depend on: infrastructure, the local run, and
// tests.
var forbidden = []string{
	"github.com/pulumi/", "restock/infra", "restock/local", "restock/cmd", "restock/test", "testing",
}

func TestHandlersDoNotDependOnPulumiOrTheLocalRun(t *testing.T) {
	list := []string{"list", "-f", `{{.ImportPath}} {{join .Deps " "}}`}
	for _, f := range lambdas.All() {
		list = append(list, "./"+f.Name)
	}
	out, err := exec.Command("go", list...).Output()
	if err != nil {
		t.Fatalf("go %s: %v", strings.Join(list, " "), err)
	}
	functions := 0
	for line := range strings.Lines(string(out)) {
		packages := strings.Fields(line)
		for _, dependency := range packages[1:] {
			for _, prefix := range forbidden {
				if strings.HasPrefix(dependency, prefix) {
					t.Errorf("function %s depends on %s", packages[0], dependency)
				}
			}
		}
		functions++
	}
	if functions != len(lambdas.All()) {
		t.Errorf("go list has listed %d functions, want %d", functions, len(lambdas.All()))
	}
}

func TestEnvironmentIsDecodedAndItsErrorsNameTheVariable(t *testing.T) {
	variables := map[string]string{
		"DATABASE_HOST": "db.example", "DATABASE_PORT": "3306", "DATABASE_NAME": "restock",
		"DATABASE_SECRET": "arn:secret", "STOCK_EMPTY_TOPIC": "arn:topic", "METRICS_NAMESPACE": "restock/test",
	}
	set := func(t *testing.T, change map[string]string) {
		for name, value := range variables {
			t.Setenv(name, value)
		}
		for name, value := range change {
			t.Setenv(name, value)
			if value == "unset" {
				os.Unsetenv(name)
			}
		}
	}
	t.Run("complete", func(t *testing.T) {
		set(t, nil)
		got, err := lambdas.Environment[lambdas.SalesAPIEnvironment]()
		want := lambdas.SalesAPIEnvironment{
			Shop: lambdas.Shop{
				Database: lambdas.Database{Host: "db.example", Port: 3306, Name: "restock",
					Secret: "arn:secret"},
				Journal:         lambdas.Journal{Namespace: "restock/test"},
				StockEmptyTopic: "arn:topic",
			},
		}
		if err != nil || got != want {
			t.Errorf("got %+v, %v; want %+v", got, err, want)
		}
	})
	for name, change := range map[string]map[string]string{
		"missing":       {"STOCK_EMPTY_TOPIC": "unset"},
		"empty":         {"DATABASE_SECRET": ""},
		"of wrong type": {"DATABASE_PORT": "many"},
	} {
		t.Run(name, func(t *testing.T) {
			set(t, change)
			_, err := lambdas.Environment[lambdas.SalesAPIEnvironment]()
			for variable := range change {
				if err == nil || !strings.Contains(err.Error(), variable) {
					t.Errorf("got %v, want an error that names %s", err, variable)
				}
			}
		})
	}
}

func TestValidateNamesTheMistake(t *testing.T) {
	type unnamed struct {
		Topic string `from:"topic.x" grant:"publish"`
	}
	type ungranted struct {
		Topic string `env:"TOPIC" from:"topic.x"`
	}
	for _, c := range []struct {
		f    lambdas.Function
		want string
	}{
		{lambdas.Function{Name: "f", Environment: struct{}{}, Queue: "q", Concurrency: 1}, "concurrency is 1"},
		{lambdas.Function{Name: "f", Environment: unnamed{}, Concurrency: 1}, `variable "" from "topic.x"`},
		{lambdas.Function{Name: "f", Environment: ungranted{}, Concurrency: 1},
			`variable TOPIC from "topic.x" grants nothing`},
		{lambdas.Function{Name: "f", Environment: lambdas.Database{}, Network: lambdas.Internet},
			"outside the private network"},
		{lambdas.Function{Name: "f", Environment: struct{}{}, Timeout: 100 * time.Millisecond}, "its timeout is 100ms"},
		{lambdas.Function{Name: "f", Environment: struct{}{}, Every: 90 * time.Second}, "its schedule is every 1m30s"},
		{lambdas.Function{Name: "f", Environment: lambdas.StockEnvironment{}},
			"its Environment is StockEnvironment, and not its own"},
		{lambdas.Function{Name: "f", Environment: struct{}{}, Queue: "q", Topic: "t"},
			`its topic is "t": lambdas/topics.go has no such topic`},
		{lambdas.Function{Name: "f", Environment: struct{}{}, Queue: "q", Filter: lambdas.Filter{"kind": {"surplus"}}},
			"a filter, but no topic"},
	} {
		text := fmt.Sprint(c.f.Validate())
		if !strings.Contains(text, c.want) || !strings.Contains(text, "function f") {
			t.Errorf("%+v: got %s, want an error with the function's name and %q", c.f, text, c.want)
		}
	}
}
