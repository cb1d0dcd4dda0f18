package iam

import (
	"fmt"
	"net/http"

	"restock/local/aws/awsapi"
)

// AuthorizeRequest decides on a signed request that is not an AWS operation, such as one to a route
// of an HTTP API. It verifies the signature for a scope, and then the signer's permission. The
// request's body has been read already.
func (a *Authority) AuthorizeRequest(r *http.Request, body []byte, scope awsapi.Scope, p awsapi.Permission) error {
	accessKeyID, err := awsapi.Authenticate(r, body, scope, a.Credentials)
	if err != nil {
		return fmt.Errorf("verifying the signature: %w", err)
	}
	return a.Authorize(accessKeyID, p)
}
