package factory

import (
	"encoding/json"
	"net/http"
	"time"
)

// shown is a Request in the form for people.
type shown struct {
	ID         string          `json:"id,omitempty"`
	Time       time.Time       `json:"time"`
	Step       string          `json:"step,omitempty"`
	Lost       bool            `json:"lost,omitempty"`
	Header     http.Header     `json:"header"`
	Request    json.RawMessage `json:"request"`
	Deliveries []shownDelivery `json:"deliveries,omitempty"`
}

type shownDelivery struct {
	Time   time.Time `json:"time"`
	Status int       `json:"status,omitempty"`
	Error  string    `json:"error,omitempty"`
}

func (f *Factory) show(w http.ResponseWriter, _ *http.Request) {
	list := []shown{}
	for _, req := range f.Requests() {
		s := shown{ID: req.ID, Time: req.Time, Step: req.Step, Lost: req.Lost, Header: req.Header, Request: req.Body}
		if !json.Valid(req.Body) {
			s.Request, _ = json.Marshal(string(req.Body)) // cannot fail on a string
		}
		for _, d := range req.Deliveries {
			s.Deliveries = append(s.Deliveries, shownDelivery{Time: d.Time, Status: d.Status, Error: d.Err})
		}
		list = append(list, s)
	}
	w.Header().Set("Content-Type", "application/json")
	enc := json.NewEncoder(w)
	enc.SetIndent("", "  ")
	enc.SetEscapeHTML(false)
	if err := enc.Encode(map[string]any{"manufactures": list}); err != nil {
		f.log.Debug("showing the production orders failed", "error", err) // the client hung up
	}
}
