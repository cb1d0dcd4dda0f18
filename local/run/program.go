package run

import (
	"path"

	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	tutorial "restock/examples/tutorial/program"
	"restock/infra/bundle"
	"restock/infra/graph"
	"restock/infra/stack"
	"restock/lambdas"
)

// A Program is a Pulumi program that runs here as it is deployed: its stack, and its functions' sources.
type Program struct {
	Name      string
	Project   string // the folder of its Pulumi.yaml, below the module's root
	Package   string // of what it declares, below the module's root
	Functions string // the folder of its functions' sources, each in a folder of its name, below the module's root

	Declared []lambdas.Function // what its functions are said to be, which the rules hold it to; may be none
	Declare  func(bundle.Builder) pulumi.RunFunc
}

// Shop is the program of the shop.
var Shop = Program{Name: "shop", Project: ".", Package: "infra/stack", Functions: lambdas.Folder, Declared: lambdas.All(), Declare: stack.Program}

// Tutorial is the program of the tutorial.
var Tutorial = Program{Name: "tutorial", Project: "examples/tutorial", Package: "examples/tutorial/program", Functions: tutorial.Functions, Declare: tutorial.Program}

// Programs are all that run here.
var Programs = []Program{Shop, Tutorial}

// packages are those of its functions, by name.
func (p Program) packages(names []string) []string {
	var packages []string
	for _, name := range names {
		packages = append(packages, "./"+path.Join(p.Functions, name))
	}
	return packages
}

// where is where a resource is declared; in a program that is made from declarations, a file of those that make it.
func (p Program) where(r *graph.Resource, file string) string {
	if len(p.Declared) > 0 {
		return file
	}
	return r.Source
}
