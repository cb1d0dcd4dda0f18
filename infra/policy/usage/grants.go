package usage

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"restock/infra/graph"
	"restock/infra/policy/declared"
	"restock/infra/policy/evaluation"
)

// A Grant is one action on one resource that a statement allows to one caller.
type Grant struct {
	Policy    string `json:"policy"`    // the declaration: "RolePolicy stock"
	Statement int    `json:"statement"` // its position in the policy, from 1
	Caller    string `json:"caller"`    // the ARN of a role, or a service of AWS
	Action    string `json:"action"`    // as the policy has it: it may contain wildcards
	Resource  string `json:"resource"`  // as the policy has it

	Times int `json:"times"` // how often calls used it
	// Unmeasured says why calls that use the grant are not counted. It is empty if they are.
	Unmeasured string `json:"unmeasured,omitempty"`
	// Justified says why the program has a grant that nobody used. It may be empty.
	Justified string `json:"justified,omitempty"`
}

// A Justification is the reason of a grant that no run uses.
type Justification struct{ Policy, Action, Resource, Why string }

// of reports whether the justification is for a grant.
func (j Justification) of(g Grant) bool {
	return j.Policy == g.Policy && j.Action == g.Action && strings.HasSuffix(g.Resource, j.Resource)
}

// Unused reports whether calls would be counted, and nobody used the grant.
func (g Grant) Unused() bool { return g.Times == 0 && g.Unmeasured == "" }

// callers are the services as which a run calls, and that assume a role in it.
var callers = []string{
	"apigateway.amazonaws.com", "events.amazonaws.com", "lambda.amazonaws.com", "secretsmanager.amazonaws.com",
	"sns.amazonaws.com",
}

// unmeasured says why runs do not count all calls of a service, by its name in IAM's actions. A run
// with an emulator of the service counts the direct calls only.
var unmeasured = map[string]string{
	"ec2":  "on AWS, Lambda makes network interfaces with the function's role",
	"kms":  "on AWS, SNS and SQS encrypt with the permissions of their caller",
	"logs": "on AWS, Lambda writes the log with the function's role",
	"xray": "on AWS, Lambda sends the traces with the function's role",
}

// A reader finds the grants of a program.
type reader struct {
	counts Counts
	trust  map[string]evaluation.Policies // by role
	grants []Grant
}

// Grants returns what the policies of a program's roles and resources allow, and how often calls
// used it. It leaves out boundaries and the policies of VPC endpoints, which only limit others.
func Grants(g *graph.Graph, counts Counts, justified ...Justification) ([]Grant, error) {
	policies, err := declared.Read(g)
	if err != nil {
		return nil, fmt.Errorf("reading the declared policies: %w", err)
	}
	r := reader{counts: counts, trust: map[string]evaluation.Policies{}}
	for _, arn := range arns(g) {
		r.trust[arn] = policies.Trust(arn)
		r.add(evaluation.Identity, arn, policies.Of(arn, "").Identity)
		r.add(evaluation.Resource, arn, policies.Of("", arn).Resource)
		r.add(evaluation.Trust, arn, r.trust[arn].Resource)
	}
	for i := range r.grants {
		for _, j := range justified {
			if j.of(r.grants[i]) {
				r.grants[i].Justified = j.Why
			}
		}
	}
	slices.SortStableFunc(r.grants, func(a, b Grant) int { return cmp.Compare(a.Policy, b.Policy) })
	return r.grants, nil
}

// arns returns the ARNs of the declared resources. A policy of a resource may repeat its ARN.
func arns(g *graph.Graph) (all []string) {
	for _, r := range g.Resources {
		all = append(all, r.String("arn"))
	}
	slices.Sort(all)
	return slices.DeleteFunc(slices.Compact(all), func(arn string) bool { return arn == "" })
}

// add adds the grants of the policies of a role or resource.
func (r *reader) add(kind evaluation.Kind, holder string, documents []evaluation.Document) {
	for _, d := range documents {
		for i, s := range d.Statements {
			if s.Effect != "Allow" {
				continue
			}
			for _, one := range split(kind, holder, s) {
				one.Policy, one.Statement = d.Name, i+1
				for call, times := range r.counts.Times {
					if one.allows(call) {
						one.Times += times
					}
				}
				one.Unmeasured = r.why(kind, holder, one.Grant)
				r.grants = append(r.grants, one.Grant)
			}
		}
	}
}

// A part is a statement that is reduced to one grant.
type part struct {
	Grant
	kind      evaluation.Kind
	holder    string
	statement evaluation.Statement
}

// allows reports whether the statement alone allows a call.
func (p part) allows(c Call) bool {
	document := []evaluation.Document{{Statements: []evaluation.Statement{p.statement}}}
	if p.kind == evaluation.Identity {
		return c.Role == p.holder && evaluation.Policies{Identity: document}.Evaluate(c.Request()).Allowed
	}
	if p.kind == evaluation.Trust && c.Resource != p.holder {
		return false
	}
	return evaluation.Policies{Resource: document}.Evaluate(c.Request()).Allowed
}

// split returns the grants of a statement. A list of everything but its elements stays one grant.
func split(kind evaluation.Kind, holder string, s evaluation.Statement) (parts []part) {
	each := func(named, others evaluation.Texts) (texts []string, one func(string) evaluation.Texts) {
		if len(named) == 0 {
			return []string{"all but " + strings.Join(others, ", ")}, func(string) evaluation.Texts { return nil }
		}
		return named, func(text string) evaluation.Texts { return evaluation.Texts{text} }
	}
	actions, oneAction := each(s.Action, s.NotAction)
	resources, oneResource := each(s.Resource, s.NotResource)
	for caller, principal := range principals(holder, s) {
		for _, action := range actions {
			for _, resource := range resources {
				reduced := s
				reduced.Principal = principal
				reduced.Action, reduced.Resource = oneAction(action), oneResource(resource)
				grant := Grant{Caller: caller, Action: action, Resource: resource}
				if kind == evaluation.Trust {
					grant.Resource = holder // the statement has a wildcard in its place
				}
				parts = append(parts, part{grant, kind, holder, reduced})
			}
		}
	}
	return parts
}

// principals returns the callers of a statement, one by one. The caller of a role's own policy is
// the role.
func principals(holder string, s evaluation.Statement) func(yield func(string, *evaluation.Principal) bool) {
	return func(yield func(string, *evaluation.Principal) bool) {
		if s.Principal == nil {
			yield(holder, nil)
			return
		}
		if s.Principal.Everybody && !yield("*", &evaluation.Principal{Everybody: true}) {
			return
		}
		for _, name := range s.Principal.AWS {
			if !yield(name, &evaluation.Principal{AWS: evaluation.Texts{name}}) {
				return
			}
		}
		for _, name := range s.Principal.Service {
			if !yield(name, &evaluation.Principal{Service: evaluation.Texts{name}}) {
				return
			}
		}
	}
}

// why returns the reason for which runs do not count the calls that use a grant, or "".
func (r *reader) why(kind evaluation.Kind, holder string, g Grant) string {
	isService := strings.HasSuffix(g.Caller, ".amazonaws.com")
	switch service, _, named := strings.Cut(strings.ToLower(g.Action), ":"); {
	case g.Times > 0:
		return ""
	case isService && !slices.Contains(callers, g.Caller):
		return "no run calls as " + g.Caller
	case kind == evaluation.Identity && !r.assumed(holder):
		return "no run assumes the role"
	case kind != evaluation.Trust && unmeasured[service] != "":
		return unmeasured[service]
	case kind == evaluation.Trust, !named, slices.Contains(r.counts.Judged, service):
		return ""
	default:
		return "no run has checked calls of " + service
	}
}

// assumed reports whether a service as which a run calls may assume a role.
func (r *reader) assumed(role string) bool {
	for _, d := range r.trust[role].Resource {
		for _, s := range d.Statements {
			if s.Principal != nil && slices.ContainsFunc(s.Principal.Service, isCaller) {
				return true
			}
		}
	}
	return false
}

func isCaller(service string) bool { return slices.Contains(callers, service) }
