// Package declared finds the policies of a recorded program's roles and resources. The rules and
// the local run evaluate requests by them.
package declared

import (
	"cmp"
	"errors"
	"fmt"
	"net/netip"
	"slices"
	"strings"

	"restock/infra/graph"
	"restock/infra/policy/evaluation"
)

// A holder is a type of resource with a policy in one of its outputs.
type holder struct {
	resource graph.Type
	output   string
	kind     evaluation.Kind
}

// holders are all types with policies. The policy of a queue, a topic or a secret may be a property
// of the resource, or a separate resource.
var holders = []holder{
	{graph.RolePolicy, "policy", evaluation.Identity},
	{graph.ManagedPolicy, "policy", evaluation.Identity},
	{graph.QueuePolicy, "policy", evaluation.Resource},
	{graph.Queue, "policy", evaluation.Resource},
	{graph.TopicPolicy, "policy", evaluation.Resource},
	{graph.Topic, "policy", evaluation.Resource},
	{graph.SecretPolicy, "policy", evaluation.Resource},
	{graph.Secret, "policy", evaluation.Resource},
	{graph.BucketPolicy, "policy", evaluation.Resource},
	{graph.TablePolicy, "policy", evaluation.Resource},
	{graph.RESTAPI, "policy", evaluation.API},
	{graph.RESTAPIPolicy, "policy", evaluation.API},
	{graph.Role, "assumeRolePolicy", evaluation.Trust},
	{graph.VPCEndpoint, "policy", evaluation.Endpoint},
}

// keyHolders have the policies of keys. The rules have checks of their own for them.
var keyHolders = []holder{
	{graph.Key, "policy", evaluation.Resource},
	{graph.KeyPolicy, "policy", evaluation.Resource},
}

// A Policy is the policy of a resource, as the program declares it.
type Policy struct {
	Resource *graph.Resource
	Kind     evaluation.Kind
	Document evaluation.Document
	Err      error // why the document cannot be read; it is empty then
}

// parse reads a resource's policy. A resource without a policy has an empty one, which allows
// nothing.
func (h holder) parse(r *graph.Resource) (evaluation.Document, error) {
	text := r.String(h.output)
	if text == "" {
		return evaluation.Document{}, nil
	}
	d, err := evaluation.Parse(h.kind, text)
	if err != nil {
		return evaluation.Document{}, fmt.Errorf("its %s is %w", h.output, err)
	}
	d.Name = name(r)
	return d, nil
}

// policies reads the policies of a graph's resources, of some types.
func policies(g *graph.Graph, holders []holder) (all []Policy) {
	for _, h := range holders {
		for _, r := range g.OfType(h.resource) {
			d, err := h.parse(r)
			all = append(all, Policy{r, h.kind, d, err})
		}
	}
	return all
}

// name returns a short name of a resource for errors and logs: "RolePolicy stock".
func name(r *graph.Resource) string {
	return r.Type.Short() + " " + r.Name
}

// Policies are the policies of a graph, by the ARN of the role or resource that has them.
type Policies struct {
	All []Policy // without those of keys

	identity, resource, trust map[string][]evaluation.Document
	boundary                  map[string]string // the ARN of a role's boundary, by the role's ARN
	managed                   map[string]evaluation.Document
	endpoints                 map[*graph.Resource]evaluation.Document
	passed                    map[way]*graph.Resource // endpoints
	addresses                 map[string]string       // evaluation.VPCEndpoint.SourceIP by the role's ARN
}

// A way leads from the function with a role to a service, like "sns".
type way struct{ role, service string }

// ServedBy reports whether calls from a subnet to the service of an endpoint pass the endpoint, if
// security groups and the DNS settings of the VPC let them.
// https://docs.aws.amazon.com/vpc/latest/privatelink/create-interface-endpoint.html
// https://docs.aws.amazon.com/vpc/latest/privatelink/gateway-endpoints.html
func ServedBy(g *graph.Graph, endpoint, subnet *graph.Resource) bool {
	if endpoint.String("vpcId") != subnet.String("vpcId") {
		return false
	}
	if endpoint.String("vpcEndpointType") == "Interface" {
		return endpoint.Bool("privateDnsEnabled") // otherwise the name of the service leads elsewhere
	}
	tables := endpoint.Strings("routeTableIds")
	for _, r := range g.OfType(graph.VPCEndpointAssociation) {
		if r.String("vpcEndpointId") == endpoint.ID {
			tables = append(tables, r.String("routeTableId"))
		}
	}
	association := g.Find(graph.RouteTableAssociation, "subnetId", subnet.ID)
	return association != nil && slices.Contains(tables, association.String("routeTableId"))
}

// addNetwork finds the endpoints that the calls of a function pass from each of its subnets. Of two
// for one service, the interface endpoint has its name.
func (p *Policies) addNetwork(g *graph.Graph, function *graph.Resource) {
	config := graph.Resource{Outputs: function.Object("vpcConfig")}
	var subnets []*graph.Resource
	var addresses []string
	for _, subnet := range g.OfType(graph.Subnet) {
		if slices.Contains(config.Strings("subnetIds"), subnet.ID) {
			subnets = append(subnets, subnet)
			addresses = append(addresses, firstAddress(subnet.String("cidrBlock")))
		}
	}
	if len(subnets) == 0 {
		return
	}
	role := function.String("role")
	if !slices.Contains(addresses, "") {
		p.addresses[role] = strings.Join(addresses, " ")
	}
	for _, endpoint := range g.OfType(graph.VPCEndpoint) {
		notServed := func(subnet *graph.Resource) bool { return !ServedBy(g, endpoint, subnet) }
		if slices.ContainsFunc(subnets, notServed) {
			continue
		}
		service := endpoint.String("serviceName")
		w := way{role, service[strings.LastIndex(service, ".")+1:]}
		if p.passed[w] == nil || endpoint.String("vpcEndpointType") == "Interface" {
			p.passed[w] = endpoint
		}
	}
}

// firstAddress returns the first address of a subnet that AWS does not reserve for itself; "" for a
// malformed block.
// https://docs.aws.amazon.com/vpc/latest/userguide/subnet-sizing.html
func firstAddress(block string) string {
	prefix, err := netip.ParsePrefix(block)
	if err != nil {
		return ""
	}
	return prefix.Addr().Next().Next().Next().Next().String()
}

// Read finds a graph's policies. The error names the policies that it cannot read. It returns the
// others also with an error.
func Read(g *graph.Graph) (*Policies, error) {
	p := &Policies{
		identity: map[string][]evaluation.Document{},
		resource: map[string][]evaluation.Document{},
		trust:    map[string][]evaluation.Document{},
		boundary: map[string]string{},
		managed:  map[string]evaluation.Document{},

		endpoints: map[*graph.Resource]evaluation.Document{},
		passed:    map[way]*graph.Resource{},
		addresses: map[string]string{},
	}
	var errs []error
	p.All = policies(g, holders)
	for _, one := range slices.Concat(p.All, policies(g, keyHolders)) {
		if one.Err != nil {
			errs = append(errs, fmt.Errorf("%s: %w", name(one.Resource), one.Err))
		} else if len(one.Document.Statements) > 0 {
			p.add(g, one.Resource, one.Document)
		}
	}
	// An API has one policy: https://docs.aws.amazon.com/apigateway/latest/api/API_RestApi.html
	for _, policy := range g.OfType(graph.RESTAPIPolicy) {
		for _, api := range g.OfType(graph.RESTAPI) {
			if api.ID != "" && api.ID == policy.String("restApiId") && api.String("policy") != "" {
				errs = append(errs, fmt.Errorf("%s and %s both have the policy of one API, and on AWS one replaces "+
					"the other: keep one of them (%s, %s)", name(api), name(policy), api.Source, policy.Source))
			}
		}
	}
	for _, r := range g.OfType(graph.Role) {
		if arn := r.String("permissionsBoundary"); arn != "" {
			p.boundary[r.String("arn")] = arn
		}
	}
	for _, f := range g.OfType(graph.Function) {
		p.addNetwork(g, f)
	}
	for _, r := range g.OfType(graph.RolePolicyAttachment) {
		if d, ok := p.managed[r.String("policyArn")]; ok {
			role := roleARN(g, r.String("role"))
			p.identity[role] = append(p.identity[role], d)
		}
	}
	for _, r := range g.OfType(graph.Permission) {
		if function := functionARN(g, r.String("function")); function != "" {
			p.resource[function] = append(p.resource[function], permission(r, function))
		}
	}
	return p, errors.Join(errs...)
}

// add stores a document under the ARN of the role or resource that has it. It drops a document that
// belongs to neither: no request depends on it.
func (p *Policies) add(g *graph.Graph, r *graph.Resource, d evaluation.Document) {
	attach := func(to map[string][]evaluation.Document, arn string) {
		if arn != "" {
			to[arn] = append(to[arn], d)
		}
	}
	switch r.Type {
	case graph.Role:
		attach(p.trust, r.String("arn"))
	case graph.RolePolicy:
		attach(p.identity, roleARN(g, r.String("role")))
	case graph.ManagedPolicy:
		if arn := r.String("arn"); arn != "" {
			p.managed[arn] = d
		}
	case graph.QueuePolicy:
		if queue := g.Find(graph.Queue, "url", r.String("queueUrl")); queue != nil {
			attach(p.resource, queue.String("arn"))
		}
	case graph.SecretPolicy:
		attach(p.resource, r.String("secretArn"))
	case graph.KeyPolicy:
		for _, key := range g.OfType(graph.Key) {
			if id := r.String("keyId"); id == key.ID || id == key.String("arn") {
				attach(p.resource, key.String("arn"))
			}
		}
	case graph.BucketPolicy:
		attach(p.resource, graph.Bucket.ARN(g.Region, r.String("bucket")))
	case graph.TablePolicy:
		attach(p.resource, r.String("resourceArn"))
	case graph.RESTAPI, graph.RESTAPIPolicy:
		execution := graph.ExecutionARN(g.Region, cmp.Or(r.String("restApiId"), r.ID))
		d = completed(d, execution)
		attach(p.resource, execution)
	case graph.VPCEndpoint:
		p.endpoints[r] = d
	default: // the arn of a TopicPolicy is the topic's; the others have the policy in the resource itself
		attach(p.resource, r.String("arn"))
	}
}

// completed returns the policy of a REST API with complete ARNs. The policy may leave out the part
// that names the API, as in "execute-api:/prod/GET/notes":
// https://docs.aws.amazon.com/apigateway/latest/developerguide/apigateway-resource-policies-examples.html
func completed(d evaluation.Document, execution string) evaluation.Document {
	d.Statements = slices.Clone(d.Statements)
	for i := range d.Statements {
		s := &d.Statements[i]
		for _, resources := range []*evaluation.Texts{&s.Resource, &s.NotResource} {
			*resources = slices.Clone(*resources)
			for j, resource := range *resources {
				if below, short := strings.CutPrefix(resource, "execute-api:/"); short {
					(*resources)[j] = execution + "/" + below
				}
			}
		}
	}
	return d
}

// Of returns the policies that decide about requests of a role for a resource. Either ARN may be
// empty: a service has no role.
func (p *Policies) Of(role, resource string) evaluation.Policies {
	of := evaluation.Policies{Identity: p.identity[role], Resource: p.resource[Owner(resource)]}
	if d, ok := p.managed[p.boundary[role]]; ok {
		of.Boundary = &d
	}
	return of
}

// Owner returns the ARN of the resource whose policy decides about requests for a resource: the
// bucket of an object, the table of an index, and the REST API of a path.
// https://docs.aws.amazon.com/AmazonS3/latest/userguide/bucket-policies.html
// https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/rbac-considerations.html
func Owner(arn string) string {
	switch {
	case strings.HasPrefix(arn, "arn:aws:s3:::"), strings.HasPrefix(arn, "arn:aws:execute-api:"):
		arn, _, _ = strings.Cut(arn, "/")
	case strings.HasPrefix(arn, "arn:aws:dynamodb:"):
		arn, _, _ = strings.Cut(arn, "/index/")
	}
	return arn
}

// Through returns the policies that decide about a request of a function's code with its role:
// those of [Policies.Of], and the policy of the VPC's endpoint that the request passes. It is not
// for what a service of AWS does with the role, which passes no endpoint.
func (p *Policies) Through(role, action, resource string) evaluation.Policies {
	of := p.Of(role, resource)
	if d, ok := p.endpoints[p.passedBy(role, action)]; ok {
		of.Endpoint = &d
	}
	return of
}

// Endpoint returns the endpoint of the VPC that a request of a function's code with its role
// passes; the zero value if there is none.
func (p *Policies) Endpoint(role, action string) evaluation.VPCEndpoint {
	endpoint := p.passedBy(role, action)
	if endpoint == nil {
		return evaluation.VPCEndpoint{}
	}
	return evaluation.VPCEndpoint{ID: endpoint.ID, VPC: endpoint.String("vpcId"), SourceIP: p.addresses[role]}
}

// passedBy returns the endpoint that a call of a function's code with a role passes, or nil.
func (p *Policies) passedBy(role, action string) *graph.Resource {
	service, _, _ := strings.Cut(action, ":")
	return p.passed[way{role, service}]
}

// Trust returns the policies that decide who may assume a role.
func (p *Policies) Trust(role string) evaluation.Policies {
	return evaluation.Policies{Resource: p.trust[role]}
}

// AddManaged adds a managed policy that the program does not declare, such as the boundary of its
// roles.
func (p *Policies) AddManaged(arn string, d evaluation.Document) { p.managed[arn] = d }

// UnknownBoundaries lists the ARNs of roles' boundaries whose policies are neither declared nor
// added, sorted.
func (p *Policies) UnknownBoundaries() []string {
	var unknown []string
	for _, arn := range p.boundary {
		if _, ok := p.managed[arn]; !ok {
			unknown = append(unknown, arn)
		}
	}
	slices.Sort(unknown)
	return slices.Compact(unknown)
}

// roleARN returns a role's ARN, by its name.
func roleARN(g *graph.Graph, name string) string {
	if r := g.Find(graph.Role, "name", name); r != nil {
		return r.String("arn")
	}
	return ""
}

// functionARN returns a function's ARN, by its name or its ARN.
func functionARN(g *graph.Graph, reference string) string {
	for _, output := range []string{"arn", "name"} {
		if r := g.Find(graph.Function, output, reference); r != nil {
			return r.String("arn")
		}
	}
	return ""
}

// permission returns the statement that Lambda adds to a function's policy for a permission:
// https://docs.aws.amazon.com/lambda/latest/api/API_AddPermission.html
func permission(r *graph.Resource, function string) evaluation.Document {
	s := evaluation.Statement{
		ID: r.String("statementId"), Effect: "Allow",
		Principal: &evaluation.Principal{},
		Action:    evaluation.Texts{r.String("action")},
		Resource:  evaluation.Texts{function},
		Condition: map[string]map[string]evaluation.Texts{},
	}
	if qualifier := r.String("qualifier"); qualifier != "" {
		s.Resource[0] += ":" + qualifier
	}
	switch principal := r.String("principal"); {
	case principal == "*":
		s.Principal.Everybody = true
	case strings.HasSuffix(principal, ".amazonaws.com"):
		s.Principal.Service = evaluation.Texts{principal}
	default:
		s.Principal.AWS = evaluation.Texts{principal}
	}
	for _, c := range []struct{ output, operator, key string }{
		{"sourceArn", "ArnLike", "aws:SourceArn"},
		{"sourceAccount", "StringEquals", "aws:SourceAccount"},
		{"principalOrgId", "StringEquals", "aws:PrincipalOrgID"},
		{"eventSourceToken", "StringEquals", "lambda:EventSourceToken"},
		{"functionUrlAuthType", "StringEquals", "lambda:FunctionUrlAuthType"},
	} {
		value := r.String(c.output)
		if value == "" {
			continue
		}
		if s.Condition[c.operator] == nil {
			s.Condition[c.operator] = map[string]evaluation.Texts{}
		}
		s.Condition[c.operator][c.key] = evaluation.Texts{value}
	}
	return evaluation.Document{Name: name(r), Statements: []evaluation.Statement{s}}
}
