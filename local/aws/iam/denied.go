package iam

import (
	"cmp"
	"context"
	"fmt"
	"log/slog"
	"path"
	"strings"

	"restock/infra/policy"
	"restock/infra/policy/declared"
	"restock/infra/policy/evaluation"
	"restock/infra/policy/usage"
	"restock/local/view/events"
)

// AccessDenied is the refusal of a request. Its text is AWS's.
type AccessDenied struct {
	Principal string // ARN of a role's session, the name of a service, or "anonymous"
	Function  string // whose session that is; "" for others
	Source    string // ARN of the resource on whose behalf a service called; "" if unknown
	Action    string
	Resource  string // ARN, or "*"
	Decision  evaluation.Decision

	// Missing is the statement that would allow the request. It is nil if a statement denies the
	// request, or the role's boundary does not allow it.
	Missing *policy.Statement
	// DeclaredIn is the place where the project declares such statements: a file and a name in it.
	DeclaredIn string
}

// policyNames are AWS's names of the policies in its error messages.
// https://docs.aws.amazon.com/IAM/latest/UserGuide/troubleshoot_access-denied.html
var policyNames = map[evaluation.Kind]struct{ article, name string }{
	evaluation.Identity: {"an", "identity-based policy"},
	evaluation.Resource: {"a", "resource-based policy"},
	evaluation.Trust:    {"the", "role trust policy"},
	evaluation.Boundary: {"a", "permissions boundary"},
	evaluation.Endpoint: {"a", "VPC endpoint policy"},
}

func (e *AccessDenied) Error() string {
	action := e.written()
	return fmt.Sprintf("User: %s is not authorized to perform: %s on resource: %s %s", e.Principal, action,
		e.Resource, e.reason(action))
}

// written returns the action as the service's refusals write it. The log has IAM's name.
// https://github.com/aws/serverless-application-model/issues/3633 has SQS's,
// https://github.com/aws-ia/terraform-aws-control_tower_account_factory/issues/151 SNS's.
func (e *AccessDenied) written() string {
	switch service, name, _ := strings.Cut(e.Action, ":"); service {
	case "sqs":
		return strings.ToLower(e.Action)
	case "sns":
		return "SNS:" + name
	default:
		return e.Action
	}
}

func (e *AccessDenied) reason(action string) string {
	by := policyNames[e.Decision.By]
	if e.Decision.Statement != nil {
		return fmt.Sprintf("with an explicit deny in %s %s", by.article, by.name)
	}
	return fmt.Sprintf("because no %s allows the %s action", by.name, action)
}

// AccessDenied tells callers in other packages that a retry will fail too.
func (e *AccessDenied) AccessDenied() bool { return true }

// attrs returns the log attributes of the refusal, including the fix.
func (e *AccessDenied) attrs() []slog.Attr {
	attrs := []slog.Attr{
		events.AccessDenied.Attr(),
		slog.String("principal", e.Principal), slog.String("action", e.Action), slog.String("resource", e.Resource),
	}
	if e.Source != "" {
		attrs = append(attrs, slog.String("source", e.Source))
	}
	if e.Function != "" {
		attrs = append(attrs, slog.String("function", e.Function))
	}
	attrs = append(attrs, slog.String("reason", strings.TrimPrefix(e.reason(e.Action), "because ")))
	switch {
	case e.Missing != nil:
		attrs = append(attrs, slog.String("missing", sentence(e.Missing)))
	case e.Decision.Statement != nil:
		attrs = append(attrs, slog.String("denied_by", e.Decision.Policy))
	}
	if unknown := e.Decision.NotUnderstood; len(unknown) > 0 {
		attrs = append(attrs, slog.String("not_understood", strings.Join(unknown, ", ")))
	}
	return append(attrs, slog.String("declared_in", e.DeclaredIn))
}

// sentence describes a missing statement to people, who write it as a struct: "Allow
// sqs:SendMessage on arn:… to sns.amazonaws.com where aws:SourceArn ArnEquals arn:…".
func sentence(s *policy.Statement) string {
	words := s.Effect + " " + strings.Join(s.Action, ", ")
	if len(s.Resource) > 0 {
		words += " on " + strings.Join(s.Resource, ", ")
	}
	if s.Principal != nil {
		words += " to " + s.Principal.Service
	}
	for operator, keys := range s.Condition {
		for key, value := range keys {
			words += fmt.Sprintf(" where %s %s %s", key, operator, value)
		}
	}
	return words
}

// refusal identifies a kind of refusal: repetitions are equal.
type refusal struct{ principal, action, resource string }

// anonymous is AWS's name of somebody who has not signed a request.
const anonymous = "anonymous"

// answer returns a decision to the caller as an error, and logs a refusal.
func (a *Authority) answer(call usage.Call, d evaluation.Decision) error {
	if d.Allowed {
		if a.made != nil && (call.Role != "" || call.Service != "") {
			a.made(call)
		}
		return nil
	}
	q, principal := call.Request(), cmp.Or(call.Service, call.Session, anonymous)
	denied := &AccessDenied{
		Principal: principal, Action: q.Action, Resource: q.Resource, Decision: d,
		Missing: missing(q, d), DeclaredIn: a.declaredIn(q, d),
	}
	if q.Caller.Role != "" {
		denied.Function = path.Base(principal)
	}
	if source := q.Context["aws:sourcearn"]; len(source) > 0 {
		denied.Source = source[0]
	}
	a.report(denied)
	return denied
}

// maxTold limits the remembered refusals. A function may request any number of invented resources.
const maxTold = 1000

// report logs a refusal: at level warn the first of its kind, at level debug its repetitions.
func (a *Authority) report(e *AccessDenied) {
	key := refusal{e.Principal, e.Action, e.Resource}
	a.mu.Lock()
	told := a.told[key]
	if !told && len(a.told) >= maxTold {
		clear(a.told) // a repeated warning is better than a missing one
	}
	a.told[key] = true
	a.mu.Unlock()
	level := slog.LevelWarn
	if told {
		level = slog.LevelDebug
	}
	a.log.LogAttrs(context.Background(), level, "access denied", e.attrs()...)
	if !told && a.refused != nil {
		a.refused(e)
	}
}

// Advice says in one line which statement is missing and where it belongs, or what denied the
// request.
func (e *AccessDenied) Advice() string {
	if e.Missing != nil {
		return fmt.Sprintf("%s may not %s: the statement %q is missing (%s)", e.Principal, e.Action,
			sentence(e.Missing), e.DeclaredIn)
	}
	return fmt.Sprintf("%s may not %s on %s: %s (%s)", e.Principal, e.Action, e.Resource, e.reason(e.Action),
		e.DeclaredIn)
}

// missing returns the statement without which a request is denied.
func missing(q evaluation.Request, d evaluation.Decision) *policy.Statement {
	if d.Statement != nil || d.By == evaluation.Boundary {
		return nil
	}
	s := &policy.Statement{Effect: "Allow", Action: []string{q.Action}, Resource: []string{q.Resource}}
	if q.Caller.Service == "" {
		return s
	}
	s.Principal = &policy.Principal{Service: q.Caller.Service}
	if d.By == evaluation.Trust {
		s.Resource = nil // a trust policy applies to its role
		return s
	}
	// The condition is as exact as the service's information.
	if source := q.Context["aws:sourcearn"]; len(source) > 0 {
		s.Condition = policy.Condition{"ArnEquals": {"aws:SourceArn": source[0]}}
	} else if account := q.Context["aws:sourceaccount"]; len(account) > 0 {
		s.Condition = policy.Condition{"StringEquals": {"aws:SourceAccount": account[0]}}
	}
	return s
}

// A Need is a statement that a request needs, or that denies it.
type Need struct {
	Policy   evaluation.Kind // of the policy that the statement belongs to
	Role     string          // the ARN of the caller's role; "" for a service
	Resource string          // the ARN of what the request is about
	Variable string          // of the function's environment, which holds that ARN; "" where none does
}

// resourcePolicies are what AWS calls the policies of resources, by the service in their ARN.
var resourcePolicies = map[string]string{
	"sqs":            "in the queue's policy",
	"sns":            "in the topic's policy",
	"lambda":         "as a lambda.Permission",
	"secretsmanager": "in the secret's policy",
	"s3":             "in the bucket's policy",
	"dynamodb":       "in the table's policy",
	"execute-api":    "in the API's policy",
	"kms":            "in the key's policy",
}

// declaredIn returns the place where the project declares the statements that decided, or that are
// missing.
func (a *Authority) declaredIn(q evaluation.Request, d evaluation.Decision) string {
	if a.declared != nil {
		need := Need{d.By, q.Caller.Role, q.Resource, a.variables[q.Caller.Role][q.Resource]}
		if where := a.declared(need); where != "" {
			return where
		}
	}
	owner, what := q.Caller.Role, "in the role's policy"
	switch d.By {
	case evaluation.Trust:
		owner, what = q.Resource, "in the role's trust policy"
	case evaluation.Boundary:
		what = "in the role's permissions boundary"
	case evaluation.Endpoint:
		return "in the policy of " + d.Policy
	case evaluation.Resource:
		service, _, _ := strings.Cut(strings.TrimPrefix(q.Resource, "arn:aws:"), ":")
		owner, what = declared.Owner(q.Resource), resourcePolicies[service]
	}
	return strings.TrimPrefix(a.sources[owner]+", "+what, ", ")
}
