package apigateway

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"slices"

	"github.com/aws/aws-lambda-go/events"
)

// response is the client's answer.
type response struct {
	status  int
	header  http.Header
	body    []byte
	own     bool  // from API Gateway, not from a function
	warning error // a likely mistake in the function's answer, which was sent all the same
}

// failure returns an answer of the API itself, because of an error that the client does not see.
func (a *API) failure(status int, err error) response {
	if a.cfg.REST {
		return restFailure(status, err)
	}
	return failure(status)
}

// failure returns an answer of an HTTP API itself.
func failure(status int) response {
	// json.Marshal cannot fail on a string.
	body, _ := json.Marshal(map[string]string{"message": http.StatusText(status)})
	return response{status: status, header: http.Header{"Content-Type": {"application/json"}}, body: body, own: true}
}

// responseFields are the fields of an answer in payload format 2.0, and multiValueHeaders, a likely
// mistake.
var responseFields = []string{"statusCode", "headers", "body", "cookies", "isBase64Encoded", "multiValueHeaders"}

// parseResponse parses a function's answer in payload format 2.0. JSON without a statusCode becomes
// the body, and the other fields are inferred.
// https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-develop-integrations-lambda.html#http-api-develop-integrations-lambda.response
func parseResponse(output []byte) (response, error) {
	if !json.Valid(output) {
		return response{}, fmt.Errorf("the function's answer is not JSON: %.100q", output)
	}
	var fields map[string]json.RawMessage
	if err := json.Unmarshal(output, &fields); err != nil || fields["statusCode"] == nil {
		return inferResponse(output), nil
	}
	// Names are case-sensitive, unlike those of encoding/json: BODY is not the body.
	maps.DeleteFunc(fields, func(name string, _ json.RawMessage) bool { return !slices.Contains(responseFields, name) })
	known, err := json.Marshal(fields)
	if err != nil {
		return response{}, fmt.Errorf("reading the function's answer: %w", err)
	}
	var declared events.APIGatewayV2HTTPResponse
	if err := json.Unmarshal(known, &declared); err != nil {
		return response{}, fmt.Errorf("the function's answer is not of payload format 2.0: %w", err)
	}
	if declared.StatusCode < 200 || declared.StatusCode > 599 {
		return response{}, fmt.Errorf("the function's answer has statusCode %d, want 200 to 599", declared.StatusCode)
	}

	res, err := declaredResponse(declared.StatusCode, declared.Headers, declared.Body, declared.IsBase64Encoded)
	if err != nil {
		return response{}, err
	}
	for _, cookie := range declared.Cookies {
		res.header.Add("Set-Cookie", cookie)
	}
	if len(declared.MultiValueHeaders) > 0 {
		res.warning = errors.New("the function's answer has multiValueHeaders, which payload format 2.0 ignores: " +
			"join the values with commas in headers, and put cookies in cookies")
	}
	return res, nil
}

// declaredResponse returns the answer that a function declares in either payload format.
func declaredResponse(status int, headers map[string]string, body string, isBase64 bool) (response, error) {
	res := response{status: status, header: make(http.Header), body: []byte(body)}
	if isBase64 {
		var err error
		if res.body, err = base64.StdEncoding.DecodeString(body); err != nil {
			return response{}, fmt.Errorf("the function's answer has isBase64Encoded true, but its body: %w", err)
		}
	}
	for name, value := range headers {
		res.header.Set(name, value)
	}
	return res, nil
}

// inferResponse returns the answer for JSON that is only a body. The body of a JSON string is its
// text, as in the documentation's table.
func inferResponse(output []byte) response {
	body := bytes.TrimSpace(output)
	var text string
	if json.Unmarshal(body, &text) == nil && body[0] == '"' {
		body = []byte(text)
	}
	return response{
		status: http.StatusOK,
		header: http.Header{"Content-Type": {"application/json"}},
		body:   body,
	}
}

// writeTo sends the answer. It ignores an error: the client has hung up.
func (res response) writeTo(w http.ResponseWriter) {
	header := w.Header()
	for name, values := range res.header {
		// The server sets the length and the headers of the connection.
		if name != "Content-Length" && !hopByHop[name] {
			header[name] = values
		}
	}
	if len(res.body) > 0 && header.Get("Content-Type") == "" {
		header.Set("Content-Type", "text/plain; charset=utf-8") // otherwise net/http guesses a type
	}
	w.WriteHeader(res.status)
	_, _ = w.Write(res.body)
}
