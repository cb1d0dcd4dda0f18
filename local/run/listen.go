package run

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"sync"

	"restock/infra/graph"
	"restock/local/system/loopback"
)

// listeners are the open listeners of a run. The run opens them before anything else, so that a
// busy port fails at once.
type listeners struct {
	api, aws *loopback.Listener
	awsTLS   *loopback.Listener            // nil without Config.AWSTLS
	outside  map[string]*loopback.Listener // of the outside servers, by name
	console  *loopback.Listener            // nil without a console
	apis     *apiListeners
}

// apiListeners are the listeners of the declared APIs and function URLs, by URN. The first one gets
// the address of Config.API, the others get any free port.
type apiListeners struct {
	mu    sync.Mutex
	first string // the URN of the first one
	byURN map[string]*loopback.Listener
}

// order makes the first HTTP API in the order of URNs the one with the address of Config.API. If
// there is none, that is a REST API's stage or a function URL. A program may declare them in any
// order.
func (l *apiListeners) order(g *graph.Graph) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, kind := range []graph.Type{graph.API, graph.RESTStage, graph.FunctionURL} {
		for _, r := range g.OfType(kind) {
			if l.first == "" || r.URN < l.first {
				l.first = r.URN
			}
		}
		if l.first != "" {
			return
		}
	}
}

// declared reports whether the program declares an API or a function URL.
func (l *apiListeners) declared() bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.first != ""
}

// forAPI returns the listener of a declared API or function URL.
func (l listeners) forAPI(urn string) (*loopback.Listener, error) {
	l.apis.mu.Lock()
	defer l.apis.mu.Unlock()
	if known := l.apis.byURN[urn]; known != nil {
		return known, nil
	}
	listener := l.api
	if urn != l.apis.first {
		var err error
		if listener, err = loopback.Listen("127.0.0.1:0"); err != nil {
			return nil, fmt.Errorf("listening for %s: %w", urn, err)
		}
	}
	l.apis.byURN[urn] = listener
	return listener, nil
}

// several returns the URLs of the declared APIs and function URLs by URN, if there are several.
func (l listeners) several() map[string]string {
	l.apis.mu.Lock()
	defer l.apis.mu.Unlock()
	if len(l.apis.byURN) < 2 {
		return nil
	}
	urls := map[string]string{}
	for urn, listener := range l.apis.byURN {
		urls[urn] = listener.URL()
	}
	return urls
}

// openListeners opens the listeners of a run and of its outside servers.
func openListeners(c Config) (l listeners, err error) {
	defer func() {
		if err != nil {
			err = errors.Join(err, l.close())
		}
	}()
	l.apis = &apiListeners{byURN: map[string]*loopback.Listener{}}
	if l.api, err = listenOn("-api", c.API); err != nil {
		return l, err
	}
	if l.aws, err = listenOn("-aws", c.AWS); err != nil {
		return l, err
	}
	if c.AWSTLS != "" {
		if l.awsTLS, err = listenOn("-aws-tls", c.AWSTLS); err != nil {
			return l, err
		}
	}
	l.outside = map[string]*loopback.Listener{}
	for _, s := range c.Outside {
		listener, err := listenOn("-"+s.Name, s.Address)
		if err != nil {
			return l, err
		}
		l.outside[s.Name] = listener
	}
	if c.Console != "" {
		l.console, err = listenOn("-console", c.Console)
	}
	return l, err
}

func listenOn(flag, address string) (*loopback.Listener, error) {
	l, err := loopback.Listen(address)
	if err != nil {
		return nil, fmt.Errorf("%s %w", flag, err)
	}
	return l, nil
}

// url returns the URL of a listener, or "" for nil.
func (l listeners) url(of *loopback.Listener) string {
	if of == nil {
		return ""
	}
	return of.URL()
}

// close closes the listeners that no server has closed.
func (l listeners) close() error {
	var errs []error
	all := append(slices.Collect(maps.Values(l.outside)), l.api, l.aws, l.awsTLS, l.console)
	for _, listener := range slices.AppendSeq(all, maps.Values(l.apis.byURN)) {
		if listener != nil {
			errs = append(errs, listener.Close())
		}
	}
	return errors.Join(errs...)
}
