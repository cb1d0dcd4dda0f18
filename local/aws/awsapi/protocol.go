package awsapi

import "net/http"

// Protocol is how requests to a service and its answers are written: JSON or Query.
type Protocol interface {
	// key is what a request for the service carries: the target prefix, or the version.
	key() string
	// decoder returns the function that decodes the request's input into a pointer to a struct.
	decoder(r *http.Request, body []byte) func(input any) error
	// peeker returns a decoder that leaves out what the struct does not name.
	peeker(r *http.Request, body []byte) func(input any) error
	writeOutput(w http.ResponseWriter, operation, requestID string, output any)
	writeError(w http.ResponseWriter, requestID string, err *Error)
	// unknownOperation is the protocol's error for an operation that the service does not have.
	unknownOperation(message string) *Error
	// authenticationStatus is the HTTP status of a refusal of who is not believed to be who it claims to be.
	authenticationStatus() int
}
