package apigateway

import (
	"context"
	"fmt"
	"net/http"
	"regexp"
	"strings"
)

// An Action is an action of an AWS service that answers a route's requests in place of a function.
// https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-develop-integrations-aws-services.html
type Action struct {
	// Parameters are the action's parameters by name. A value is a text, or an expression that
	// stands for a part of the request, like $request.body. A text may contain expressions in
	// braces: ${request.path.order}. Expressions for a part of a JSON body are not supported.
	//
	// AWS does not document what a missing part becomes. Here it is an empty text.
	Parameters map[string]string
	// Call calls the service. It returns the service's answer, which the client gets, also if the
	// service refuses the call. An error means that there is no answer.
	Call func(ctx context.Context, parameters map[string]string) (*ServiceAnswer, error)
}

// A ServiceAnswer is the answer of an AWS service.
type ServiceAnswer struct {
	Status      int
	ContentType string
	Body        []byte
}

var (
	// expression matches a parameter that is one expression.
	expression = regexp.MustCompile(`^\$((?:request|context|stageVariables)\.[\w.-]+)$`)
	// embedded matches an expression in a text.
	embedded = regexp.MustCompile(`\$\{((?:request|context|stageVariables)\.[\w.-]+)\}`)
)

func (a *Action) validate() error {
	for name, text := range a.Parameters {
		for _, part := range expressions(text) {
			if strings.HasPrefix(part, "request.body.") {
				return fmt.Errorf("parameter %s: $%s, a part of the body, is not run here: use $request.body",
					name, part)
			}
			known := false
			for _, prefix := range []string{
				"request.header.", "request.querystring.", "request.path.", "context.", "stageVariables.",
			} {
				known = known || strings.HasPrefix(part, prefix)
			}
			if !known && part != "request.body" {
				return fmt.Errorf("parameter %s: $%s is no part of a request", name, part)
			}
		}
	}
	return nil
}

// expressions returns the expressions in a parameter.
func expressions(text string) []string {
	if whole := expression.FindStringSubmatch(text); whole != nil {
		return whole[1:]
	}
	var parts []string
	for _, found := range embedded.FindAllStringSubmatch(text, -1) {
		parts = append(parts, found[1])
	}
	return parts
}

// call answers a request with the route's action.
func (a *API) call(x *exchange, rt route, params map[string]string, body []byte) {
	value := func(part string) string {
		kind, name, _ := strings.Cut(strings.TrimPrefix(part, "request."), ".")
		switch kind {
		case "header":
			return strings.Join(x.request.Header.Values(name), ",")
		case "querystring":
			return strings.Join(queryParameters(x.request.URL.RawQuery)[name], ",")
		case "path":
			return params[name]
		case "body":
			return string(body)
		case "stageVariables":
			return a.cfg.StageVariables[name]
		default:
			return a.contextVariables(x)[name]
		}
	}
	parameters := map[string]string{}
	for name, text := range rt.Action.Parameters {
		if whole := expression.FindStringSubmatch(text); whole != nil {
			parameters[name] = value(whole[1])
			continue
		}
		parameters[name] = embedded.ReplaceAllStringFunc(text, func(found string) string {
			return value(embedded.FindStringSubmatch(found)[1])
		})
	}
	a.complete(x, rt, func(ctx context.Context) (response, error) {
		answer, err := rt.Action.Call(ctx, parameters)
		if err != nil {
			return response{}, err
		}
		if answer.Status >= http.StatusBadRequest {
			err = fmt.Errorf("the service refused the call: %s", answer.Body)
		}
		return response{
			status: answer.Status, header: http.Header{"Content-Type": {answer.ContentType}}, body: answer.Body,
			warning: err,
		}, nil
	})
}
