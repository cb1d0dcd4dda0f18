// Package policy builds IAM policies, and other JSON documents, from structs and the outputs of
// resources. Its table of grants says which actions a grant means; the program, the rules and the
// local run use the same table.
package policy

import (
	"encoding/json"
	"fmt"

	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"
)

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

// JSON returns a document as text. build makes the document from the values of the inputs. In a
// preview, the text is unknown while an input is unknown.
func JSON(build func(values []string) any, inputs ...pulumi.StringInput) pulumi.StringOutput {
	var outputs []any
	for _, input := range inputs {
		outputs = append(outputs, input)
	}
	return pulumi.All(outputs...).ApplyT(func(resolved []any) (string, error) {
		values := make([]string, len(resolved))
		for i, v := range resolved {
			values[i] = v.(string)
		}
		text, err := json.Marshal(build(values))
		if err != nil {
			return "", fmt.Errorf("writing a JSON document: %w", err)
		}
		return string(text), nil
	}).(pulumi.StringOutput)
}
