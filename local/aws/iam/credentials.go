package iam

import (
	"crypto/rand"
	"crypto/sha256"
	"encoding/base32"
	"fmt"
	"strings"

	"restock/infra/graph"
	"restock/local/aws/awsapi"
)

// Person are the credentials of whoever runs the run. They may do everything.
var Person = awsapi.Credentials{AccessKeyID: "local", SecretAccessKey: "local"}

// session is a role that was assumed.
type session struct {
	role        string // ARN
	name        string
	credentials awsapi.Credentials
}

// arn is how AWS names the session: without the role's path.
// https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_identifiers.html#identifiers-arns
func (s session) arn() string {
	parts := strings.SplitN(s.role, ":", 6)
	if len(parts) != 6 {
		return "" // nobody's
	}
	return fmt.Sprintf("arn:aws:sts::%s:assumed-role/%s/%s", parts[4], s.role[strings.LastIndex(s.role, "/")+1:], s.name)
}

// Issue returns new credentials of a role, for a session of a name: on AWS, an instance's is the name of its function. They are good
// until release is called.
func (a *Authority) Issue(roleARN, sessionName string) (c awsapi.Credentials, release func()) {
	c = awsapi.Credentials{
		AccessKeyID:     "ASIA" + rand.Text()[:16], // as temporary ones begin: https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_identifiers.html#identifiers-prefixes
		SecretAccessKey: rand.Text() + rand.Text()[:14],
		SessionToken:    rand.Text() + rand.Text(),
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

// UserID is the unique id of whoever has an access key, as AWS's services give it, SQS as the SenderId of a message: of a session, the
// id of the role with the session's name; of a person, the account's number. It is "" if nobody has the key.
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

// roleID is made from the role's ARN, in AWS's form: what follows the prefix are 17 letters and digits.
// https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_identifiers.html#identifiers-prefixes
func roleID(arn string) string {
	hash := sha256.Sum256([]byte(arn))
	return "AROA" + base32.StdEncoding.EncodeToString(hash[:])[:17]
}

// Credentials returns those with an access key; ok is false if nobody has them, or has them any more.
func (a *Authority) Credentials(accessKeyID string) (c awsapi.Credentials, ok bool) {
	if accessKeyID == Person.AccessKeyID {
		return Person, true
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	s, ok := a.sessions[accessKeyID]
	return s.credentials, ok
}
