package awsapi

import (
	"errors"
	"fmt"
	"net/http"
)

// Error is an error that is sent to the caller of an operation.
type Error struct {
	// Status is the HTTP status.
	Status int
	// Code is the API's name of the error, such as "ResourceNotFoundException".
	Code string
	// Message describes the error to a person.
	Message string
	// QueryCode is the error's name in the service's former query protocol, if it differs.
	QueryCode string
	// QueryMessage is the message in that protocol, if it differs.
	QueryMessage string
}

// Errorf returns an error with status 400, the status of most AWS errors.
func Errorf(code, format string, args ...any) *Error {
	return &Error{Status: http.StatusBadRequest, Code: code, Message: fmt.Sprintf(format, args...)}
}

func (e *Error) Error() string { return e.Code + ": " + e.Message }

// Explained returns an error whose text explains the refusal to the developer of a program.
// errors.As finds e in it.
func (e *Error) Explained(format string, args ...any) error {
	return explained{fmt.Sprintf(format, args...), e}
}

type explained struct {
	text    string
	refusal *Error
}

func (e explained) Error() string { return e.text }
func (e explained) Unwrap() error { return e.refusal }

// InQuery returns the error's code in the query protocol.
func (e *Error) InQuery() string {
	if e.QueryCode != "" {
		return e.QueryCode
	}
	return e.Code
}

// fault returns which side AWS blames for the error.
func (e *Error) fault() string {
	if e.Status >= http.StatusInternalServerError {
		return "Receiver"
	}
	return "Sender"
}

// bodyError returns the error for a body that could not be read.
func bodyError(err error) *Error {
	var tooLarge *http.MaxBytesError
	if errors.As(err, &tooLarge) {
		return &Error{
			Status:  http.StatusRequestEntityTooLarge,
			Code:    "RequestEntityTooLargeException",
			Message: fmt.Sprintf("The request body is larger than %d bytes.", tooLarge.Limit),
		}
	}
	return serializationError("the request body could not be read")
}
