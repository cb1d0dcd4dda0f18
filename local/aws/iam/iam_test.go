package iam_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"regexp"
	"slices"
	"strings"
	"testing"

	"restock/infra/graph"
	"restock/infra/policy"
	"restock/infra/policy/evaluation"
	"restock/infra/policy/usage"
	"restock/local/aws/awsapi"
	"restock/local/aws/iam"
)

const (
	account     = graph.AccountID
	region      = "eu-west-1"
	roleARN     = "arn:aws:iam::" + account + ":role/shop/dev/stock-role"
	session     = "arn:aws:sts::" + account + ":assumed-role/stock-role/stock"
	functionARN = "arn:aws:lambda:" + region + ":" + account + ":function:stock"
	queueARN    = "arn:aws:sqs:" + region + ":" + account + ":stock_queue"
	topicARN    = "arn:aws:sns:" + region + ":" + account + ":stock_empty"
	secretARN   = "arn:aws:secretsmanager:" + region + ":" + account + ":secret:callback-key-AbCdEf"
	otherARN    = "arn:aws:secretsmanager:" + region + ":" + account + ":secret:database-AbCdEf"
	ruleARN     = "arn:aws:events:" + region + ":" + account + ":rule/minute"
	boundaryARN = "arn:aws:iam::" + account + ":policy/boundary"
)

func allow(action, resource string) policy.Statement {
	return policy.Statement{Effect: "Allow", Action: []string{action}, Resource: []string{resource}}
}

func by(p policy.Principal, s policy.Statement) policy.Statement {
	s.Principal = &p
	return s
}

func document(t *testing.T, statements ...policy.Statement) string {
	t.Helper()
	text, err := json.Marshal(policy.New(statements...))
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// resource is declared in a file of its name. A role and a function are in role.go and function.go.
func resource(token graph.Type, name string, outputs map[string]any) *graph.Resource {
	file := name
	switch token {
	case graph.Role:
		file = "role"
	case graph.Function:
		file = "function"
	}
	return &graph.Resource{
		URN: string(token) + "::" + name, Type: token, Name: name, Outputs: outputs, Source: "program/" + file + ".go",
	}
}

// stack is a function with its role, a queue, a topic and a secret. Only the resources in more
// allow anything.
func stack(t *testing.T, more ...*graph.Resource) *graph.Graph {
	t.Helper()
	return &graph.Graph{Region: region, Resources: append(more,
		resource(graph.Role, "stock",
			map[string]any{"name": "stock-role", "arn": roleARN, "assumeRolePolicy": document(t,
				policy.Statement{Effect: "Allow", Principal: &policy.Principal{Service: "lambda.amazonaws.com"},
					Action: []string{"sts:AssumeRole"}})}),
		resource(graph.Function, "stock", map[string]any{"name": "stock", "arn": functionARN, "role": roleARN,
			"environment": map[string]any{"variables": map[string]any{"CALLBACK_KEY_SECRET": secretARN}}}),
		resource(graph.Queue, "stock_queue", map[string]any{
			"name": "stock_queue", "arn": queueARN, "url": "https://queue",
		}),
		resource(graph.Topic, "stock_empty", map[string]any{"name": "stock_empty", "arn": topicARN}),
		resource(graph.Secret, "callback-key", map[string]any{"name": "callback-key", "arn": secretARN}),
	)}
}

func rolePolicy(t *testing.T, statements ...policy.Statement) *graph.Resource {
	return resource(graph.RolePolicy, "stock", map[string]any{
		"role": "stock-role", "policy": document(t, statements...),
	})
}

func queuePolicy(t *testing.T, statements ...policy.Statement) *graph.Resource {
	return resource(graph.QueuePolicy, "stock_queue", map[string]any{
		"queueUrl": "https://queue", "policy": document(t, statements...),
	})
}

func newAuthority(t *testing.T, g *graph.Graph) (*iam.Authority, *bytes.Buffer) {
	t.Helper()
	var log bytes.Buffer
	a, err := iam.New(iam.Config{
		Graph: g, Log: slog.New(slog.NewTextHandler(&log, &slog.HandlerOptions{Level: slog.LevelDebug})),
	})
	if err != nil {
		t.Fatal(err)
	}
	return a, &log
}

// The wording: https://docs.aws.amazon.com/IAM/latest/UserGuide/troubleshoot_access-denied.html
func TestRefusalSaysWhoWhatWhyAndHowToMendIt(t *testing.T) {
	publish := by(policy.Principal{Service: "sns.amazonaws.com"}, allow("sqs:SendMessage", queueARN))
	deny := policy.EncryptedOnly(queueARN, "sqs:SendMessage")
	deny.Condition = nil
	for _, c := range []struct {
		name                         string
		g                            *graph.Graph
		ask                          func(*iam.Authority) error
		text, missing, in, inTheLine string
	}{
		{
			"a role without the grant", stack(t),
			func(a *iam.Authority) error {
				c, _ := a.Issue(roleARN, "stock")
				return a.Authorize(c.AccessKeyID, awsapi.Permission{
					Action: "secretsmanager:GetSecretValue", Resource: secretARN,
				})
			},
			"User: " + session + " is not authorized to perform: secretsmanager:GetSecretValue on resource: " +
				secretARN +
				" because no identity-based policy allows the secretsmanager:GetSecretValue action",
			`{"Effect":"Allow","Action":["secretsmanager:GetSecretValue"],"Resource":["` + secretARN + `"]}`,
			"program/role.go, in the role's policy", "principal=" + session,
		},
		{
			"a role that names what no variable does", stack(t),
			func(a *iam.Authority) error {
				c, _ := a.Issue(roleARN, "stock")
				return a.Authorize(c.AccessKeyID, awsapi.Permission{
					Action: "secretsmanager:GetSecretValue", Resource: otherARN,
				})
			},
			"because no identity-based policy allows", otherARN,
			"program/role.go, in the role's policy", "",
		},
		{
			"a role that its own policy denies", stack(t, rolePolicy(t, allow("*", "*"), policy.Statement{
				Effect: "Deny", Action: []string{"*"}, Resource: []string{secretARN},
			})),
			func(a *iam.Authority) error {
				c, _ := a.Issue(roleARN, "stock")
				return a.Authorize(c.AccessKeyID, awsapi.Permission{
					Action: "secretsmanager:GetSecretValue", Resource: secretARN,
				})
			},
			secretARN + " with an explicit deny in an identity-based policy", "",
			"program/role.go, in the role's policy",
			`denied_by="RolePolicy stock"`,
		},
		{
			"a role that the queue's policy denies", stack(t, rolePolicy(t, allow("*", "*")), queuePolicy(t, deny)),
			func(a *iam.Authority) error {
				c, _ := a.Issue(roleARN, "stock")
				return a.Authorize(c.AccessKeyID, awsapi.Permission{Action: "sqs:SendMessage", Resource: queueARN})
			},
			queueARN + " with an explicit deny in a resource-based policy", "",
			"program/stock_queue.go, in the queue's policy", `denied_by="QueuePolicy stock_queue"`,
		},
		{
			"a topic that may not send to a queue", stack(t),
			func(a *iam.Authority) error {
				return a.AuthorizeService("sns.amazonaws.com", topicARN, "sqs:SendMessage", queueARN)
			},
			"User: sns.amazonaws.com is not authorized to perform: sqs:sendmessage on resource: " + queueARN +
				" because no resource-based policy allows the sqs:sendmessage action",
			`{"Effect":"Allow","Principal":{"Service":"sns.amazonaws.com"},"Action":["sqs:SendMessage"],"Resource":["` +
				queueARN + `"],"Condition":{"ArnEquals":{"aws:SourceArn":"` + topicARN + `"}}}`,
			"program/stock_queue.go, in the queue's policy",
			`missing="Allow sqs:SendMessage on ` + queueARN + ` to sns.amazonaws.com where aws:SourceArn ArnEquals ` +
				topicARN + `"`,
		},
		{
			"another topic than the queue's policy names", stack(t, queuePolicy(t, func() policy.Statement {
				s := publish
				s.Condition = policy.Condition{"ArnEquals": {"aws:SourceArn": topicARN + "2"}}
				return s
			}())),
			func(a *iam.Authority) error {
				return a.AuthorizeService("sns.amazonaws.com", topicARN, "sqs:SendMessage", queueARN)
			},
			"because no resource-based policy allows", topicARN, "program/stock_queue.go", "",
		},
		{
			"a condition that nobody understands", stack(t, queuePolicy(t, func() policy.Statement {
				s := publish
				s.Condition = policy.Condition{"IpAddress": {"aws:SourceIp": "10.0.0.0/8"}}
				return s
			}())),
			func(a *iam.Authority) error {
				return a.AuthorizeService("sns.amazonaws.com", topicARN, "sqs:SendMessage", queueARN)
			},
			"because no resource-based policy allows", topicARN, "program/stock_queue.go",
			`not_understood="the condition key aws:SourceIp"`,
		},
		{
			"a schedule that may not invoke a function", stack(t),
			func(a *iam.Authority) error {
				return a.AuthorizeService("events.amazonaws.com", ruleARN, "lambda:InvokeFunction", functionARN)
			},
			"User: events.amazonaws.com is not authorized to perform: lambda:InvokeFunction", ruleARN,
			"program/function.go, as a lambda.Permission", "",
		},
		{
			"a service that no policy of a secret names", stack(t),
			func(a *iam.Authority) error {
				return a.AuthorizeService("secretsmanager.amazonaws.com",
					secretARN, "secretsmanager:GetSecretValue", secretARN)
			},
			"because no resource-based policy allows", account, "program/callback-key.go, in the secret's policy", "",
		},
		{
			// https://docs.aws.amazon.com/secretsmanager/latest/userguide/rotating-secrets-required-permissions-function.html
			"Secrets Manager, which names the account alone",
			stack(t, resource(graph.Permission, "rotation", map[string]any{
				"action": "lambda:InvokeFunction", "function": "stock", "principal": "secretsmanager.amazonaws.com",
				"sourceArn": secretARN,
			})),
			func(a *iam.Authority) error {
				return a.AuthorizeService("secretsmanager.amazonaws.com",
					secretARN, "lambda:InvokeFunction", functionARN)
			},
			"User: secretsmanager.amazonaws.com is not authorized to perform: lambda:InvokeFunction",
			`"Condition":{"StringEquals":{"aws:SourceAccount":"` + account + `"}}`,
			"program/function.go, as a lambda.Permission",
			"where aws:SourceAccount StringEquals " + account,
		},
		{
			"an event source that may not delete", stack(t, rolePolicy(t, allow("sqs:ReceiveMessage", queueARN))),
			func(a *iam.Authority) error { return a.AuthorizeEventSource(functionARN, queueARN) },
			"User: " + session + " is not authorized to perform: sqs:deletemessage", "sqs:DeleteMessage",
			"program/role.go, in the role's policy", "",
		},
		{
			"a role that Lambda may not assume", func() *graph.Graph {
				g := stack(t)
				g.Find(graph.Role, "arn", roleARN).Outputs["assumeRolePolicy"] = document(t,
					policy.Statement{Effect: "Allow", Principal: &policy.Principal{Service: "ec2.amazonaws.com"},
						Action: []string{"sts:AssumeRole"}})
				return g
			}(),
			func(a *iam.Authority) error { return a.AuthorizeRole(functionARN) },
			"because no role trust policy allows the sts:AssumeRole action",
			`{"Effect":"Allow","Principal":{"Service":"lambda.amazonaws.com"},"Action":["sts:AssumeRole"]}`,
			"program/role.go, in the role's trust policy", "",
		},
	} {
		t.Run(c.name, func(t *testing.T) {
			a, log := newAuthority(t, c.g)
			var denied *iam.AccessDenied
			if err := c.ask(a); !errors.As(err, &denied) || !strings.Contains(err.Error(), c.text) {
				t.Fatalf("got error %v\nwant …%s…", err, c.text)
			}
			missing := ""
			if denied.Missing != nil {
				text, _ := json.Marshal(denied.Missing)
				missing = string(text)
			}
			if !strings.Contains(missing, c.missing) || missing != "" && c.missing == "" ||
				!strings.Contains(denied.DeclaredIn, c.in) {
				t.Errorf("missing %s, declared in %s\nwant …%s…, …%s…", missing, denied.DeclaredIn, c.missing, c.in)
			}
			for _, part := range []string{"level=WARN", `msg="access denied"`, "declared_in=", c.inTheLine} {
				if !strings.Contains(log.String(), part) {
					t.Errorf("log %s\nlacks %s", log, part)
				}
			}
			if n := strings.Count(log.String(), "\n"); n != 1 {
				t.Errorf("log has %d lines, want 1: %s", n, log)
			}
		})
	}
}

func TestProgramSaysWhereWhatIsMissingIsDeclared(t *testing.T) {
	var asked iam.Need
	a, err := iam.New(iam.Config{
		Graph: stack(t), Log: slog.New(slog.DiscardHandler), DeclaredIn: func(n iam.Need) string {
			asked = n
			return map[string]string{secretARN: "the file of grants"}[n.Resource]
		},
	})
	if err != nil {
		t.Fatal(err)
	}
	c, _ := a.Issue(roleARN, "stock")
	read := awsapi.Permission{Action: "secretsmanager:GetSecretValue", Resource: secretARN}
	for _, c := range []struct {
		name, want string
		need       iam.Need
		err        func() error
	}{
		{
			"the program answers", "the file of grants",
			iam.Need{Policy: evaluation.Identity, Role: roleARN, Resource: secretARN, Variable: "CALLBACK_KEY_SECRET"},
			func() error { return a.Authorize(c.AccessKeyID, read) },
		},
		{
			"the program does not answer", "program/stock_queue.go, in the queue's policy",
			iam.Need{Policy: evaluation.Resource, Resource: queueARN},
			func() error {
				return a.AuthorizeService("sns.amazonaws.com", topicARN, "sqs:SendMessage", queueARN)
			},
		},
	} {
		var denied *iam.AccessDenied
		if err := c.err(); !errors.As(err, &denied) || denied.DeclaredIn != c.want || asked != c.need {
			t.Errorf("%s: got %v, declared in %q, asked for %+v; want %q for %+v",
				c.name, err, denied.DeclaredIn, asked, c.want, c.need)
		}
	}
}

func TestWhatIsDeclaredIsAllowed(t *testing.T) {
	send := by(policy.Principal{Service: "sns.amazonaws.com"}, allow("sqs:SendMessage", queueARN))
	send.Condition = policy.Condition{"ArnEquals": {"aws:SourceArn": topicARN}}
	a, log := newAuthority(t, stack(t,
		rolePolicy(t,
			allow("secretsmanager:GetSecretValue", secretARN),
			policy.Statement{Effect: "Allow",
				Action:   []string{"sqs:ReceiveMessage", "sqs:DeleteMessage", "sqs:GetQueueAttributes"},
				Resource: []string{queueARN}},
		),
		queuePolicy(t, send, policy.EncryptedOnly(queueARN, "sqs:SendMessage", "sqs:ReceiveMessage")),
		resource(graph.Permission, "schedule", map[string]any{
			"action": "lambda:InvokeFunction", "function": "stock", "principal": "events.amazonaws.com",
			"sourceArn": ruleARN,
		}),
	))
	c, _ := a.Issue(roleARN, "stock")
	for name, err := range map[string]error{
		"read the secret": a.Authorize(c.AccessKeyID, awsapi.Permission{
			Action: "secretsmanager:GetSecretValue", Resource: secretARN,
		}),
		"topic to queue": a.AuthorizeService("sns.amazonaws.com", topicARN, "sqs:SendMessage", queueARN),
		"schedule": a.AuthorizeService("events.amazonaws.com", ruleARN, "lambda:InvokeFunction",
			functionARN),
		"event source": a.AuthorizeEventSource(functionARN, queueARN),
		"role":         a.AuthorizeRole(functionARN),
		"a person, whichever": a.Authorize(iam.Person.AccessKeyID, awsapi.Permission{
			Action: "iam:Everything", Resource: otherARN,
		}),
	} {
		if err != nil {
			t.Errorf("%s: got %v, want it allowed", name, err)
		}
	}
	if log.Len() > 0 {
		t.Errorf("log: got %s, want nothing", log)
	}
}

func TestRepeatedRefusalIsToldOnce(t *testing.T) {
	a, log := newAuthority(t, stack(t))
	for range 3 {
		c, release := a.Issue(roleARN, "stock") // a new instance of the same function
		_ = a.Authorize(c.AccessKeyID, awsapi.Permission{Action: "sqs:SendMessage", Resource: queueARN})
		_ = a.Authorize(c.AccessKeyID, awsapi.Permission{Action: "sqs:SendMessage", Resource: queueARN + "2"})
		release()
	}
	if warn, debug := strings.Count(log.String(), "level=WARN"),
		strings.Count(log.String(), "level=DEBUG"); warn != 2 || debug != 4 {
		t.Errorf("got %d warnings and %d debug records, want 2 and 4:\n%s", warn, debug, log)
	}
}

func TestRefusalIsNotForgottenForOthers(t *testing.T) {
	a, log := newAuthority(t, stack(t))
	c, _ := a.Issue(roleARN, "stock")
	const madeUp = 2500
	for i := range madeUp {
		_ = a.Authorize(c.AccessKeyID, awsapi.Permission{Action: "sqs:SendMessage", Resource: fmt.Sprint(queueARN, i)})
	}
	if warn := strings.Count(log.String(), "level=WARN"); warn != madeUp {
		t.Errorf("%d refusals: got %d warnings, want one each", madeUp, warn)
	}
	if n := a.Told(); n > 1000 {
		t.Errorf("%d refusals are remembered, want 1000 at most", n)
	}
}

// A retrying caller must learn that the refusal is permanent. A method tells it, so that it need
// not import this package.
func TestRefusalSaysThatItIsOne(t *testing.T) {
	a, _ := newAuthority(t, stack(t))
	err := fmt.Errorf("invoking: %w",
		a.AuthorizeService("events.amazonaws.com", ruleARN, "lambda:InvokeFunction", functionARN))
	var denied interface{ AccessDenied() bool }
	if !errors.As(err, &denied) || !denied.AccessDenied() {
		t.Errorf("%v: does not say AccessDenied", err)
	}
}

// The authority logs a refusal in full. Others log it as an error, in one line.
func TestRefusalInAnothersLogIsItsText(t *testing.T) {
	a, log := newAuthority(t, stack(t))
	err := a.AuthorizeService("sns.amazonaws.com", topicARN, "sqs:SendMessage", queueARN)
	log.Reset()
	slog.New(slog.NewTextHandler(log, nil)).Warn("message could not be delivered", "error", err)
	if got := log.String(); !strings.Contains(got, `error="User: sns.amazonaws.com is not authorized`) ||
		strings.Contains(got, "declared_in") {
		t.Errorf("got %s, want error= and the refusal's text alone", got)
	}
}

func TestPresentPolicyCounts(t *testing.T) {
	send := by(policy.Principal{Service: "sns.amazonaws.com"}, allow("sqs:SendMessage", queueARN))
	deny := policy.EncryptedOnly(queueARN, "sqs:SendMessage")
	deny.Condition = nil
	declared := document(t, send)
	for _, c := range []struct {
		name    string
		present string
		known   bool
		refusal string // "" means none
		log     string
	}{
		{"the declared one", declared, true, "", ""},
		{"one that was removed", "", true, "because no resource-based policy allows", "missing="},
		{"one that denies", document(t, send, deny), true, "with an explicit deny in a resource-based policy",
			`denied_by="the current policy of ` + queueARN + `"`},
		{"one that cannot be read", "{", true, "reading the current policy of " + queueARN, ""},
		{"nobody knows it: the graph's", "", false, "", ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			var log bytes.Buffer
			a, err := iam.New(iam.Config{
				Graph: stack(t, queuePolicy(t, send)), Log: slog.New(slog.NewTextHandler(&log, nil)),
				ResourcePolicy: func(arn string) (string, bool) {
					if arn != queueARN {
						t.Errorf("asked about %s, want %s", arn, queueARN)
					}
					return c.present, c.known
				},
			})
			if err != nil {
				t.Fatal(err)
			}
			err = a.AuthorizeService("sns.amazonaws.com", topicARN, "sqs:SendMessage", queueARN)
			if c.refusal == "" && err != nil ||
				c.refusal != "" && (err == nil || !strings.Contains(err.Error(), c.refusal)) {
				t.Errorf("got %v, want %q", err, c.refusal)
			}
			if !strings.Contains(log.String(), c.log) {
				t.Errorf("log: got %s, want …%s…", log.String(), c.log)
			}
		})
	}

	// As long as the policy is the declared one, a refusal names the place of the declaration.
	g := stack(t, queuePolicy(t, send, deny))
	var log bytes.Buffer
	a, err := iam.New(iam.Config{
		Graph: g, Log: slog.New(slog.NewTextHandler(&log, nil)),
		ResourcePolicy: func(string) (string, bool) { return document(t, send, deny), true },
	})
	if err != nil {
		t.Fatal(err)
	}
	if err := a.AuthorizeService("sns.amazonaws.com", topicARN, "sqs:SendMessage", queueARN); err == nil ||
		!strings.Contains(log.String(), `denied_by="QueuePolicy stock_queue"`) {
		t.Errorf("got %v, log %s; want it denied by QueuePolicy stock_queue", err, log.String())
	}
}

// https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_variables.html#principaltable
func TestUserIDIsTheRolesWithTheSession(t *testing.T) {
	a, _ := newAuthority(t, stack(t))
	first, release := a.Issue(roleARN, "stock")
	second, _ := a.Issue(roleARN, "stock")
	other, _ := a.Issue(roleARN+"2", "stock")
	id := a.UserID(first.AccessKeyID)
	if !regexp.MustCompile(`^AROA[A-Z0-9]{17}:stock$`).MatchString(id) || a.UserID(second.AccessKeyID) != id ||
		a.UserID(other.AccessKeyID) == id {
		t.Errorf("got %q, for another instance %q, for another role %q; want AROA…:stock, the same, and another",
			id, a.UserID(second.AccessKeyID), a.UserID(other.AccessKeyID))
	}
	if got := a.UserID(iam.Person.AccessKeyID); got != account {
		t.Errorf("a person: got %q, want the account %s", got, account)
	}
	release()
	if got := a.UserID(first.AccessKeyID); got != "" {
		t.Errorf("of an instance that has ended: got %q, want none", got)
	}
}

func TestCredentialsEndWithTheirInstance(t *testing.T) {
	a, log := newAuthority(t, stack(t, rolePolicy(t, allow("sqs:SendMessage", queueARN))))
	p := awsapi.Permission{Action: "sqs:SendMessage", Resource: queueARN}
	first, release := a.Issue(roleARN, "stock")
	second, _ := a.Issue(roleARN, "stock")
	if first == second || !strings.HasPrefix(first.AccessKeyID, "ASIA") || len(first.AccessKeyID) != 20 ||
		len(first.SecretAccessKey) != 40 || first.SessionToken == "" {
		t.Errorf("got credentials %+v and %+v, want two of AWS's form", first, second)
	}
	if got, ok := a.Credentials(first.AccessKeyID); !ok || got != first {
		t.Errorf("Credentials(%s) = %+v, %v; want those issued", first.AccessKeyID, got, ok)
	}
	if err := a.Authorize(first.AccessKeyID, p); err != nil {
		t.Errorf("before its end: %v", err)
	}
	release()
	if _, ok := a.Credentials(first.AccessKeyID); ok {
		t.Error("the credentials outlive their instance")
	}
	if err := a.Authorize(first.AccessKeyID, p); err == nil {
		t.Error("whose credentials have ended may still call")
	}
	if err := a.Authorize(second.AccessKeyID, p); err != nil {
		t.Errorf("the other instance: %v", err)
	}
	if log.Len() > 0 {
		t.Errorf("log: got %s, want nothing: no statement is missing", log)
	}
}

func TestBoundaryIsJudgedWhereItIsKnown(t *testing.T) {
	g := stack(t, rolePolicy(t, allow("*", "*")))
	g.Find(graph.Role, "arn", roleARN).Outputs["permissionsBoundary"] = boundaryARN
	p := awsapi.Permission{Action: "sqs:SendMessage", Resource: queueARN}

	a, log := newAuthority(t, g)
	c, _ := a.Issue(roleARN, "stock")
	if err := a.Authorize(c.AccessKeyID, p); err != nil || !strings.Contains(log.String(), boundaryARN) ||
		!strings.Contains(log.String(), "level=INFO") {
		t.Errorf("an unknown boundary: got %v, log %s; want it allowed, and the log to name the boundary", err, log)
	}

	log.Reset()
	a, err := iam.New(iam.Config{Graph: g, Managed: map[string]string{boundaryARN: document(t, allow("sns:*", "*"))},
		Log: slog.New(slog.NewTextHandler(log, nil))})
	if err != nil {
		t.Fatal(err)
	}
	c, _ = a.Issue(roleARN, "stock")
	const want = "because no permissions boundary allows the sqs:sendmessage action"
	if err := a.Authorize(c.AccessKeyID, p); err == nil || !strings.Contains(err.Error(), want) ||
		!strings.Contains(log.String(), "in the role's permissions boundary") {
		t.Errorf("a boundary that does not allow it: got %v, log %s; want …%s", err, log, want)
	}
}

func TestRefusalsNameActionsAsTheServiceDoes(t *testing.T) {
	a, _ := newAuthority(t, stack(t))
	caller, _ := a.Issue(roleARN, "stock")
	for action, want := range map[string]string{
		"sqs:SendMessage": "sqs:sendmessage", "sns:Publish": "SNS:Publish",
		"lambda:InvokeFunction":         "lambda:InvokeFunction",
		"secretsmanager:GetSecretValue": "secretsmanager:GetSecretValue",
	} {
		err := a.Authorize(caller.AccessKeyID, awsapi.Permission{Action: action, Resource: "*"})
		want = "perform: " + want + " on resource: * because no identity-based policy allows the " + want + " action"
		if err == nil || !strings.HasSuffix(err.Error(), want) {
			t.Errorf("%s: got %v, want …%s", action, err, want)
		}
	}
}

// The principal in a resource's policy decides whether a permissions boundary limits the
// permission. The page on principals says so for roles and for everybody, and the page on
// boundaries for sessions. An account only lets the role's own policies decide.
// https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_principal.html#principal-roles
// https://docs.aws.amazon.com/IAM/latest/UserGuide/access_policies_boundaries.html#access_policies_boundaries-eval-logic
func TestBoundaryAndThePrincipalOfAResourcePolicy(t *testing.T) {
	const elsewhere, here = "sns:*", "sqs:*" // what the boundary allows
	everybody := policy.Principal{AWS: "*"}
	only := func(arn string) policy.Statement {
		s := by(everybody, allow("sqs:SendMessage", queueARN))
		s.Condition = policy.Condition{"ArnEquals": {"aws:PrincipalArn": arn}}
		return s
	}
	to := func(principal string) policy.Statement {
		return by(policy.Principal{AWS: principal}, allow("sqs:SendMessage", queueARN))
	}
	denied := allow("sqs:SendMessage", queueARN)
	denied.Effect = "Deny"
	for _, c := range []struct {
		name      string
		statement policy.Statement // of the queue's policy
		own       []policy.Statement
		boundary  []policy.Statement
		want      bool
	}{
		{"everybody", to("*"), nil, []policy.Statement{allow(elsewhere, "*")}, true},
		{"everybody with the ARN of the role", only(roleARN), nil, []policy.Statement{allow(elsewhere, "*")}, true},
		{"everybody with the ARN of another role", only(roleARN + "2"), nil,
			[]policy.Statement{allow(elsewhere, "*")}, false},
		{"everybody, and the boundary denies", to("*"), nil, []policy.Statement{allow("*", "*"), denied}, false},
		{"everybody, and the role's policy denies", to("*"), []policy.Statement{denied},
			[]policy.Statement{allow(elsewhere, "*")}, false},
		{"the session", to(session), nil, []policy.Statement{allow(elsewhere, "*")}, true},
		{"another session", to(session + "2"), nil, []policy.Statement{allow(elsewhere, "*")}, false},
		{"the role", to(roleARN), nil, []policy.Statement{allow(elsewhere, "*")}, false},
		{"the role, within the boundary", to(roleARN), nil, []policy.Statement{allow(here, "*")}, true},
		{"the account", to(account), nil, []policy.Statement{allow(here, "*")}, false},
		{"the account, and the role's policy allows", to(account), []policy.Statement{allow("*", "*")},
			[]policy.Statement{allow(here, "*")}, true},
		{"the account, outside of the boundary", to(account), []policy.Statement{allow("*", "*")},
			[]policy.Statement{allow(elsewhere, "*")}, false},
	} {
		t.Run(c.name, func(t *testing.T) {
			more := []*graph.Resource{queuePolicy(t, c.statement)}
			if c.own != nil {
				more = append(more, rolePolicy(t, c.own...))
			}
			g := stack(t, more...)
			g.Find(graph.Role, "arn", roleARN).Outputs["permissionsBoundary"] = boundaryARN
			a, err := iam.New(iam.Config{Graph: g, Log: slog.New(slog.DiscardHandler),
				Managed: map[string]string{boundaryARN: document(t, c.boundary...)}})
			if err != nil {
				t.Fatal(err)
			}
			caller, _ := a.Issue(roleARN, "stock")
			err = a.Authorize(caller.AccessKeyID, awsapi.Permission{Action: "sqs:SendMessage", Resource: queueARN})
			if (err == nil) != c.want {
				t.Errorf("got %v, want it allowed: %v", err, c.want)
			}
		})
	}
}

func TestUnreadablePoliciesAreAnError(t *testing.T) {
	broken := rolePolicy(t)
	broken.Outputs["policy"] = `{"Statement":[{"Effect":"Maybe"}]}`
	for name, c := range map[string]iam.Config{
		"declared": {Graph: stack(t, broken)},
		"managed":  {Graph: stack(t), Managed: map[string]string{boundaryARN: "{"}},
	} {
		c.Log = slog.New(slog.DiscardHandler)
		if _, err := iam.New(c); err == nil || !strings.Contains(err.Error(), "policy document") {
			t.Errorf("%s: got %v, want an error that says it is no policy document", name, err)
		}
	}
}

// The code of a function in a VPC calls AWS through the VPC's endpoint, whose policy must allow the
// call too. Lambda reads a queue with the function's role, and passes no endpoint.
// https://docs.aws.amazon.com/vpc/latest/privatelink/vpc-endpoints-access.html
func TestAnEndpointsPolicyLimitsTheCallsThroughIt(t *testing.T) {
	everybody := policy.Principal{AWS: "*"}
	for _, c := range []struct {
		name     string
		endpoint policy.Statement
		want     string
	}{
		{"the action", by(everybody, allow("secretsmanager:GetSecretValue", "*")), ""},
		{"another action", by(everybody, allow("secretsmanager:PutSecretValue", "*")),
			"because no VPC endpoint policy allows the secretsmanager:GetSecretValue action"},
		{"another account", policy.Statement{
			Effect: "Allow", Principal: &everybody, Action: []string{"secretsmanager:GetSecretValue"},
			Resource: []string{"*"}, Condition: policy.Condition{"StringEquals": {"aws:PrincipalAccount": "1"}},
		}, "because no VPC endpoint policy allows the secretsmanager:GetSecretValue action"},
		{"a denial", policy.Statement{
			Effect: "Deny", Principal: &everybody, Action: []string{"secretsmanager:*"}, Resource: []string{"*"},
		}, "with an explicit deny in a VPC endpoint policy"},
	} {
		t.Run(c.name, func(t *testing.T) {
			subnet := resource(graph.Subnet, "private", map[string]any{"vpcId": "vpc-1"})
			subnet.ID = "subnet-1"
			consume := policy.Actions("queue", "consume")
			g := stack(t, subnet,
				rolePolicy(t, allow("secretsmanager:GetSecretValue", secretARN),
					policy.Statement{Effect: "Allow", Action: consume, Resource: []string{queueARN}}),
				resource(graph.VPCEndpoint, "secretsmanager", map[string]any{
					"vpcId": "vpc-1", "serviceName": "com.amazonaws." + region + ".secretsmanager",
					"vpcEndpointType": "Interface", "privateDnsEnabled": true,
					"policy": document(t, c.endpoint),
				}),
				resource(graph.VPCEndpoint, "sqs", map[string]any{
					"vpcId": "vpc-1", "serviceName": "com.amazonaws." + region + ".sqs",
					"vpcEndpointType": "Interface", "privateDnsEnabled": true,
					"policy": document(t, by(everybody, allow("sqs:SendMessage", "*"))),
				}))
			g.OfType(graph.Function)[0].Outputs["vpcConfig"] = map[string]any{"subnetIds": []any{"subnet-1"}}
			a, log := newAuthority(t, g)
			credentials, _ := a.Issue(roleARN, "stock")
			err := a.Authorize(credentials.AccessKeyID, awsapi.Permission{
				Action: "secretsmanager:GetSecretValue", Resource: secretARN,
			})
			if c.want == "" && err != nil || c.want != "" && (err == nil || !strings.Contains(err.Error(), c.want)) {
				t.Errorf("got %v, want %q", err, c.want)
			}
			if c.want != "" && !strings.Contains(log.String(), "VpcEndpoint secretsmanager") {
				t.Errorf("the log is %q, want it to name the endpoint", log)
			}
			if err := a.AuthorizeEventSource(functionARN, queueARN); err != nil {
				t.Errorf("Lambda reads the queue: %v", err)
			}
		})
	}
}

// Only a request through an endpoint has an address in the VPC, and no address on the Internet. The
// run does not know the address on the Internet that AWS gives to other requests.
// https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_condition-keys.html#condition-keys-network-properties
func TestConditionsOnTheNetworkOfAFunction(t *testing.T) {
	for _, c := range []struct {
		condition        policy.Condition
		through, outside bool // allowed through an endpoint, and outside the VPC
	}{
		{policy.Condition{"StringEquals": {"aws:SourceVpce": "vpce-1"}}, true, false},
		{policy.Condition{"StringEquals": {"aws:SourceVpce": "vpce-2"}}, false, false},
		{policy.Condition{"StringEquals": {"aws:SourceVpc": "vpc-1"}}, true, false},
		{policy.Condition{"StringNotEquals": {"aws:SourceVpc": "vpc-1"}}, false, true},
		{policy.Condition{"IpAddress": {"aws:VpcSourceIp": "10.0.8.0/24"}}, true, false},
		{policy.Condition{"IpAddress": {"aws:VpcSourceIp": "10.0.9.0/24"}}, false, false},
		{policy.Condition{"IpAddress": {"aws:SourceIp": "0.0.0.0/0"}}, false, false},
		{policy.Condition{"Null": {"aws:SourceIp": "true"}}, true, false},
	} {
		for _, inVPC := range []bool{true, false} {
			subnet := resource(graph.Subnet, "private", map[string]any{"vpcId": "vpc-1", "cidrBlock": "10.0.8.0/24"})
			endpoint := resource(graph.VPCEndpoint, "sqs", map[string]any{
				"vpcId": "vpc-1", "serviceName": "com.amazonaws." + region + ".sqs",
				"vpcEndpointType": "Interface", "privateDnsEnabled": true,
			})
			subnet.ID, endpoint.ID = "subnet-1", "vpce-1"
			statement := allow("sqs:SendMessage", queueARN)
			statement.Condition = c.condition
			g := stack(t, subnet, endpoint, rolePolicy(t, statement))
			if inVPC {
				g.OfType(graph.Function)[0].Outputs["vpcConfig"] = map[string]any{"subnetIds": []any{"subnet-1"}}
			}
			a, _ := newAuthority(t, g)
			credentials, release := a.Issue(roleARN, "stock")
			need := awsapi.Permission{Action: "sqs:SendMessage", Resource: queueARN}
			err := a.Authorize(credentials.AccessKeyID, need)
			release()
			if want := map[bool]bool{true: c.through, false: c.outside}[inVPC]; (err == nil) != want {
				t.Errorf("%v, in the VPC: %v: got %v, want allowed: %v", c.condition, inVPC, err, want)
			}
		}
	}
}

func TestAllowedCallsAreReported(t *testing.T) {
	g := stack(t, rolePolicy(t, allow("sqs:SendMessage", queueARN)),
		queuePolicy(t, by(policy.Principal{Service: "sns.amazonaws.com"}, allow("sqs:SendMessage", queueARN))))
	var got []usage.Call
	a, err := iam.New(iam.Config{
		Graph: g, Log: slog.New(slog.DiscardHandler), Made: func(c usage.Call) { got = append(got, c) },
	})
	if err != nil {
		t.Fatal(err)
	}
	c, release := a.Issue(roleARN, "stock")
	defer release()
	for _, p := range []awsapi.Permission{{Action: "sqs:SendMessage", Resource: queueARN},
		{Action: "sqs:ReceiveMessage", Resource: queueARN}} {
		_ = a.Authorize(c.AccessKeyID, p)
		_ = a.Authorize(iam.Person.AccessKeyID, p) // a person needs no grant
	}
	_ = a.AuthorizeService("sns.amazonaws.com", topicARN, "sqs:SendMessage", queueARN)
	_ = a.AuthorizeService("events.amazonaws.com", ruleARN, "sqs:SendMessage", queueARN)
	_ = a.AuthorizeRole(functionARN)
	want := []usage.Call{
		{Role: roleARN, Session: session, Action: "sqs:SendMessage", Resource: queueARN},
		{Service: "sns.amazonaws.com", Source: topicARN, Action: "sqs:SendMessage", Resource: queueARN},
		{Service: "lambda.amazonaws.com", Source: functionARN, Action: "sts:AssumeRole", Resource: roleARN},
	}
	if !slices.Equal(got, want) {
		t.Errorf("got %+v, want %+v", got, want)
	}
}
