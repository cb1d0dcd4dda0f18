// Package evaluation reads IAM policies and decides by them as AWS does within one account:
// https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_evaluation-logic.html
//
// What it does not understand lets nobody through: see [Statement.NotUnderstood]. Policies of organizations and sessions, which
// this project has none of, are left out.
//
// A Go library that evaluates was looked for: those that are kept, such as github.com/micahhausler/aws-iam-policy, read and write
// documents and leave the decision to AWS; IAM simulators that decide are written in TypeScript.
package evaluation

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"
)

// A Kind is what a policy is attached to, which decides the elements that it has.
type Kind int

const (
	// Identity policies say what a role may do; so do the policies that bound one.
	Identity Kind = iota
	// Resource policies say who may do something with a resource.
	Resource
	// Trust policies say who may be a role. They name no resource: it is the role.
	Trust
	// Boundary policies say what a role may do at most.
	Boundary
)

// A Document is a policy that was read.
type Document struct {
	Name       string // where it is declared, for people
	Statements []Statement
}

// A Statement is one of a policy. Of each pair of an element and its opposite, one is there at most.
type Statement struct {
	ID        string // what the policy calls it; often empty
	Effect    string // Allow or Deny
	Principal *Principal
	// NotPrincipal is not understood: AWS advises against it.
	// https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_notprincipal.html
	NotPrincipal *Principal

	Action, NotAction, Resource, NotResource Texts

	// Condition is: operator, key, values.
	Condition map[string]map[string]Texts
}

// Texts are one text or more. A number or a truth value, as conditions have them, is its text.
type Texts []string

// A Principal is who a statement of a resource's policy is about.
// https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_principal.html
type Principal struct {
	Everybody bool  // "*", written alone or as an AWS principal
	AWS       Texts // accounts, by number or as their root; roles; sessions of roles
	Service   Texts // "sns.amazonaws.com"
}

// Parse reads a policy in any of the forms that the grammar allows, and refuses what AWS would refuse to attach:
// https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_grammar.html
func Parse(kind Kind, text string) (Document, error) {
	var read struct {
		Version   string
		ID        string `json:"Id"`
		Statement oneOrMore[statement]
	}
	decoder := json.NewDecoder(strings.NewReader(text))
	decoder.DisallowUnknownFields()
	if err := decoder.Decode(&read); err != nil {
		return Document{}, fmt.Errorf("not a policy document: %w", err)
	}
	if _, err := decoder.Token(); !errors.Is(err, io.EOF) {
		return Document{}, errors.New("not a policy document: something follows it")
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

// A statement is one as it is written.
type statement struct {
	ID                                       string `json:"Sid"`
	Effect                                   string
	Principal, NotPrincipal                  *Principal
	Action, NotAction, Resource, NotResource Texts
	Condition                                map[string]map[string]Texts
}

func (s statement) parse(kind Kind) (Statement, error) {
	who, actions, resources := present(s.Principal, s.NotPrincipal), len(s.Action)+len(s.NotAction), len(s.Resource)+len(s.NotResource)
	switch {
	case s.Effect != "Allow" && s.Effect != "Deny":
		return Statement{}, fmt.Errorf("its Effect is %q, want Allow or Deny", s.Effect)
	case actions == 0, len(s.Action) > 0 && len(s.NotAction) > 0:
		return Statement{}, errors.New("want either Action or NotAction")
	case who == 2, (kind == Resource || kind == Trust) && who == 0:
		return Statement{}, errors.New("want either Principal or NotPrincipal")
	case (kind == Identity || kind == Boundary) && who > 0:
		return Statement{}, errors.New("it names a Principal, who is here the role that it is attached to")
	case kind == Trust && resources > 0:
		return Statement{}, errors.New("it names a Resource, which is here the role that it is attached to")
	case kind != Trust && resources == 0, len(s.Resource) > 0 && len(s.NotResource) > 0:
		return Statement{}, errors.New("want either Resource or NotResource")
	}
	parsed := Statement(s)
	if kind == Trust {
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

// UnmarshalJSON reads "*", or lists by the kind of principal. People and programs from outside of AWS (Federated, CanonicalUser)
// ask for nothing here, and are left out.
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
	var values oneOrMore[any]
	if err := json.Unmarshal(text, &values); err != nil {
		return err
	}
	for _, v := range values {
		switch v.(type) {
		case string, bool, float64:
			*t = append(*t, fmt.Sprint(v))
		default:
			return fmt.Errorf("got %v where a text, a number or a truth value goes", v)
		}
	}
	return nil
}

// oneOrMore is a list that may be written as its one element.
type oneOrMore[T any] []T

func (l *oneOrMore[T]) UnmarshalJSON(text []byte) error {
	decoder := json.NewDecoder(bytes.NewReader(text))
	decoder.DisallowUnknownFields()
	if text[0] == '[' {
		return decoder.Decode((*[]T)(l))
	}
	*l = make([]T, 1)
	return decoder.Decode(&(*l)[0])
}
