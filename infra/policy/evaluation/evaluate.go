package evaluation

import (
	"slices"
	"strings"
)

// Policies are all that decide about one request.
type Policies struct {
	Identity []Document // of the calling role; none of a service
	Resource []Document // of the resource that is asked for
	// Boundary bounds the calling role; nil is no boundary.
	// https://docs.aws.amazon.com/IAM/latest/UserGuide/access_policies_boundaries.html
	Boundary *Document
}

// A Decision is the answer to a request, and why.
type Decision struct {
	Allowed bool
	// Statement is the one that allows or denies the request; nil where it is denied because nothing allows it.
	Statement *Statement
	// Policy is the name of the statement's document.
	Policy string
	// By is the kind of the policy that decided: the statement's, or the one in which an allowing statement is missed.
	By Kind
	// NotUnderstood names what, of the statements that are about the request, could not be decided about it.
	NotUnderstood []string
}

// Evaluate decides about a request: what is denied explicitly is denied; then it must be allowed.
// https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_evaluation-logic_policy-eval-denyallow.html
func (p Policies) Evaluate(q Request) Decision {
	var boundary []Document
	if p.Boundary != nil {
		boundary = []Document{*p.Boundary}
	}
	groups := []group{{Boundary, boundary}, {Identity, p.Identity}, {Resource, p.Resource}}

	var notUnderstood []string
	for _, g := range groups {
		for s := range g.about(q) {
			notUnderstood = append(notUnderstood, s.NotUnderstood(q)...)
		}
	}
	slices.Sort(notUnderstood)
	d := Decision{NotUnderstood: slices.Compact(notUnderstood)}

	for _, g := range groups {
		if s, policy := g.decisive(q, "Deny", Caller.is); s != nil {
			d.Statement, d.Policy, d.By = s, policy, g.kind
			return d
		}
	}
	if q.Caller.Service != "" {
		return d.allowedBy(q, groups[2:], Caller.is)
	}
	// A statement that names the very session is bounded by nothing.
	if s, policy := groups[2].decisive(q, "Allow", func(c Caller, p *Principal) bool { return slices.Contains(p.AWS, c.Session) }); s != nil {
		d.Allowed, d.Statement, d.Policy, d.By = true, s, policy, Resource
		return d
	}
	if p.Boundary != nil {
		if s, _ := groups[0].decisive(q, "Allow", nil); s == nil {
			d.By = Boundary
			return d
		}
	}
	return d.allowedBy(q, groups[1:], func(c Caller, p *Principal) bool {
		// An Allow for an account leaves it to the account's own policies whom of it to allow:
		// https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_principal.html#principal-accounts
		return p.Everybody || slices.Contains(p.AWS, c.Role)
	})
}

// allowedBy completes a decision: one of the groups must allow the request, and the first is the one that is missed.
func (d Decision) allowedBy(q Request, groups []group, who func(Caller, *Principal) bool) Decision {
	d.By = groups[0].kind
	for _, g := range groups {
		if s, policy := g.decisive(q, "Allow", who); s != nil {
			d.Allowed, d.Statement, d.Policy, d.By = true, s, policy, g.kind
			break
		}
	}
	return d
}

// A group is the documents of one kind.
type group struct {
	kind      Kind
	documents []Document
}

// about calls yield with the statements that are about the request, whether or not their conditions hold.
func (g group) about(q Request) func(yield func(Statement) bool) {
	return func(yield func(Statement) bool) {
		for _, d := range g.documents {
			for _, s := range d.Statements {
				if s.isAbout(q) && s.concerns(q.Caller, Caller.is) && !yield(s) {
					return
				}
			}
		}
	}
}

// decisive finds a statement of an effect that holds of the request, and the name of its document.
func (g group) decisive(q Request, effect string, who func(Caller, *Principal) bool) (*Statement, string) {
	for _, d := range g.documents {
		for _, s := range d.Statements {
			if s.Effect == effect && s.isAbout(q) && s.concerns(q.Caller, who) && s.holds(q) {
				return &s, d.Name
			}
		}
	}
	return nil, ""
}

// concerns reports whether a statement is about the caller, as a principal is found to be.
func (s Statement) concerns(c Caller, who func(Caller, *Principal) bool) bool {
	if s.Principal == nil {
		return true // it is attached to the caller, or is not understood
	}
	return who(c, s.Principal)
}

// isAbout reports whether a statement is about the request's action and resource. Actions have no case, resources have:
// https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_action.html
// https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_resource.html
func (s Statement) isAbout(q Request) bool {
	action := strings.ToLower(q.Action)
	named := s.Action.lower().anyLike(action) || len(s.NotAction) > 0 && !s.NotAction.lower().anyLike(action)
	on := s.Resource.anyLike(q.Resource) || len(s.NotResource) > 0 && !s.NotResource.anyLike(q.Resource)
	return named && (on || len(s.variables()) > 0)
}

// holds reports whether a statement that is about a request holds of it.
func (s Statement) holds(q Request) bool {
	if s.Effect == "Allow" && (s.NotPrincipal != nil || len(s.variables()) > 0) {
		return false // not understood
	}
	return s.conditionsHold(q.Context)
}
