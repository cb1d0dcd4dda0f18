package run

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"

	"restock/infra/graph"
	declaredpolicy "restock/infra/policy/declared"
	"restock/infra/policy/evaluation"
	"restock/local/aws/awsapi"
	"restock/local/aws/standin"
)

// listStandIns lists the stand-ins of a run, in the order in which they create and start what the
// program declares. It is the one place to add a stand-in: docs/stand-ins.md shows how.
// g is the program, as it is recorded for AWS.
func (r *Run) listStandIns(g *graph.Graph, s *services) []standin.StandIn {
	return []standin.StandIn{
		s.sqs.StandIn(), // before the topics that deliver to its queues
		s.topics.StandIn(),
		s.secrets.StandIn(),
		r.databases(s),
		{
			Service: "lambda",
			Types:   []graph.Type{graph.Function, graph.Invocation, graph.Permission, graph.EventSourceMapping},
			Start:   func(g *graph.Graph) error { return r.startEventSources(g, s) },
		},
		r.eventRules(g, s),
		{
			Service: "execute-api", Types: []graph.Type{
				graph.API, graph.APIIntegration, graph.APIRoute, graph.APIStage,
				graph.Distribution, graph.CachePolicy, graph.ResponseHeadersPolicy, // CloudFront before the API
			},
			Deployed: func(_ context.Context, resource *graph.Resource) error {
				if resource.Type != graph.API {
					return nil
				}
				listener, err := r.listen.forAPI(resource.URN)
				if err == nil {
					resource.Outputs["apiEndpoint"] = listener.URL()
				}
				return err
			},
			Start: func(*graph.Graph) error { return r.serveAPI(s) },
		},
		{
			Service: "apigateway", Types: []graph.Type{
				graph.RESTAPI, graph.RESTAPIPolicy, graph.RESTDeployment, graph.RESTIntegration, graph.RESTMethod,
				graph.RESTResource, graph.RESTStage,
			},
			Deployed: func(_ context.Context, resource *graph.Resource) error { return r.deployedREST(resource) },
			Start:    func(g *graph.Graph) error { return r.serveREST(g, s) },
		},
		{
			Service: "lambda-url", Types: []graph.Type{graph.FunctionURL},
			Deployed: func(_ context.Context, resource *graph.Resource) error {
				listener, err := r.listen.forAPI(resource.URN)
				if err == nil {
					resource.Outputs["functionUrl"] = listener.URL() + "/"
				}
				return err
			},
			Start: func(g *graph.Graph) error { return r.serveFunctionURLs(g, s) },
		},
		{Service: "iam", Types: []graph.Type{
			graph.Role, graph.RolePolicy, graph.ManagedPolicy, graph.RolePolicyAttachment, graph.BucketPolicy,
			graph.TablePolicy,
		}},
		{Service: "ec2", Types: []graph.Type{ // see network.go
			graph.VPC, graph.Subnet, graph.RouteTable, graph.RouteTableAssociation, graph.VPCEndpoint,
			graph.SecurityGroup, graph.SecurityGroupEgressRule, graph.SecurityGroupIngressRule,
		}},
	}
}

// deployed replaces the outputs of a recorded resource by those of this run.
func (s *services) deployed(ctx context.Context, r *graph.Resource) error {
	for _, standIn := range s.standIns {
		if standIn.Deployed != nil && slices.Contains(standIn.Types, r.Type) {
			return standIn.Deployed(ctx, r)
		}
	}
	return nil
}

// start starts what invokes functions.
func (s *services) start() error {
	for _, standIn := range s.standIns {
		if standIn.Start != nil {
			if err := standIn.Start(s.program.graph); err != nil {
				return err
			}
		}
	}
	return nil
}

// presentPolicy returns the current policy of a resource: the declared one, or one that a client
// has set since.
func (s *services) presentPolicy(arn string) (policy string, known bool) {
	for _, standIn := range s.standIns {
		if standIn.Policy != nil {
			if policy, known := standIn.Policy(arn); known {
				return policy, true
			}
		}
	}
	return "", false
}

// endpointVariables returns the variables with the addresses of the services at the AWS endpoint.
func (s *services) endpointVariables() map[string]string {
	variables := map[string]string{}
	for _, standIn := range s.standIns {
		if len(standIn.APIs) > 0 {
			variables[standIn.Service] = awsapi.EndpointVariable(standIn.Service)
		}
	}
	return variables
}

// emulators returns the variables of emulators of services that the run does not serve.
func (s *services) emulators(all map[string]string) map[string]string {
	others := map[string]string{}
	maps.Copy(others, all)
	for _, served := range s.endpointVariables() {
		delete(others, served)
	}
	return others
}

// servedElsewhere are services without an API at the AWS endpoint whose permissions functions still
// need: AWS's other services, or the run, act with a function's role.
var servedElsewhere = []string{
	"ec2",         // Lambda's network interfaces
	"execute-api", // the HTTP API has an address of its own
	"kms",         // SNS and SQS encrypt with the permissions of their caller
	"lambda",      // see invokeRoute
	"logs",        // Lambda writes the log
	"xray",        // the SDKs call the daemon
}

// reportNotRun logs the declared types that the run has no stand-in for, and what functions may
// call that the run does not serve.
func (r *Run) reportNotRun(s *services) error {
	g, served, used := s.program.graph, slices.Clone(servedElsewhere), []graph.Type{}
	for _, standIn := range s.standIns {
		used = append(used, standIn.Types...)
		if len(standIn.APIs) > 0 {
			served = append(served, standIn.Service)
		}
	}
	r.reportUnused(g, used)
	policies, err := declaredpolicy.Read(g)
	if err != nil {
		return fmt.Errorf("reading what functions may call: %w", err)
	}
	for _, f := range g.OfType(graph.Function) {
		calls := unserved(policies.Of(f.String("role"), "").Identity, served)
		for _, service := range slices.Sorted(maps.Keys(calls)) {
			r.reportUnserved(f, service, calls[service])
		}
	}
	return nil
}

// reportUnused logs the declared types that the run does not use. Of an external program it names
// every resource that the run does not run, because nobody has tried the program here before.
func (r *Run) reportUnused(g *graph.Graph, used []graph.Type) {
	if r.config.Program.Dir == "" {
		var kinds []string
		for _, token := range g.Types(graph.AWS) {
			if !slices.Contains(used, token) {
				kinds = append(kinds, token.Short())
			}
		}
		if len(kinds) > 0 {
			r.config.Log.Info("declared, but not run here", "kinds", strings.Join(kinds, " "))
		}
		return
	}
	for _, resource := range g.Resources {
		reason := r.notRun[resource.URN]
		switch {
		case reason != "":
		case resource.Remote:
			reason = "a plugin makes this component's resources, and the run has no plugins"
		case resource.ID == "" || strings.HasPrefix(string(resource.Type), "pulumi:"): // a component, or a provider
			continue
		case !slices.Contains(used, resource.Type):
			reason = "the run has no stand-in for this type"
		default:
			continue
		}
		r.warnNotRun(resource, reason)
	}
}

// warnNotRun logs that the run does not run a declared resource, and why.
func (r *Run) warnNotRun(resource *graph.Resource, reason string) {
	r.config.Log.Warn("declared, but not run here", "type", resource.Type, "name", resource.Name, "reason", reason,
		"declared_in", resource.Source)
}

// unserved returns what policies allow on services that are not served, by the service. An element
// is like "dynamodb:PutItem on arn:…". A policy that allows everything names no service.
func unserved(policies []evaluation.Document, served []string) map[string][]string {
	calls := map[string][]string{}
	for _, d := range policies {
		for _, s := range d.Statements {
			services := map[string]evaluation.Texts{} // the statement's actions
			for _, action := range s.Action {
				service, _, named := strings.Cut(strings.ToLower(action), ":")
				if named && s.Effect == "Allow" && !slices.Contains(served, service) {
					services[service] = append(services[service], action)
				}
			}
			for service, actions := range services {
				calls[service] = append(calls[service],
					strings.Join(actions, ", ")+" on "+strings.Join(s.Resource, ", "))
			}
		}
	}
	return calls
}

// reportUnserved warns of what a function may call, and what nothing serves in this run.
func (r *Run) reportUnserved(f *graph.Resource, service string, calls []string) {
	log := r.config.Log.With("part", "aws", "function", f.Name, "service", service, "may", strings.Join(calls, "; "),
		"declared_in", f.Source)
	if variable := awsapi.EndpointVariable(service); r.config.Emulators[variable] != "" {
		log.Info("calls go to an emulator, which does not check the function's permissions",
			"emulator", r.config.Emulators[variable])
		return
	}
	log.Warn("a function may call a service that this run has no stand-in for: its calls will fail",
		"options", awsapi.Options(service))
}

// Emulators returns the addresses of emulators in an environment, by their variables
// AWS_ENDPOINT_URL_<SERVICE>. It ignores addresses of other machines, because the functions of a
// run must not reach them.
func Emulators(environ []string) map[string]string {
	emulators := map[string]string{}
	for _, entry := range environ {
		name, address, _ := strings.Cut(entry, "=")
		if strings.HasPrefix(name, "AWS_ENDPOINT_URL_") && CheckService(address) == nil {
			emulators[name] = address
		}
	}
	return emulators
}
