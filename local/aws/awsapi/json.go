package awsapi

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
)

// JSON is the awsJson protocol, version "1.0" or "1.1", of a service whose requests name the
// operation in the header X-Amz-Target as <target>.<operation>.
// https://smithy.io/2.0/aws/protocols/aws-json-1_0-protocol.html
func JSON(version, target string) Protocol {
	return jsonProtocol{version: version, target: target}
}

// QueryCompatibleJSON is JSON for a service that formerly used the query protocol, like SQS. Each
// error also has the header x-amzn-query-error, with the code for old clients, and a fully
// qualified type.
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
		if err := decoder.Decode(input); err != nil {
			return jsonInputError(err)
		}
		if _, err := decoder.Token(); !errors.Is(err, io.EOF) {
			return serializationError("the body has more than one JSON value")
		}
		// AWS ignores unknown members. An unknown member here is one that the stand-in does not
		// implement. Ignoring it could hide that AWS would treat the program differently.
		return checkMembers(body, input)
	}
}

func (p jsonProtocol) checkText(_ *http.Request, body []byte) error {
	if isUnicode(body) {
		return nil
	}
	return serializationError("the body has text that is not valid Unicode")
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

// authenticationStatus is 400. A service that formerly used the query protocol has kept its 403.
func (p jsonProtocol) authenticationStatus() int {
	if p.errorNamespace != "" {
		return http.StatusForbidden
	}
	return http.StatusBadRequest
}

// jsonInputError describes an invalid input. It does not quote the input, which may contain a
// secret.
func jsonInputError(err error) error {
	var wrongType *json.UnmarshalTypeError
	var syntax *json.SyntaxError
	switch {
	case errors.As(err, &wrongType):
		return serializationError(fmt.Sprintf("the member %s must be of type %s", wrongType.Field, wrongType.Type))
	case errors.As(err, &syntax):
		return serializationError(fmt.Sprintf("the body is not JSON, at byte %d", syntax.Offset))
	default:
		return serializationError("the body is not a JSON value of the operation's input")
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
		w.Header().Set("X-Amzn-Query-Error", err.InQuery()+";"+err.fault())
	}
	w.Header().Set("X-Amzn-Errortype", err.Code)
	p.write(w, err.Status, map[string]string{"__type": code, "message": err.Message})
}

func (p jsonProtocol) write(w http.ResponseWriter, status int, value any) {
	w.Header().Set("Content-Type", "application/x-amz-json-"+p.version)
	w.WriteHeader(status)
	encoder := json.NewEncoder(w)
	encoder.SetEscapeHTML(false)
	_ = encoder.Encode(value) // an error means that the caller hung up
}

func (p jsonProtocol) unknownOperation(message string) *Error {
	return &Error{Status: http.StatusBadRequest, Code: "UnknownOperationException", Message: message}
}
