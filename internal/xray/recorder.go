// Package xray records what a function does during an invocation, as subsegments of AWS X-Ray:
// calls of AWS, requests to other servers, SQL statements.
//
// A subsegment has names, times and the texts of statements without their values. It has no bodies,
// no query strings and no texts of errors, because these may hold secrets.
//
//	https://docs.aws.amazon.com/xray/latest/devguide/xray-api-segmentdocuments.html
package xray

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"strings"
	"time"

	"restock/internal/shop"
)

// A Recorder sends subsegments to the daemon that Lambda runs beside a function. The daemon sends
// them to X-Ray.
type Recorder struct {
	daemon   io.Writer
	function string
}

// Open returns a recorder for the daemon of the function's environment.
func Open() (*Recorder, error) {
	address := os.Getenv("AWS_XRAY_DAEMON_ADDRESS")
	daemon, err := net.Dial("udp", address) // #nosec G704 -- Lambda sets the address
	if err != nil {
		return nil, fmt.Errorf("opening the X-Ray daemon at AWS_XRAY_DAEMON_ADDRESS=%q: %w", address, err)
	}
	return &Recorder{daemon, os.Getenv("AWS_LAMBDA_FUNCTION_NAME")}, nil
}

// A parent is what a subsegment is a part of: the invocation, or another subsegment.
type parent struct {
	root, id string
	sampled  bool   // whether X-Ray keeps the trace
	others   string // the header's other fields, each after a semicolon
}

type parentKey struct{}

// invocationKey is the key under which the Lambda library puts the invocation's tracing header into
// the context.
const invocationKey = "x-amzn-trace-id"

// parentOf returns what a subsegment with a context is a part of. ok is false outside of an
// invocation.
func parentOf(ctx context.Context) (p parent, ok bool) {
	if p, ok = ctx.Value(parentKey{}).(parent); ok {
		return p, true
	}
	header, _ := ctx.Value(invocationKey).(string)
	for field := range strings.SplitSeq(header, ";") {
		switch name, value, _ := strings.Cut(field, "="); name {
		case "Root":
			p.root = value
		case "Parent":
			p.id = value
		case "Sampled":
			p.sampled = value == "1"
		default:
			p.others += ";" + field
		}
	}
	return p, p.root != "" && p.id != ""
}

// header returns the tracing header of a call that the parent makes. It has all fields of the
// invocation's header: with Lineage, Lambda detects functions that cause their own invocations.
//
//	https://docs.aws.amazon.com/lambda/latest/dg/invocation-recursion.html
func (p parent) header() string {
	sampled := 0
	if p.sampled {
		sampled = 1
	}
	return fmt.Sprintf("Root=%s;Parent=%s;Sampled=%d%s", p.root, p.id, sampled, p.others)
}

// traceparent returns the same in the W3C's form, for other servers.
//
//	https://www.w3.org/TR/trace-context/#traceparent-header
func (p parent) traceparent() string {
	flags := "00"
	if p.sampled {
		flags = "01"
	}
	return "00-" + strings.ReplaceAll(strings.TrimPrefix(p.root, "1-"), "-", "") + "-" + p.id + "-" + flags
}

// A subsegment is a document of X-Ray. Times are in seconds since 1970.
type subsegment struct {
	Name        string            `json:"name"`
	ID          string            `json:"id"`
	TraceID     string            `json:"trace_id"`
	ParentID    string            `json:"parent_id"`
	Type        string            `json:"type"`
	Namespace   string            `json:"namespace"` // aws, or remote for all other servers
	Start       float64           `json:"start_time"`
	End         float64           `json:"end_time"`
	Error       bool              `json:"error,omitempty"` // a mistake of the caller
	Throttle    bool              `json:"throttle,omitempty"`
	Fault       bool              `json:"fault,omitempty"` // a failure of the called server
	Annotations map[string]string `json:"annotations"`     // X-Ray can search for them
	AWS         *awsCall          `json:"aws,omitempty"`
	HTTP        *exchange         `json:"http,omitempty"`
	SQL         *statement        `json:"sql,omitempty"`
}

// setStatus sets how a call failed that a server has answered with an HTTP status.
func (s *subsegment) setStatus(status int) {
	s.Error = status >= http.StatusBadRequest && status < http.StatusInternalServerError
	s.Throttle = status == http.StatusTooManyRequests
	s.Fault = status >= http.StatusInternalServerError
}

type awsCall struct {
	Operation string `json:"operation"`
	Region    string `json:"region,omitempty"`
}

type exchange struct {
	Request struct {
		Method string `json:"method"`
		URL    string `json:"url"`
	} `json:"request"`
	Response struct {
		Status int `json:"status,omitempty"`
	} `json:"response"`
}

type statement struct {
	Type  string `json:"database_type"`
	Query string `json:"sanitized_query"` // without values
}

// maxName is the longest name that X-Ray accepts.
const maxName = 200

// begin begins a subsegment. The returned context is of its parts. ok is false outside of an
// invocation: there is nothing to record then.
func begin(ctx context.Context, name, namespace string) (_ context.Context, s *subsegment, ok bool) {
	p, ok := parentOf(ctx)
	if !ok {
		return ctx, nil, false
	}
	var id [8]byte
	_, _ = rand.Read(id[:]) // never fails
	s = &subsegment{
		Name: name[:min(len(name), maxName)], ID: hex.EncodeToString(id[:]), TraceID: p.root, ParentID: p.id,
		Type: "subsegment", Namespace: namespace, Start: seconds(time.Now()), Annotations: map[string]string{},
	}
	p.id = s.ID
	return context.WithValue(ctx, parentKey{}, p), s, true
}

func seconds(t time.Time) float64 { return float64(t.UnixMicro()) / 1e6 }

// format precedes each document.
//
//	https://docs.aws.amazon.com/xray/latest/devguide/xray-api-sendingdata.html#xray-api-daemon
const format = `{"format": "json", "version": 1}` + "\n"

// end sends a subsegment, if X-Ray keeps the trace. ctx is the context that begin has returned. The
// daemon answers nothing, so a lost subsegment is no error.
func (r *Recorder) end(ctx context.Context, s *subsegment) {
	if p, _ := parentOf(ctx); !p.sampled {
		return
	}
	s.End = seconds(time.Now())
	s.Annotations["function"] = r.function
	if id := shop.Correlation(ctx); id != "" {
		s.Annotations["correlation_id"] = id
	}
	document, err := json.Marshal(s)
	if err == nil {
		_, _ = r.daemon.Write(append([]byte(format), document...))
	}
}
