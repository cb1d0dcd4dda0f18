// Package iam implements AWS Identity and Access Management for a run. It identifies callers and
// evaluates the recorded policies.
//
// Each instance of a function has temporary credentials of the function's role, which become
// invalid when the instance ends. The credentials local/local belong to a person and have full
// permissions. An AWS service, such as SNS, calls under its own name on behalf of a resource.
//
// The program declares the policies. A call such as SetQueueAttributes may have changed a
// resource's policy. Config.ResourcePolicy returns the current one, which then counts.
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
	"restock/infra/policy/usage"
	"restock/local/aws/awsapi"
)

// Config has the policies by which an authority decides.
type Config struct {
	// Graph is the recorded program.
	Graph *graph.Graph
	// Managed are the documents of policies that the program's roles name but the program does not
	// declare, by ARN. A permissions boundary is an example. A boundary that is neither declared
	// nor in Managed is not evaluated, and a record of level info says so.
	Managed map[string]string
	// ResourcePolicy returns the text of a resource's current policy, or "" for none. If known is
	// false or the function is nil, the graph has the policy.
	ResourcePolicy func(arn string) (text string, known bool)
	// DeclaredIn returns the place where a person declares the statement that a request needs. If
	// it is nil or returns "", a refusal names the file that declares the role, or the resource
	// whose policy decides.
	DeclaredIn func(Need) string
	// Log receives the refusals: the first of each kind at level warn, its repetitions at level
	// debug.
	Log *slog.Logger
	// Refused, if not nil, is called with the first refusal of each kind.
	Refused func(*AccessDenied)
	// Made, if not nil, is called for each call that the policies allow.
	Made func(usage.Call)
}

// Authority identifies the callers of a run and decides what each may do. Its methods are safe for
// concurrent use.
type Authority struct {
	log       *slog.Logger
	policies  *declared.Policies
	present   func(arn string) (text string, known bool) // Config.ResourcePolicy
	refused   func(*AccessDenied)                        // Config.Refused
	made      func(usage.Call)                           // Config.Made
	roles     map[string]string                          // of functions, by their ARN
	variables map[string]map[string]string               // by role: the variable of its function with an ARN
	sources   map[string]string                          // by ARN: the files that declare a resource
	declared  func(Need) string                          // Config.DeclaredIn; may be nil

	mu       sync.Mutex
	sessions map[string]session // by access key
	told     map[refusal]bool   // the refusals that were logged
}

// New returns an authority for a recorded program. It fails if a policy cannot be parsed: AWS would
// refuse it too.
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
		c.Log.Info("permissions boundary is not declared here: it is not evaluated", "policy", arn)
	}
	a := &Authority{
		log: c.Log, policies: policies, present: c.ResourcePolicy, refused: c.Refused, made: c.Made,
		roles: map[string]string{}, variables: map[string]map[string]string{}, sources: map[string]string{},
		declared: c.DeclaredIn,
		sessions: map[string]session{}, told: map[refusal]bool{},
	}
	for _, r := range c.Graph.Resources {
		a.sources[r.String("arn")] = r.Source
		a.sources[r.String("executionArn")] = r.Source
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

// errEnded is the error for a caller whose credentials become invalid during its call.
var errEnded = errors.New("the security token included in the request is expired")

// Authorize decides whether the owner of an access key has a permission. The error is an
// *AccessDenied, except for an ended session and for a current policy that cannot be parsed.
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
	call := s.call(p.Action, p.Resource)
	call.SourceIP, call.EncryptionContext = p.SourceIP, p.EncryptionContext
	if call.Via = p.Via; call.Via != "" {
		return a.decide(call, a.policies.Of(s.role, p.Resource)) // a service passes no endpoint of the VPC
	}
	if p.SourceIP == "" { // a request to an API passes the Internet
		call.Endpoint = a.policies.Endpoint(s.role, p.Action)
	}
	return a.decide(call, a.policies.Through(s.role, p.Action, p.Resource))
}

func (a *Authority) authorizeSession(s session, action, resource string) error {
	return a.decide(s.call(action, resource), a.policies.Of(s.role, resource))
}

// AuthorizeService decides whether an AWS service ("sns.amazonaws.com") may perform an action on a
// resource, on behalf of a source: a topic that delivers, an API's route or a schedule's rule that
// invokes, a secret that is rotated. The error is an *AccessDenied.
func (a *Authority) AuthorizeService(service, sourceARN, action, resourceARN string) error {
	call := usage.Call{Service: service, Source: sourceARN, Action: action, Resource: resourceARN}
	return a.decide(call, a.policies.Of("", resourceARN))
}

// AuthorizeAnybody decides whether somebody who has not signed a request has a permission. The
// error is an *AccessDenied.
func (a *Authority) AuthorizeAnybody(p awsapi.Permission) error {
	call := usage.Call{SourceIP: p.SourceIP, Action: p.Action, Resource: p.Resource}
	return a.decide(call, a.policies.Of("", p.Resource))
}

// decide evaluates the policies. The current policy of the resource replaces the declared one.
func (a *Authority) decide(call usage.Call, policies evaluation.Policies) error {
	q := call.Request()
	if a.present != nil {
		if text, known := a.present(q.Resource); known {
			var err error
			if policies.Resource, err = presentPolicy(q.Resource, text, policies.Resource); err != nil {
				return err
			}
		}
	}
	return a.answer(call, policies.Evaluate(q))
}

// presentPolicy parses a resource's current policy. If it equals a declared policy, it gets that
// policy's name.
func presentPolicy(resource, text string, declared []evaluation.Document) ([]evaluation.Document, error) {
	if text == "" {
		return nil, nil
	}
	d, err := evaluation.Parse(evaluation.Resource, text)
	if err != nil {
		return nil, fmt.Errorf("reading the current policy of %s: %w", resource, err)
	}
	d.Name = "the current policy of " + resource
	for _, was := range declared {
		if reflect.DeepEqual(was.Statements, d.Statements) {
			d.Name = was.Name
		}
	}
	return []evaluation.Document{d}, nil
}

// AuthorizeEventSource decides whether the event source mapping of a queue may read it. The mapping
// uses the role of its function:
// https://docs.aws.amazon.com/lambda/latest/dg/services-sqs-configure.html#events-sqs-permissions
// The error is an *AccessDenied for the first action that is not allowed.
func (a *Authority) AuthorizeEventSource(functionARN, queueARN string) error {
	s := session{role: a.roles[functionARN], name: functionARN[strings.LastIndex(functionARN, ":")+1:]}
	for _, action := range []string{"sqs:ReceiveMessage", "sqs:DeleteMessage", "sqs:GetQueueAttributes"} {
		if err := a.authorizeSession(s, action, queueARN); err != nil {
			return err
		}
	}
	return nil
}

// AuthorizeRole decides whether the role's trust policy allows Lambda to run a function with it.
// AWS checks this when the function is created: "The role defined for the function cannot be
// assumed by Lambda." The error is an *AccessDenied.
// https://docs.aws.amazon.com/lambda/latest/dg/lambda-intro-execution-role.html
func (a *Authority) AuthorizeRole(functionARN string) error {
	return a.AuthorizeAssumption("lambda.amazonaws.com", functionARN, a.roles[functionARN])
}

// AuthorizeAssumption decides whether a role's trust policy allows a service to assume the role on
// behalf of a resource. The error is an *AccessDenied.
func (a *Authority) AuthorizeAssumption(service, sourceARN, role string) error {
	call := usage.Call{Service: service, Source: sourceARN, Action: "sts:AssumeRole", Resource: role}
	d := a.policies.Trust(role).Evaluate(call.Request())
	d.By = evaluation.Trust
	return a.answer(call, d)
}
