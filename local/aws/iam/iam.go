// Package iam is AWS Identity and Access Management for a run: who is who, and what the recorded policies let each do.
//
// An instance of a function has temporary credentials of the function's role, which end with it. The credentials local/local are a
// person's own, and may do everything. A service of AWS, such as SNS, comes under its own name, on behalf of a resource.
//
// Policies are those that the program declares. Where Config.ResourcePolicy knows the policy that a resource has at present, which
// somebody may have changed by SetQueueAttributes for one, that one counts.
package iam

import (
	"errors"
	"fmt"
	"log/slog"
	"reflect"
	"strings"
	"sync"

	"restock/infra/graph"
	"restock/infra/policy/declared"
	"restock/infra/policy/evaluation"
	"restock/local/aws/awsapi"
)

// Config says by which policies an authority decides.
type Config struct {
	// Graph is what the program declares.
	Graph *graph.Graph
	// Managed are policies that the program does not declare and its roles name, such as their permissions boundary: documents by ARN.
	// A boundary that is in neither is not judged, and a record of level info says so.
	Managed map[string]string
	// ResourcePolicy returns the text of the policy that a resource has at present, or "" for none. known is false for a resource of
	// which the graph is to be asked, as it is for all where the function is nil.
	ResourcePolicy func(arn string) (text string, known bool)
	// BySource has a refusal name, as the place where what is missing belongs, the files that declare the role or the resource. Without it
	// those of the shop's stack are named, which is made from the declarations of lambdas.
	BySource bool
	// Log receives the refusals: the first of each at level warn, its repetitions at level debug.
	Log *slog.Logger
	// Refused, where it is not nil, is called with the first refusal of each kind.
	Refused func(*AccessDenied)
}

// Authority knows the callers of a run and decides what each may do. Its methods may be called from many goroutines.
type Authority struct {
	log       *slog.Logger
	policies  *declared.Policies
	present   func(arn string) (text string, known bool) // Config.ResourcePolicy
	refused   func(*AccessDenied)                        // Config.Refused
	roles     map[string]string                          // of functions, by their ARN
	variables map[string]map[string]string               // by role: the variable of its function that holds an ARN
	sources   map[string]string                          // by ARN: the files that declare a resource; nil without Config.BySource

	mu       sync.Mutex
	sessions map[string]session // by access key
	told     map[refusal]bool   // which refusals have been logged
}

// New returns an authority for a recorded program. A policy that cannot be read is an error: AWS would not take it either.
func New(c Config) (*Authority, error) {
	policies, err := declared.Read(c.Graph)
	if err != nil {
		return nil, fmt.Errorf("reading the declared policies: %w", err)
	}
	for arn, text := range c.Managed {
		d, err := evaluation.Parse(evaluation.Boundary, text)
		if err != nil {
			return nil, fmt.Errorf("reading the managed policy %s: %w", arn, err)
		}
		d.Name = arn
		policies.AddManaged(arn, d)
	}
	for _, arn := range policies.UnknownBoundaries() {
		c.Log.Info("permissions boundary is not declared here: it is not judged", "policy", arn)
	}
	a := &Authority{
		log: c.Log, policies: policies, present: c.ResourcePolicy, refused: c.Refused,
		roles: map[string]string{}, variables: map[string]map[string]string{},
		sessions: map[string]session{}, told: map[refusal]bool{},
	}
	if c.BySource {
		a.sources = map[string]string{}
		for _, r := range c.Graph.Resources {
			a.sources[r.String("arn")] = r.Source
		}
	}
	for _, f := range c.Graph.OfType(graph.Function) {
		role := f.String("role")
		a.roles[f.String("arn")] = role
		holds := map[string]string{}
		environment, _ := f.Object("environment")["variables"].(map[string]any)
		for name, value := range environment {
			holds[fmt.Sprint(value)] = name
		}
		a.variables[role] = holds
	}
	return a, nil
}

// errEnded is told to a caller whose credentials end while it calls.
var errEnded = errors.New("the security token included in the request is expired")

// Authorize decides whether the owner of an access key has a permission. The error is an *AccessDenied, but for a session that has
// ended, and for a present policy that cannot be read.
func (a *Authority) Authorize(accessKeyID string, p awsapi.Permission) error {
	if accessKeyID == Person.AccessKeyID {
		return nil
	}
	a.mu.Lock()
	s, ok := a.sessions[accessKeyID]
	a.mu.Unlock()
	if !ok {
		return errEnded
	}
	return a.authorizeSession(s, p.Action, p.Resource)
}

func (a *Authority) authorizeSession(s session, action, resource string) error {
	return a.decide(evaluation.ByRole(s.role, s.arn(), action, resource), s.arn())
}

// AuthorizeService decides whether a service of AWS ("sns.amazonaws.com") may do something with a resource, on behalf of a source:
// a topic that delivers, a route of an API or the rule of a schedule that invokes, a secret that is rotated. The error is an
// *AccessDenied.
func (a *Authority) AuthorizeService(service, sourceARN, action, resourceARN string) error {
	return a.decide(evaluation.ByService(service, sourceARN, action, resourceARN), service)
}

// decide answers a request by the policies of its caller and of the resource.
func (a *Authority) decide(q evaluation.Request, principal string) error {
	policies := a.policies.Of(q.Caller.Role, q.Resource)
	if a.present != nil {
		if text, known := a.present(q.Resource); known {
			var err error
			if policies.Resource, err = presentPolicy(q.Resource, text, policies.Resource); err != nil {
				return err
			}
		}
	}
	return a.answer(q, principal, policies.Evaluate(q))
}

// presentPolicy reads the policy that a resource has at present. As long as it says what a declared one says, it goes by that one's name.
func presentPolicy(resource, text string, declared []evaluation.Document) ([]evaluation.Document, error) {
	if text == "" {
		return nil, nil
	}
	d, err := evaluation.Parse(evaluation.Resource, text)
	if err != nil {
		return nil, fmt.Errorf("reading the present policy of %s: %w", resource, err)
	}
	d.Name = "the present policy of " + resource
	for _, was := range declared {
		if reflect.DeepEqual(was.Statements, d.Statements) {
			d.Name = was.Name
		}
	}
	return []evaluation.Document{d}, nil
}

// AuthorizeEventSource decides whether the event source mapping of a queue may read it, which it does with the role of its function:
// https://docs.aws.amazon.com/lambda/latest/dg/services-sqs-configure.html#events-sqs-permissions
// The error is an *AccessDenied over the first action that is not allowed.
func (a *Authority) AuthorizeEventSource(functionARN, queueARN string) error {
	s := session{role: a.roles[functionARN], name: functionARN[strings.LastIndex(functionARN, ":")+1:]}
	for _, action := range []string{"sqs:ReceiveMessage", "sqs:DeleteMessage", "sqs:GetQueueAttributes"} {
		if err := a.authorizeSession(s, action, queueARN); err != nil {
			return err
		}
	}
	return nil
}

// AuthorizeRole decides whether Lambda may run a function with its role, which the role's trust policy says. AWS decides it when the
// function is made: "The role defined for the function cannot be assumed by Lambda." The error is an *AccessDenied.
// https://docs.aws.amazon.com/lambda/latest/dg/lambda-intro-execution-role.html
func (a *Authority) AuthorizeRole(functionARN string) error {
	const lambda = "lambda.amazonaws.com"
	role := a.roles[functionARN]
	q := evaluation.ByService(lambda, functionARN, "sts:AssumeRole", role)
	d := a.policies.Trust(role).Evaluate(q)
	d.By = evaluation.Trust
	return a.answer(q, lambda, d)
}
