package console

import (
	"cmp"
	"maps"
	"regexp"
	"slices"
	"strings"
	"time"

	"restock/infra/policy/declared"
	"restock/infra/policy/evaluation"
)

// A Declaration is what a program declares about a function.
type Declaration struct {
	DeclaredIn  string            // the line of the program
	Source      string            // the folder of the code; the function's name for an external program
	Built       time.Time         // when its executable was written
	Role        string            // the ARN
	Environment map[string]string // as declared
	Policies    []evaluation.Document
}

// Facts are what the page shows of a Declaration.
type Facts struct {
	DeclaredIn  string       `json:"declared_in"`
	Source      string       `json:"source"`
	Role        string       `json:"role"`
	Environment []Variable   `json:"environment"` // sorted by name
	May         []Permission `json:"may"`
	Builds      []Build      `json:"builds"` // newest first
}

// A Variable is a variable of a function's environment.
type Variable struct {
	Name  string `json:"name"`
	Value string `json:"value"`
}

// A Permission is a statement of a role's policies.
type Permission struct {
	Effect    string   `json:"effect"` // "Allow" or "Deny"
	Actions   []string `json:"actions"`
	On        []Target `json:"on"`
	Condition string   `json:"condition,omitempty"` // the requests that it applies to; empty: all
}

// ResourceFacts are what the page shows of a resource: its ARN, and who may do what with it by the
// functions' roles. The policy of the resource itself is not among them.
type ResourceFacts struct {
	ARN string  `json:"arn"`
	Who []Grant `json:"who"`
}

// A Grant is a statement about a resource in the policies of a function's role.
type Grant struct {
	Node     string `json:"node"` // of the function
	Function string `json:"function"`
	Permission
}

// A Target is a resource of a permission.
type Target struct {
	Text string `json:"text"`
	Node string `json:"node,omitempty"` // the id of its node, if the picture has one
}

// maxBuilds is how many builds of each function the console keeps.
const maxBuilds = 10

// facts returns the facts of a function, or nil without a declaration.
func (c *Console) facts(function string) *Facts {
	of := c.current().Functions.Declared
	if of == nil {
		return nil
	}
	d, known := of(function)
	if !known {
		return nil
	}
	h, picture := c.hider(), c.observer.shown()
	f := &Facts{DeclaredIn: d.DeclaredIn, Source: d.Source, Role: d.Role, Builds: c.buildsOf(function, d.Built)}
	for name, value := range d.Environment {
		f.Environment = append(f.Environment, Variable{name, h.variable(name, value)})
	}
	slices.SortFunc(f.Environment, func(a, b Variable) int { return cmp.Compare(a.Name, b.Name) })
	for _, document := range d.Policies {
		for _, s := range document.Statements {
			f.May = append(f.May, picture.permission(s))
		}
	}
	return f
}

// resourceFacts returns the facts of a resource, or nil for a node that no policy names.
func (c *Console) resourceFacts(n Node) *ResourceFacts {
	of := c.current().Functions.Declared
	if n.ARN == "" || n.Service == "" || of == nil {
		return nil
	}
	f, picture := &ResourceFacts{ARN: n.ARN, Who: []Grant{}}, c.observer.shown()
	for _, function := range picture.graph.Nodes {
		if function.Kind != KindFunction {
			continue
		}
		d, _ := of(function.Name)
		for _, document := range d.Policies {
			for _, s := range document.Statements {
				if s.Names(n.Service, n.ARN) {
					f.Who = append(f.Who, Grant{function.ID, function.Label, picture.permission(s)})
				}
			}
		}
	}
	return f
}

// secretName matches the names of variables that may hold a secret. credentials matches those of a
// URL, and those that begin a DSN of Go: app:pw@tcp(db)/shop.
var (
	secretName = regexp.MustCompile(
		`(?i)passw|pass(_|\b)|pwd|auth|secret|token|credential|private|signing|_key$|api_?key`)
	credentials = regexp.MustCompile(`(//)[^/@\s]*@|^[^:@/\s]+:(?:[^/]|/[^/]).*@`)
)

// variable returns the value of an environment's variable for people. If the name says that it may
// be a secret, only the ARN of one is shown.
func (h hider) variable(name, value string) string {
	if secretName.MatchString(name) && !strings.HasPrefix(value, "arn:") && value != "" {
		return hidden
	}
	return credentials.ReplaceAllString(h.in(value), "${1}"+hidden+"@")
}

func (p *picture) permission(s evaluation.Statement) Permission {
	shown := Permission{Effect: s.Effect, Actions: s.Action, Condition: conditionOf(s)}
	for _, action := range s.NotAction {
		shown.Actions = append(shown.Actions, "all except "+action)
	}
	for _, arn := range s.Resource {
		shown.On = append(shown.On, p.target(arn))
	}
	for _, arn := range s.NotResource {
		target := p.target(arn)
		target.Text = "all except " + target.Text
		shown.On = append(shown.On, target)
	}
	return shown
}

// conditionOf returns the condition of a statement for people: "StringEquals aws:SourceVpc vpc-1".
func conditionOf(s evaluation.Statement) string {
	var parts []string
	for _, operator := range slices.Sorted(maps.Keys(s.Condition)) {
		for _, key := range slices.Sorted(maps.Keys(s.Condition[operator])) {
			parts = append(parts, operator+" "+key+" "+strings.Join(s.Condition[operator][key], " or "))
		}
	}
	return strings.Join(parts, " and ")
}

// target returns a resource of a policy for people: the label of its node, or the end of its ARN.
func (p *picture) target(arn string) Target {
	if ids := p.named[arn]; len(ids) > 0 {
		n := p.nodes[ids[0]]
		return Target{cmp.Or(n.Label, n.Name), n.ID}
	}
	parts := strings.SplitN(arn, ":", 6) // arn:aws:service:region:account:resource
	if len(parts) < 6 {
		return Target{Text: strings.Replace(arn, "*", "everything", 1)}
	}
	if ids := p.named[declared.Owner(arn)]; len(ids) > 0 { // objects of a bucket
		return Target{parts[5], ids[0]}
	}
	return Target{parts[5], p.graph.ofService(parts[2])}
}

// buildsOf returns the latest builds of a function, newest first. The last one is the first of the
// run.
func (c *Console) buildsOf(function string, first time.Time) []Build {
	c.mu.Lock()
	builds := slices.Clone(c.builds[function])
	c.mu.Unlock()
	if len(builds) == 0 && !first.IsZero() {
		builds = []Build{{State: "ok", Time: first.UTC()}}
	}
	return builds
}
