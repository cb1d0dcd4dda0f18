package iam

import (
	"crypto/rand"
	"crypto/sha256"
	"encoding/base32"
	"fmt"
	"strings"

	"restock/infra/graph"
	"restock/infra/policy/usage"
	"restock/local/aws/awsapi"
)

// Person are the credentials of the person who started the run. They have full permissions.
var Person = awsapi.Credentials{AccessKeyID: "local", SecretAccessKey: "local"}

// session is an assumed role.
type session struct {
	role        string // ARN
	name        string
	credentials awsapi.Credentials
}

// arn returns the session's ARN in AWS's form, without the role's path.
// https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_identifiers.html#identifiers-arns
func (s session) arn() string {
	parts := strings.SplitN(s.role, ":", 6)
	if len(parts) != 6 {
		return "" // it belongs to no session
	}
	return fmt.Sprintf("arn:aws:sts::%s:assumed-role/%s/%s",
		parts[4], s.role[strings.LastIndex(s.role, "/")+1:], s.name)
}

// call returns a call of the session.
func (s session) call(action, resource string) usage.Call {
	return usage.Call{Role: s.role, Session: s.arn(), Action: action, Resource: resource}
}

// Issue returns new credentials of a role for a named session. AWS names the session of an instance
// after its function. The credentials are valid until release is called.
func (a *Authority) Issue(roleARN, sessionName string) (c awsapi.Credentials, release func()) {
	c = awsapi.Credentials{
		// as temporary ones begin:
		// https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_identifiers.html#identifiers-prefixes
		AccessKeyID:     "ASIA" + rand.Text()[:16],
		SecretAccessKey: rand.Text() + rand.Text()[:14],
		SessionToken:    rand.Text() + rand.Text(),
		Session:         sessionName,
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	a.sessions[c.AccessKeyID] = session{role: roleARN, name: sessionName, credentials: c}
	return c, func() {
		a.mu.Lock()
		defer a.mu.Unlock()
		delete(a.sessions, c.AccessKeyID)
	}
}

// UserID returns the unique id of the owner of an access key, as AWS's services report it; SQS, for
// example, as a message's SenderId. For a session it is the role's id and the session's name, for a
// person the account's number. It is "" for an unknown key.
// https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_variables.html#principaltable
func (a *Authority) UserID(accessKeyID string) string {
	if accessKeyID == Person.AccessKeyID {
		return graph.AccountID
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	s, ok := a.sessions[accessKeyID]
	if !ok {
		return ""
	}
	return roleID(s.role) + ":" + s.name
}

// roleID derives an id in AWS's form from the role's ARN: a prefix and 17 letters and digits.
// https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_identifiers.html#identifiers-prefixes
func roleID(arn string) string {
	hash := sha256.Sum256([]byte(arn))
	return "AROA" + base32.StdEncoding.EncodeToString(hash[:])[:17]
}

// Credentials returns the credentials with an access key. ok is false if the key is unknown or was
// released.
func (a *Authority) Credentials(accessKeyID string) (c awsapi.Credentials, ok bool) {
	if accessKeyID == Person.AccessKeyID {
		return Person, true
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	s, ok := a.sessions[accessKeyID]
	return s.credentials, ok
}
