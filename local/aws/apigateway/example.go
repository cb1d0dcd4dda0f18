package apigateway

import (
	"cmp"
	"encoding/json"
	"net/http"
	"net/url"
	"strings"
	"time"

	"restock/local/aws/traceid"
)

// Example returns an event like those that the function of a route gets. A variable of the path has
// its name as its value, and a body is an empty object. known is false if the API has no such
// route.
func (a *API) Example(routeKey string) (event []byte, known bool, err error) {
	for _, rt := range a.routes {
		if rt.Key != routeKey {
			continue
		}
		path, params := "", map[string]string(nil)
		for _, s := range rt.path {
			path += "/" + s.text
			if s.kind != literal {
				if params == nil {
					params = map[string]string{}
				}
				params[s.text] = s.text
			}
		}
		request := &http.Request{
			Method: cmp.Or(rt.method, http.MethodGet), URL: &url.URL{Path: cmp.Or(path, "/")}, Proto: "HTTP/1.1",
			Host: a.domainName(), Header: http.Header{"Accept": {"*/*"}}, RemoteAddr: "127.0.0.1:0",
		}
		body := ""
		if strings.HasPrefix(request.Method, "P") { // PATCH, POST, PUT
			body = "{}"
			request.Header.Set("Content-Type", "application/json")
		}
		x := &exchange{request: request, id: newRequestID(), start: time.Now(), span: traceid.New(time.Now())}
		event, err = json.Marshal(a.event(x, rt.Key, params, []byte(body)))
		return event, true, err
	}
	return nil, false, nil
}
