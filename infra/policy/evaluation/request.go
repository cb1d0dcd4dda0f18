package evaluation

import (
	"maps"
	"slices"
	"strings"
)

// A Request is a call of AWS that policies decide about. [ByRole], [ByService] and [ByAnybody] make
// one.
type Request struct {
	Caller   Caller
	Action   string // "sqs:SendMessage", in any case
	Resource string // an ARN; "*" for an action without a resource

	// Context holds the values of condition keys. The keys are in lower case. An empty list says
	// that such a request does not have the key on AWS. Conditions on other keys are not supported.
	// https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_condition-keys.html
	Context map[string][]string
}

// A Caller is the session of a role, or a service of AWS. The zero value is somebody who has not
// signed the request.
type Caller struct {
	Role    string // ARN of the role
	Session string // ARN of the role's session
	Service string // "sns.amazonaws.com"
}

// overTLS is the value of aws:SecureTransport. It is always true: on AWS, the SDKs and AWS's
// services use TLS, even if the local run does not. A policy that denies calls without TLS denies
// no call of the stack.
// https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_condition-keys.html#condition-keys-securetransport
const overTLS = "true"

// ByRole returns a request of a session of a role.
func ByRole(role, session, action, resource string) Request {
	q := Request{
		Caller: Caller{Role: role, Session: session}, Action: action, Resource: resource,
		Context: map[string][]string{
			"aws:securetransport":       {overTLS},
			"aws:principalarn":          {role}, // not the session
			"aws:principalaccount":      {accountOf(role)},
			"aws:principaltype":         {"AssumedRole"},
			"aws:principalisawsservice": {"false"},
			"aws:viaawsservice":         {"false"},
			"aws:sourcearn":             {},
			"aws:sourceaccount":         {},
		},
	}
	if q.usesKey() {
		q.Context["kms:viaservice"] = nil
		q.Context["kms:calleraccount"] = []string{accountOf(role)}
	}
	return q
}

// Via returns the request as a service of AWS makes it with the permissions of its caller:
// "s3.eu-west-1.amazonaws.com" decrypts an object that a role reads.
// https://docs.aws.amazon.com/IAM/latest/UserGuide/access_forward_access_sessions.html
// https://docs.aws.amazon.com/kms/latest/developerguide/conditions-kms.html#conditions-kms-via-service
func (q Request) Via(service string) Request {
	q.Context = maps.Clone(q.Context)
	q.Context["aws:viaawsservice"] = []string{"true"}
	if q.usesKey() {
		q.Context["kms:viaservice"] = []string{service}
	}
	return q
}

// From returns the request of a caller with an IP address.
// https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_condition-keys.html#condition-keys-sourceip
func (q Request) From(sourceIP string) Request {
	q.Context = maps.Clone(q.Context)
	q.Context["aws:sourceip"] = []string{sourceIP}
	return q
}

// A VPCEndpoint is an endpoint of a VPC through which a request reaches a service of AWS. The zero
// value says that the request passes none.
type VPCEndpoint struct {
	ID  string `json:"id"`
	VPC string `json:"vpc"`
	// SourceIP has an address for each subnet of the caller, with spaces between them. It is empty
	// if they are not known.
	SourceIP string `json:"sourceIp,omitempty"`
}

// vpcSourceIP is a condition key, in lower case. Of several values in a context, a request has one.
const vpcSourceIP = "aws:vpcsourceip"

// Through returns the request of a caller that reaches the service through an endpoint, or through
// none. Only a request through an endpoint has no aws:SourceIp. AWS chooses the value of others.
// https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_condition-keys.html#condition-keys-network-properties
func (q Request) Through(e VPCEndpoint) Request {
	q.Context = maps.Clone(q.Context)
	q.Context["aws:sourcevpce"], q.Context["aws:sourcevpc"], q.Context[vpcSourceIP] = nil, nil, nil
	if e.ID == "" {
		return q
	}
	q.Context["aws:sourceip"] = nil
	q.Context["aws:sourcevpce"], q.Context["aws:sourcevpc"] = []string{e.ID}, []string{e.VPC}
	if delete(q.Context, vpcSourceIP); e.SourceIP != "" {
		q.Context[vpcSourceIP] = strings.Fields(e.SourceIP)
	}
	return q
}

// The condition keys of an encryption context, in lower case.
// https://docs.aws.amazon.com/kms/latest/developerguide/conditions-kms.html#conditions-kms-encryption-context
const (
	encryptionContext     = "kms:encryptioncontext:" // before the name of a pair, whose case does not count
	encryptionContextKeys = "kms:encryptioncontextkeys"
)

// Encrypting returns a request of KMS with an encryption context.
func (q Request) Encrypting(pairs map[string]string) Request {
	q.Context = maps.Clone(q.Context)
	q.Context[encryptionContextKeys] = slices.Sorted(maps.Keys(pairs))
	for name, value := range pairs {
		key := encryptionContext + strings.ToLower(name)
		q.Context[key] = append(q.Context[key], value)
	}
	return q
}

// usesKey reports whether the request is one of KMS.
func (q Request) usesKey() bool { return strings.HasPrefix(strings.ToLower(q.Action), "kms:") }

// ByService returns a request of a service of AWS on behalf of a resource, the source. The
// requested resource is in the same account.
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

// ByAnybody returns a request without a signature. Only the policy of the resource decides about
// it.
// https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_principal.html#principal-anonymous
func ByAnybody(action, resource string) Request {
	return Request{Action: action, Resource: resource, Context: map[string][]string{
		"aws:securetransport":       {overTLS},
		"aws:principalarn":          {},
		"aws:principalaccount":      {},
		"aws:principalisawsservice": {"false"},
		"aws:sourcearn":             {},
		"aws:sourceaccount":         {},
	}}
}

// secretsManager sends the account as the source of an invocation, and not the secret's ARN:
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

// isOf reports whether a principal is the caller's account.
func (c Caller) isOf(p *Principal) bool {
	account := accountOf(c.Role)
	return account != "" && (slices.Contains(p.AWS, account) || slices.Contains(p.AWS, "arn:aws:iam::"+account+":root"))
}

// accountOf returns the account in an ARN, empty if the ARN has none.
func accountOf(arn string) string {
	if parts := strings.SplitN(arn, ":", 6); len(parts) == 6 {
		return parts[4]
	}
	return ""
}
