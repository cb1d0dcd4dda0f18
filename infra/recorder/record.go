// Package recorder runs a Pulumi program without deploying it, and returns the graph of the
// resources that it declares. It also reads the stages' files, which configure the program.
package recorder

import (
	"cmp"
	"errors"
	"fmt"
	"maps"
	"sync"

	"github.com/pulumi/pulumi/sdk/v3/go/common/resource"
	"github.com/pulumi/pulumi/sdk/v3/go/common/tokens"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"restock/infra/graph"
)

// Options say how Record runs a program.
type Options struct {
	Project string
	Stage   string
	Config  map[string]string // full keys: "aws:region"; objects as JSON
	// Preview runs the program like a preview of the first deployment: only inputs are known.
	Preview bool
	// LogicalNames gives a resource its logical name where a deployment makes a name from it. It is
	// for the local run, which shows the names to people. It is wrong for rules: on AWS the names
	// differ.
	LogicalNames bool
	// Lookups makes the recording answer the usual functions that query AWS, like getRegion: see
	// lookups.go. Without it, the program must not call them.
	Lookups bool
	// Root is the folder of the program's sources, with a slash at its end. Empty: this module's.
	Root string
	// Answer, if it is not nil, may change a resource's outputs. Record calls it once for each
	// resource, after the resources that this one depends on. An error fails the program.
	Answer func(*graph.Resource) error
}

// Record runs a program against a recorder in place of AWS. It returns the declared resources, with
// the outputs that a deployment would return.
func Record(program pulumi.RunFunc, o Options) (*graph.Graph, error) {
	r := New(o)
	err := pulumi.RunErr(r.withOutputs(program), pulumi.WithMocks(o.Project, o.Stage, r), func(info *pulumi.RunInfo) {
		info.Config = o.Config
		info.DryRun = o.Preview
	})
	if err != nil {
		return nil, fmt.Errorf("recording stage %s: %w", o.Stage, inOneLine(err))
	}
	return r.Graph()
}

// Graph returns the resources and the outputs that the program has registered.
func (r *Recorder) Graph() (*graph.Graph, error) {
	return graph.New(r.options.Config["aws:region"], r.resources, r.outputs)
}

// withOutputs returns the program. It stores the outputs of the stack that are texts.
func (r *Recorder) withOutputs(program pulumi.RunFunc) pulumi.RunFunc {
	return func(ctx *pulumi.Context) error {
		if err := program(ctx); err != nil {
			return err
		}
		for name, value := range ctx.GetCurrentExportMap() {
			switch value := value.(type) {
			case pulumi.String:
				r.Output(name, string(value))
			case pulumi.Output:
				value.ApplyT(func(v any) any { r.Output(name, v); return v }) // the run waits for it
			}
		}
		return nil
	}
}

// Output stores an output of the stack if it is a text.
func (r *Recorder) Output(name string, value any) {
	r.mu.Lock()
	defer r.mu.Unlock()
	switch value := value.(type) {
	case string:
		r.outputs[name] = value
	case *string:
		if value != nil {
			r.outputs[name] = *value
		}
	}
}

// inOneLine returns the program's only error, without the list of errors that Pulumi wraps it in.
func inOneLine(err error) error {
	var list interface{ WrappedErrors() []error }
	if errors.As(err, &list) && len(list.WrappedErrors()) == 1 {
		return list.WrappedErrors()[0]
	}
	return err
}

// A Recorder is a resource monitor that deploys nothing: it stores every resource that the program
// registers. Record passes it to a program in this process; package local/engine passes it what a
// program in a process of its own registers.
type Recorder struct {
	options Options

	mu        sync.Mutex // guards the following fields
	resources []*graph.Resource
	outputs   map[string]string
}

// New returns a recorder without resources.
func New(o Options) *Recorder {
	if o.Root == "" {
		o.Root = module
	}
	return &Recorder{options: o, outputs: map[string]string{}}
}

// URN makes the URN of a resource like Pulumi's engine.
func (r *Recorder) URN(parent, kind, name string) string { return urn(r.options, parent, kind, name) }

// Registered returns the resource with a URN, nil if the program has not registered it.
func (r *Recorder) Registered(urn string) *graph.Resource {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, declared := range r.resources {
		if declared.URN == urn {
			return declared
		}
	}
	return nil
}

// NewResource stores a resource. It returns the outputs that a deployment would return.
func (r *Recorder) NewResource(args pulumi.MockResourceArgs) (string, resource.PropertyMap, error) {
	if args.RegisterRPC == nil {
		return "", nil, fmt.Errorf("the program reads %s %q: a recording has no deployed resources",
			args.TypeToken, args.Name)
	}
	declared := &graph.Resource{
		URN:          urn(r.options, args.RegisterRPC.GetParent(), args.TypeToken, args.Name),
		Type:         graph.Type(args.TypeToken),
		Name:         args.Name,
		Inputs:       plain(args.Inputs),
		Parent:       args.RegisterRPC.GetParent(),
		Dependencies: args.RegisterRPC.GetDependencies(),
		Protect:      args.RegisterRPC.GetProtect(),
		Remote:       args.RegisterRPC.GetRemote(),
		Source:       Source(r.options.Root, args.RegisterRPC),
	}
	declared.Aliases = r.aliases(args)
	declared.Outputs = maps.Clone(declared.Inputs)
	if args.Custom && !r.options.Preview {
		declared.Deploy(r.options.Config["aws:region"], r.options.LogicalNames)
	}
	if r.options.Answer != nil {
		if err := r.options.Answer(declared); err != nil {
			return "", nil, err
		}
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.resources = append(r.resources, declared)

	state := resource.NewPropertyMapFromMap(declared.Outputs)
	for key, given := range args.Inputs {
		if given.IsArchive() || given.ContainsSecrets() || given.ContainsUnknowns() {
			state[key] = given
		}
	}
	return declared.ID, state, nil
}

// urn makes a URN like Pulumi's engine.
func urn(o Options, parent, kind, name string) string {
	var parentType tokens.Type
	if p := resource.URN(parent); p != "" && p.QualifiedType() != resource.RootStackType {
		parentType = p.QualifiedType()
	}
	stage, project := tokens.QName(o.Stage), tokens.PackageName(o.Project)
	return string(resource.NewURN(stage, project, parentType, tokens.Type(kind), name))
}

// aliases returns the URNs of a resource's aliases. Like the engine, it also makes an alias from
// each alias of the parent. The program declares a parent before its children.
func (r *Recorder) aliases(args pulumi.MockResourceArgs) (urns []string) {
	parent := args.RegisterRPC.GetParent()
	for _, alias := range args.RegisterRPC.GetAliases() {
		spec := alias.GetSpec()
		if spec == nil {
			urns = append(urns, alias.GetUrn())
			continue
		}
		from := cmp.Or(spec.GetParentUrn(), parent)
		if spec.GetNoParent() {
			from = ""
		}
		kind, name := cmp.Or(spec.GetType(), args.TypeToken), cmp.Or(spec.GetName(), args.Name)
		urns = append(urns, urn(r.options, from, kind, name))
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, declared := range r.resources {
		if declared.URN == parent {
			for _, alias := range declared.Aliases {
				urns = append(urns, urn(r.options, alias, args.TypeToken, args.Name))
			}
		}
	}
	return urns
}

// plain converts a property map to JSON's types. It unwraps secrets, and replaces an asset and an
// archive by its path, and one without a path by an object: see [graph.TextAsset]. An archive that
// the program puts together from others becomes an object.
func plain(m resource.PropertyMap) map[string]any {
	return m.MapRepl(nil, func(v resource.PropertyValue) (any, bool) {
		switch {
		case v.IsSecret():
			return plain(resource.PropertyMap{"value": v.SecretValue().Element})["value"], true
		case v.IsAsset():
			if text, ok := v.AssetValue().GetText(); ok {
				return map[string]any{graph.TextAsset: text}, true
			}
			if uri, ok := v.AssetValue().GetURI(); ok {
				return map[string]any{graph.URIAsset: uri}, true
			}
			return v.AssetValue().Path, true
		case v.IsArchive():
			if parts, ok := v.ArchiveValue().GetAssets(); ok {
				return plain(resource.NewPropertyMapFromMap(parts)), true
			}
			if uri, ok := v.ArchiveValue().GetURI(); ok {
				return map[string]any{graph.URIAsset: uri}, true
			}
			return v.ArchiveValue().Path, true
		case v.IsComputed(), v.IsOutput():
			return nil, true
		}
		return nil, false
	})
}
