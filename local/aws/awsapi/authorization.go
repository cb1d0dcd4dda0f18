package awsapi

import (
	"fmt"
	"log/slog"
)

// Credentials are what a caller signs its requests with. The session token is empty for those that do not end.
type Credentials struct {
	AccessKeyID, SecretAccessKey, SessionToken string
}

// Authorizer knows who may call, and what each may do.
type Authorizer interface {
	// Credentials returns those with the access key; ok is false if nobody has them, or has them any more.
	Credentials(accessKeyID string) (c Credentials, ok bool)
	// Authorize decides whether the owner of the access key has the permission. An error is a refusal, and its text what the
	// caller is told.
	Authorize(accessKeyID string, p Permission) error
}

// Permission is what a caller must be allowed: an IAM action on a resource.
type Permission struct {
	// Action is IAM's name of it: "sqs:SendMessage".
	Action string
	// Resource is the ARN of a resource, or "*" for an action that is not one on a resource.
	Resource string
}

// Authorization is what the operations of a service ask of their callers.
type Authorization struct {
	// Permissions returns all that a call of the operation needs. It sees every operation of the service, and decodes as much of the
	// input as it needs, as often as it likes; what its struct does not name is left out. A resource that does not exist has the ARN
	// that it would have: that it does not exist is told to those alone who may ask.
	Permissions func(operation string, decode func(input any) error) ([]Permission, error)
	// Denied is the service's error for a caller who lacks a permission, but for its message.
	Denied Error
}

// NewAuthorizedHandler returns a handler that takes signed requests alone, and asks the authorizer about each. Like NewHandler it
// panics over a mistake in the program, of which a service that does not say what its operations ask is another.
func NewAuthorizedHandler(log *slog.Logger, authorizer Authorizer, services ...Service) *Handler {
	for _, s := range services {
		if s.Authorization == nil {
			panic(fmt.Sprintf("awsapi: service %s does not say what its operations ask of their callers", s.Name))
		}
	}
	h := NewHandler(log, services...)
	h.authorizer = authorizer
	return h
}

// authorize refuses a call whose caller is not who it claims to be, or lacks a permission.
func (h *Handler) authorize(c call) error {
	if h.authorizer == nil {
		return nil
	}
	if failure := authenticate(c.request, c.body, c.signature, c.signed, Scope{Service: c.service.Name}, h.authorizer.Credentials); failure != nil {
		return &Error{Status: c.protocol.authenticationStatus(), Code: failure.code, QueryCode: failure.queryCode, Message: failure.message}
	}
	permissions, err := c.service.Authorization.Permissions(c.operation, c.protocol.peeker(c.request, c.body))
	if err != nil {
		return err
	}
	for _, p := range permissions {
		if err := h.authorizer.Authorize(c.signature.accessKeyID, p); err != nil {
			denied := c.service.Authorization.Denied
			denied.Message = err.Error()
			return &denied
		}
	}
	return nil
}
