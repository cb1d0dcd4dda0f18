// Package policy builds IAM policies from structs. Its table of grants says which actions a grant
// means; the program, the rules and the local run use the same table.
package policy

// A Document is an IAM policy document:
// https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_grammar.html
type Document struct {
	Version   string
	Statement []Statement
}

// A Statement allows or denies actions.
type Statement struct {
	Effect      string
	Principal   *Principal `json:",omitempty"`
	Action      []string
	Resource    []string  `json:",omitempty"`
	NotResource []string  `json:",omitempty"` // all resources but these
	Condition   Condition `json:",omitempty"`
}

// A Principal is the caller in a statement of a resource's policy: a service of AWS, "*" for
// everybody, or, in a role's trust policy, the ARN of an identity provider.
type Principal struct {
	Service   string `json:",omitempty"`
	AWS       string `json:",omitempty"`
	Federated string `json:",omitempty"`
}

// A Condition maps an operator to keys, and each key to its value.
type Condition map[string]map[string]string

// New returns a document of statements.
func New(statements ...Statement) Document {
	return Document{Version: "2012-10-17", Statement: statements}
}

// EncryptedOnly returns a statement that denies everybody the actions on a resource over
// connections without TLS:
// https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_condition-keys.html#condition-keys-securetransport
func EncryptedOnly(resource string, actions ...string) Statement {
	return Statement{
		Effect:    "Deny",
		Principal: &Principal{AWS: "*"},
		Action:    actions,
		Resource:  []string{resource},
		Condition: Condition{"Bool": {"aws:SecureTransport": "false"}},
	}
}
