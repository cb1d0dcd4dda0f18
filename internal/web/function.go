package web

import (
	"net/http"

	"github.com/awslabs/aws-lambda-go-api-proxy/httpadapter"
)

// Lambda makes a handler of the events of an HTTP API (payload format 2.0), for lambda.Start.
func Lambda(h http.Handler) any {
	return httpadapter.NewV2(h).ProxyWithContext
}
