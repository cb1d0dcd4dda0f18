package awsapi

import (
	"fmt"
	"log/slog"
)

// Credentials sign a caller's requests. The session token is empty for credentials that do not
// expire.
type Credentials struct {
	AccessKeyID, SecretAccessKey, SessionToken string

	// Session is the name of the role's session: the name of the function whose instance has the
	// credentials. A person has none.
	Session string
}

// Authorizer knows the callers and their permissions.
type Authorizer interface {
	// Credentials returns the credentials with the access key. ok is false if they do not exist or
	// have expired.
	Credentials(accessKeyID string) (c Credentials, ok bool)
	// Authorize returns an error if the owner of the access key lacks the permission. The caller
	// receives the error's text.
	Authorize(accessKeyID string, p Permission) error
}

// Permission is an IAM action on a resource that a caller must be allowed.
type Permission struct {
	// Action is IAM's name of the action, such as "sqs:SendMessage".
	Action string
	// Resource is the ARN of a resource, or "*" for an action without a resource.
	Resource string
	// Via is the service that makes the request with the caller's permissions, such as
	// "s3.eu-west-1.amazonaws.com". It is empty if the caller makes it.
	Via string
	// SourceIP is the caller's IP address, or "" if it is not known.
	SourceIP string
	// EncryptionContext is that of a call of KMS, as a JSON object of texts; "" for other calls,
	// and if it is not known.
	EncryptionContext string
}

// Authorization defines which permissions a service's operations require.
type Authorization struct {
	// Permissions returns all permissions that a call of the operation requires. It must handle
	// every operation of the service. It may decode the input repeatedly; decode ignores fields
	// that the struct does not have. A resource that does not exist gets the ARN that it would
	// have, so that only an authorized caller learns that it does not exist.
	Permissions func(operation string, decode func(input any) error) ([]Permission, error)
	// Denied is the service's error for a missing permission, without its message.
	Denied Error
}

// NewAuthorizedHandler returns a handler that accepts only requests that are signed for a region,
// and asks the authorizer about each. Like NewHandler it panics on a programming error, for example
// on a service without an Authorization.
func NewAuthorizedHandler(log *slog.Logger, region string, authorizer Authorizer, services ...Service) *Handler {
	for _, s := range services {
		if s.Authorization == nil {
			panic(fmt.Sprintf("awsapi: service %s does not define the permissions of its operations", s.Name))
		}
	}
	h := NewHandler(log, services...)
	h.authorizer, h.region = authorizer, region
	return h
}

// authorize returns an error if the caller's signature is wrong, or if it lacks a permission.
func (h *Handler) authorize(c *call) error {
	if h.authorizer == nil {
		return nil
	}
	if failure := authenticate(c.request, c.body, c.signature, c.signed, Scope{c.service.Name, h.region},
		h.authorizer.Credentials); failure != nil {
		return &Error{Status: c.protocol.authenticationStatus(), Code: failure.code, QueryCode: failure.queryCode,
			Message: failure.message}
	}
	permissions, err := c.permissions, error(nil)
	if c.service.Forward == nil {
		permissions, err = c.service.Authorization.Permissions(c.operation, c.protocol.peeker(c.request, c.body))
	} else if c.unread != nil && !c.service.Forward.Unchecked && h.session(*c) != "" { // a person may do everything
		c.options, err = unreadOptions, c.unread
	}
	if err != nil {
		return err
	}
	for _, p := range permissions {
		if err := h.permit(*c, p); err != nil {
			return err
		}
	}
	return nil
}

// permit returns the service's error if the caller lacks a permission.
func (h *Handler) permit(c call, p Permission) error {
	if h.authorizer == nil {
		return nil
	}
	if err := h.authorizer.Authorize(c.signature.accessKeyID, p); err != nil {
		denied := c.service.Authorization.Denied
		denied.Message = err.Error()
		return &denied
	}
	return nil
}
