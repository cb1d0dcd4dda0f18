package run

import (
	"fmt"
	"path"

	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"restock/infra/bundle"
	"restock/infra/graph"
	"restock/infra/policy/usage"
	"restock/infra/rules"
	"restock/local/aws/iam"
	"restock/local/view/console"
)

// A Program is a Pulumi program that the local run can run, with the folders of its functions.
type Program struct {
	Name      string
	Project   string // the folder of its Pulumi.yaml, below the module's root
	Package   string // the package that declares the stack, below the module's root
	Functions string // the folder with a folder for each function, below the module's root

	// Dir is the folder of the Pulumi.yaml of a program that has a main of its own: see External.
	// For other programs it is empty.
	Dir string
	// Given are configured values of such a program, by key, in place of those of the stage.
	Given map[string]string

	// Declared are the declarations of the functions, for the rules.
	Declared rules.Declarations
	// MissingIn returns the place where a missing statement belongs. If it is nil or returns "",
	// that is the file of the role, or of the resource whose policy lacks the statement.
	MissingIn func(iam.Need) string
	// Declare returns the Pulumi program. It builds the functions with the builder.
	Declare func(bundle.Builder) pulumi.RunFunc

	// Unused are the grants that no test, demo or local run uses, with the reason for each.
	Unused []usage.Justification

	// ConcurrencySetting is the name of the setting that limits the concurrency of a function. The
	// function's name replaces %s. If it is empty, messages name the file of the function.
	ConcurrencySetting string
	// ThrottlingSetting returns the name of the setting that limits the requests to a route, or to
	// all routes without a limit of their own if the route key is "". If it is nil, messages name
	// the file of the stage.
	ThrottlingSetting func(routeKey string) string

	// Callers are who calls the HTTP API, in the console's picture, such as "buyers". If it is
	// empty, the picture shows only what the program declares.
	Callers string

	// Business is what the console knows of the program's business.
	Business console.Business
}

// packages returns the packages of functions.
func (p Program) packages(names []string) []string {
	var packages []string
	for _, name := range names {
		packages = append(packages, "./"+path.Join(p.Functions, name))
	}
	return packages
}

// concurrencySetting returns the setting of a function's concurrency.
func (p Program) concurrencySetting(function *graph.Resource) string {
	if p.ConcurrencySetting == "" {
		return "reservedConcurrentExecutions in " + function.Source
	}
	return fmt.Sprintf(p.ConcurrencySetting, function.Name)
}

// throttlingSetting returns the setting of the limits of a route, or of a stage's other routes.
func (p Program) throttlingSetting(stage *graph.Resource, routeKey string) string {
	if p.ThrottlingSetting == nil {
		return "the throttling in " + stage.Source
	}
	return p.ThrottlingSetting(routeKey)
}
