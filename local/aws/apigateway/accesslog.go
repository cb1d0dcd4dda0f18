package apigateway

import (
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"regexp"
	"strconv"
	"strings"
	"time"

	"restock/local/aws/awsapi"
	"restock/local/aws/traceid"
	"restock/local/view/events"
)

// MaxAccessLogFormat limits the length of an access log's format, in bytes (3 KB).
// https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-quotas.html
const MaxAccessLogFormat = 3 << 10

// contextVariable matches a variable in an access log's format.
var contextVariable = regexp.MustCompile(`\$context(?:\.\w+)+`)

// logExchange logs a request: one record for people, and the line of the access log if that is
// configured.
func (a *API) logExchange(x *exchange) {
	r, status := x.request, x.response.status
	level := slog.LevelInfo
	switch {
	case x.err != nil:
		level = slog.LevelWarn
	case status < 400 && (r.Method == http.MethodGet || r.Method == http.MethodHead):
		level = slog.LevelDebug // pages poll with GET
	}
	attrs := []slog.Attr{
		events.APIRequest.Attr(),
		slog.String("method", r.Method),
		slog.String("path", r.URL.Path),
		slog.String("route", x.route),
		slog.Int("status", status),
		slog.Duration("duration", time.Since(x.start)),
		slog.String("request_id", x.id),
		traceid.Attr(x.span),
	}
	if reason, ok := awsapi.Throttled(x.err); ok {
		by := "function"
		if x.limited() {
			by = "api"
		}
		attrs = append(attrs, slog.String("throttled", reason), slog.String("throttled_by", by))
	} else if x.err != nil {
		attrs = append(attrs, slog.String("error", x.err.Error()))
	}
	if x.notFound != "" {
		attrs = append(attrs, slog.String("not_found", x.notFound), slog.String("declared_in", a.cfg.DeclaredIn))
	}
	a.log.LogAttrs(r.Context(), level, "api request", attrs...)
	if a.cfg.AccessLogFormat != "" {
		line := slog.String("line", a.accessLog(x))
		a.log.LogAttrs(r.Context(), slog.LevelDebug, "access", events.AccessLogged.Attr(), line)
	}
}

// limited reports whether a limit of the stage or the route stopped the request. A function URL
// answers with the same status if the limit was the function's.
func (x *exchange) limited() bool {
	var exceeded *limitExceeded
	return errors.As(x.err, &exceeded)
}

// accessLog returns a line of the access log. An unknown variable, or one without a value, becomes
// a hyphen.
// https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-logging-variables.html
func (a *API) accessLog(x *exchange) string {
	variables := a.contextVariables(x)
	return contextVariable.ReplaceAllStringFunc(a.cfg.AccessLogFormat, func(variable string) string {
		if value := variables[strings.TrimPrefix(variable, "$context.")]; value != "" {
			return value
		}
		return "-"
	})
}

func (a *API) contextVariables(x *exchange) map[string]string {
	milliseconds := func(d time.Duration) string { return strconv.FormatInt(d.Milliseconds(), 10) }
	variables := map[string]string{
		"accountId":          a.cfg.AccountID,
		"apiId":              a.cfg.APIID,
		"dataProcessed":      strconv.Itoa(len(x.response.body)),
		"domainName":         a.domainName(),
		"domainPrefix":       a.cfg.APIID,
		"extendedRequestId":  x.id,
		"httpMethod":         x.request.Method,
		"identity.sourceIp":  SourceIP(x.request),
		"identity.userAgent": x.request.UserAgent(),
		"path":               x.request.URL.Path,
		"protocol":           x.request.Proto,
		"requestId":          x.id,
		"requestTime":        x.start.UTC().Format(requestTime),
		"requestTimeEpoch":   strconv.FormatInt(x.start.Unix(), 10),
		"responseLatency":    milliseconds(time.Since(x.start)),
		"responseLength":     strconv.Itoa(len(x.response.body)),
		"routeKey":           x.route,
		"stage":              a.cfg.Stage,
		"status":             strconv.Itoa(x.response.status),
	}
	if x.invoked {
		variables["integration.latency"] = milliseconds(x.latency)
		variables["integrationLatency"] = milliseconds(x.latency)
		if !x.response.own { // otherwise Lambda's status of the call is not known here
			ok := strconv.Itoa(http.StatusOK)
			variables["integration.integrationStatus"], variables["integrationStatus"] = ok, ok
			variables["integration.status"] = strconv.Itoa(x.response.status) // the function's status
		}
	}
	switch {
	case x.err == nil:
	case x.limited(): // no integration was called
	case x.response.status == http.StatusForbidden && x.response.own:
		variables["authorizer.error"] = x.err.Error()
	default:
		variables["integration.error"], variables["integrationErrorMessage"] = x.err.Error(), x.err.Error()
	}
	if x.response.own {
		message := http.StatusText(x.response.status)
		variables["error.message"] = message
		variables["error.messageString"] = fmt.Sprintf("%q", message)
	}
	return variables
}
