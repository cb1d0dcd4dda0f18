// Package standin says what a run must know about a stand-in for a service of AWS. A package in
// local/aws returns its stand-in as a [StandIn], and the list in local/run/standins.go names it.
// The rest follows from the fields: which declared resources the run uses, what the AWS endpoint
// serves, which calls it refuses, where a VPC blocks a call, and what the console draws.
package standin

import (
	"context"

	"restock/infra/graph"
	"restock/local/aws/awsapi"
)

// A StandIn takes the place of a service of AWS in a run. All fields except Service are optional.
type StandIn struct {
	// Service is the service's name in signatures, ARNs, VPC endpoints and IAM's actions, such as
	// "secretsmanager".
	Service string
	// Name is the service's name for people, such as "Secrets Manager". Without Nodes it may be
	// empty.
	Name string

	// Types are the types of resources that the stand-in uses. The run lists the others at start.
	Types []graph.Type
	// Deployed replaces outputs of a recorded resource of the types, such as a URL on AWS, by those
	// of the run. The run calls it concurrently while it records the program.
	Deployed func(context.Context, *graph.Resource) error
	// Create creates the resources that the program declares. No function runs yet.
	Create func(*graph.Graph) error
	// Start starts what invokes functions. The functions are ready.
	Start func(*graph.Graph) error

	// APIs are what the AWS endpoint serves. Their Authorization says which permissions each call
	// requires.
	APIs []awsapi.Service
	// Policy returns the text of a resource's current policy, or "" for none. known is false for an
	// ARN that the stand-in does not have.
	Policy func(arn string) (text string, known bool)

	// Nodes say how the console draws the resources.
	Nodes []Node
}

// A Node says how the console draws the resources of a type, or all resources of a service.
type Node struct {
	Kind string // of the console's nodes, such as "queue"

	// Type is the type whose resources have a node each.
	Type graph.Type
	// Detail describes such a resource in a few words. It may be nil.
	Detail func(*graph.Resource) string

	// Shared, if not nil, returns the ARNs of resources that are one node together. Type and Detail
	// are not used then.
	Shared func(*graph.Graph) (arns []string)

	// Calls are calls of functions. A function whose role may do such an action gets an edge to the
	// node. Without calls, a function whose role may do anything with the resource gets an edge.
	Calls []Call
}

// A Call is an action of IAM, with the label of its edge. The label may be empty.
type Call struct{ Action, Label string }
