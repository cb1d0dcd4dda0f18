package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"restock/infra/stack/stacktest/pinned"
	"restock/local/mariadb/mariadbtest"
	"restock/test/replay"
)

const projectDir = "../.."

func TestMistakesAreNamed(t *testing.T) {
	const route = "POST /sales/{sale}/refund"
	for _, c := range []struct {
		f    function
		want string
	}{
		{function{Name: "sales-api", Route: route}, "declares a function with this name"},
		{function{Name: "Refund", Route: route}, "want lower-case words"},
		{function{Name: "../refund", Route: route}, "want lower-case words"},
		{function{Name: strings.Repeat("r", 31), Route: route}, "at most 30 characters"},
		{function{Name: "journal", Route: route}, "has code that the handlers share"},
		{function{Name: "database", Route: route}, "package lambdas declares Database for something else"},
		{function{Name: "metric-sales", Route: route}, "package lambdas declares MetricSales for something else"},
		{function{Name: "example"}, "got 0 of them"},
		{function{Name: "example", Route: route, Every: time.Minute}, "got 2 of them"},
		{function{Name: "example", Route: "/sales"}, "want a method, a space and a path"},
		{function{Name: "example", Route: "post /sales"}, "want a method, a space and a path"},
		{function{Name: "example", Route: "POST /sales/{sale-id}"}, "want a method, a space and a path"},
		{function{Name: "example", Route: "POST /sales/x{id}"}, "want a method, a space and a path"},
		{function{Name: "example", Route: "POST /a/{x}/{x}"}, "it has the parameter {x} twice"},
		{function{Name: "example", Route: "POST /checkout"}, `RouteCheckout in lambdas/lambdas.go is "POST /checkout"`},
		{function{Name: "example", Route: "GET /products/{id}"}, "RouteProduct in lambdas/lambdas.go"},
		{function{Name: "example", Queue: "stock_queue"}, "it exists, and a queue has one function"},
		{function{Name: "example", Queue: "Refunds"}, "want lower-case words with _ between them"},
		{function{Name: "example", Queue: "refund_queue", Topic: "stock_full"},
			"want stock_empty or stock_operations"},
		{function{Name: "example", Route: route, Topic: "stock_empty"}, "without a QUEUE"},
		{function{Name: "refund-queue", Queue: "refund_queue"}, "in Go it has the name of the function, RefundQueue"},
		{function{Name: "example", Every: 90 * time.Second}, "want whole minutes"},
	} {
		p, err := open(projectDir)
		if err != nil {
			t.Fatal(err)
		}
		if err := c.f.check(p); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%+v: got %v, want an error that says %q", c.f, err, c.want)
		}
	}
}

// skeletons are a function of each kind.
var skeletons = []function{
	{Name: "example-of-a-route", Route: "POST /examples/{sale}/route"},
	{Name: "example-of-a-queue", Queue: "example_messages_queue", Topic: "stock_operations"},
	{Name: "example-of-a-schedule", Every: time.Hour},
}

// TestSkeletonsWork writes a function of each kind into a copy of the project. They are vetted,
// pass their own tests, can record traces, and a local run has them all. The function with a route
// answers a signed request, and nobody else's.
func TestSkeletonsWork(t *testing.T) {
	mariadbtest.Require(t)
	p := replay.NewProject(t, projectDir)
	run := func(command string) {
		t.Helper()
		if lines, err := p.Run(t.Context(), command); err != nil {
			t.Fatalf("%v\n%s", err, strings.Join(lines, "\n"))
		}
	}
	var packages []string
	for i, f := range skeletons {
		if err := f.write(p.Dir); err != nil {
			t.Fatal(err)
		}
		if i == 0 { // the smallest database has connections for one more function
			run("go test ./infra/stack -run TestTracingIsOnOrLeavesNothing")
		}
		packages = append(packages, "./lambdas/"+f.Name)
	}
	if err := skeletons[0].write(p.Dir); err == nil {
		t.Error("a function was written twice, want an error")
	}
	list := strings.Join(packages, " ")
	for _, command := range []string{
		"test -z \"$(gofmt -l lambdas)\"", "go vet ./lambdas " + list, "go test " + list,
	} {
		run(command)
	}

	// dev has connections for one or two more functions. For a third one its refusal names a
	// function whose concurrency to lower.
	settings, err := os.ReadFile(filepath.Join(pinned.Project(t, projectDir), "Pulumi.dev.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	settings = append(settings, "    concurrency: {sales-api: 5}\n"...)
	if err := os.WriteFile(filepath.Join(p.Dir, "Pulumi.dev.yaml"), settings, 0o644); err != nil {
		t.Fatal(err)
	}
	api := p.Start(t).API
	curl := func(command string) string {
		t.Helper()
		lines, err := p.Run(t.Context(), strings.Replace(command, "http://127.0.0.1:8080", api, 1)+" --silent")
		if err != nil {
			t.Fatalf("%v\n%s", err, strings.Join(lines, "\n"))
		}
		return strings.Join(lines, "\n")
	}
	signed, err := skeletons[0].request(p.Dir)
	if err != nil {
		t.Fatal(err)
	}
	const want = `{"sale":"example-sale","products_on_sale":3}` // as many as the test catalogue has
	if got := curl(signed); got != want {
		t.Errorf("%s: got %s, want %s", signed, got, want)
	}
	unsigned, _, _ := strings.Cut(signed, " --user")
	_, address, _ := strings.Cut(signed, "execute-api ")
	if got := curl(unsigned + " " + address); got != `{"message":"Forbidden"}` {
		t.Errorf("unsigned: got %s, want Forbidden", got)
	}
}
