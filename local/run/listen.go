package run

import (
	"errors"
	"fmt"
	"maps"
	"slices"

	"restock/local/system/loopback"
)

// listeners are the open listeners of a run. The run opens them before anything else, so that a
// busy port fails at once.
type listeners struct {
	api, aws *loopback.Listener
	awsTLS   *loopback.Listener            // nil without Config.AWSTLS
	outside  map[string]*loopback.Listener // of the outside servers, by name
	console  *loopback.Listener            // nil without a console
}

// openListeners opens the listeners of a run and of its outside servers.
func openListeners(c Config) (l listeners, err error) {
	defer func() {
		if err != nil {
			err = errors.Join(err, l.close())
		}
	}()
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
	for _, listener := range append(slices.Collect(maps.Values(l.outside)), l.api, l.aws, l.awsTLS, l.console) {
		if listener != nil {
			errs = append(errs, listener.Close())
		}
	}
	return errors.Join(errs...)
}
