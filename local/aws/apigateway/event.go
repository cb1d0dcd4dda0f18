package apigateway

import (
	"cmp"
	"encoding/base64"
	"mime"
	"net"
	"net/http"
	"net/url"
	"regexp"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/aws/aws-lambda-go/events"

	"restock/local/aws/traceid"
)

// functionEvent is the function's event without requestContext.authentication, which only requests
// with mutual TLS have.
type functionEvent struct {
	events.APIGatewayV2HTTPRequest
	RequestContext struct {
		events.APIGatewayV2HTTPRequestContext
		Authentication *struct{} `json:"authentication,omitempty"` // hides the embedded field
	} `json:"requestContext"`
}

// event returns the function's event for a request, in payload format 2.0.
// https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-develop-integrations-lambda.html
//
// The event differs from AWS in one point. The host header is the client's, so that links that the
// function makes from it work. domainName is the API's name on AWS, where both are equal.
func (a *API) event(x *exchange, routeKey string, params map[string]string, body []byte) functionEvent {
	r, now := x.request, x.start
	sourceIP := SourceIP(r)
	text, isBase64 := encodeBody(r.Header, body)
	event := functionEvent{APIGatewayV2HTTPRequest: events.APIGatewayV2HTTPRequest{
		Version:  "2.0",
		RouteKey: routeKey,
		// Unlike the query string, this path is decoded, in spite of its name; see
		// https://github.com/honojs/hono/issues/2156
		RawPath:               r.URL.Path,
		RawQueryString:        r.URL.RawQuery,
		Cookies:               cookies(r.Header),
		Headers:               headers(r, sourceIP, len(body), x.span),
		QueryStringParameters: joinValues(queryParameters(r.URL.RawQuery)),
		PathParameters:        params,
		StageVariables:        a.cfg.StageVariables,
		Body:                  text,
		IsBase64Encoded:       isBase64,
	}}
	event.RequestContext.APIGatewayV2HTTPRequestContext = events.APIGatewayV2HTTPRequestContext{
		RouteKey:     routeKey,
		AccountID:    a.cfg.AccountID,
		Stage:        a.cfg.Stage,
		RequestID:    x.id,
		APIID:        a.cfg.APIID,
		DomainName:   a.domainName(),
		DomainPrefix: a.cfg.APIID,
		Time:         now.UTC().Format(requestTime),
		TimeEpoch:    now.UnixMilli(),
		HTTP: events.APIGatewayV2HTTPRequestContextHTTPDescription{
			Method:    r.Method,
			Path:      r.URL.Path,
			Protocol:  r.Proto,
			SourceIP:  sourceIP,
			UserAgent: r.UserAgent(),
		},
	}
	return event
}

// requestTime is the format of a request's time: the one of the common log format.
const requestTime = "02/Jan/2006:15:04:05 -0700"

// domainName returns the API's host name on AWS.
func (a *API) domainName() string {
	return a.cfg.APIID + ".execute-api." + a.cfg.Region + ".amazonaws.com"
}

// hopByHop are the headers of one connection.
// https://www.rfc-editor.org/rfc/rfc9110#section-7.6.1
var hopByHop = map[string]bool{
	"Connection": true, "Keep-Alive": true, "Proxy-Connection": true, "Te": true,
	"Trailer": true, "Transfer-Encoding": true, "Upgrade": true,
}

// headers returns the request's headers and the headers that API Gateway adds. Names are in lower
// case; commas join repeated values. Cookies have a field of their own.
func headers(r *http.Request, sourceIP string, bodyLength int, span traceid.Span) map[string]string {
	joined := make(map[string]string, len(r.Header)+6)
	for name, values := range r.Header {
		if name != "Cookie" && !hopByHop[name] {
			joined[strings.ToLower(name)] = strings.Join(values, ",")
		}
	}
	joined["host"] = r.Host
	if bodyLength > 0 {
		joined["content-length"] = strconv.Itoa(bodyLength)
	}

	proto, port := "http", "80"
	if r.TLS != nil {
		proto, port = "https", "443"
	}
	if _, p, err := net.SplitHostPort(r.Host); err == nil {
		port = p
	}
	joined["x-forwarded-proto"] = proto
	joined["x-forwarded-port"] = port
	if earlier := joined["x-forwarded-for"]; earlier != "" {
		sourceIP = earlier + ", " + sourceIP
	}
	joined["x-forwarded-for"] = sourceIP
	joined["x-amzn-trace-id"] = cmp.Or(joined["x-amzn-trace-id"], "Root="+span.Root)
	return joined
}

// cookies returns the cookies as "name=value", in the order of the request.
func cookies(h http.Header) []string {
	var list []string
	for _, line := range h["Cookie"] {
		for cookie := range strings.SplitSeq(line, ";") {
			if cookie = strings.TrimSpace(cookie); cookie != "" {
				list = append(list, cookie)
			}
		}
	}
	return list
}

// queryParameters decodes a query string, as browsers do:
// https://url.spec.whatwg.org/#concept-urlencoded-parser
// AWS documents a semicolon as a separator for REST APIs only:
// https://docs.aws.amazon.com/apigateway/latest/developerguide/api-gateway-known-issues.html
func queryParameters(raw string) map[string][]string {
	parameters := map[string][]string{}
	for pair := range strings.SplitSeq(raw, "&") {
		if pair != "" {
			name, value, _ := strings.Cut(pair, "=")
			name = unescape(name)
			parameters[name] = append(parameters[name], unescape(value))
		}
	}
	return parameters
}

// percent matches a percent sign and up to two hexadecimal digits.
var percent = regexp.MustCompile(`%[0-9A-Fa-f]{0,2}`)

// unescape decodes a part of a query string. Invalid escapes stay as they are.
func unescape(text string) string {
	decoded, err := url.QueryUnescape(text)
	if err != nil {
		decoded, _ = url.QueryUnescape(percent.ReplaceAllStringFunc(text, func(escape string) string {
			if len(escape) < len("%00") {
				return "%25" + escape[1:]
			}
			return escape
		}))
	}
	return decoded
}

func joinValues(values map[string][]string) map[string]string {
	if len(values) == 0 {
		return nil
	}
	joined := make(map[string]string, len(values))
	for name, v := range values {
		joined[name] = strings.Join(v, ",")
	}
	return joined
}

// SourceIP returns the IP address of a request's client.
func SourceIP(r *http.Request) string {
	host, _, err := net.SplitHostPort(r.RemoteAddr)
	if err != nil {
		return r.RemoteAddr
	}
	return host
}

// encodeBody returns the body for the event, and whether it is base64. API Gateway passes a body
// with a text type unchanged and encodes every other one, including forms and bodies without a
// type. AWS does not document the text types; https://github.com/ministackorg/ministack/pull/766
// measured them on AWS. A body that is not UTF-8, such as a compressed one, is encoded whatever its
// type is.
func encodeBody(h http.Header, body []byte) (text string, isBase64 bool) {
	if len(body) == 0 {
		return "", false
	}
	if isTextType(h.Get("Content-Type")) && utf8.Valid(body) {
		return string(body), false
	}
	return base64.StdEncoding.EncodeToString(body), true
}

func isTextType(contentType string) bool {
	mediaType, _, _ := mime.ParseMediaType(contentType) // with a malformed parameter, it still returns the type
	switch mediaType {
	case "application/json", "application/xml", "application/javascript":
		return true
	default:
		return strings.HasPrefix(mediaType, "text/")
	}
}
