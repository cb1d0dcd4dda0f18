package run

import (
	"errors"
	"fmt"
	"net"
	"syscall"
)

// listeners are the addresses that a run listens on. They are opened before anything else, so that a busy port is found at once.
type listeners struct {
	api, aws net.Listener
	factory  net.Listener // nil where the program asks none
	console  net.Listener // nil where there is to be none
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

func listenOn(flag, address string) (net.Listener, error) {
	tcp, err := net.ResolveTCPAddr("tcp", address)
	if err != nil {
		return nil, fmt.Errorf("%s %s is not an address: %w", flag, address, err)
	}
	if !tcp.IP.IsLoopback() {
		return nil, fmt.Errorf("%s %s is not on loopback: the run is for this machine alone; use 127.0.0.1", flag, address)
	}
	l, err := net.ListenTCP("tcp", tcp)
	if errors.Is(err, syscall.EADDRINUSE) {
		return nil, fmt.Errorf("%s %s is in use: end what listens there, or choose another port (0 is any free one)", flag, address)
	}
	if err != nil {
		return nil, fmt.Errorf("%s %s: %w", flag, address, err)
	}
	return l, nil
}

// url is where a listener listens; empty for one that is not open.
func (l listeners) url(of net.Listener) string {
	if of == nil {
		return ""
	}
	return "http://" + of.Addr().String()
}

// close closes what no server has closed.
func (l listeners) close() error {
	var errs []error
	for _, listener := range []net.Listener{l.api, l.aws, l.factory, l.console} {
		if listener == nil {
			continue
		}
		if err := listener.Close(); err != nil && !errors.Is(err, net.ErrClosed) {
			errs = append(errs, err)
		}
	}
	return errors.Join(errs...)
}
