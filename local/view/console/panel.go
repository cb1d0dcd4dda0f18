package console

import (
	"bytes"
	"context"
	"fmt"
	"io/fs"
	"net/http"
	"strings"

	"restock/local/view/console/page"
)

// A Panel is a part of the console that the program adds. A function that is nil does nothing.
type Panel struct {
	Name string
	Side bool // true: the right column of the page; false: the middle column

	// Files are panel.html, which the console inserts into the page, panel.js, a module with a
	// function start, and panel.css. The console serves them below /panels/NAME/.
	Files fs.FS
	// Handler serves the other requests below /panels/NAME/. Their URLs lack this prefix.
	Handler http.Handler

	// State returns the panel's part of the console's state. full is false for an update, which may
	// leave out data that the page remembers.
	State func(full bool) any
	// Counters returns further counters of nodes, and Faults the simulated faults of nodes, by node
	// id.
	Counters func() map[string]map[string]int
	Faults   func() map[string]string

	// Messages says in sentences what dead letters or other messages mean for the program. Its
	// argument has their bodies.
	Messages func(bodies []string) string
	// Obsolete reports whether a function would drop a message: a person can only delete it.
	Obsolete func(body string) bool

	// Start is called when a stack runs. ctx ends when the console closes.
	Start func(ctx context.Context, s Stack) error
	// ReleaseDatabase is called before the stack's database stops.
	ReleaseDatabase func()
	// Close is called when the console closes.
	Close func()
	// Throttled gets the reason why the API throttles a request, before the API answers it.
	Throttled func(requestID, reason string)
}

// handler serves the panel's files, and passes the other requests to Handler.
func (p Panel) handler() http.Handler {
	assets := files(p.Files)
	return http.StripPrefix("/panels/"+p.Name, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_, err := fs.Stat(p.Files, strings.TrimPrefix(r.URL.Path, "/"))
		if isFile := err == nil && r.Method == http.MethodGet; isFile || p.Handler == nil {
			assets.ServeHTTP(w, r)
			return
		}
		p.Handler.ServeHTTP(w, r)
	}))
}

// pageWith returns the page with the HTML and the styles of the panels.
func pageWith(panels []Panel) ([]byte, error) {
	text, err := fs.ReadFile(page.Files, "index.html")
	if err != nil {
		return nil, err
	}
	var names []string
	var styles, middle, side bytes.Buffer
	for _, p := range panels {
		html, err := fs.ReadFile(p.Files, "panel.html")
		if err != nil {
			return nil, fmt.Errorf("panel %s: %w", p.Name, err)
		}
		names = append(names, p.Name)
		fmt.Fprintf(&styles, "<link rel=\"stylesheet\" href=\"panels/%s/panel.css\">\n", p.Name)
		if p.Side {
			side.Write(html)
		} else {
			middle.Write(html)
		}
	}
	return []byte(strings.NewReplacer(
		"<!-- styles of panels -->\n", styles.String(),
		"<!-- middle panels -->\n", middle.String(),
		"<!-- side panels -->\n", side.String(),
		`data-panels=""`, fmt.Sprintf("data-panels=%q", strings.Join(names, " ")),
	).Replace(string(text))), nil
}

// servePage serves the page with its panels.
func (c *Console) servePage(w http.ResponseWriter, _ *http.Request) {
	text, err := pageWith(c.config.Panels)
	if err != nil {
		Refuse(w, http.StatusInternalServerError, err)
		return
	}
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	_, _ = w.Write(text) // an error means that the client has gone
}

// panelStates returns the panels' parts of the state, by panel.
func (c *Console) panelStates(full bool) map[string]any {
	states := map[string]any{}
	for _, p := range c.config.Panels {
		if p.State != nil {
			states[p.Name] = p.State(full)
		}
	}
	return states
}
