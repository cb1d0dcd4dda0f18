package iam

import (
	"fmt"
	"net/http"

	"restock/local/aws/awsapi"
)

// AuthorizeRequest decides about a signed request to something that is no operation of an AWS service, such as a route of an HTTP API:
// whether it is signed for a scope with somebody's credentials, and whether that somebody has a permission. The body has been read.
func (a *Authority) AuthorizeRequest(r *http.Request, body []byte, scope awsapi.Scope, p awsapi.Permission) error {
	accessKeyID, err := awsapi.Authenticate(r, body, scope, a.Credentials)
	if err != nil {
		return fmt.Errorf("verifying the signature: %w", err)
	}
	return a.Authorize(accessKeyID, p)
}
