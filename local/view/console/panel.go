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

// A Panel is a part of the console that the program adds. Functions that are nil do nothing.
type Panel struct {
	Name string
	Side bool // in the right column of the page, not in the middle one

	// Files are panel.html, which goes into the page, panel.js, a module with a function start, and
	// panel.css. They are served below /panels/NAME/.
	Files fs.FS
	// Handler serves the other requests below /panels/NAME/, without this prefix.
	Handler http.Handler

	// State returns what the panel adds to the state of the console, under its name. Whole is false
	// for an update, which may leave out what the page can remember.
	State func(whole bool) any
	// Counters returns counters of nodes, and Faults what is wrong with nodes, by the nodes' ids.
	Counters func() map[string]map[string]int
	Faults   func() map[string]string

	Start func(ctx context.Context, s Stack) error // the stack runs; ctx ends when the console is closed
	Leave func()                                   // the stack's database is about to end
	Close func()                                   // the console has been closed
	// TurnedAway tells why the API refuses a request for which it has no capacity, before it answers.
	TurnedAway func(requestID, reason string)
}

// handler serves the panel's files and requests.
func (p Panel) handler() http.Handler {
	assets := files(p.Files)
	return http.StripPrefix("/panels/"+p.Name, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if _, err := fs.Stat(p.Files, strings.TrimPrefix(r.URL.Path, "/")); err == nil && r.Method == http.MethodGet || p.Handler == nil {
			assets.ServeHTTP(w, r)
			return
		}
		p.Handler.ServeHTTP(w, r)
	}))
}

// pageWith returns the page with the panels in it.
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
		"<!-- styles of panels -->\n", styles.String(), "<!-- middle panels -->\n", middle.String(), "<!-- side panels -->\n", side.String(),
		`data-panels=""`, fmt.Sprintf("data-panels=%q", strings.Join(names, " ")),
	).Replace(string(text))), nil
}

// servePage serves the page itself.
func (c *Console) servePage(w http.ResponseWriter, _ *http.Request) {
	text, err := pageWith(c.config.Panels)
	if err != nil {
		Refuse(w, http.StatusInternalServerError, err)
		return
	}
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	_, _ = w.Write(text) // the client went away
}

// panelStates returns what the panels add to the state.
func (c *Console) panelStates(whole bool) map[string]any {
	states := map[string]any{}
	for _, p := range c.config.Panels {
		if p.State != nil {
			states[p.Name] = p.State(whole)
		}
	}
	return states
}
