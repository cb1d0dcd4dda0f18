package run

import (
	"cmp"
	"fmt"
	"path"

	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"restock/infra/bundle"
	"restock/infra/graph"
	"restock/infra/rules"
	"restock/local/aws/iam"
	"restock/local/view/console"
)

// A Program is a Pulumi program that runs here as it is deployed: its stack, and its functions' sources.
type Program struct {
	Name      string
	Project   string // the folder of its Pulumi.yaml, below the module's root
	Package   string // of what it declares, below the module's root
	Functions string // the folder of its functions' sources, each in a folder of its name, below the module's root

	Declared rules.Declarations
	// MissingIn names the place where a person declares the statement that a request lacks. Where it is nil or returns "", that is the
	// file of the role, or of the resource whose policy lacks it.
	MissingIn func(iam.Need) string
	Declare   func(bundle.Builder) pulumi.RunFunc

	// Where a person sets how much is served at once: of a function, whose name is in place of %s, and of the API's stage. Empty: where
	// the resource is declared.
	ConcurrencySetting, ThrottlingSetting string

	// Business tells the console what a line of a function means: see console.Config. It may be
	// nil.
	Business func(kind string, attrs map[string]any) console.Milestone
}

// packages are those of its functions, by name.
func (p Program) packages(names []string) []string {
	var packages []string
	for _, name := range names {
		packages = append(packages, "./"+path.Join(p.Functions, name))
	}
	return packages
}

// concurrencySetting is where the concurrency of a function is set.
func (p Program) concurrencySetting(function *graph.Resource) string {
	if p.ConcurrencySetting == "" {
		return "reservedConcurrentExecutions in " + function.Source
	}
	return fmt.Sprintf(p.ConcurrencySetting, function.String("name"))
}

// throttlingSetting is where the throttling of a stage is set.
func (p Program) throttlingSetting(stage *graph.Resource) string {
	return cmp.Or(p.ThrottlingSetting, "defaultRouteSettings in "+stage.Source)
}
