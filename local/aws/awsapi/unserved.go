package awsapi

import (
	"cmp"
	"encoding/xml"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strings"
)

// sdkIDs are the ids of services in the SDKs, by their names in signatures or in IAM's actions. The
// table lacks services whose id is their name in capitals, such as DynamoDB and S3.
// https://docs.aws.amazon.com/sdkref/latest/guide/ss-endpoints-table.html
var sdkIDs = map[string]string{
	"cloudwatch": "CloudWatch", "monitoring": "CloudWatch", "logs": "CloudWatch Logs", "events": "EventBridge",
	"cognito-idp": "Cognito Identity Provider", "secretsmanager": "Secrets Manager", "states": "SFN", "ses": "SESv2",
}

// EndpointVariable returns the environment variable with the address of a service. service is its
// name in signatures or in IAM's actions. The AWS SDK prefers the variable to AWS_ENDPOINT_URL.
// https://docs.aws.amazon.com/sdkref/latest/guide/feature-ss-endpoints.html
func EndpointVariable(service string) string {
	id := cmp.Or(sdkIDs[service], service)
	return "AWS_ENDPOINT_URL_" + strings.ToUpper(strings.NewReplacer(" ", "_", "-", "_").Replace(id))
}

// Options says what a developer can do about a service that the local run does not serve.
func Options(service string) string {
	return "run an emulator of it on this machine, and start the local run with " + EndpointVariable(service) +
		"=http://127.0.0.1:<port>; add a stand-in, as docs/stand-ins.md shows; or leave it, and handle the error"
}

// unknownService returns the error for a service that the handler does not serve, in the form that
// the service's clients expect.
func (h *Handler) unknownService(c *call) *Error {
	err := &Error{Status: http.StatusNotFound, Code: "UnknownOperationException"}
	if slices.Contains([]string{"s3", "route53", "cloudfront"}, c.signature.service) {
		// A HEAD with 404 would tell a client of S3 that an object does not exist. Clients do not
		// retry 501. https://docs.aws.amazon.com/AmazonS3/latest/API/ErrorResponses.html
		c.protocol, err.Status, err.Code = restXMLProtocol{}, http.StatusNotImplemented, "NotImplemented"
	}
	wanted := cmp.Or(c.signature.service, "unnamed (the request is not signed)")
	err.Message = fmt.Sprintf("The local run does not serve %s: the request is for %s, and the services here are %s.",
		c.operation, wanted, strings.Join(h.names, ", "))
	if c.signature.service != "" {
		c.options = Options(c.signature.service)
	}
	return err
}

// unknownOperation returns the error for an operation that a service does not have here.
func (c *call) unknownOperation() *Error {
	served := strings.Join(slices.Sorted(maps.Keys(c.service.Operations)), ", ")
	c.options = fmt.Sprintf("use one of %s; or add the operation to the stand-in %s", served, c.service.Name)
	return c.protocol.unknownOperation(fmt.Sprintf(
		"The operation %s of %s is not available in the local run, which serves %s.",
		c.operation, c.service.Name, served))
}

// maxReported limits the remembered calls that the handler does not serve.
const maxReported = 1000

// first reports whether a call is the first of its kind that the handler does not serve. For an
// unknown service, the kind is the service and the caller's function.
func (h *Handler) first(c call, function string) bool {
	kind := [3]string{c.service.Name, function}
	if c.service.Operations != nil || c.service.Forward != nil {
		kind[2] = c.operation
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.reported[kind] {
		return false
	}
	if len(h.reported) >= maxReported {
		clear(h.reported) // a repeated warning is better than a missing one
	}
	h.reported[kind] = true
	return true
}

// restXMLProtocol writes the errors of services whose requests are not in a form that this package
// decodes, such as S3's.
// https://docs.aws.amazon.com/AmazonS3/latest/API/ErrorResponses.html#RESTErrorResponses
type restXMLProtocol struct{ jsonProtocol }

// RESTXML is the protocol of S3. This package writes only its errors.
func RESTXML() Protocol { return restXMLProtocol{} }

func (restXMLProtocol) authenticationStatus() int { return http.StatusForbidden }

func (restXMLProtocol) unknownOperation(message string) *Error {
	return &Error{Status: http.StatusNotImplemented, Code: "NotImplemented", Message: message}
}

func (restXMLProtocol) writeError(w http.ResponseWriter, requestID string, err *Error) {
	queryProtocol{}.write(w, err.Status, "Error", func(e *xml.Encoder) error {
		for _, part := range [][2]string{{"Code", err.InQuery()}, {"Message", err.Message}, {"RequestId", requestID}} {
			if err := e.EncodeElement(part[1], element(part[0])); err != nil {
				return err
			}
		}
		return nil
	})
}
