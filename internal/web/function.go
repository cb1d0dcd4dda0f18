package web

import (
	"bytes"
	"context"
	"encoding/base64"
	"fmt"
	"io"
	"net/http"
	"net/url"

	"github.com/aws/aws-lambda-go/events"
	"github.com/awslabs/aws-lambda-go-api-proxy/core"

	"restock/internal/shop"
)

// A Function handles the events of an HTTP API (payload format 2.0). It is for lambda.Start.
type Function func(context.Context, events.APIGatewayV2HTTPRequest) (events.APIGatewayV2HTTPResponse, error)

// HarmlessEvent returns a request that no route of a [Router] matches, because its path is not
// clean. An instance handles it before its first invocation: the first request makes the tables
// with which encoding/json reads and writes the events, and each later one is faster.
func (Function) HarmlessEvent() []byte {
	return []byte(`{"version": "2.0", "rawPath": "//", "headers": {"accept": "*/*"},
		"requestContext": {"http": {"method": "GET", "path": "//"}}}`)
}

// Lambda returns the function that serves requests with a handler.
func Lambda(h http.Handler) Function {
	return func(ctx context.Context, event events.APIGatewayV2HTTPRequest) (events.APIGatewayV2HTTPResponse, error) {
		ctx = shop.WithCorrelation(ctx, event.RequestContext.RequestID) // the API's access log has it, too
		request, err := newRequest(ctx, event)
		if err != nil {
			return events.APIGatewayV2HTTPResponse{}, fmt.Errorf("reading the event of %s %q: %w",
				event.RequestContext.HTTP.Method, event.RawPath, err)
		}
		answer := core.NewProxyResponseWriterV2()
		h.ServeHTTP(answer, request)
		return answer.GetProxyResponse()
	}
}

// newRequest converts an event into a request. It replaces the library's own conversion, for three
// reasons. The library fails on a query that it cannot parse, which any client can send, and logs
// the raw path. It decodes the path a second time: the HTTP API has decoded it already. It splits
// most headers at their commas.
func newRequest(ctx context.Context, event events.APIGatewayV2HTTPRequest) (*http.Request, error) {
	body := []byte(event.Body)
	if event.IsBase64Encoded {
		var err error
		if body, err = base64.StdEncoding.DecodeString(event.Body); err != nil {
			return nil, err
		}
	}
	about := event.RequestContext
	host := about.DomainName
	request := &http.Request{
		Method:        about.HTTP.Method,
		URL:           &url.URL{Scheme: "https", Host: host, Path: event.RawPath, RawQuery: event.RawQueryString},
		Proto:         "HTTP/1.1",
		ProtoMajor:    1,
		ProtoMinor:    1,
		Host:          host,
		RemoteAddr:    about.HTTP.SourceIP,
		Header:        http.Header{},
		Body:          io.NopCloser(bytes.NewReader(body)),
		ContentLength: int64(len(body)),
	}
	for _, cookie := range event.Cookies {
		request.Header.Add("Cookie", cookie)
	}
	for name, value := range event.Headers {
		request.Header.Add(name, value) // names that differ only in case are one repeated header
	}
	return request.WithContext(ctx), nil
}
