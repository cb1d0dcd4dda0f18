// Package xray is a stand-in for the X-Ray daemon that Lambda runs beside a function. It logs the
// subsegments that functions send, and sends nothing to AWS.
//
// It knows the members of a document that the log shows. It ignores the others: metadata, causes of
// errors and annotations may hold anything.
//
// https://docs.aws.amazon.com/xray/latest/devguide/xray-api-segmentdocuments.html
package xray

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"math"
	"net"
	"net/url"
	"strings"
	"sync"
	"time"

	"restock/local/aws/traceid"
	"restock/local/view/events"
)

// maxDatagram is the longest datagram, in bytes.
const maxDatagram = 64 << 10

// A Daemon receives subsegments until Close.
type Daemon struct {
	conn *net.UDPConn
	log  *slog.Logger
	done sync.WaitGroup
}

// Start starts a daemon at any free port of loopback. A web page cannot send a datagram, so the
// port needs no protection from pages.
func Start(log *slog.Logger) (*Daemon, error) {
	conn, err := net.ListenUDP("udp4", &net.UDPAddr{IP: net.IPv4(127, 0, 0, 1)})
	if err != nil {
		return nil, fmt.Errorf("listening for subsegments: %w", err)
	}
	d := &Daemon{conn: conn, log: log}
	d.done.Go(d.serve)
	return d, nil
}

// Address returns the daemon's address, a host and a port.
func (d *Daemon) Address() string { return d.conn.LocalAddr().String() }

// Close stops the daemon.
func (d *Daemon) Close() error {
	err := d.conn.Close()
	d.done.Wait()
	return err
}

func (d *Daemon) serve() {
	datagram := make([]byte, maxDatagram)
	for {
		n, err := d.conn.Read(datagram)
		if errors.Is(err, net.ErrClosed) {
			return
		}
		if err != nil {
			d.log.Warn("a subsegment could not be received", "error", err)
			continue
		}
		if err := d.take(datagram[:n]); err != nil {
			d.log.Warn("a subsegment is malformed: X-Ray would drop it", "error", err)
		}
	}
}

// A document has the members of a subsegment that the log shows. Times are in seconds since 1970.
type document struct {
	Name        string         `json:"name"`
	ID          string         `json:"id"`
	TraceID     string         `json:"trace_id"`
	ParentID    string         `json:"parent_id"`
	Start       float64        `json:"start_time"`
	End         float64        `json:"end_time"`
	Error       bool           `json:"error"`
	Fault       bool           `json:"fault"`
	Throttle    bool           `json:"throttle"`
	InProgress  bool           `json:"in_progress"` // End is not known yet
	Annotations map[string]any `json:"annotations"` // texts, numbers and booleans
	Subsegments []document     `json:"subsegments"` // without TraceID and ParentID
	AWS         *struct {
		Operation string `json:"operation"`
	} `json:"aws"`
	HTTP *struct {
		Request struct {
			Method string `json:"method"`
			URL    string `json:"url"`
		} `json:"request"`
		Response struct {
			Status int `json:"status"`
		} `json:"response"`
	} `json:"http"`
	SQL *struct {
		Query string `json:"sanitized_query"`
	} `json:"sql"`
}

// take logs the subsegments of a datagram: a line with the format of the document, and the
// document.
// https://docs.aws.amazon.com/xray/latest/devguide/xray-api-sendingdata.html#xray-api-daemon
func (d *Daemon) take(datagram []byte) error {
	header, body, _ := bytes.Cut(datagram, []byte("\n"))
	var format struct {
		Format  string `json:"format"`
		Version int    `json:"version"`
	}
	if err := json.Unmarshal(header, &format); err != nil || format.Format != "json" || format.Version != 1 {
		return fmt.Errorf(`it begins with %.40q, want {"format":"json","version":1} and a line break`, header)
	}
	var s document
	if err := json.Unmarshal(body, &s); err != nil {
		return fmt.Errorf("reading the document: %w", err)
	}
	return d.record(s)
}

// record logs a subsegment that has ended, and those within it. The complete document of another
// one follows when it ends.
func (d *Daemon) record(s document) error {
	parent, _ := traceid.Parse("Root=" + s.TraceID + ";Parent=" + s.ParentID)
	span, ok := traceid.Parse("Root=" + s.TraceID + ";Parent=" + s.ID)
	if !ok || parent.ID == "" || span.ID == "" || s.Name == "" || s.Start <= 0 || !s.InProgress && s.End < s.Start {
		return fmt.Errorf("the document %.40q lacks an id, a name or a time: ids have 16 hexadecimal digits", s.Name)
	}
	span.Parent = parent.ID
	var problems []error
	if !s.InProgress {
		problems = append(problems, d.logEnded(s, span))
	}
	for _, part := range s.Subsegments {
		part.TraceID, part.ParentID = s.TraceID, s.ID
		problems = append(problems, d.record(part))
	}
	return errors.Join(problems...)
}

func (d *Daemon) logEnded(s document, span traceid.Span) error {
	parent := traceid.Span{Root: span.Root, ID: span.Parent}
	text, attrs := s.describe()
	record := slog.NewRecord(at(s.End), slog.LevelDebug, text, 0) // the time is that of the work
	record.AddAttrs(events.SubsegmentRecorded.Attr(), slog.Duration("duration", at(s.End).Sub(at(s.Start))),
		slog.String("trace_id", parent.Header()), traceid.Attr(span))
	record.AddAttrs(attrs...)
	return d.log.Handler().Handle(context.Background(), record)
}

func at(seconds float64) time.Time { return time.UnixMicro(int64(math.Round(seconds * 1e6))) }

// describe returns the text of a subsegment and what it did.
func (s document) describe() (text string, attrs []slog.Attr) {
	add := func(key, value string) {
		if value != "" {
			attrs = append(attrs, slog.String(key, value))
		}
	}
	text = s.Name
	for _, key := range []string{"function", "correlation_id"} {
		value, _ := s.Annotations[key].(string)
		add(key, value)
	}
	switch {
	case s.SQL != nil:
		words := strings.Fields(strings.ReplaceAll(s.SQL.Query, "(", " "))
		text = cmp.Or(strings.Join(words[:min(2, len(words))], " "), s.Name)
		add("statement", strings.Join(strings.Fields(s.SQL.Query), " "))
		add("database", s.Name)
	case s.AWS != nil:
		text += " " + s.AWS.Operation
		add("operation", s.AWS.Operation)
	case s.HTTP != nil:
		text = s.HTTP.Request.Method + " " + s.Name
		add("method", s.HTTP.Request.Method)
		add("url", withoutSecrets(s.HTTP.Request.URL))
		if status := s.HTTP.Response.Status; status != 0 {
			attrs = append(attrs, slog.Int("status", status))
		}
	}
	switch {
	case s.Throttle:
		add("failed", "throttle")
	case s.Error:
		add("failed", "error")
	case s.Fault:
		add("failed", "fault")
	}
	return text, attrs
}

// withoutSecrets returns a URL without its user and its query, which may be secret.
func withoutSecrets(text string) string {
	u, err := url.Parse(text)
	if err != nil {
		return ""
	}
	return u.Scheme + "://" + u.Host + u.Path
}
