package awsapi

import (
	"context"
	"strings"
)

type accessKeyIDKey struct{}

// AccessKeyID returns the access key that the call is signed with, or "" for a call without one. Signatures are not
// verified: the endpoint is on loopback, and whose key it is says who calls.
func AccessKeyID(ctx context.Context) string {
	id, _ := ctx.Value(accessKeyIDKey{}).(string)
	return id
}

func withAccessKeyID(ctx context.Context, id string) context.Context {
	return context.WithValue(ctx, accessKeyIDKey{}, id)
}

// credentialScope is what a signature's credential says of a request.
type credentialScope struct{ accessKeyID, service string }

// parseCredentialScope reads "AWS4-HMAC-SHA256 Credential=<key id>/<date>/<region>/<service>/aws4_request, …". A header
// of another form gives an empty scope.
// https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_sigv-create-signed-request.html
func parseCredentialScope(authorization string) credentialScope {
	_, credential, _ := strings.Cut(authorization, "Credential=")
	credential, _, _ = strings.Cut(credential, ",")
	parts := strings.Split(credential, "/")
	if len(parts) != 5 {
		return credentialScope{}
	}
	return credentialScope{accessKeyID: parts[0], service: parts[3]}
}
