package web

import (
	"errors"
	"fmt"
	"maps"
	"net/http"
	"path"
	"slices"
	"strings"
)

// defaultRoute is API Gateway's name for all requests that no other route matches.
const defaultRoute = "$default"

// Router serves the routes that a function declares. Routes have the form of API Gateway's route
// keys. A route without a handler and a handler without a route are errors that name the route.
func Router(routes []string, handlers map[string]http.HandlerFunc) (http.Handler, error) {
	mux := http.NewServeMux()
	var errs []error
	for _, route := range routes {
		handler, ok := handlers[route]
		if !ok {
			errs = append(errs, fmt.Errorf("route %q is declared and has no handler", route))
			continue
		}
		mux.HandleFunc(pattern(route), handler)
	}
	for _, route := range slices.Sorted(maps.Keys(handlers)) {
		if !slices.Contains(routes, route) {
			errs = append(errs, fmt.Errorf("route %q has a handler and is not declared", route))
		}
	}
	other := handlers[defaultRoute]
	if other == nil {
		other = NotFound
		mux.HandleFunc(pattern(defaultRoute), other)
	}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		// ServeMux would redirect //products to /products. API Gateway does not.
		if path.Clean(r.URL.Path) != r.URL.Path {
			other(w, r)
			return
		}
		mux.ServeHTTP(w, r)
	}), errors.Join(errs...)
}

// NotFound answers a request that no route matches.
func NotFound(w http.ResponseWriter, _ *http.Request) {
	Answer(w, http.StatusNotFound, map[string]string{"error": "Not Found"})
}

// pattern converts a route key into a pattern of net/http. There, a path that ends in a slash would
// match every path below it.
func pattern(route string) string {
	if route == defaultRoute {
		return "/"
	}
	if strings.HasSuffix(route, "/") {
		return route + "{$}"
	}
	return route
}
