package run

import (
	"errors"
	"fmt"

	"restock/local/system/loopback"
)

// listeners are the addresses that a run listens on. They are opened before anything else, so that a busy port is found at once.
type listeners struct {
	api, aws *loopback.Listener
	factory  *loopback.Listener // nil where the program asks none
	console  *loopback.Listener // nil where there is to be none
}

// openListeners opens the listeners of a run, with or without a factory.
func openListeners(c Config, withFactory bool) (l listeners, err error) {
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
	if withFactory {
		if l.factory, err = listenOn("-factory", c.Factory); err != nil {
			return l, err
		}
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

// url is where a listener listens; empty for one that is not open.
func (l listeners) url(of *loopback.Listener) string {
	if of == nil {
		return ""
	}
	return of.URL()
}

// close closes what no server has closed.
func (l listeners) close() error {
	var errs []error
	for _, listener := range []*loopback.Listener{l.api, l.aws, l.factory, l.console} {
		if listener != nil {
			errs = append(errs, listener.Close())
		}
	}
	return errors.Join(errs...)
}
