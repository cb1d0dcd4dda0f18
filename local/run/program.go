package run

import (
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"restock/infra/stack"
)

// A Program is a Pulumi program that runs here as it is deployed: its stack, and its functions' sources.
type Program struct {
	Name      string
	Project   string // the folder of its Pulumi.yaml, below the module's root
	Functions string // the folder of its functions' sources, each in a folder of its name, below the module's root

	Declare func(stack.Bundler) pulumi.RunFunc
}

// Shop is the program of the shop.
var Shop = Program{Name: "shop", Project: ".", Functions: "lambdas", Declare: stack.Program}
