package apigateway

import (
	"net/http"
	"slices"
	"strconv"
	"strings"
)

// CORS limits what pages of other origins may do with the API. If it is configured, API Gateway
// answers preflight requests itself, adds the headers to the functions' answers, and removes the
// functions' own CORS headers.
// https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-cors.html
type CORS struct {
	// AllowOrigins has origins, "https://*" or "http://*" for all origins of a scheme, or "*".
	AllowOrigins  []string
	AllowMethods  []string
	AllowHeaders  []string
	ExposeHeaders []string

	AllowCredentials bool
	MaxAge           int // of a preflight's answer, in seconds; 0 is not sent
}

// isPreflight reports whether API Gateway answers a request itself. It requires both headers; see
// the page above.
func isPreflight(r *http.Request) bool {
	return r.Method == http.MethodOptions && r.Header.Get("Origin") != "" &&
		r.Header.Get("Access-Control-Request-Method") != ""
}

// preflight answers a preflight request. An origin that is not allowed gets an answer without the
// headers. The documentation does not name the status; 204 means an answer without content.
func (c *CORS) preflight(r *http.Request) response {
	res := response{status: http.StatusNoContent, header: http.Header{}}
	if !c.decorate(r, res.header) {
		return res
	}
	set := func(name string, values []string) {
		if len(values) > 0 {
			res.header.Set(name, strings.Join(values, ","))
		}
	}
	set("Access-Control-Allow-Methods", c.AllowMethods)
	set("Access-Control-Allow-Headers", c.AllowHeaders)
	if c.MaxAge != 0 {
		res.header.Set("Access-Control-Max-Age", strconv.Itoa(c.MaxAge))
	}
	return res
}

// decorate replaces the CORS headers of an answer with the configured ones, and reports whether the
// request's origin is allowed. An answer to a request without an origin gets no headers.
func (c *CORS) decorate(r *http.Request, header http.Header) (allowed bool) {
	for name := range header {
		if strings.HasPrefix(name, "Access-Control-") {
			delete(header, name)
		}
	}
	origin := r.Header.Get("Origin")
	if origin == "" {
		return false
	}
	allow := c.allow(origin)
	if allow == "" {
		return false
	}
	header.Set("Access-Control-Allow-Origin", allow)
	if c.AllowCredentials {
		header.Set("Access-Control-Allow-Credentials", "true")
	}
	if len(c.ExposeHeaders) > 0 {
		header.Set("Access-Control-Expose-Headers", strings.Join(c.ExposeHeaders, ","))
	}
	return true
}

// Allows reports whether the pages of an origin may use the API. Without a configuration only the
// API's own pages may.
func (c *CORS) Allows(origin string) bool { return c != nil && c.allow(origin) != "" }

// allow returns the value of Access-Control-Allow-Origin for an origin, or "" if it is not allowed.
func (c *CORS) allow(origin string) string {
	if slices.Contains(c.AllowOrigins, "*") {
		return "*"
	}
	for _, allowed := range c.AllowOrigins {
		prefix, wild := strings.CutSuffix(allowed, "://*")
		if wild && strings.HasPrefix(origin, prefix+"://") || strings.EqualFold(allowed, origin) {
			return origin
		}
	}
	return ""
}
