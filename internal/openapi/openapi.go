// Package openapi serves the description of the HTTP API. Its tests generate the description from
// the routes in package lambdas and the types that the handlers read and write.
package openapi

import (
	_ "embed"
	"net/http"

	"restock/internal/web"
)

// Document is the description, in the format OpenAPI 3.0: https://spec.openapis.org/oas/v3.0.3
//
//go:embed openapi.json
var Document string

// Handler serves the description. It changes with a deployment only.
func Handler() http.Handler {
	etag := web.ETag(Document)
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		web.AnswerShared(w, r, "application/json; charset=utf-8", Document, etag)
	})
}
