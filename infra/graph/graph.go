// Package graph records what a Pulumi program declares, without deploying it, as resources that can be asked questions.
package graph

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
)

// A Graph is what a program declared.
type Graph struct {
	Region    string
	Resources []*Resource // by URN
}

// A Resource is one declared resource. Inputs and outputs hold JSON's types; secrets are unwrapped.
type Resource struct {
	URN          string
	Type         Type
	Name         string // the logical name
	ID           string // empty for a component
	Inputs       map[string]any
	Outputs      map[string]any // what deploying it would answer; inputs among them
	Parent       string         // URN
	Aliases      []string       // URNs by which an older program declared it
	Dependencies []string       // URNs
	Protect      bool
	Source       string // the files that declare it, below the module's root: "infra/stack/messaging.go"
}

// ByURN finds a resource, nil if there is none.
func (g *Graph) ByURN(urn string) *Resource {
	i, found := slices.BinarySearchFunc(g.Resources, urn, func(r *Resource, urn string) int { return cmp.Compare(r.URN, urn) })
	if !found {
		return nil
	}
	return g.Resources[i]
}

// OfType lists the resources of a type, by URN.
func (g *Graph) OfType(token Type) []*Resource {
	var found []*Resource
	for _, r := range g.Resources {
		if r.Type == token {
			found = append(found, r)
		}
	}
	return found
}

// Find finds the resource of a type with an output of a value: the queue with an ARN, the function with an invoke ARN.
func (g *Graph) Find(token Type, output string, value any) *Resource {
	for _, r := range g.OfType(token) {
		if r.Outputs[output] == value {
			return r
		}
	}
	return nil
}

// Types lists the types of the declared resources of a provider ("aws:"), sorted.
func (g *Graph) Types(provider string) []Type {
	var types []Type
	for _, r := range g.Resources {
		if strings.HasPrefix(string(r.Type), provider) {
			types = append(types, r.Type)
		}
	}
	slices.Sort(types)
	return slices.Compact(types)
}

// String is an output that is text; empty if it is not.
func (r *Resource) String(output string) string {
	s, _ := r.Outputs[output].(string)
	return s
}

// Number is an output that is a number; zero if it is not.
func (r *Resource) Number(output string) float64 {
	n, _ := r.Outputs[output].(float64)
	return n
}

// Bool is an output that is true or false; false if it is neither.
func (r *Resource) Bool(output string) bool {
	b, _ := r.Outputs[output].(bool)
	return b
}

// Object is an output that is an object; nil if it is not.
func (r *Resource) Object(output string) map[string]any {
	m, _ := r.Outputs[output].(map[string]any)
	return m
}

// Strings is an output that is a list of text.
func (r *Resource) Strings(output string) []string {
	list, _ := r.Outputs[output].([]any)
	var texts []string
	for _, v := range list {
		texts = append(texts, fmt.Sprint(v))
	}
	return texts
}

// sort brings the resources in order, and finds two of the same URN.
func (g *Graph) sort() error {
	slices.SortFunc(g.Resources, func(a, b *Resource) int { return cmp.Compare(a.URN, b.URN) })
	for i, r := range g.Resources {
		if i > 0 && g.Resources[i-1].URN == r.URN {
			return fmt.Errorf("two resources have the URN %s: give one of them another name", r.URN)
		}
	}
	return nil
}
