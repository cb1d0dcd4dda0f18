package awsapi

import (
	"cmp"
	"encoding/xml"
	"maps"
	"net/http"
	"slices"
	"unicode/utf8"
)

// Query is the awsQuery protocol of a service with an API version and an XML namespace. The input
// is a form, the output XML. Inputs and outputs are structs whose fields have xml tags; see
// decodeForm.
// https://smithy.io/2.0/aws/protocols/aws-query-protocol.html
func Query(version, namespace string) Protocol {
	return queryProtocol{version: version, namespace: namespace}
}

// A FlatMap is a map that a form and an XML document of the query protocol write as repeated
// entries with a name and a value, without an element around them.
// https://smithy.io/2.0/spec/protocol-traits.html#xmlflattened-trait
type FlatMap[V any] map[string]V

// MarshalXML writes the entries, sorted by name.
func (m FlatMap[V]) MarshalXML(e *xml.Encoder, start xml.StartElement) error {
	type entry struct {
		Name  string
		Value V
	}
	for _, name := range slices.Sorted(maps.Keys(m)) {
		if err := e.EncodeElement(entry{name, m[name]}, start); err != nil {
			return err
		}
	}
	return nil
}

type queryProtocol struct{ version, namespace string }

func (p queryProtocol) key() string { return p.version }

func (p queryProtocol) decoder(r *http.Request, _ []byte) func(any) error {
	return func(input any) error { return decodeForm(r.Form, input) }
}

func (p queryProtocol) peeker(r *http.Request, _ []byte) func(any) error {
	return func(input any) error { return peekForm(r.Form, input) }
}

func (p queryProtocol) checkText(r *http.Request, _ []byte) error {
	invalid := func(text string) bool { return !utf8.ValidString(text) }
	for name, values := range r.Form {
		if invalid(name) || slices.ContainsFunc(values, invalid) {
			return formError("The request has text that is not UTF-8.")
		}
	}
	return nil
}

func (p queryProtocol) authenticationStatus() int { return http.StatusForbidden }

func (p queryProtocol) writeOutput(w http.ResponseWriter, operation, requestID string, output any) {
	p.write(w, http.StatusOK, operation+"Response", func(e *xml.Encoder) error {
		if err := e.EncodeElement(output, element(operation+"Result")); err != nil {
			return err
		}
		type metadata struct {
			RequestID string `xml:"RequestId"`
		}
		return e.EncodeElement(metadata{requestID}, element("ResponseMetadata"))
	})
}

func (p queryProtocol) writeError(w http.ResponseWriter, requestID string, err *Error) {
	p.write(w, err.Status, "ErrorResponse", func(e *xml.Encoder) error {
		type detail struct{ Type, Code, Message string }
		d := detail{err.fault(), err.InQuery(), cmp.Or(err.QueryMessage, err.Message)}
		if err := e.EncodeElement(d, element("Error")); err != nil {
			return err
		}
		return e.EncodeElement(requestID, element("RequestId"))
	})
}

func (p queryProtocol) write(w http.ResponseWriter, status int, root string, content func(*xml.Encoder) error) {
	w.Header().Set("Content-Type", "text/xml")
	w.WriteHeader(status)
	start := xml.StartElement{Name: xml.Name{Space: p.namespace, Local: root}}
	e := xml.NewEncoder(w)
	// As with JSON, an error from here on means that the caller hung up.
	if e.EncodeToken(start) != nil || content(e) != nil || e.EncodeToken(start.End()) != nil {
		return
	}
	_ = e.Close()
}

func element(name string) xml.StartElement {
	return xml.StartElement{Name: xml.Name{Local: name}}
}

func (p queryProtocol) unknownOperation(message string) *Error {
	return &Error{Status: http.StatusBadRequest, Code: "InvalidAction", Message: message}
}
