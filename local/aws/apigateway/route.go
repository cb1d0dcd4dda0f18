package apigateway

import (
	"cmp"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"
)

// route is a Route with a parsed key.
type route struct {
	Route              // with a timeout
	method   string    // "" means any method
	path     []segment // nil with $default: every path
	catchAll bool      // the key is $default
	limit    *bucket   // nil: the stage's
}

// segment is a part of a route's path between slashes.
type segment struct {
	kind kind
	text string // the literal text, or the variable's name
}

// kind is ordered: a more specific kind is smaller.
type kind int

const (
	literal kind = iota
	variable
	greedy
)

var methods = []string{
	http.MethodDelete, http.MethodGet, http.MethodHead, http.MethodOptions,
	http.MethodPatch, http.MethodPost, http.MethodPut,
}

func parseRoutes(declared []Route) ([]route, error) {
	routes := make([]route, 0, len(declared))
	shapes := make(map[string]string, len(declared))
	for _, d := range declared {
		r, err := parseRoute(d)
		if err != nil {
			return nil, fmt.Errorf("route %q: %w", d.Key, err)
		}
		if other, taken := shapes[r.shape()]; taken {
			return nil, fmt.Errorf("route %q matches the same requests as %q: declare one of them", d.Key, other)
		}
		shapes[r.shape()] = d.Key
		routes = append(routes, r)
	}
	slices.SortStableFunc(routes, bySpecificity)
	return routes, nil
}

func parseRoute(d Route) (route, error) {
	d.Timeout = cmp.Or(d.Timeout, MaxTimeout)
	r := route{Route: d}
	if (d.Function == nil) == (d.Action == nil) {
		return route{}, errors.New("it needs either a function or an action of a service")
	}
	if d.Action != nil {
		if err := d.Action.validate(); err != nil {
			return route{}, err
		}
	}
	if err := d.Throttling.validate(); err != nil {
		return route{}, err
	}
	if r.Timeout < MinTimeout || r.Timeout > MaxTimeout {
		return route{}, fmt.Errorf("the timeout %v is not between %v and %v", r.Timeout, MinTimeout, MaxTimeout)
	}
	if d.Key == defaultKey {
		r.catchAll = true
		return r, nil
	}
	method, path, ok := strings.Cut(d.Key, " ")
	if !ok || !strings.HasPrefix(path, "/") || strings.ContainsAny(path, " ?#") {
		return route{}, errors.New(`the key must be "METHOD /path" or "$default"`)
	}
	if method != "ANY" {
		if !slices.Contains(methods, method) {
			return route{}, fmt.Errorf("the method %q is neither ANY nor one of %s", method,
				strings.Join(methods, ", "))
		}
		r.method = method
	}
	var err error
	r.path, err = parsePath(path)
	return r, err
}

func parsePath(path string) ([]segment, error) {
	parts := strings.Split(path[1:], "/")
	segments := make([]segment, len(parts))
	names := make(map[string]bool)
	for i, part := range parts {
		s := segment{kind: literal, text: part}
		if strings.ContainsAny(part, "{}") {
			name, opened := strings.CutPrefix(part, "{")
			name, closed := strings.CutSuffix(name, "}")
			s.kind = variable
			if cut, ok := strings.CutSuffix(name, "+"); ok {
				s.kind, name = greedy, cut
			}
			if !opened || !closed || name == "" || strings.ContainsAny(name, "{}+") {
				return nil, fmt.Errorf(`%q is not a variable: write "{name}" or "{name+}"`, part)
			}
			if names[name] {
				return nil, fmt.Errorf("the variable %q occurs twice", name)
			}
			names[name] = true
			s.text = name
		}
		if s.kind == greedy && i < len(parts)-1 {
			return nil, fmt.Errorf("the greedy variable %q must be at the end", part)
		}
		segments[i] = s
	}
	return segments, nil
}

// shape is equal for two routes that match the same requests.
func (r route) shape() string {
	if r.catchAll {
		return defaultKey
	}
	var b strings.Builder
	b.WriteString(cmp.Or(r.method, "ANY"))
	for _, s := range r.path {
		b.WriteString([]string{literal: "/" + s.text, variable: "/{}", greedy: "/{+}"}[s.kind])
	}
	return b.String()
}

// bySpecificity orders the routes by their precedence: a full match, then a greedy variable, then
// $default. Among equals, the path with the longer literal prefix is first, then the route that
// names its method.
// https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-develop-routes.html#http-api-develop-routes.evaluation
func bySpecificity(a, b route) int {
	if c := cmp.Compare(a.class(), b.class()); c != 0 {
		return c
	}
	for i := range min(len(a.path), len(b.path)) {
		if c := cmp.Compare(a.path[i].kind, b.path[i].kind); c != 0 {
			return c
		}
	}
	switch {
	case a.method != "" && b.method == "":
		return -1
	case a.method == "" && b.method != "":
		return 1
	}
	return 0
}

func (r route) class() int {
	switch {
	case r.catchAll:
		return 2
	case r.path[len(r.path)-1].kind == greedy:
		return 1
	default:
		return 0
	}
}

// match returns the route of a request and the values of its path variables. The path is
// percent-encoded, so that an encoded slash does not end a segment.
func match(routes []route, method, path string) (route, map[string]string, bool) {
	segments := strings.Split(strings.TrimPrefix(path, "/"), "/")
	for i, s := range segments {
		if decoded, err := url.PathUnescape(s); err == nil {
			segments[i] = decoded
		}
	}
	for _, r := range routes {
		if r.method != "" && r.method != method {
			continue
		}
		if params, ok := r.matchPath(segments); ok {
			return r, params, true
		}
	}
	return route{}, nil, false
}

func (r route) matchPath(segments []string) (map[string]string, bool) {
	if r.catchAll {
		return nil, true
	}
	params := make(map[string]string)
	for i, s := range r.path {
		if i >= len(segments) {
			return nil, false
		}
		switch s.kind {
		case literal:
			if segments[i] != s.text {
				return nil, false
			}
		case variable:
			if segments[i] == "" {
				return nil, false
			}
			params[s.text] = segments[i]
		case greedy:
			rest := strings.Join(segments[i:], "/")
			if rest == "" { // {proxy+} matches children, not the resource itself
				return nil, false
			}
			params[s.text] = rest
			return params, true
		}
	}
	return params, len(segments) == len(r.path)
}

// inStage returns the percent-encoded path below the stage. ok is false if the request is not for
// this stage.
func (a *API) inStage(u *url.URL) (string, bool) {
	path := u.EscapedPath()
	if a.cfg.Stage == DefaultStage {
		return path, true
	}
	rest, ok := strings.CutPrefix(path, "/"+a.cfg.Stage)
	if !ok || rest != "" && rest[0] != '/' {
		return "", false
	}
	return cmp.Or(rest, "/"), true
}
