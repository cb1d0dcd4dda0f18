package evaluation

import (
	"slices"
	"strings"
)

// A Request is what policies decide about. [ByRole] and [ByService] make one.
type Request struct {
	Caller   Caller
	Action   string // "sqs:SendMessage", in any case
	Resource string // an ARN; "*" for an action that is not one on a resource

	// Context holds the values of condition keys, the keys in lower case. A key with an empty list is one that such a request
	// does not have on AWS. What a key that is not here would be, nobody knows: a condition on it is not understood.
	// https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_condition-keys.html
	Context map[string][]string
}

// A Caller is who asks: the session of a role, or a service of AWS.
type Caller struct {
	Role    string // ARN of the role
	Session string // ARN of the role's session
	Service string // "sns.amazonaws.com"
}

// overTLS is the value of aws:SecureTransport. It is true whoever asks: on AWS the SDKs, and AWS's own services, call over TLS, whatever
// stands in for AWS here. A policy that denies calls without TLS denies nothing that the stack does.
// https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_condition-keys.html#condition-keys-securetransport
const overTLS = "true"

// ByRole is a request that a session of a role makes.
func ByRole(role, session, action, resource string) Request {
	return Request{
		Caller: Caller{Role: role, Session: session}, Action: action, Resource: resource,
		Context: map[string][]string{
			"aws:securetransport":       {overTLS},
			"aws:principalarn":          {role}, // the role's, not the session's
			"aws:principalaccount":      {accountOf(role)},
			"aws:principaltype":         {"AssumedRole"},
			"aws:principalisawsservice": {"false"},
			"aws:viaawsservice":         {"false"},
			"aws:sourcearn":             {},
			"aws:sourceaccount":         {},
		},
	}
}

// ByService is a request that a service of AWS makes on behalf of a resource, the source, in whose account the asked resource is as
// well.
func ByService(service, source, action, resource string) Request {
	sourceARN := []string{source}
	if service == secretsManager {
		sourceARN = nil
	}
	return Request{
		Caller: Caller{Service: service}, Action: action, Resource: resource,
		Context: map[string][]string{
			"aws:securetransport":       {overTLS},
			"aws:principalisawsservice": {"true"},
			"aws:principalservicename":  {service},
			"aws:sourcearn":             sourceARN,
			"aws:sourceaccount":         {accountOf(source)},
		},
	}
}

// secretsManager says on whose behalf it invokes by the account alone, and not by the secret:
// https://docs.aws.amazon.com/secretsmanager/latest/userguide/rotating-secrets-required-permissions-function.html
const secretsManager = "secretsmanager.amazonaws.com"

// is reports whether a principal is, or includes, the caller.
func (c Caller) is(p *Principal) bool {
	if p.Everybody {
		return true
	}
	if c.Service != "" {
		return slices.Contains(p.Service, c.Service)
	}
	return slices.Contains(p.AWS, c.Role) || slices.Contains(p.AWS, c.Session) || c.isOf(p)
}

// isOf reports whether a principal names the caller's account.
func (c Caller) isOf(p *Principal) bool {
	account := accountOf(c.Role)
	return account != "" && (slices.Contains(p.AWS, account) || slices.Contains(p.AWS, "arn:aws:iam::"+account+":root"))
}

// accountOf is the account in an ARN. The ARNs of HTTP APIs' routes, topics, functions and roles all say it.
func accountOf(arn string) string {
	if parts := strings.SplitN(arn, ":", 6); len(parts) == 6 {
		return parts[4]
	}
	return ""
}
