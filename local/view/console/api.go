package console

import (
	"fmt"
	"io/fs"
	"net/http"
	"time"

	"restock/local/aws/sqs"
	"restock/local/view/console/page"
)

// ServeHTTP serves the page, the stream of events, the state and the controls. The caller refuses
// requests of other sites: see package loopback.
func (c *Console) ServeHTTP(w http.ResponseWriter, r *http.Request) { c.handler.ServeHTTP(w, r) }

func (c *Console) routes() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /events", c.serveStream)
	mux.HandleFunc("GET /state", func(w http.ResponseWriter, _ *http.Request) { Answer(w, http.StatusOK, c.state()) })
	mux.HandleFunc("GET /nodes/{id...}", c.serveNode)
	mux.HandleFunc("GET /journeys", func(w http.ResponseWriter, _ *http.Request) {
		Answer(w, http.StatusOK, c.observer.journeys.list())
	})
	mux.HandleFunc("GET /journeys/{id...}", c.serveJourney)
	mux.HandleFunc("GET /search", c.serveSearch)
	mux.HandleFunc("GET /messages/{id}", c.serveMessage)
	mux.HandleFunc("GET /invocations/{id}", c.serveInvocation)
	mux.HandleFunc("POST /invocations", c.serveInvoke)
	mux.HandleFunc("POST /invocations/{id}/save", c.serveSave)
	mux.HandleFunc("POST /send", c.serveSend)
	mux.HandleFunc("POST /redrive", c.serveRedrive)
	mux.HandleFunc("POST /delete", c.serveDelete)
	mux.HandleFunc("POST /purge", c.servePurge)
	mux.HandleFunc("POST /pass-time", c.servePassTime)
	for _, p := range c.config.Panels {
		for _, method := range []string{http.MethodGet, http.MethodPost, http.MethodDelete} {
			mux.Handle(method+" /panels/"+p.Name+"/", p.handler())
		}
	}
	mux.HandleFunc("GET /{$}", c.servePage)
	mux.Handle("GET /", files(page.Files))
	return protected(mux)
}

// files serves the files of a file system, but does not list folders.
func files(from fs.FS) http.Handler {
	served := http.FileServerFS(from)
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		name := r.URL.Path[1:]
		if name != "" {
			if info, err := fs.Stat(from, name); err != nil || info.IsDir() {
				Refuse(w, http.StatusNotFound, fmt.Errorf("the console has no %s", r.URL.Path))
				return
			}
		}
		served.ServeHTTP(w, r)
	})
}

func (c *Console) serveNode(w http.ResponseWriter, r *http.Request) {
	lines, known := c.observer.node(r.PathValue("id"))
	if !known {
		Refuse(w, http.StatusNotFound, fmt.Errorf("the stack has no node %q", r.PathValue("id")))
		return
	}
	n := c.observer.shown().nodes[r.PathValue("id")]
	if n.Kind != KindFunction {
		lines.Resource = c.resourceFacts(n)
	}
	lines.Throttles = c.observer.throttlesOf(n.ID)
	switch n.Kind {
	case KindQueue, KindDeadLetterQueue:
		if q := c.queueWith(n.ARN); q != nil {
			lines.Messages, _ = c.messagesIn([]*sqs.Queue{q})
		}
		lines.Series = c.observer.plots(n.ID, time.Now(), peakMessages, peakOldest)
	case KindFunction:
		lines.Facts = c.facts(n.Name)
		lines.Series = c.observer.plots(n.ID, time.Now(),
			sumInvocations, peakDuration, sumErrors, sumThrottles, peakMemory)
		lines.Invocations = c.invocations.of(n.Name, c.hider())
		if examples := c.current().Functions.Examples; examples != nil {
			lines.Examples = examples(n.Name)
		}
	}
	Answer(w, http.StatusOK, lines)
}

func (c *Console) serveJourney(w http.ResponseWriter, r *http.Request) {
	j, known := c.observer.journeys.get(r.PathValue("id"))
	if !known {
		Refuse(w, http.StatusNotFound, fmt.Errorf("there is no journey %q; the console keeps the latest %d, "+
			"and the latest %d that the program keeps longer", r.PathValue("id"), maxPlainJourneys, maxNotableJourneys))
		return
	}
	Answer(w, http.StatusOK, j)
}
