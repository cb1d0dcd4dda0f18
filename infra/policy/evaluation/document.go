// Package evaluation reads IAM policies and decides by them as AWS does within one account:
// https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_evaluation-logic.html
//
// A part of a policy that it does not support never allows a request: see
// [Decision.NotUnderstood]. It knows no policies of organizations and sessions, which this project
// does not have.
//
// No maintained Go library evaluates policies: github.com/micahhausler/aws-iam-policy, for example,
// reads and writes documents. Simulators of IAM exist in TypeScript only.
package evaluation

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"
)

// A Kind is the kind of a policy. It decides which elements the policy may have.
type Kind int

const (
	// Identity policies belong to a role and say what it may do.
	Identity Kind = iota
	// Resource policies belong to a resource and say who may do what with it.
	Resource
	// Trust policies say who may assume a role. They name no resource: it is the role.
	Trust
	// Boundary policies limit what a role may do.
	Boundary
	// Endpoint policies limit the requests through a VPC endpoint.
	Endpoint
	// API policies are the resource policies of REST APIs. A statement may lack its resource, as in
	// https://github.com/pulumi/examples/blob/master/aws-go-lambda-gateway/main.go. AWS does not
	// document what that means. Here such a statement allows nothing, or denies everything.
	API
)

// A Document is a parsed policy.
type Document struct {
	Name       string // the declaration of the policy, for errors and logs: "RolePolicy stock"
	Statements []Statement
}

// A Statement allows or denies actions. It has at most one of an element and its opposite, like
// Action and NotAction.
type Statement struct {
	ID        string // the Sid in the policy; often empty
	Effect    string // Allow or Deny
	Principal *Principal
	// NotPrincipal is not supported: AWS advises against it.
	// https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_notprincipal.html
	NotPrincipal *Principal

	Action, NotAction, Resource, NotResource Texts

	// Condition maps an operator to keys, and each key to its values.
	Condition map[string]map[string]Texts
}

// Texts are one or more strings. Numbers and booleans, which conditions may have, become strings.
type Texts []string

// A Principal names the callers that a statement of a resource's policy applies to.
// https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_principal.html
type Principal struct {
	Everybody bool  // "*", written alone or as an AWS principal
	AWS       Texts // accounts, by number or as their root; roles; sessions of roles
	Service   Texts // "sns.amazonaws.com"
}

// Parse reads a policy in any of the forms that the grammar allows. It refuses policies that AWS
// would refuse:
// https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_grammar.html
func Parse(kind Kind, text string) (Document, error) {
	var read struct {
		Version   string
		ID        string `json:"Id"`
		Statement statementList
	}
	decoder := json.NewDecoder(strings.NewReader(text))
	decoder.DisallowUnknownFields()
	if err := decoder.Decode(&read); err != nil {
		return Document{}, fmt.Errorf("not a policy document: %w", err)
	}
	if _, err := decoder.Token(); !errors.Is(err, io.EOF) {
		return Document{}, errors.New("not a policy document: more text follows it")
	}
	switch read.Version {
	case "", "2012-10-17", "2008-10-17":
	default:
		// https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_version.html
		return Document{}, fmt.Errorf("not a policy document: its Version is %q, want 2012-10-17", read.Version)
	}
	if read.Statement == nil {
		// https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_statement.html
		return Document{}, errors.New("not a policy document: it has no Statement, which is required")
	}
	var d Document
	for i, s := range read.Statement {
		parsed, err := s.parse(kind)
		if err != nil {
			return Document{}, fmt.Errorf("not a policy document: statement %d: %w", i+1, err)
		}
		d.Statements = append(d.Statements, parsed)
	}
	return d, nil
}

// A statementList has the statements of a document. JSON may have one statement in place of a list.
type statementList []statement

func (s *statementList) UnmarshalJSON(text []byte) error {
	decoder := json.NewDecoder(bytes.NewReader(text))
	decoder.DisallowUnknownFields()
	if text[0] == '[' {
		return decoder.Decode((*[]statement)(s))
	}
	*s = make([]statement, 1)
	return decoder.Decode(&(*s)[0])
}

// A statement is a statement as JSON has it.
type statement struct {
	ID                                       string `json:"Sid"`
	Effect                                   string
	Principal, NotPrincipal                  *Principal
	Action, NotAction, Resource, NotResource Texts
	Condition                                map[string]map[string]Texts
}

func (s statement) parse(kind Kind) (Statement, error) {
	who := present(s.Principal, s.NotPrincipal)
	actions, resources := len(s.Action)+len(s.NotAction), len(s.Resource)+len(s.NotResource)
	switch {
	case s.Effect != "Allow" && s.Effect != "Deny":
		return Statement{}, fmt.Errorf("its Effect is %q, want Allow or Deny", s.Effect)
	case actions == 0, len(s.Action) > 0 && len(s.NotAction) > 0:
		return Statement{}, errors.New("want either Action or NotAction")
	case who == 2, kind != Identity && kind != Boundary && who == 0:
		return Statement{}, errors.New("want either Principal or NotPrincipal")
	case (kind == Identity || kind == Boundary) && who > 0:
		return Statement{}, errors.New("it names a Principal, but this is always the role with the policy")
	case kind == Trust && resources > 0:
		return Statement{}, errors.New("it names a Resource, but this is always the role with the policy")
	case kind != Trust && kind != API && resources == 0, len(s.Resource) > 0 && len(s.NotResource) > 0:
		return Statement{}, errors.New("want either Resource or NotResource")
	}
	parsed := Statement(s)
	if kind == Trust || kind == API && resources == 0 && s.Effect == "Deny" {
		parsed.Resource = Texts{"*"}
	}
	return parsed, nil
}

func present(principals ...*Principal) (n int) {
	for _, p := range principals {
		if p != nil {
			n++
		}
	}
	return n
}

// UnmarshalJSON reads "*", or lists by the kind of principal. It skips the kinds Federated and
// CanonicalUser, for callers from outside of AWS: the stack has none.
func (p *Principal) UnmarshalJSON(text []byte) error {
	if string(text) == `"*"` {
		p.Everybody = true
		return nil
	}
	var kinds struct{ AWS, Service, Federated, CanonicalUser Texts }
	decoder := json.NewDecoder(bytes.NewReader(text))
	decoder.DisallowUnknownFields()
	if err := decoder.Decode(&kinds); err != nil {
		return fmt.Errorf("its Principal: %w", err)
	}
	p.Service = kinds.Service
	for _, name := range kinds.AWS {
		if name == "*" {
			p.Everybody = true
		} else {
			p.AWS = append(p.AWS, name)
		}
	}
	return nil
}

// UnmarshalJSON reads one value or a list of them.
func (t *Texts) UnmarshalJSON(text []byte) error {
	var value any
	if err := json.Unmarshal(text, &value); err != nil {
		return err
	}
	values, isList := value.([]any)
	if !isList {
		values = []any{value}
	}
	for _, v := range values {
		switch v := v.(type) {
		case string:
			*t = append(*t, v)
		case bool, float64:
			*t = append(*t, fmt.Sprint(v))
		default:
			return fmt.Errorf("got %v, want a string, a number or a boolean", v)
		}
	}
	return nil
}
