package evaluation

import (
	"fmt"
	"slices"
	"strings"
	"testing"
)

const (
	account = "000000000000"
	queue   = "arn:aws:sqs:eu-west-1:" + account + ":stock_queue"
	topic   = "arn:aws:sns:eu-west-1:" + account + ":stock_empty"
	role    = "arn:aws:iam::" + account + ":role/shop/dev/stock"
	session = "arn:aws:sts::" + account + ":assumed-role/stock/stock"
	guide   = "https://docs.aws.amazon.com/IAM/latest/UserGuide/"
)

func parse(t *testing.T, kind Kind, statements string) []Document {
	t.Helper()
	if statements == "" {
		return nil
	}
	d, err := Parse(kind, `{"Version":"2012-10-17","Statement":`+statements+`}`)
	if err != nil {
		t.Fatalf("Parse(%s): %v", statements, err)
	}
	return []Document{d}
}

// may returns a statement about sending to the queue, with more elements.
func may(effect, more string) string {
	return fmt.Sprintf(`{"Effect":%q,"Action":"sqs:SendMessage","Resource":%q%s}`, effect, queue, more)
}

func list(statements ...string) string { return "[" + strings.Join(statements, ",") + "]" }

func TestServiceNeedsTheResourcePolicy(t *testing.T) {
	const sns = `,"Principal":{"Service":"sns.amazonaws.com"}`
	for _, c := range []struct {
		name, policy string
		want         bool
		page         string
	}{
		{"nothing allows", ``, false, "reference_policies_evaluation-logic.html"},
		{"one statement, not in a list", may("Allow", sns), true, "reference_policies_grammar.html"},
		{"lists", `[{"Effect":"Allow","Principal":{"Service":["a","sns.amazonaws.com"]},"Action":["a",` +
			`"sqs:SendMessage"],"Resource":["a","` + queue + `"]}]`, true, "reference_policies_grammar.html"},
		{"another service", may("Allow", `,"Principal":{"Service":"events.amazonaws.com"}`), false,
			"reference_policies_elements_principal.html#principal-services"},
		{"everybody", may("Allow", `,"Principal":"*"`), true,
			"reference_policies_elements_principal.html#principal-anonymous"},
		{"everybody, as an AWS principal", may("Allow", `,"Principal":{"AWS":"*"}`), true,
			"reference_policies_elements_principal.html#principal-anonymous"},
		{"services have no patterns", may("Allow", `,"Principal":{"Service":"*.amazonaws.com"}`), false,
			"reference_policies_elements_principal.html"},
		{"the account does not allow services", may("Allow", `,"Principal":{"AWS":"`+account+`"}`), false,
			"reference_policies_elements_principal.html#principal-accounts"},
		{"a caller from outside of AWS", may("Allow", `,"Principal":{"Federated":"cognito-identity.amazonaws.com"}`),
			false,
			"reference_policies_elements_principal.html"},
		{"all but a principal", may("Allow", `,"NotPrincipal":{"AWS":"`+role+`"}`), false,
			"reference_policies_elements_notprincipal.html"},

		{"an action in another case", `{"Effect":"Allow","Principal":"*","Action":"SQS:sendmessage","Resource":"*"}`,
			true, "reference_policies_elements_action.html"},
		{"an action by a pattern", `{"Effect":"Allow","Principal":"*","Action":"sqs:Send*","Resource":"*"}`, true,
			"reference_policies_elements_action.html"},
		{"a pattern of a part of the action", `{"Effect":"Allow","Principal":"*","Action":"sqs:Send","Resource":"*"}`,
			false, "reference_policies_elements_action.html"},
		{"all but another action", `{"Effect":"Allow","Principal":"*","NotAction":"sqs:ReceiveMessage","Resource":"*"}`,
			true, "reference_policies_elements_notaction.html"},
		{"all but this action", `{"Effect":"Allow","Principal":"*","NotAction":["a","sqs:SendMessage"],"Resource":"*"}`,
			false, "reference_policies_elements_notaction.html"},
		{"a resource by a pattern",
			`{"Effect":"Allow","Principal":"*","Action":"*","Resource":"arn:aws:sqs:*:*:stock_?ueue"}`, true,
			"reference_policies_elements_resource.html"},
		{"another resource", `{"Effect":"Allow","Principal":"*","Action":"*","Resource":"` + queue + `2"}`, false,
			"reference_policies_elements_resource.html"},
		{"a resource in another case", `{"Effect":"Allow","Principal":"*","Action":"*","Resource":"` +
			strings.ToUpper(queue) + `"}`, false, "reference_policies_elements_resource.html"},
		{"all but this resource", `{"Effect":"Allow","Principal":"*","Action":"*","NotResource":"` + queue + `"}`,
			false, "reference_policies_elements_notresource.html"},
		{"all but another resource", `{"Effect":"Allow","Principal":"*","Action":"*","NotResource":"` + topic + `"}`,
			true, "reference_policies_elements_notresource.html"},
		{"a resource with a variable",
			`{"Effect":"Allow","Principal":"*","Action":"*","Resource":["*","${aws:username}"]}`, false,
			"reference_policies_variables.html"},

		{"an explicit deny decides first", list(may("Allow", sns), may("Deny", `,"Principal":"*"`)), false,
			"reference_policies_evaluation-logic_AccessPolicyLanguage_Interplay.html"},
		{"a deny of another service", list(may("Allow", sns),
			may("Deny", `,"Principal":{"Service":"events.amazonaws.com"}`)), true,
			"reference_policies_evaluation-logic_AccessPolicyLanguage_Interplay.html"},
		{"a deny of all but a principal", list(may("Allow", sns),
			may("Deny", `,"NotPrincipal":{"Service":"sns.amazonaws.com"}`)), false,
			"reference_policies_elements_notprincipal.html"},
		{"a deny of a variable",
			list(may("Allow", sns), `{"Effect":"Deny","Principal":"*","Action":"*","Resource":"${aws:username}"}`),
			false, "reference_policies_variables.html"},
	} {
		t.Run(c.name, func(t *testing.T) {
			q := ByService("sns.amazonaws.com", topic, "sqs:SendMessage", queue)
			got := Policies{Resource: parse(t, Resource, c.policy)}.Evaluate(q)
			if got.Allowed != c.want || got.By != Resource {
				t.Errorf("%s\nallows it: %v, by %d; want %v, by the resource's policy (%s%s)",
					c.policy, got.Allowed, got.By, c.want, guide, c.page)
			}
		})
	}
}

func TestRoleNeedsAnIdentityOrAResourcePolicy(t *testing.T) {
	who := func(principal string) string { return `,"Principal":{"AWS":"` + principal + `"}` }
	const (
		denyallow = "reference_policies_evaluation-logic_policy-eval-denyallow.html"
		bounded   = "access_policies_boundaries.html"
		principal = "reference_policies_elements_principal.html"
	)
	for _, c := range []struct {
		name, identity, resource, boundary string
		want                               bool
		by                                 Kind
		explicit                           bool
		page                               string
	}{
		{name: "neither", by: Identity, page: denyallow},
		{name: "its own", identity: may("Allow", ""), want: true, by: Identity, page: denyallow},
		{name: "the resource's, for the role", resource: may("Allow", who(role)), want: true, by: Resource,
			page: denyallow},
		{name: "the resource's, for the session", resource: may("Allow", who(session)), want: true, by: Resource,
			page: principal + "#principal-role-session"},
		{name: "the resource's, for everybody", resource: may("Allow", who("*")), want: true, by: Resource,
			page: principal + "#principal-anonymous"},
		{name: "the resource's, for another role", resource: may("Allow", who(role+"2")), by: Identity,
			page: principal + "#principal-roles"},
		{name: "roles have no patterns", resource: may("Allow", who("arn:aws:iam::"+account+":role/*")), by: Identity,
			page: principal},
		{name: "the resource's, for the account by its number", resource: may("Allow", who(account)), by: Identity,
			page: principal + "#principal-accounts"},
		{name: "the resource's, for the account by its root",
			resource: may("Allow", who("arn:aws:iam::"+account+":root")), by: Identity,
			page: principal + "#principal-accounts"},
		{name: "the resource's, for a service", resource: may("Allow",
			`,"Principal":{"Service":"lambda.amazonaws.com"}`), by: Identity, page: principal + "#principal-services"},

		{name: "its own denies", identity: list(may("Deny", ""), may("Allow", "")), by: Identity, explicit: true,
			page: denyallow},
		{name: "the resource's denies", identity: may("Allow", ""), resource: may("Deny", who("*")), by: Resource,
			explicit: true, page: denyallow},
		{name: "the resource's denies the account", identity: may("Allow", ""), resource: may("Deny", who(account)),
			by: Resource, explicit: true, page: principal + "#principal-accounts"},
		{name: "the resource's denies another account", identity: may("Allow", ""),
			resource: may("Deny", who("111111111111")), want: true, by: Identity,
			page: principal + "#principal-accounts"},
		{name: "its own denies what the resource's allows", identity: may("Deny", ""),
			resource: may("Allow", who(session)), by: Identity, explicit: true, page: denyallow},

		{name: "a boundary allows nothing by itself", boundary: may("Allow", ""), by: Identity, page: bounded},
		{name: "a boundary that allows it too", identity: may("Allow", ""), boundary: may("Allow", ""), want: true,
			by: Identity, page: bounded},
		{name: "a boundary that does not", identity: may("Allow", ""),
			boundary: `{"Effect":"Allow","Action":"sns:*","Resource":"*"}`, by: Boundary, page: bounded},
		{name: "a boundary that denies", identity: may("Allow", ""), boundary: list(may("Allow", ""), may("Deny", "")),
			by: Boundary, explicit: true, page: bounded},
		{name: "a boundary bounds what the resource's allows the role", resource: may("Allow", who(role)),
			boundary: `{"Effect":"Allow","Action":"sns:*","Resource":"*"}`, by: Boundary, page: denyallow},
		{name: "a boundary does not bound what the resource's allows everybody", resource: may("Allow", who("*")),
			boundary: `{"Effect":"Allow","Action":"sns:*","Resource":"*"}`, want: true, by: Resource,
			page: principal + "#principal-roles"},
		{name: "a boundary does not bound what the resource's allows the session", resource: may("Allow", who(session)),
			boundary: `{"Effect":"Allow","Action":"sns:*","Resource":"*"}`, want: true, by: Resource, page: denyallow},
	} {
		t.Run(c.name, func(t *testing.T) {
			p := Policies{Identity: parse(t, Identity, c.identity), Resource: parse(t, Resource, c.resource)}
			if boundary := parse(t, Boundary, c.boundary); boundary != nil {
				p.Boundary = &boundary[0]
			}
			got := p.Evaluate(ByRole(role, session, "sqs:SendMessage", queue))
			explicit := got.Statement != nil && !got.Allowed
			if got.Allowed != c.want || got.By != c.by || explicit != c.explicit {
				t.Errorf("got allowed %v, by kind %d, explicitly denied %v; want %v, %d, %v (%s%s)",
					got.Allowed, got.By, explicit, c.want, c.by, c.explicit, guide, c.page)
			}
		})
	}
}

// https://docs.aws.amazon.com/kms/latest/developerguide/key-policies.html
func TestAKeyIsUsedAsItsPolicySays(t *testing.T) {
	const (
		key     = "arn:aws:kms:eu-west-1:" + account + ":key/k1"
		decrypt = `{"Effect":"Allow","Action":"kms:Decrypt","Resource":"` + key + `"}`
		s3      = "s3.eu-west-1.amazonaws.com"
	)
	lets := func(principal, condition string) string {
		return `{"Effect":"Allow","Principal":{"AWS":"` + principal + `"},"Action":"kms:*","Resource":"*"` +
			condition + `}`
	}
	const root = "arn:aws:iam::" + account + ":root"
	through := `,"Condition":{"StringEquals":{"kms:ViaService":"` + s3 + `","kms:CallerAccount":"` + account + `"}}`
	for _, c := range []struct {
		name, identity, key, via string
		want                     bool
		by                       Kind
	}{
		{"the default policy lets the role's policy decide", decrypt, "", s3, true, Identity},
		{"the default policy allows nothing", "", "", s3, false, Identity},
		{"a policy for the account lets the role's policy decide", decrypt, lets(root, ""), s3, true, Identity},
		{"a policy for the account allows nothing", "", lets(root, ""), s3, false, Identity},
		{"a policy for the role", "", lets(role, ""), s3, true, Resource},
		{"a policy for another role", decrypt, lets(role+"2", ""), s3, false, Resource},
		{"the account through the service", decrypt, lets(root, through), s3, true, Identity},
		{"the account through another service", decrypt, lets(root, through), "sqs.amazonaws.com", false, Resource},
		{"the account, called directly", decrypt, lets(root, through), "", false, Resource},
		{"the role through the service", "", lets(role, through), s3, true, Resource},
		{"everybody through the service", "", lets("*", through), s3, true, Resource},
		{"everybody, called directly", "", lets("*", through), "", false, Resource},
	} {
		q := ByRole(role, session, "kms:Decrypt", key)
		if c.via != "" {
			q = q.Via(c.via)
		}
		d := Policies{Identity: parse(t, Identity, c.identity), Resource: parse(t, Resource, c.key)}.Evaluate(q)
		if d.Allowed != c.want || d.By != c.by {
			t.Errorf("%s: got %v by %d, want %v by %d", c.name, d.Allowed, d.By, c.want, c.by)
		}
	}
}

func TestConditions(t *testing.T) {
	const (
		page    = "reference_policies_elements_condition_operators.html"
		service = "service"
		asRole  = "role"
	)
	for _, c := range []struct {
		by, condition string
		want          bool
		page          string
	}{
		{service, `{"StringEquals":{"aws:SourceArn":"` + topic + `"}}`, true, page + "#Conditions_String"},
		{service, `{"StringEquals":{"aws:SourceArn":"arn:aws:sns:*"}}`, false, page + "#Conditions_String"},
		{service, `{"StringEquals":{"aws:SourceArn":"` + strings.ToUpper(topic) + `"}}`, false,
			page + "#Conditions_String"},
		{service, `{"StringEqualsIgnoreCase":{"aws:SourceArn":"` + strings.ToUpper(topic) + `"}}`, true,
			page + "#Conditions_String"},
		{service, `{"StringNotEqualsIgnoreCase":{"aws:SourceArn":"` + strings.ToUpper(topic) + `"}}`, false,
			page + "#Conditions_String"},
		{service, `{"StringLike":{"aws:SourceArn":"arn:aws:sns:*"}}`, true, page + "#Conditions_String"},
		{service, `{"StringLike":{"aws:SourceArn":"arn:aws:SNS:*"}}`, false, page + "#Conditions_String"},
		{service, `{"StringNotLike":{"aws:SourceArn":"arn:aws:sns:*"}}`, false, page + "#Conditions_String"},
		{service, `{"StringEquals":{"aws:SourceAccount":"` + account + `"}}`, true,
			"reference_policies_condition-keys.html#condition-keys-sourceaccount"},
		{service, `{"StringEquals":{"aws:SourceAccount":"1"}}`, false,
			"reference_policies_condition-keys.html#condition-keys-sourceaccount"},

		{service, `{"ArnEquals":{"aws:SourceArn":"` + topic + `"}}`, true, page + "#Conditions_ARN"},
		{service, `{"ArnEquals":{"aws:SourceArn":"` + topic + `2"}}`, false, page + "#Conditions_ARN"},
		{service, `{"ArnEquals":{"AWS:sourcearn":"arn:aws:sns:*:` + account + `:*"}}`, true, page + "#Conditions_ARN"},
		{service, `{"ArnLike":{"aws:SourceArn":"arn:aws:sns:*:*:stock_?mpty"}}`, true, page + "#Conditions_ARN"},
		{service, `{"ArnLike":{"aws:SourceArn":"arn:aws:sns:*"}}`, false, page + "#Conditions_ARN"},
		{service, `{"ArnLike":{"aws:SourceArn":"*"}}`, false, page + "#Conditions_ARN"},
		{service, `{"ArnNotLike":{"aws:SourceArn":"arn:aws:sns:*:*:*"}}`, false, page + "#Conditions_ARN"},
		{service, `{"ArnNotEquals":{"aws:SourceArn":"` + topic + `2"}}`, true, page + "#Conditions_ARN"},

		{service, `{"Bool":{"aws:SecureTransport":"true"}}`, true, page + "#Conditions_Boolean"},
		{service, `{"Bool":{"aws:SecureTransport":true}}`, true, page + "#Conditions_Boolean"},
		{service, `{"Bool":{"aws:SecureTransport":"FALSE"}}`, false, page + "#Conditions_Boolean"},

		// Values are alternatives, keys and operators are not.
		{service, `{"ArnEquals":{"aws:SourceArn":["` + topic + `2","` + topic + `"]}}`, true,
			"reference_policies_condition-logic-multiple-context-keys-or-values.html"},
		{service, `{"ArnNotEquals":{"aws:SourceArn":["` + topic + `2","` + topic + `"]}}`, false,
			"reference_policies_condition-logic-multiple-context-keys-or-values.html"},
		{service, `{"ArnEquals":{"aws:SourceArn":"` + topic + `"},"StringEquals":{"aws:SourceAccount":"1"}}`, false,
			"reference_policies_condition-logic-multiple-context-keys-or-values.html"},
		{service, `{"StringEquals":{"aws:SourceArn":"` + topic + `","aws:SourceAccount":"1"}}`, false,
			"reference_policies_condition-logic-multiple-context-keys-or-values.html"},

		// A role's own call has no source.
		{asRole, `{"ArnEquals":{"aws:SourceArn":"` + topic + `"}}`, false, page},
		{asRole, `{"ArnNotEquals":{"aws:SourceArn":"` + topic + `"}}`, true, page},
		{asRole, `{"ArnEqualsIfExists":{"aws:SourceArn":"` + topic + `"}}`, true, page + "#Conditions_IfExists"},
		{service, `{"ArnEqualsIfExists":{"aws:SourceArn":"` + topic + `2"}}`, false, page + "#Conditions_IfExists"},
		{asRole, `{"Null":{"aws:SourceArn":"true"}}`, true, page + "#Conditions_Null"},
		{asRole, `{"Null":{"aws:SourceArn":"false"}}`, false, page + "#Conditions_Null"},
		{service, `{"Null":{"aws:SourceArn":"false"}}`, true, page + "#Conditions_Null"},
		{service, `{"Null":{"aws:SourceArn":"true"}}`, false, page + "#Conditions_Null"},

		{asRole, `{"ArnLike":{"aws:PrincipalArn":"` + role + `"}}`, true,
			"reference_policies_condition-keys.html#condition-keys-principalarn"},
		{asRole, `{"ArnLike":{"aws:PrincipalArn":"` + session + `"}}`, false,
			"reference_policies_condition-keys.html#condition-keys-principalarn"},
		{asRole, `{"StringEquals":{"aws:PrincipalAccount":"` + account + `"}}`, true,
			"reference_policies_condition-keys.html#condition-keys-principalaccount"},
		{asRole, `{"Bool":{"aws:PrincipalIsAWSService":"false"}}`, true,
			"reference_policies_condition-keys.html#condition-keys-principalisawsservice"},
		{service, `{"StringEquals":{"aws:PrincipalServiceName":"sns.amazonaws.com"}}`, true,
			"reference_policies_condition-keys.html#condition-keys-principalservicename"},
	} {
		t.Run(c.by+" "+c.condition, func(t *testing.T) {
			q := ByService("sns.amazonaws.com", topic, "sqs:SendMessage", queue)
			if c.by == asRole {
				q = ByRole(role, session, "sqs:SendMessage", queue)
			}
			for effect, want := range map[string]bool{"Allow": c.want, "Deny": !c.want} {
				statements := may(effect, `,"Principal":"*","Condition":`+c.condition)
				if effect == "Deny" {
					statements = list(may("Allow", `,"Principal":"*"`), statements)
				}
				got := Policies{Resource: parse(t, Resource, statements)}.Evaluate(q)
				if got.Allowed != want || len(got.NotUnderstood) > 0 {
					t.Errorf("%s: allowed %v, unsupported %q; want %v, nothing unsupported (%s%s)",
						effect, got.Allowed, got.NotUnderstood, want, guide, c.page)
				}
			}
		})
	}
}

// The names of pairs have no case in a condition key, and have one in kms:EncryptionContextKeys:
// https://docs.aws.amazon.com/kms/latest/developerguide/conditions-kms.html#conditions-kms-encryption-context
func TestConditionsOnTheEncryptionContext(t *testing.T) {
	none, pairs := map[string]string{}, map[string]string{"Tenant": "a", "Region": "eu"}
	for _, c := range []struct {
		condition string
		pairs     map[string]string
		want      bool
	}{
		{`"StringEquals":{"kms:EncryptionContext:tenant":"a"}`, pairs, true},
		{`"StringEquals":{"kms:EncryptionContext:Tenant":"A"}`, pairs, false},
		{`"StringEquals":{"kms:EncryptionContext:Tenant":"a"}`, none, false},
		{`"StringEquals":{"kms:EncryptionContext:Tenant":"a"}`, nil, false},
		{`"StringNotEquals":{"kms:EncryptionContext:Tenant":"b"}`, pairs, true},
		{`"Null":{"kms:EncryptionContext:Tenant":"true"}`, none, true},
		{`"Null":{"kms:EncryptionContext:Tenant":"true"}`, nil, false},
		{`"ForAnyValue:StringEquals":{"kms:EncryptionContextKeys":"Tenant"}`, pairs, true},
		{`"ForAnyValue:StringEquals":{"kms:EncryptionContextKeys":"tenant"}`, pairs, false},
		{`"ForAnyValue:StringEquals":{"kms:EncryptionContextKeys":"Tenant"}`, none, false},
		{`"ForAnyValue:StringNotEquals":{"kms:EncryptionContextKeys":"Tenant"}`, pairs, true},
		{`"ForAnyValue:StringNotEquals":{"kms:EncryptionContextKeys":"Tenant"}`, none, false},
		{`"ForAnyValue:StringEqualsIfExists":{"kms:EncryptionContextKeys":"Tenant"}`, none, false},
		{`"ForAllValues:StringEqualsIfExists":{"kms:EncryptionContextKeys":"Tenant"}`, none, true},
		{`"ForAllValues:StringEquals":{"kms:EncryptionContextKeys":"Tenant"}`, pairs, false},
		{`"ForAllValues:StringEquals":{"kms:EncryptionContextKeys":["Tenant","Region"]}`, pairs, true},
		{`"ForAllValues:StringEquals":{"kms:EncryptionContextKeys":"Tenant"}`, none, true},
		{`"ForAllValues:StringNotEquals":{"kms:EncryptionContextKeys":"Tenant"}`, pairs, false},
	} {
		q := ByRole(role, session, "kms:Decrypt", "arn:aws:kms:eu-west-1:"+account+":key/k1")
		if c.pairs != nil { // otherwise it is not known
			q = q.Encrypting(c.pairs)
		}
		allow := parse(t, Identity, `{"Effect":"Allow","Action":"kms:*","Resource":"*","Condition":{`+c.condition+`}}`)
		if d := (Policies{Identity: allow}).Evaluate(q); d.Allowed != c.want {
			t.Errorf("%s with %v: got %v, want %v", c.condition, c.pairs, d.Allowed, c.want)
		}
	}
}

func TestUnsupportedPartsAllowNothing(t *testing.T) {
	q := ByService("sns.amazonaws.com", topic, "sqs:SendMessage", queue)
	for _, c := range []struct{ more, want string }{
		{`"Principal":"*","Condition":{"BinaryEquals":{"aws:SecureTransport":"true"}}`,
			"the condition operator BinaryEquals"},
		{`"Principal":"*","Condition":{"BinaryEqualsIfExists":{"aws:SecureTransport":"true"}}`,
			"the condition operator BinaryEqualsIfExists"},
		{`"Principal":"*","Condition":{"IpAddress":{"aws:SourceArn":"10.0.0.0/33"}}`,
			`the value "10.0.0.0/33" of the condition operator IpAddress`},
		{`"Principal":"*","Condition":{"ForAnyValue:ForAllValues:StringEquals":{"aws:SourceArn":"` + topic + `"}}`,
			"the condition operator ForAnyValue:ForAllValues:StringEquals"},
		{`"Principal":"*","Condition":{"stringequals":{"aws:SourceArn":"` + topic + `"}}`,
			"the condition operator stringequals"},
		{`"Principal":"*","Condition":{"StringEquals":{"aws:SourceIp":"10.0.0.1"}}`, "the condition key aws:SourceIp"},
		{`"Principal":"*","Condition":{"StringNotEquals":{"aws:SourceVpc":"vpc-1"}}`,
			"the condition key aws:SourceVpc"},
		{`"Principal":"*","Condition":{"Null":{"aws:SourceVpc":"true"}}`, "the condition key aws:SourceVpc"},
		{`"Principal":"*","Condition":{"StringEquals":{"aws:SourceArn":["` + topic + `","${aws:PrincipalTag/topic}"]}}`,
			"the policy variable in ${aws:PrincipalTag/topic}"},
		{`"NotPrincipal":"*"`, "the element NotPrincipal"},
	} {
		allow := Policies{Resource: parse(t, Resource, may("Allow", ","+c.more))}
		if got := allow.Evaluate(q); got.Allowed || !slices.Equal(got.NotUnderstood, []string{c.want}) {
			t.Errorf("an Allow with %s: allowed %v, unsupported %q; want false, %q",
				c.more, got.Allowed, got.NotUnderstood, c.want)
		}
		deny := Policies{Resource: parse(t, Resource, list(may("Allow", `,"Principal":"*"`), may("Deny", ","+c.more)))}
		if got := deny.Evaluate(q); got.Allowed || !slices.Equal(got.NotUnderstood, []string{c.want}) {
			t.Errorf("a Deny with %s: allowed %v, unsupported %q; want false, %q",
				c.more, got.Allowed, got.NotUnderstood, c.want)
		}
	}
}

func TestDecisionNamesTheStatement(t *testing.T) {
	identity := parse(t, Identity, may("Allow", `,"Sid":"Send"`))
	identity[0].Name = "RolePolicy stock"
	got := Policies{Identity: identity}.Evaluate(ByRole(role, session, "sqs:SendMessage", queue))
	if got.Statement == nil || got.Statement.ID != "Send" || got.Policy != "RolePolicy stock" {
		t.Errorf("got statement %+v of %q, want Send of RolePolicy stock", got.Statement, got.Policy)
	}
}

func TestParseRefusesWhatAWSRefuses(t *testing.T) {
	for _, c := range []struct {
		kind       Kind
		text, want string
	}{
		{Identity, ``, "EOF"},
		{Identity, `{"Statement":[]}{}`, "more text follows"},
		{Identity, `{"Version":"2026-11-28","Statement":[]}`, `Version is "2026-11-28"`},
		{Identity, `{}`, "no Statement"},
		{Resource, `{"Version":"2012-10-17"}`, "no Statement"},
		{Identity, `{"Statements":[]}`, `unknown field "Statements"`},
		{Identity, `{"Statement":{"Effect":"allow","Action":"*","Resource":"*"}}`, `Effect is "allow"`},
		{Identity, `{"Statement":{"Effect":"Allow","Resource":"*"}}`, "Action or NotAction"},
		{Identity, `{"Statement":{"Effect":"Allow","Action":"a","NotAction":"b","Resource":"*"}}`,
			"Action or NotAction"},
		{Identity, `{"Statement":{"Effect":"Allow","Action":"*"}}`, "Resource or NotResource"},
		{Identity, `{"Statement":{"Effect":"Allow","Principal":"*","Action":"*","Resource":"*"}}`,
			"it names a Principal"},
		{Identity, `{"Statement":[{"Effect":"Allow","Action":"*","Resource":"*"},{"Effect":"Allow","Action":"*",` +
			`"Resource":"*","Conditions":{}}]}`, `unknown field "Conditions"`},
		{Identity, `{"Statement":{"Effect":"Allow","Action":{"a":"b"},"Resource":"*"}}`, "want a string"},
		{Resource, `{"Statement":{"Effect":"Allow","Action":"*","Resource":"*"}}`, "Principal or NotPrincipal"},
		{Resource, `{"Statement":{"Effect":"Allow","Principal":{"Services":"sns.amazonaws.com"},"Action":"*",` +
			`"Resource":"*"}}`, `unknown field "Services"`},
		{Resource, `{"Statement":[{"Effect":"Allow","Principal":"*","Action":"*","Resource":"*"},{"Effect":"Allow",` +
			`"Principal":"me","Action":"*","Resource":"*"}]}`, "Principal"},
		{Trust, `{"Statement":{"Effect":"Allow","Principal":"*","Action":"sts:AssumeRole","Resource":"*"}}`,
			"it names a Resource"},
	} {
		if _, err := Parse(c.kind, c.text); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("Parse(%d, %s): got %v, want an error with %q", c.kind, c.text, err, c.want)
		}
	}
}

// https://docs.aws.amazon.com/secretsmanager/latest/userguide/rotating-secrets-required-permissions-function.html
func TestSecretsManagerSendsOnlyTheAccount(t *testing.T) {
	const (
		function = "arn:aws:lambda:eu-west-1:" + account + ":function:rotate"
		secret   = "arn:aws:secretsmanager:eu-west-1:" + account + ":secret:database-AbCdEf"
	)
	for condition, want := range map[string]bool{
		`"StringEquals":{"aws:SourceAccount":"` + account + `"}`:                                              true,
		`"StringEquals":{"aws:SourceAccount":"999999999999"}`:                                                 false,
		`"ArnEquals":{"aws:SourceArn":"` + secret + `"}`:                                                      false,
		`"Null":{"aws:SourceArn":"true"}`:                                                                     true,
		`"StringEquals":{"aws:SourceAccount":"` + account + `"},"ArnLike":{"aws:SourceArn":"` + secret + `"}`: false,
	} {
		policy := parse(t, Resource, `{"Effect":"Allow","Principal":{"Service":"secretsmanager.amazonaws.com"},`+
			`"Action":"lambda:InvokeFunction","Resource":"`+function+`","Condition":{`+condition+`}}`)
		q := ByService("secretsmanager.amazonaws.com", secret, "lambda:InvokeFunction", function)
		got := Policies{Resource: policy}.Evaluate(q)
		if got.Allowed != want {
			t.Errorf("%s: allowed %v, want %v", condition, got.Allowed, want)
		}
	}
}

func TestTrustPolicyNamesNoResource(t *testing.T) {
	trust := parse(t, Trust,
		`{"Effect":"Allow","Principal":{"Service":"lambda.amazonaws.com"},"Action":"sts:AssumeRole"}`)
	for service, want := range map[string]bool{"lambda.amazonaws.com": true, "ec2.amazonaws.com": false} {
		got := Policies{Resource: trust}.Evaluate(ByService(service, queue, "sts:AssumeRole", role))
		if got.Allowed != want {
			t.Errorf("%s may assume the role: %v, want %v", service, got.Allowed, want)
		}
	}
}

func TestPatterns(t *testing.T) {
	for _, c := range []struct {
		pattern, text string
		want          bool
	}{
		{"", "", true}, {"", "a", false}, {"*", "", true}, {"**", "a", true}, {"?", "", false}, {"?", "é", true},
		{"a*b*c", "aXbXbc", true}, {"a*b*c", "aXbXb", false}, {"*a", "aaab", false}, {"a.c", "abc", false},
		{"a*", "a\nb", true},
		{strings.Repeat("*a", 30) + "b", strings.Repeat("a", 5000), false},
	} {
		if got := like(c.pattern, c.text); got != c.want {
			t.Errorf("like(%q, %.20q) = %v, want %v", c.pattern, c.text, got, c.want)
		}
	}
}

func TestAStatementNamesAResourceAndItsParts(t *testing.T) {
	const bucket = "arn:aws:s3:::files"
	for statement, want := range map[string]bool{
		`"Action":"s3:GetObject","Resource":"arn:aws:s3:::files/*"`:           true,
		`"Action":"S3:*","Resource":"arn:aws:s3:::files"`:                     true,
		`"Action":"s3:PutObject","Resource":"arn:aws:s3:::files/in/*"`:        true,
		`"Action":"*","Resource":"*"`:                                         true,
		`"NotAction":"iam:*","Resource":"*"`:                                  true,
		`"Action":"s3:GetObject","Resource":"arn:aws:s3:::fi*/*"`:             true,
		`"Action":"s3:GetObject","NotResource":"arn:aws:s3:::others/*"`:       true,
		`"Action":"s3:GetObject","NotResource":"arn:aws:s3:::files"`:          false,
		`"Action":"s3:GetObject","Resource":"arn:aws:s3:::files-of-others/*"`: false,
		`"Action":"s3:GetObject","Resource":"arn:aws:s3:::others"`:            false,
		`"Action":"s3control:GetObject","Resource":"*"`:                       false,
	} {
		d, err := Parse(Identity,
			`{"Version":"2012-10-17","Statement":[{"Effect":"Allow",`+statement+`}]}`)
		if err != nil {
			t.Fatal(err)
		}
		if got := d.Statements[0].Names("s3", bucket); got != want {
			t.Errorf("%s names %s: got %v, want %v", statement, bucket, got, want)
		}
	}
}

func TestConditionsOnTheAddressOfTheCaller(t *testing.T) {
	for _, c := range []struct {
		networks, address string
		inside            bool
	}{
		{`"203.0.113.0/24"`, "203.0.113.77", true},
		{`"203.0.113.0/24"`, "203.0.114.77", false},
		{`"203.0.113.77"`, "203.0.113.77", true},
		{`"203.0.113.77"`, "203.0.113.78", false},
		{`["10.0.0.0/8","2001:db8::/32"]`, "2001:db8:1::7", true},
		{`["10.0.0.0/8","2001:db8::/32"]`, "2001:db9::7", false},
		{`"2001:db8::7"`, "2001:db8:0::7", true},
		{`"2001:db8::7"`, "2001:db8::8", false},
		{`"127.0.0.0/8"`, "::ffff:127.0.0.1", true}, // the IPv4 address of a connection over IPv6
		{`"0.0.0.0/0"`, "2001:db8::7", false},
	} {
		for operator, want := range map[string]bool{"IpAddress": c.inside, "NotIpAddress": !c.inside} {
			statement := may("Allow", `,"Principal":"*","Condition":{"`+operator+`":{"aws:SourceIp":`+c.networks+`}}`)
			got := Policies{Resource: parse(t, Resource, statement)}.Evaluate(
				ByAnybody("sqs:SendMessage", queue).From(c.address))
			if got.Allowed != want || len(got.NotUnderstood) > 0 {
				t.Errorf("%s %s from %s: allowed %v, unsupported %q; want %v, nothing unsupported",
					operator, c.networks, c.address, got.Allowed, got.NotUnderstood, want)
			}
		}
	}
}

func TestAConditionOnAnAddressMustBeTheSameInEverySubnet(t *testing.T) {
	q := ByRole(role, session, "sqs:SendMessage", queue).Through(
		VPCEndpoint{ID: "vpce-1", VPC: "vpc-1", SourceIP: "10.0.0.4 10.0.1.4"})
	for block, want := range map[string]struct{ allows, denies bool }{
		"10.0.0.0/16": {true, true}, "10.9.0.0/16": {false, false}, "10.0.1.0/24": {false, true},
	} {
		condition := map[string]map[string]Texts{"IpAddress": {"aws:VpcSourceIp": {block}}}
		allows, _ := Statement{Effect: "Allow", Condition: condition}.holds(q)
		denies, _ := Statement{Effect: "Deny", Condition: condition}.holds(q)
		if allows != want.allows || denies != want.denies {
			t.Errorf("%s: an Allow holds: %v, a Deny: %v, want %+v", block, allows, denies, want)
		}
	}
}
