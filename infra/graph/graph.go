// Package graph has the list of the resources that a Pulumi program declares, and the table of AWS
// resource types, with their ARNs and the limits of their names. It does not import Pulumi, so that
// a program that only reads a graph is small and built quickly.
package graph

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
)

// A Graph holds the resources that a program declares.
type Graph struct {
	Region    string
	Resources []*Resource // sorted by URN
	// Outputs are the outputs of the stack that are texts. A preview of a new stage has none that
	// depend on resources.
	Outputs map[string]string
}

// A Resource is a declared resource. Inputs and outputs have JSON's types; secrets are plain
// values.
type Resource struct {
	URN          string
	Type         Type
	Name         string // the logical name
	ID           string // empty for a component
	Inputs       map[string]any
	Outputs      map[string]any // of a deployment; contains the inputs
	Parent       string         // URN
	Aliases      []string       // earlier URNs of the resource
	Dependencies []string       // URNs
	Protect      bool
	Remote       bool   // a component that a plugin makes: its resources are not in the graph
	Source       string // where it is declared, below the module's root: "infra/stack/messaging.go:111"
}

// New returns a graph of resources, which it sorts. Two resources with the same URN are an error.
func New(region string, resources []*Resource, outputs map[string]string) (*Graph, error) {
	slices.SortFunc(resources, func(a, b *Resource) int { return cmp.Compare(a.URN, b.URN) })
	for i, r := range resources {
		if i > 0 && resources[i-1].URN == r.URN {
			return nil, fmt.Errorf("two resources have the URN %s: give one of them another name", r.URN)
		}
	}
	return &Graph{Region: region, Resources: resources, Outputs: outputs}, nil
}

// TextAsset and URIAsset are the only member of the object that a recording has in place of an
// asset with a text, and of an asset or an archive at a URI.
const (
	TextAsset = "asset:text"
	URIAsset  = "asset:uri"
)

// ByURN returns the resource with a URN, nil if there is none.
func (g *Graph) ByURN(urn string) *Resource {
	byURN := func(r *Resource, urn string) int { return cmp.Compare(r.URN, urn) }
	i, found := slices.BinarySearchFunc(g.Resources, urn, byURN)
	if !found {
		return nil
	}
	return g.Resources[i]
}

// OfType returns the resources of a type, sorted by URN.
func (g *Graph) OfType(token Type) []*Resource {
	var found []*Resource
	for _, r := range g.Resources {
		if r.Type == token {
			found = append(found, r)
		}
	}
	return found
}

// Named returns a resource of a type by its logical name, nil if there is none. Its name on AWS is
// another one: see [Resource.PhysicalName].
func (g *Graph) Named(token Type, name string) *Resource {
	for _, r := range g.Resources {
		if r.Type == token && r.Name == name {
			return r
		}
	}
	return nil
}

// Find returns a resource of a type by the value of an output, like the queue with an ARN; nil if
// there is none.
func (g *Graph) Find(token Type, output string, value any) *Resource {
	for _, r := range g.Resources {
		if r.Type == token && r.Outputs[output] == value {
			return r
		}
	}
	return nil
}

// Integration returns the integration of a route of an HTTP API, nil if there is none.
func (g *Graph) Integration(route *Resource) *Resource {
	for _, integration := range g.OfType(APIIntegration) {
		if route.String("target") == "integrations/"+integration.ID {
			return integration
		}
	}
	return nil
}

// Invoked returns the function that an integration of an HTTP API invokes; nil if there is none.
// integrationUri may be the function's ARN, or its invokeArn, which REST APIs need:
// https://docs.aws.amazon.com/cli/latest/reference/apigatewayv2/create-integration.html
func (g *Graph) Invoked(integration *Resource) *Resource {
	uri := integration.String("integrationUri")
	if f := g.Find(Function, "invokeArn", uri); f != nil {
		return f
	}
	return g.Find(Function, "arn", uri)
}

// RuleOf returns the rule of an EventTarget, nil if there is none. Only the rules of one bus have
// different names.
// https://docs.aws.amazon.com/eventbridge/latest/APIReference/API_PutRule.html
func (g *Graph) RuleOf(target *Resource) *Resource {
	for _, rule := range g.OfType(EventRule) {
		if rule.String("name") == target.String("rule") && rule.BusName() == target.BusName() {
			return rule
		}
	}
	return nil
}

// BusName returns the name of the event bus of an EventRule or an EventTarget. The program may give
// the bus by its name or by its ARN. Without one it is the account's default bus.
func (r *Resource) BusName() string {
	bus := r.String("eventBusName")
	if _, name, isARN := strings.Cut(bus, ":event-bus/"); isARN {
		bus = name
	}
	return cmp.Or(bus, DefaultBus)
}

// DefaultBus is the name of the event bus that each account has.
const DefaultBus = "default"

// Types returns the types of the declared resources with a prefix such as "aws:", sorted.
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

// String returns an output that is a string; empty if it is not.
func (r *Resource) String(output string) string {
	s, _ := r.Outputs[output].(string)
	return s
}

// Number returns an output that is a number; zero if it is not.
func (r *Resource) Number(output string) float64 {
	n, _ := r.Outputs[output].(float64)
	return n
}

// Bool returns an output that is a boolean; false if it is not.
func (r *Resource) Bool(output string) bool {
	b, _ := r.Outputs[output].(bool)
	return b
}

// Object returns an output that is an object; nil if it is not.
func (r *Resource) Object(output string) map[string]any {
	m, _ := r.Outputs[output].(map[string]any)
	return m
}

// Objects returns the objects in an output that is a list; none if it is not.
func (r *Resource) Objects(output string) (found []map[string]any) {
	list, _ := r.Outputs[output].([]any)
	for _, v := range list {
		if object, ok := v.(map[string]any); ok {
			found = append(found, object)
		}
	}
	return found
}

// Strings returns an output that is a list, as strings; nil if it is not.
func (r *Resource) Strings(output string) []string {
	list, _ := r.Outputs[output].([]any)
	var texts []string
	for _, v := range list {
		texts = append(texts, fmt.Sprint(v))
	}
	return texts
}
