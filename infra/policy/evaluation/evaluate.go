package evaluation

import "slices"

// Policies are all policies that decide about one request.
type Policies struct {
	Identity []Document // of the calling role; a service has none
	Resource []Document // of the requested resource; for a key, none is the default policy
	// Boundary limits the calling role; nil is no boundary.
	// https://docs.aws.amazon.com/IAM/latest/UserGuide/access_policies_boundaries.html
	Boundary *Document
	// Endpoint limits the requests that pass through a VPC endpoint; nil is no endpoint, or one
	// without a policy, which lets every request pass.
	// https://docs.aws.amazon.com/vpc/latest/privatelink/vpc-endpoints-access.html
	Endpoint *Document
}

// A Decision says whether a request is allowed, and why.
type Decision struct {
	Allowed bool
	// Statement allows or denies the request. It is nil if the request is denied because no
	// statement allows it.
	Statement *Statement
	// Policy is the name of the document with Statement, or of the endpoint's that lacks one.
	Policy string
	// By is the kind of the policy with Statement. Without one, it is the kind of the policy that
	// would have to allow the request.
	By Kind
	// NotUnderstood names the unsupported parts of the statements about the request.
	NotUnderstood []string
}

// Evaluate decides about a request. A statement that denies the request decides first. Otherwise a
// statement must allow the request.
// https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_evaluation-logic_policy-eval-denyallow.html
func (p Policies) Evaluate(q Request) Decision {
	boundary, endpoint := about(q, Boundary, optional(p.Boundary)), about(q, Endpoint, optional(p.Endpoint))
	identity, resource := about(q, Identity, p.Identity), about(q, Resource, p.Resource)
	groups := []group{boundary, identity, resource, endpoint}

	var notUnderstood []string
	for _, g := range groups {
		notUnderstood = append(notUnderstood, g.notUnderstood...)
	}
	slices.Sort(notUnderstood)
	d := Decision{NotUnderstood: slices.Compact(notUnderstood)}

	for _, g := range groups {
		if s, policy := g.decisive(q, "Deny", Caller.is); s != nil {
			d.Statement, d.Policy, d.By = s, policy, g.kind
			return d
		}
	}
	if p.Endpoint != nil {
		if s, _ := endpoint.decisive(q, "Allow", Caller.is); s == nil {
			d.Policy, d.By = p.Endpoint.Name, Endpoint
			return d
		}
	}
	if q.Caller.Role == "" { // a service, or somebody without a signature
		return d.allowedBy(q, []group{resource}, Caller.is)
	}
	// A boundary does not limit a statement that names the session itself, or everybody. It limits
	// one that names the role. For everybody, AWS says so of statements with the condition key
	// aws:PrincipalArn; a condition does not change whom the principal names.
	// https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_principal.html#principal-roles
	// https://docs.aws.amazon.com/IAM/latest/UserGuide/access_policies_boundaries.html#access_policies_boundaries-eval-logic
	isSession := func(c Caller, p *Principal) bool { return p.Everybody || slices.Contains(p.AWS, c.Session) }
	if s, policy := resource.decisive(q, "Allow", isSession); s != nil {
		d.Allowed, d.Statement, d.Policy, d.By = true, s, policy, Resource
		return d
	}
	if p.Boundary != nil {
		if s, _ := boundary.decisive(q, "Allow", nil); s == nil {
			d.By = Boundary
			return d
		}
	}
	deciding := []group{identity, resource}
	if q.usesKey() && len(p.Resource) > 0 {
		// The policy of a key must let the policies of the account decide. The default policy does.
		// https://docs.aws.amazon.com/kms/latest/developerguide/key-policy-default.html
		if s, _ := resource.decisive(q, "Allow", Caller.isOf); s == nil {
			deciding = []group{resource}
		}
	}
	return d.allowedBy(q, deciding, func(c Caller, p *Principal) bool {
		// A statement that allows an account only lets the account's own policies decide:
		// https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_principal.html#principal-accounts
		return slices.Contains(p.AWS, c.Role)
	})
}

// optional returns a document as a list, or none for nil.
func optional(d *Document) []Document {
	if d == nil {
		return nil
	}
	return []Document{*d}
}

// allowedBy completes a decision. One of the groups must allow the request. If none does, the
// decision names the first group.
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

// A group holds the statements that apply to a request, from the documents of one kind.
type group struct {
	kind          Kind
	statements    []applicable
	notUnderstood []string // parts of statements about the request, also of those that do not apply
}

// An applicable statement is about a request, and its conditions hold.
type applicable struct {
	*Statement
	policy string // the name of the statement's document
}

// about returns the statements of documents that apply to a request.
func about(q Request, kind Kind, documents []Document) group {
	g := group{kind: kind}
	for _, d := range documents {
		for i := range d.Statements {
			s := &d.Statements[i]
			if !s.isAbout(q) || !s.concerns(q.Caller, Caller.is) {
				continue
			}
			holds, notUnderstood := s.holds(q)
			if holds {
				g.statements = append(g.statements, applicable{s, d.Name})
			}
			g.notUnderstood = append(g.notUnderstood, notUnderstood...)
		}
	}
	return g
}

// decisive finds a statement with an effect that concerns the caller, and the name of its document.
func (g group) decisive(q Request, effect string, who func(Caller, *Principal) bool) (*Statement, string) {
	for _, s := range g.statements {
		if s.Effect == effect && s.concerns(q.Caller, who) {
			return s.Statement, s.policy
		}
	}
	return nil, ""
}

// concerns reports whether a statement applies to the caller. who compares the caller with the
// statement's principal.
func (s Statement) concerns(c Caller, who func(Caller, *Principal) bool) bool {
	if s.Principal == nil {
		return true // the policy belongs to the caller, or the statement has a NotPrincipal
	}
	return who(c, s.Principal)
}

// isAbout reports whether a statement is about the request's action and resource. IAM ignores the
// case of actions, but not of resources:
// https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_action.html
// https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_resource.html
func (s Statement) isAbout(q Request) bool {
	return matches(likeAction, s.Action, s.NotAction, q.Action) &&
		(matches(like, s.Resource, s.NotResource, q.Resource) || len(s.variables()) > 0)
}
