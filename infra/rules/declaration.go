package rules

import (
	"cmp"
	"time"

	"restock/infra/graph"
)

// Declarations are what a program says of itself, beside its resources. The zero value says nothing.
type Declarations struct {
	Functions []Declaration
	// DeclaredIn names the files in which a person declares what a rule asks of a resource. Where it
	// is nil or returns "", that is where the program declares the resource itself.
	DeclaredIn func(rule string, r *graph.Resource) string
}

// Where names the files in which a person declares what a rule asks of a resource.
func (d Declarations) Where(rule string, r *graph.Resource) string {
	if d.DeclaredIn == nil {
		return r.Source
	}
	return cmp.Or(d.DeclaredIn(rule, r), r.Source)
}

// A Declaration is what a program says that one of its functions is. The rules compare the recorded
// function with it.
type Declaration struct {
	Name      string // the function's logical name
	Variables []Variable

	Routes  []string // route keys of the HTTP API
	Signed  bool     // callers of the routes must sign with AWS credentials
	Queue   string   // the logical name of the queue that it handles; empty for none
	Every   time.Duration
	Rotates string // the logical name of the secret that it rotates; empty for none

	Connections int // to the database that one instance may hold
	// Instances returns how many instances may run at once, where a stage bounds the concurrency.
	Instances func(concurrency int) int
}

// A Variable is one variable of a function's environment.
type Variable struct {
	Name string
	// From is what fills the variable: a kind of thing and, after a dot, which one or which property.
	// The rules know the kinds database, secret, topic and queue: "secret.callback-key",
	// "database.port".
	From   string
	Grants []string // what the function may do with the thing: "read", "publish"
	// Internet is true where the value is the URL of a server on the Internet that the function calls.
	Internet bool
}
