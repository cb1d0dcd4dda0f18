// Package otlp exports a run's journeys as spans to a collector of OpenTelemetry, over OTLP/HTTP.
// It makes the spans from the run's events: the stand-ins log which span an event ends, and which
// span caused it. See package traceid.
//
// A span has names, ids, times and statuses. It has no bodies, no query strings and no texts of
// errors, because these may hold secrets.
package otlp

import (
	"cmp"
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"log/slog"
	"net/url"
	"strings"
	"sync"
	"time"

	"go.opentelemetry.io/otel/exporters/otlp/otlptrace"
	"go.opentelemetry.io/otel/exporters/otlp/otlptrace/otlptracehttp"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"

	"restock/local/view/events"
)

const (
	// maxQueued is how many spans wait for the collector. Beyond it, new spans are dropped.
	maxQueued = 16384
	// exportInterval is how long a span waits for others at most.
	exportInterval = time.Second
	// exportTimeout and flushTimeout are the defaults of Config.
	exportTimeout = 5 * time.Second
	flushTimeout  = 2 * time.Second
	// readAtOnce is how many events are read at a time.
	readAtOnce = 512
	// tracesPath is the path below a collector's address.
	// https://opentelemetry.io/docs/specs/otlp/#otlphttp-request
	tracesPath = "/v1/traces"
)

// Config configures an export.
type Config struct {
	// Collector is the URL of the collector: see CheckCollector. A user and a password in it are
	// sent as basic authentication.
	Collector string
	Program   string // the name of the Pulumi program
	Stage     string
	Log       *slog.Logger

	// ExportTimeout limits one request to the collector. 0 means 5 s.
	ExportTimeout time.Duration
	// FlushTimeout limits the export of the remaining spans in Close. 0 means 2 s.
	FlushTimeout time.Duration
}

// CheckCollector returns an error if an address is not a URL like http://127.0.0.1:4318. The error
// does not repeat the address, which may have a password.
func CheckCollector(address string) error {
	u, err := url.Parse(address)
	if err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Host == "" {
		return errors.New("want the URL of a collector, like http://127.0.0.1:4318")
	}
	return nil
}

// An Exporter exports the spans of a run until Close.
type Exporter struct {
	spans     spans
	client    otlptrace.Client
	processor sdktrace.SpanProcessor // it drops spans while its queue is full
	flush     time.Duration          // Config.FlushTimeout
	log       *slog.Logger
	stop      context.CancelFunc
	done      sync.WaitGroup
}

// Start exports the spans of events. It closes the subscription in the end. It neither waits for
// the collector nor fails without it.
func Start(c Config, records *events.Subscription[events.Event]) (*Exporter, error) {
	if err := CheckCollector(c.Collector); err != nil {
		return nil, fmt.Errorf("exporting spans: %w", err)
	}
	u, _ := url.Parse(c.Collector) // CheckCollector has parsed it
	if !strings.HasSuffix(u.Path, tracesPath) {
		u = u.JoinPath(tracesPath)
	}
	timeout := cmp.Or(c.ExportTimeout, exportTimeout)
	options := []otlptracehttp.Option{
		otlptracehttp.WithTimeout(timeout), otlptracehttp.WithRetry(otlptracehttp.RetryConfig{}),
	}
	if u.User != nil { // these headers replace those of OTEL_EXPORTER_OTLP_HEADERS
		password, _ := u.User.Password()
		login := base64.StdEncoding.EncodeToString([]byte(u.User.Username() + ":" + password))
		options = append(options, otlptracehttp.WithHeaders(map[string]string{"Authorization": "Basic " + login}))
		u.User = nil
	}
	client := otlptracehttp.NewClient(append(options, otlptracehttp.WithEndpointURL(u.String()))...)
	exporter, err := otlptrace.New(context.Background(), client)
	if err != nil {
		return nil, fmt.Errorf("exporting spans to %s: %w", u.String(), err)
	}
	ctx, stop := context.WithCancel(context.Background())
	e := &Exporter{
		spans: newSpans(c.Program, c.Stage), client: client, flush: cmp.Or(c.FlushTimeout, flushTimeout),
		log: c.Log, stop: stop,
		processor: sdktrace.NewBatchSpanProcessor(
			&patient{SpanExporter: exporter, collector: u.String(), log: c.Log},
			sdktrace.WithMaxQueueSize(maxQueued), sdktrace.WithBatchTimeout(exportInterval),
			sdktrace.WithExportTimeout(timeout)),
	}
	e.done.Go(func() {
		defer records.Close()
		e.follow(ctx, records)
	})
	return e, nil
}

// follow makes spans of events until ctx ends, and then of the events that are left.
func (e *Exporter) follow(ctx context.Context, records *events.Subscription[events.Event]) {
	lost := false
	for {
		batch, err := records.Next(ctx, readAtOnce)
		if err != nil && ctx.Err() != nil {
			batch, err = records.Read(readAtOnce)
		}
		if err != nil || len(batch.Values) == 0 {
			return
		}
		if batch.Dropped > 0 && !lost {
			e.log.Warn("the log is faster than the export of spans: some spans are missing")
			lost = true
		}
		for _, event := range batch.Values {
			for _, span := range e.spans.of(event) {
				e.processor.OnEnd(span.Snapshot())
			}
		}
	}
}

// Close exports the remaining spans until Config.FlushTimeout is over or ctx ends. A collector that
// does not answer is no error.
func (e *Exporter) Close(ctx context.Context) error {
	e.stop()
	e.done.Wait()
	flush, cancel := context.WithTimeout(ctx, e.flush)
	defer cancel()
	// Stop cancels the request that waits, and all later ones. Then Shutdown ends at once.
	defer context.AfterFunc(flush, func() { _ = e.client.Stop(context.WithoutCancel(ctx)) })()
	if err := e.processor.Shutdown(context.WithoutCancel(ctx)); err != nil {
		return fmt.Errorf("exporting the last spans: %w", err)
	}
	return nil
}

// patient is an exporter that warns once if the collector does not take spans.
type patient struct {
	sdktrace.SpanExporter
	collector string
	log       *slog.Logger
	warned    bool // the processor calls ExportSpans once at a time
}

// ExportSpans implements sdktrace.SpanExporter.
func (p *patient) ExportSpans(ctx context.Context, spans []sdktrace.ReadOnlySpan) error {
	err := p.SpanExporter.ExportSpans(ctx, spans)
	if err != nil && !p.warned {
		p.warned = true
		p.log.Warn("spans cannot be exported, and are dropped: is a collector listening?", "otlp", p.collector,
			"error", err)
	}
	return nil
}
