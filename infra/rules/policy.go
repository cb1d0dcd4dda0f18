package rules

import (
	"encoding/json"
	"fmt"
	"regexp"
	"strings"

	"restock/infra/graph"
)

// A document is a policy document as AWS takes it, in all the forms that the grammar allows:
// https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_grammar.html
type document struct{ Statement oneOrMore[statement] }

type statement struct {
	Effect    string
	Principal *principal // nil in the policy of an identity
	Condition map[string]map[string]texts

	Action, NotAction, Resource, NotResource texts
}

// A principal is who a statement is about.
type principal struct {
	Everybody    bool  // "*", or any account
	AWS, Service texts // accounts, roles and users; services
}

func (p *principal) UnmarshalJSON(text []byte) error {
	if string(text) == `"*"` {
		p.Everybody = true
		return nil
	}
	var kinds struct{ AWS, Service texts }
	if err := json.Unmarshal(text, &kinds); err != nil {
		return err
	}
	p.AWS, p.Service = kinds.AWS, kinds.Service
	p.Everybody = p.AWS.match("*")
	return nil
}

// oneOrMore is a list that may be written as its one element.
type oneOrMore[T any] []T

func (l *oneOrMore[T]) UnmarshalJSON(text []byte) error {
	if strings.HasPrefix(string(text), "[") {
		return json.Unmarshal(text, (*[]T)(l))
	}
	*l = make([]T, 1)
	return json.Unmarshal(text, &(*l)[0])
}

// texts are one text or more; a number or a truth value, as conditions have them, is its text.
type texts []string

func (l *texts) UnmarshalJSON(text []byte) error {
	var values oneOrMore[any]
	if err := json.Unmarshal(text, &values); err != nil {
		return err
	}
	for _, v := range values {
		*l = append(*l, fmt.Sprint(v))
	}
	return nil
}

// match reports whether one of the patterns matches the text.
func (l texts) match(text string) bool {
	for _, pattern := range l {
		if like(pattern, text) {
			return true
		}
	}
	return false
}

// like matches as IAM does: * is any text, ? any character.
func like(pattern, text string) bool {
	expression := strings.NewReplacer(`\*`, `.*`, `\?`, `.`).Replace(regexp.QuoteMeta(pattern))
	return regexp.MustCompile(`(?s)^` + expression + `$`).MatchString(text)
}

// A request is what a policy decides about.
type request struct {
	service          string // the service of AWS that asks; empty where the policy is the asking identity's own
	action, resource string
	source           string // the ARN on whose behalf the service asks
}

// allows reports whether a document allows a request: an explicit deny, else an allow, else no.
// https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_evaluation-logic.html
func (d document) allows(q request) bool {
	allowed := false
	for _, s := range d.Statement {
		if !s.isAbout(q) {
			continue
		}
		if s.Effect == "Deny" {
			return false
		}
		allowed = allowed || s.Effect == "Allow"
	}
	return allowed
}

func (s statement) isAbout(q request) bool {
	principal := s.Principal == nil || s.Principal.Everybody || s.Principal.Service.match(q.service)
	action := s.Action.lower().match(strings.ToLower(q.action)) || len(s.NotAction) > 0 && !s.NotAction.lower().match(strings.ToLower(q.action))
	resource := s.Resource.match(q.resource) || len(s.NotResource) > 0 && !s.NotResource.match(q.resource)
	return principal && action && resource && s.conditionsHold(q)
}

func (l texts) lower() texts {
	var lower texts
	for _, text := range l {
		lower = append(lower, strings.ToLower(text))
	}
	return lower
}

// conditionsHold reports whether all conditions hold. One that is not understood does not let anything through: it holds in a deny, and
// does not in an allow.
func (s statement) conditionsHold(q request) bool {
	context := map[string]string{
		"aws:securetransport": "true", // services of AWS ask over TLS
		"aws:sourcearn":       q.source,
		"aws:sourceaccount":   graph.AccountID,
	}
	for operator, keys := range s.Condition {
		for key, patterns := range keys {
			value, known := context[strings.ToLower(key)]
			compare := strings.TrimSuffix(operator, "IfExists")
			var holds bool
			switch {
			case !known:
				holds = s.Effect == "Deny"
			case compare == "StringEquals", compare == "StringLike", compare == "ArnEquals", compare == "ArnLike", compare == "Bool":
				holds = patterns.match(value)
			case compare == "StringNotEquals", compare == "StringNotLike", compare == "ArnNotEquals", compare == "ArnNotLike":
				holds = !patterns.match(value)
			default:
				holds = s.Effect == "Deny"
			}
			if !holds {
				return false
			}
		}
	}
	return true
}

// parsePolicy reads the policy that an output of a resource holds; without one, it is the empty document, which allows nothing.
func parsePolicy(r *graph.Resource, output string) (document, error) {
	var d document
	text := r.String(output)
	if text == "" {
		return d, nil
	}
	if err := json.Unmarshal([]byte(text), &d); err != nil {
		return d, fmt.Errorf("its %s is not a policy document: %w", output, err)
	}
	return d, nil
}

// A policyHolder is an output of a type of resource that holds a policy.
type policyHolder struct{ token, output string }

var (
	// identityPolicies say what a role may do.
	identityPolicies = []policyHolder{{rolePolicyType, "policy"}, {policyType, "policy"}}
	// resourcePolicies say who may do something with a resource.
	resourcePolicies = []policyHolder{
		{queuePolicyType, "policy"}, {queueType, "policy"},
		{topicPolicyType, "policy"}, {topicType, "policy"},
		{secretPolicyType, "policy"}, {secretType, "policy"},
	}
	// trustPolicies say who may be a role.
	trustPolicies = []policyHolder{{roleType, "assumeRolePolicy"}}
)

// statements calls visit with each allowing statement that the holders hold. It leaves out what cannot be read: the rule
// no-wildcard reports it.
func (i *inspection) statements(holders []policyHolder, visit func(*graph.Resource, statement)) {
	for _, holder := range holders {
		for _, r := range i.OfType(holder.token) {
			d, err := parsePolicy(r, holder.output)
			if err != nil {
				continue
			}
			for _, s := range d.Statement {
				if s.Effect == "Allow" {
					visit(r, s)
				}
			}
		}
	}
}

// rolePolicy is all that the role of a function is allowed and denied.
func (i *inspection) rolePolicy(function *graph.Resource) document {
	var all document
	role := i.Find(roleType, "arn", function.String("role"))
	if role == nil {
		return all
	}
	for _, r := range i.OfType(rolePolicyType) {
		if r.String("role") != role.String("name") {
			continue
		}
		if d, err := parsePolicy(r, "policy"); err == nil {
			all.Statement = append(all.Statement, d.Statement...)
		}
	}
	return all
}
