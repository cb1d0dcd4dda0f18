package awsapi

import "net/http"

// Protocol is the format of a service's requests and answers: JSON or Query.
type Protocol interface {
	// key identifies the service in a request: the target prefix, or the version.
	key() string
	// decoder returns the function that decodes the request's input into a pointer to a struct.
	decoder(r *http.Request, body []byte) func(input any) error
	// peeker returns a decoder that ignores input without a field in the struct.
	peeker(r *http.Request, body []byte) func(input any) error
	// checkText returns an error for text that is not valid Unicode.
	checkText(r *http.Request, body []byte) error
	writeOutput(w http.ResponseWriter, operation, requestID string, output any)
	writeError(w http.ResponseWriter, requestID string, err *Error)
	// unknownOperation returns the protocol's error for an unknown operation.
	unknownOperation(message string) *Error
	// authenticationStatus returns the HTTP status for a caller with a wrong signature.
	authenticationStatus() int
}
