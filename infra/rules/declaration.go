package rules

import (
	"time"

	"restock/infra/graph"
)

// Declarations are facts about a program that its resources do not show. The zero value has none.
type Declarations struct {
	Functions []Declaration
	// Topics are the topics whose messages are known.
	Topics []Topic
	// DeclaredIn names the files that a person edits to fix a violation. If it is nil or returns
	// "", a person edits the declaration of the resource.
	DeclaredIn func(rule string, r *graph.Resource) string
}

// Where names the files that a person edits to fix a violation of a rule by a resource, and the
// file and line that declare the resource.
func (d Declarations) Where(rule string, r *graph.Resource) string {
	edit := ""
	if d.DeclaredIn != nil {
		edit = d.DeclaredIn(rule, r)
	}
	switch {
	case edit == "":
		return r.Source
	case r.Source == "":
		return edit
	default:
		return edit + "; declared in " + r.Source
	}
}

// A Declaration describes a function of the program. The rules compare the recorded function with
// it.
type Declaration struct {
	Name      string // the function's logical name
	Optional  bool   // some stages do not deploy it
	Variables []Variable

	Routes   []string      // route keys of the HTTP API
	Signed   bool          // callers of the routes must sign with AWS credentials
	Buffered bool          // the requests to the routes wait in its queue
	Queue    string        // the logical name of the queue that it handles; empty for none
	Every    time.Duration // the interval of its schedule; 0 for none
	Rotates  string        // the logical name of the secret that it rotates; empty for none

	Connections int // the largest number of database connections of an instance
	// Instances returns the largest number of instances, for the concurrency that a stage allows.
	Instances func(concurrency int) int
}

// A Variable is one variable of a function's environment.
type Variable struct {
	Name string
	// From is the source of the value: a kind and, after a dot, a name or a property.
	// The rules know the kinds database, secret, topic and queue: "secret.callback-key",
	// "database.port".
	From   string
	Grants []string // what the function may do with the resource: "read", "publish"
	// Optional is true if a stage may leave the variable out.
	Optional bool
	// Parse returns an error if the function could not decode a value. It may be nil.
	Parse func(value string) error
	// Internet is true if the value is the URL of a server on the Internet that the function calls.
	Internet bool
}

// A Topic describes the messages of a topic.
type Topic struct {
	Name string // the topic's logical name
	// Messages are the kinds of its messages that have attributes. They map each attribute, which
	// is a String, to its values; nil if it may have any.
	Messages []map[string][]string
}
