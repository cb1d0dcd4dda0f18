package run

import (
	"fmt"
	"os"
	"path"

	"restock/infra/graph"
	declaredpolicy "restock/infra/policy/declared"
	"restock/local/view/console"
)

// declarations returns a function that returns what the program declares about a function, for the
// console.
func (r *Run) declarations(g *graph.Graph) (func(name string) (console.Declaration, bool), error) {
	policies, err := declaredpolicy.Read(g)
	if err != nil {
		return nil, fmt.Errorf("reading what functions may do: %w", err)
	}
	return func(name string) (d console.Declaration, known bool) {
		f := g.Find(graph.Function, "name", name)
		if f == nil {
			return d, false
		}
		role := f.String("role")
		d = console.Declaration{
			DeclaredIn: f.Source, Source: path.Join(r.config.Program.Functions, name), Role: role,
			Environment: map[string]string{}, Policies: policies.Of(role, "").Identity,
		}
		variables, _ := f.Object("environment")["variables"].(map[string]any)
		for name, value := range variables {
			d.Environment[name] = fmt.Sprint(value)
		}
		if executable, err := os.Stat(f.String("code")); err == nil {
			d.Built = executable.ModTime()
		}
		return d, true
	}, nil
}
