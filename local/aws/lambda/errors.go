package lambda

import (
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"time"

	"restock/local/aws/awsapi"
)

// Types of errors that Lambda reports because the function could not.
const (
	// ErrorTypeExit means that the process ended before it answered.
	ErrorTypeExit = "Runtime.ExitError"
	// ErrorTypeMemory means that the process was killed because it exceeded its memory size. The
	// documentation does not have the name;
	// https://github.com/adobe/helix-html2md-service/issues/1001 shows Lambda's answer.
	ErrorTypeMemory = "Runtime.OutOfMemory"
	// ErrorTypeTimeout means that the process did not answer in time, and was killed.
	ErrorTypeTimeout = "Sandbox.Timedout"
	// ErrorTypeEntrypoint means that the executable could not be started.
	ErrorTypeEntrypoint = "Runtime.InvalidEntrypoint"
	// ErrorTypeResponseSize means that the answer is larger than MaxPayload.
	ErrorTypeResponseSize = "Function.ResponseSizeTooLarge"
)

// Errors of invocations that Lambda refuses. The function did not run.
// https://docs.aws.amazon.com/lambda/latest/api/API_Invoke.html#API_Invoke_Errors
var (
	// ErrThrottled is the error of an invocation when all concurrency is in use.
	ErrThrottled error = &awsapi.Error{
		Status: http.StatusTooManyRequests, Code: "TooManyRequestsException", Message: "Rate Exceeded.",
	}

	// ErrRequestTooLarge is the error of an event that is larger than MaxRequest.
	ErrRequestTooLarge error = &awsapi.Error{
		Status: http.StatusRequestEntityTooLarge, Code: "RequestEntityTooLargeException",
		Message: fmt.Sprintf("Request must be smaller than %d bytes for the InvokeFunction operation", MaxRequest),
	}

	// ErrInvalidRequest is the error of an event that is not JSON. Lambda's text goes on with what
	// its JSON parser says.
	ErrInvalidRequest error = awsapi.Errorf("InvalidRequestContentException",
		"Could not parse request body into json: Could not parse payload into json")
)

// invalidParameter returns Lambda's refusal of a declaration.
func invalidParameter(format string, args ...any) *awsapi.Error {
	return awsapi.Errorf("InvalidParameterValueException", format, args...)
}

// A ThrottledError is an ErrThrottled that names the concurrency that is in use.
type ThrottledError struct{ Reason string }

func (e *ThrottledError) Error() string { return e.Reason + ": " + ErrThrottled.Error() }

// Unwrap makes errors.Is report ErrThrottled.
func (e *ThrottledError) Unwrap() error { return ErrThrottled }

// FunctionError is the failure of a function. Its JSON form is Lambda's answer to the caller:
// https://docs.aws.amazon.com/lambda/latest/dg/golang-exceptions.html
type FunctionError struct {
	Type       string          `json:"errorType"`
	Message    string          `json:"errorMessage"`
	StackTrace json.RawMessage `json:"stackTrace,omitempty"` // in a format of the runtime

	RequestID string `json:"-"`

	// Stderr has the last lines of the process's standard error, if the process ended without
	// reporting an error.
	Stderr []string `json:"-"`

	reported json.RawMessage // by the process; nil if it reported no JSON
}

// MarshalJSON returns what the process reported, or the error that Lambda made.
func (e *FunctionError) MarshalJSON() ([]byte, error) {
	if e.reported != nil {
		return e.reported, nil
	}
	type fields FunctionError
	return json.Marshal((*fields)(e))
}

func (e *FunctionError) Error() string {
	text := e.Type + ": " + e.Message
	if len(e.Stderr) > 0 {
		text += "; the end of its standard error:\n\t" + strings.Join(e.Stderr, "\n\t")
	}
	return text
}

// reportedError decodes the body of a request that reports an error. headerType is the request's
// Lambda-Runtime-Function-Error-Type.
func reportedError(body []byte, headerType string) *FunctionError {
	var e FunctionError
	if err := json.Unmarshal(body, &e); err != nil {
		e = FunctionError{Message: string(body)} // the API accepts any text
	} else {
		e.reported = body
	}
	if e.Type == "" {
		e.Type = headerType
	}
	return &e
}

// exitError describes a process that ended by itself. The texts are Lambda's.
func exitError(requestID string, exit error) *FunctionError {
	text := "Runtime exited without providing a reason"
	if exit != nil {
		text = "Runtime exited with error: " + exit.Error()
	}
	return &FunctionError{Type: ErrorTypeExit, Message: fmt.Sprintf("RequestId: %s Error: %s", requestID, text)}
}

func memoryError(requestID string) *FunctionError {
	return &FunctionError{
		Type:    ErrorTypeMemory,
		Message: fmt.Sprintf("RequestId: %s Error: Runtime exited with error: signal: killed", requestID),
	}
}

func timeoutError(requestID string, timeout time.Duration) *FunctionError {
	return &FunctionError{
		Type:    ErrorTypeTimeout,
		Message: fmt.Sprintf("RequestId: %s Error: Task timed out after %.2f seconds", requestID, timeout.Seconds()),
	}
}
