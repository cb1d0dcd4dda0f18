package awsapi

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
)

// JSON is the awsJson protocol of the given version ("1.0" or "1.1"), for a service whose operations are named in the
// X-Amz-Target header as <target>.<operation>.
// https://smithy.io/2.0/aws/protocols/aws-json-1_0-protocol.html
func JSON(version, target string) Protocol {
	return jsonProtocol{version: version, target: target}
}

// QueryCompatibleJSON is JSON for a service that once spoke the query protocol, as SQS did: each error also carries, in
// the header x-amzn-query-error, the code that clients of those days know it by, and its type is named in full.
// https://smithy.io/2.0/aws/protocols/aws-query-protocol.html#aws-protocols-awsquerycompatible-trait
func QueryCompatibleJSON(version, target, errorNamespace string) Protocol {
	return jsonProtocol{version: version, target: target, errorNamespace: errorNamespace}
}

type jsonProtocol struct {
	version, target string
	errorNamespace  string // set for a query compatible service
}

func (p jsonProtocol) key() string { return p.target }

func (p jsonProtocol) decoder(_ *http.Request, body []byte) func(any) error {
	return func(input any) error {
		if len(bytes.TrimSpace(body)) == 0 {
			return nil // an operation without input
		}
		decoder := json.NewDecoder(bytes.NewReader(body))
		// AWS ignores members that it does not know. Here a member that is not known is one that the stand-in does not
		// implement, and ignoring it would let a program pass that AWS treats otherwise.
		decoder.DisallowUnknownFields()
		if err := decoder.Decode(input); err != nil {
			return jsonInputError(err)
		}
		if _, err := decoder.Token(); !errors.Is(err, io.EOF) {
			return serializationError("the body holds more than one JSON value")
		}
		return nil
	}
}

func (p jsonProtocol) peeker(_ *http.Request, body []byte) func(any) error {
	return func(input any) error {
		if len(bytes.TrimSpace(body)) == 0 {
			return nil
		}
		if err := json.Unmarshal(body, input); err != nil {
			return jsonInputError(err)
		}
		return nil
	}
}

// authenticationStatus is 400, but for a service that once spoke the query protocol, and kept its 403.
func (p jsonProtocol) authenticationStatus() int {
	if p.errorNamespace != "" {
		return http.StatusForbidden
	}
	return http.StatusBadRequest
}

// jsonInputError says what is wrong with an input without quoting it: it may hold a secret.
func jsonInputError(err error) error {
	var wrongType *json.UnmarshalTypeError
	var syntax *json.SyntaxError
	switch {
	case errors.As(err, &wrongType):
		return serializationError(fmt.Sprintf("the member %s must be of type %s", wrongType.Field, wrongType.Type))
	case errors.As(err, &syntax):
		return serializationError(fmt.Sprintf("the body is not JSON, at byte %d", syntax.Offset))
	case strings.HasPrefix(err.Error(), "json: unknown field "):
		return serializationError("the local run does not know the member " + strings.TrimPrefix(err.Error(), "json: unknown field "))
	default:
		return serializationError("the body is not a JSON value that the operation takes")
	}
}

func serializationError(message string) *Error {
	return &Error{Status: http.StatusBadRequest, Code: "SerializationException", Message: message}
}

func (p jsonProtocol) writeOutput(w http.ResponseWriter, _, _ string, output any) {
	p.write(w, http.StatusOK, output)
}

func (p jsonProtocol) writeError(w http.ResponseWriter, _ string, err *Error) {
	code := err.Code
	if p.errorNamespace != "" {
		code = p.errorNamespace + "#" + err.Code
		w.Header().Set("X-Amzn-Query-Error", err.queryCode()+";"+err.fault())
	}
	w.Header().Set("X-Amzn-Errortype", err.Code)
	p.write(w, err.Status, map[string]string{"__type": code, "message": err.Message})
}

func (p jsonProtocol) write(w http.ResponseWriter, status int, value any) {
	w.Header().Set("Content-Type", "application/x-amz-json-"+p.version)
	w.WriteHeader(status)
	encoder := json.NewEncoder(w)
	encoder.SetEscapeHTML(false)
	_ = encoder.Encode(value) // the status is sent: there is nobody left to tell that the caller hung up
}

func (p jsonProtocol) unknownOperation(message string) *Error {
	return &Error{Status: http.StatusBadRequest, Code: "UnknownOperationException", Message: message}
}
