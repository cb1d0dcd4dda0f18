package run

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"net/http"
	"path/filepath"

	"restock/infra/graph"
)

// An OutsideServer is a server outside AWS that the functions call. A run replaces it with a
// stand-in.
type OutsideServer struct {
	// Name is the name of the server's node in the console, of its listener, and of its part of the
	// log.
	Name    string
	Setting string // the stage's setting with the server's URL; without it, the stage has no such server
	Address string // of the stand-in, on loopback; port 0 means any free port

	// New returns the stand-in. It may call back the run's HTTP API at apiURL.
	New func(apiURL string, log *slog.Logger) StandIn
}

// A StandIn replaces an outside server until the run closes it.
type StandIn interface {
	http.Handler
	Close()
}

// outsideServers returns the servers that the stage names.
func (r *Run) outsideServers() (named []OutsideServer, err error) {
	project, config, err := graph.Config(filepath.Join(r.config.ProjectDir, r.config.Program.Project), r.config.Stage)
	if err != nil {
		return nil, err
	}
	settings, err := settingsOf(config, project+":settings")
	if err != nil {
		return nil, err
	}
	for _, s := range r.config.Outside {
		if _, set := settings[s.Setting]; set {
			named = append(named, s)
		}
	}
	return named, nil
}

// startOutside starts the stand-ins, and returns a function that stops all of them.
func (r *Run) startOutside(servers []OutsideServer) (end func(context.Context) error) {
	end = func(context.Context) error {
		for _, s := range r.standIns {
			s.Close()
		}
		return nil
	}
	r.onClose("outside servers", end) // if the start fails later
	for _, s := range servers {
		standIn := s.New(r.listen.url(r.listen.api), r.config.Log.With("part", s.Name))
		r.standIns = append(r.standIns, standIn)
		r.serve(s.Name, r.listen.outside[s.Name], standIn, nil)
	}
	return end
}

// overrideSettings replaces the URLs of the outside servers with those of their stand-ins.
func (r *Run) overrideSettings(config map[string]string, key string) error {
	settings, err := settingsOf(config, key)
	if err != nil {
		return err
	}
	replaced := false
	for _, s := range r.config.Outside {
		if l := r.listen.outside[s.Name]; l != nil {
			settings[s.Setting], replaced = l.URL(), true
		}
	}
	if !replaced {
		return nil
	}
	text, err := json.Marshal(settings)
	if err != nil {
		return fmt.Errorf("writing %s: %w", key, err)
	}
	config[key] = string(text)
	return nil
}

// settingsOf parses a stage's settings. A stage may have none.
func settingsOf(config map[string]string, key string) (map[string]any, error) {
	settings := map[string]any{}
	if err := json.Unmarshal([]byte(cmp.Or(config[key], "{}")), &settings); err != nil {
		return nil, fmt.Errorf("reading %s: %w", key, err)
	}
	return settings, nil
}
