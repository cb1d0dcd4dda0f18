package apigateway

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"time"

	"github.com/aws/aws-lambda-go/events"
)

// RESTTimeout is the longest integration timeout of a REST API, and the default.
// https://docs.aws.amazon.com/apigateway/latest/developerguide/api-gateway-execution-service-limits-table.html
const RESTTimeout = 29 * time.Second

// restEvent returns the function's event of a REST API with a Lambda proxy integration. Unlike an
// HTTP API's, its headers keep their case, and its body is text: the stand-in has no binary media
// types.
// https://docs.aws.amazon.com/apigateway/latest/developerguide/set-up-lambda-proxy-integrations.html#api-gateway-simple-proxy-for-lambda-input-format
func (a *API) restEvent(x *exchange, rt route, params map[string]string, body []byte,
) events.APIGatewayProxyRequest {
	r := x.request
	_, resource, _ := strings.Cut(rt.Key, " ")
	path := strings.TrimPrefix(r.URL.Path, "/"+a.cfg.Stage)
	address := SourceIP(r)
	joined := headers(r, address, 0, x.span)
	e := events.APIGatewayProxyRequest{
		Resource: resource, Path: path, HTTPMethod: r.Method,
		Headers: map[string]string{}, MultiValueHeaders: map[string][]string{},
		PathParameters: params, StageVariables: a.cfg.StageVariables, Body: string(body),
		MultiValueQueryStringParameters: queryParameters(r.URL.RawQuery),
		QueryStringParameters:           map[string]string{},
	}
	for name, values := range r.Header {
		if !hopByHop[name] {
			e.MultiValueHeaders[name] = values
		}
	}
	e.MultiValueHeaders["Host"] = []string{r.Host}
	for _, name := range []string{"X-Forwarded-For", "X-Forwarded-Port", "X-Forwarded-Proto", "X-Amzn-Trace-Id"} {
		e.MultiValueHeaders[name] = []string{joined[strings.ToLower(name)]}
	}
	for name, values := range e.MultiValueHeaders { // the last value wins
		e.Headers[name] = values[len(values)-1]
	}
	for name, values := range e.MultiValueQueryStringParameters {
		e.QueryStringParameters[name] = values[len(values)-1]
	}
	e.RequestContext = events.APIGatewayProxyRequestContext{
		AccountID: a.cfg.AccountID, APIID: a.cfg.APIID, Stage: a.cfg.Stage, RequestID: x.id,
		DomainName: a.domainName(), DomainPrefix: a.cfg.APIID, ResourcePath: resource,
		HTTPMethod: r.Method, Path: r.URL.Path, Protocol: r.Proto,
		RequestTime: x.start.UTC().Format(requestTime), RequestTimeEpoch: x.start.UnixMilli(),
		Identity: events.APIGatewayRequestIdentity{SourceIP: address, UserAgent: r.UserAgent()},
	}
	return e
}

// parseProxyResponse parses a function's answer to a REST API.
// https://docs.aws.amazon.com/apigateway/latest/developerguide/set-up-lambda-proxy-integrations.html#api-gateway-simple-proxy-for-lambda-output-format
func parseProxyResponse(output []byte) (response, error) {
	var declared events.APIGatewayProxyResponse
	decoder := json.NewDecoder(bytes.NewReader(output))
	decoder.DisallowUnknownFields() // a REST API refuses other fields as malformed
	if err := decoder.Decode(&declared); err != nil {
		return response{}, fmt.Errorf("the function's answer is malformed: %w", err)
	}
	if declared.StatusCode == 0 {
		return response{}, errors.New("the function's answer is malformed: it has no statusCode")
	}
	res, err := declaredResponse(declared.StatusCode, declared.Headers, declared.Body, declared.IsBase64Encoded)
	if err != nil {
		return response{}, err
	}
	for name, values := range declared.MultiValueHeaders {
		for _, value := range values {
			res.header.Add(name, value)
		}
	}
	if res.header.Get("Content-Type") == "" {
		res.header.Set("Content-Type", "application/json")
	}
	return res, nil
}

// restFailure returns the answer of a REST API instead of that of an HTTP API.
// https://docs.aws.amazon.com/apigateway/latest/developerguide/supported-gateway-response-types.html
// A function's error and a malformed answer give 502:
// https://docs.aws.amazon.com/apigateway/latest/developerguide/handle-errors-in-lambda-integration.html
func restFailure(status int, err error) response {
	field, message := "message", http.StatusText(status)
	var denied interface {
		error
		AccessDenied() bool
	}
	switch {
	case status == http.StatusForbidden && errors.As(err, &denied):
		// https://docs.aws.amazon.com/apigateway/latest/developerguide/apigateway-resource-policies-create-attach.html
		field, message = "Message", denied.Error()
	case status == http.StatusNotFound:
		status, message = http.StatusForbidden, "Missing Authentication Token"
	case errors.Is(err, errTimeout):
		status, message = http.StatusGatewayTimeout, "Endpoint request timed out"
	case status == http.StatusInternalServerError, status == http.StatusServiceUnavailable:
		status, message = http.StatusBadGateway, "Internal server error"
	case status == http.StatusRequestEntityTooLarge:
		message = "Request Too Long"
	}
	body, _ := json.Marshal(map[string]string{field: message}) // a text never fails
	return response{status: status, header: http.Header{"Content-Type": {"application/json"}}, body: body, own: true}
}
