package run

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"maps"
	"net/http"
)

// An OutsideServer is a server outside AWS that the functions call. A run replaces it with a
// stand-in.
type OutsideServer struct {
	// Name is the name of the server's node in the console, of its listener, and of its part of the
	// log.
	Name    string
	Setting string // the stage's setting with the server's URL
	Address string // of the stand-in, on loopback; port 0 means any free port

	// New returns the stand-in. It may call back the run's HTTP API at apiURL.
	New func(apiURL string, log *slog.Logger) StandIn
}

// A StandIn replaces an outside server until the run closes it.
type StandIn interface {
	http.Handler
	Close()
}

// startOutside starts the stand-ins, and returns a function that stops all of them.
func (r *Run) startOutside() (end func(context.Context) error) {
	end = func(context.Context) error {
		for _, s := range r.standIns {
			s.Close()
		}
		return nil
	}
	r.onClose("outside servers", end) // if the start fails later
	for _, s := range r.config.Outside {
		standIn := s.New(r.listen.url(r.listen.api), r.config.Log.With("part", s.Name))
		r.standIns = append(r.standIns, standIn)
		r.serve(s.Name, r.listen.outside[s.Name], standIn, nil)
	}
	return end
}

// overrideSettings replaces settings of the stage with those of the run, and the URLs of the
// outside servers with those of their stand-ins.
func (r *Run) overrideSettings(config map[string]string, key string) error {
	replaced := maps.Clone(r.config.Settings)
	if replaced == nil {
		replaced = map[string]any{}
	}
	for _, s := range r.config.Outside {
		replaced[s.Setting] = r.listen.outside[s.Name].URL()
	}
	if len(replaced) == 0 {
		return nil
	}
	settings := map[string]any{} // a stage may have none
	if err := json.Unmarshal([]byte(cmp.Or(config[key], "{}")), &settings); err != nil {
		return fmt.Errorf("reading %s: %w", key, err)
	}
	maps.Copy(settings, replaced)
	text, err := json.Marshal(settings)
	if err != nil {
		return fmt.Errorf("writing %s: %w", key, err)
	}
	config[key] = string(text)
	return nil
}
