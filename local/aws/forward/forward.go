// Package forward makes services that an emulator answers part of a run. The AWS endpoint verifies
// each call's signature. Then it decides by the declared policies and the declared network, like
// for the run's own stand-ins, and only an allowed call reaches the emulator.
//
// A model says which actions and resources a request means. The Service Authorization Reference has
// the actions of each operation:
// https://docs.aws.amazon.com/service-authorization/latest/reference/reference_policies_actions-resources-contextkeys.html
//
// A wrong permit is worse than a refusal. If a model does not know a request's operation or its
// resource, the endpoint refuses the request and says why.
package forward

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"slices"
	"strings"

	"restock/infra/graph"
	"restock/local/aws/awsapi"
	"restock/local/aws/standin"
)

// A Model is what the run must know about a service that an emulator answers.
type Model struct {
	Service  string // in signatures and IAM's actions
	Name     string // for people
	Types    []graph.Type
	Kind     string          // of the console's nodes for these types
	Protocol awsapi.Protocol // of refusals
	Target   string          // before the operation in X-Amz-Target; empty without that header
	Denied   awsapi.Error

	// Read returns the operation and all permissions that a request requires.
	Read func(Request) (operation string, needs []awsapi.Permission, err error)
	// Reveals, if not nil, returns a further permission that an error requires of the caller,
	// because it says what only the owner of the permission may know. It is nil for none.
	Reveals func(r *http.Request, operation string, status int, answer []byte) *awsapi.Permission
	// Misrouted, if not nil, returns the refusal of a call that the emulator would take for another
	// service's. ask sends a call to the emulator.
	Misrouted func(q Request, operation string, ask func(Call) (status int, answer []byte, err error)) error
	// Create returns the calls that create a declared resource. It may be nil.
	Create func(*graph.Resource) ([]Call, error)
	// Rewrite, if not nil, returns the body of a request that is passed on.
	Rewrite func(g *graph.Graph, body []byte) []byte
	// Beside says that the declared resources alone are no reason to start an emulator: services of
	// AWS use them too, like the keys of topics and queues.
	Beside bool
}

// Models returns the models of all services that the run can pass on.
func Models() []Model { return []Model{s3(), dynamodb(), ssm(), states(), kms()} }

// Declared reports whether a program declares a resource of the service.
func (m Model) Declared(g *graph.Graph) bool {
	return slices.ContainsFunc(m.Types, func(kind graph.Type) bool { return len(g.OfType(kind)) > 0 })
}

// Unknown returns the model of a service that the run does not know: it refuses all calls, except
// with Config.Unchecked.
func Unknown(service string) Model {
	return Model{Service: service, Protocol: awsapi.JSON("1.1", ""), Denied: awsapi.Error{
		Status: http.StatusBadRequest, Code: "AccessDeniedException",
	}}
}

// A Request is a call of a service.
type Request struct {
	*http.Request
	Body   []byte
	Region string
	Graph  *graph.Graph
	target string
}

// operation returns the operation in the header X-Amz-Target, or "" if it is not the service's.
func (q Request) operation() string {
	operation, _ := strings.CutPrefix(q.Header.Get("X-Amz-Target"), q.target+".")
	if strings.Contains(operation, ".") {
		return ""
	}
	return operation
}

func (q Request) unknown() error {
	return fmt.Errorf("the run has no permissions for the operation %q", q.operation())
}

// Config configures a forwarded service.
type Config struct {
	Context   context.Context // its end ends the calls that create the declared resources
	Emulator  *Emulator
	Region    string
	Unchecked bool // pass on calls that the model does not know
	Log       *slog.Logger
}

// A service is a forwarded service of a run.
type service struct {
	Model
	Config
	graph *graph.Graph // nil before create
}

// StandIn returns the stand-in of a service.
func (m Model) StandIn(c Config) standin.StandIn {
	s := &service{Model: m, Config: c}
	return standin.StandIn{
		Service: m.Service, Name: m.Name, Types: m.Types, Nodes: m.Nodes(),
		APIs: []awsapi.Service{{
			Name: m.Service, Protocol: m.Protocol, Authorization: &awsapi.Authorization{Denied: m.Denied},
			Forward: &awsapi.Forward{Read: s.read, Unchecked: c.Unchecked, Answer: s.answer()},
		}},
		Create: s.create,
	}
}

// Nodes draws the resources, and the functions that may call them.
func (m Model) Nodes() (nodes []standin.Node) {
	for _, t := range m.Types {
		if t == graph.BucketObject || t == graph.PlainBucketObject {
			continue // parts of a bucket
		}
		nodes = append(nodes, standin.Node{Kind: m.Kind, Type: t})
	}
	return nodes
}

// read returns the operation and the permissions of a request.
func (s *service) read(r *http.Request, body []byte) (string, []awsapi.Permission, error) {
	if s.Read == nil {
		return "", nil, errors.New("the run has no model of the service")
	}
	// An emulator may find the service by the method and the path, not by the header.
	if s.Target != "" && (r.Method != http.MethodPost || r.URL.Path != "/" || r.URL.RawQuery != "") {
		return "", nil, errors.New("the service's calls are POST requests to the path /, without a query")
	}
	return s.Read(Request{Request: r, Body: body, Region: s.Region, Graph: s.graph, target: s.Target})
}

// create creates the declared resources in the emulator.
func (s *service) create(g *graph.Graph) error {
	s.graph = g
	if s.Create == nil {
		return nil
	}
	for _, kind := range s.Types {
		for _, r := range g.OfType(kind) {
			calls, err := s.Create(r)
			if reason := notCreated(""); errors.As(err, &reason) {
				s.Log.Warn("declared, but not run here", "type", r.Type, "name", r.Name, "reason", reason,
					"declared_in", r.Source)
				continue
			}
			if err != nil {
				return fmt.Errorf("%s %s: %w (%s)", r.Type.Short(), r.Name, err, r.Source)
			}
			for _, call := range calls {
				if err := s.do(call); err != nil {
					return fmt.Errorf("creating %s %s in %s: %w (%s)",
						r.Type.Short(), r.Name, s.Emulator, err, r.Source)
				}
			}
		}
	}
	return nil
}
