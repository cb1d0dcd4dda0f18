// Package console shows a run in a browser while it runs: a picture of the stack, the messages that
// move in it, why something failed, and controls that make parts fail. It reads the run's events
// and serves a page for people. Programs can read the same data as a stream and as JSON. A program
// adds parts of its own to the page: see Panel.
package console

import (
	"context"
	"fmt"
	"log/slog"
	"net/http"
	"sync"
	"sync/atomic"
	"time"

	"restock/local/aws/sns"
	"restock/local/aws/sqs"
	"restock/local/view/events"
)

// Config configures a console.
type Config struct {
	Program string // the name of the Pulumi program
	Stage   string
	Records *events.Stream[events.Event] // the run's log; the console stops when it ends
	Log     *slog.Logger                 // for the console's own events; they may be in Records too

	Panels []Panel // the parts of the page that the program adds

	Business Business
}

// Business is what the console knows of the program's business. The zero Business knows nothing.
type Business struct {
	// Meaning returns what a line of a function means for its journey. Its arguments are the line's
	// kind and attributes. It may be nil.
	Meaning func(kind string, attrs map[string]any) Meaning
	// Objects are the names of attributes that identify an object of one journey, such as "order".
	// In the JSON of a message, the field's name ends with _id: "order_id".
	Objects []string
}

// A Meaning is what a line of a function means for its journey.
type Meaning struct {
	// Text returns what happened, such as "2 × bread sold". The journey's name has the texts in
	// order. The console calls Text each time it shows the name, so that the text may use what
	// became known after the event. before is what the name says so far: the text need not say it
	// again. Text must return quickly. It may be nil.
	Text    func(before string) string
	Notable bool   // the console keeps the journey longer, and a filter of the list shows only such
	Mark    string // panels find the latest journey with a mark in the state: see Mark; may be empty
}

// A Stack is a running stack.
type Stack struct {
	Graph     Graph
	Region    string
	Endpoints map[string]string // URLs by name: "api", "aws" and the names of outside servers
	Topics    []*sns.Topic
	Queues    []*sqs.Queue
	DSN       string // of the database, as its administrator; empty if the stack has none

	// Instances returns the number of a function's instances.
	Instances func(function string) int

	// PassTime lets a minute pass. It may be nil.
	PassTime func(ctx context.Context) Passed

	Functions Functions
	// Secrets returns the values that the console must not send. It may be nil.
	Secrets func() []string
}

// Passed is what happened because a minute has passed.
type Passed struct {
	Schedules int `json:"schedules"` // ran
	Messages  int `json:"messages"`  // became visible again
}

// A Console shows one run. Many goroutines may call its methods at the same time.
type Console struct {
	config   Config
	log      *slog.Logger
	handler  http.Handler
	observer *observer

	invocations invocations

	ctx     context.Context // ends with Close; panels get it only when the stack runs
	cancel  context.CancelFunc
	running sync.WaitGroup

	shown atomic.Uint64 // how many stacks were drawn, or have begun to run

	mu      sync.Mutex // guards the next four fields
	stack   Stack
	build   *Build
	builds  map[string][]Build // of functions, by name, newest first
	changes []Change           // newest first

	cacheMu  sync.Mutex // guards what follows
	cached   changing
	cachedAt time.Time
}

// New returns a console that shows only events until Draw and Run are called. The caller closes it.
func New(c Config) *Console {
	ctx, cancel := context.WithCancel(context.Background())
	console := &Console{config: c, log: c.Log, observer: newObserver(c.Business), ctx: ctx, cancel: cancel}
	console.builds = map[string][]Build{}
	console.invocations.byFunction = map[string]*kept[*invocation]{}
	console.handler = console.routes()
	records := c.Records.Subscribe(0)
	console.running.Go(func() {
		defer records.Close()
		console.observer.observe(ctx, records)
	})
	console.running.Go(console.sample)
	return console
}

// Close ends the console's goroutines and the streams of its subscribers. Further calls have no
// effect. The error is always nil.
func (c *Console) Close() error {
	c.cancel()
	for _, p := range c.config.Panels {
		if p.Close != nil {
			p.Close()
		}
	}
	c.running.Wait()
	return nil
}

// Draw shows the picture of a stack that does not run yet.
func (c *Console) Draw(g Graph) {
	c.observer.show(g)
	c.shown.Add(1)
}

// Run shows a running stack instead of the one before, and starts the panels. The error is a
// panel's.
func (c *Console) Run(s Stack) error {
	c.observer.show(s.Graph)
	c.mu.Lock()
	c.stack = s
	c.mu.Unlock()
	c.shown.Add(1)
	for _, p := range c.config.Panels {
		if p.Start == nil {
			continue
		}
		if err := p.Start(c.ctx, s); err != nil {
			return fmt.Errorf("panel %s: %w", p.Name, err)
		}
	}
	return nil
}

// ReleaseDatabase tells the panels to close their connections to the stack's database, which is
// about to stop. They keep the values that they have read.
func (c *Console) ReleaseDatabase() {
	for _, p := range c.config.Panels {
		if p.ReleaseDatabase != nil {
			p.ReleaseDatabase()
		}
	}
}

// A Build is the state of the build of changed functions.
type Build struct {
	State  string    `json:"state"`           // "ok", "building" or "failed"
	What   []string  `json:"what"`            // names of functions
	Error  string    `json:"error,omitempty"` // the compiler's output
	TookMS float64   `json:"took_ms,omitempty"`
	Time   time.Time `json:"time"`
}

// A Change is the effect that an edit of the program has on the stack.
type Change struct {
	Time  time.Time `json:"time"`
	Lines []string  `json:"lines"` // such as "~ aws:sqs/queue:Queue stock_queue: visibilityTimeoutSeconds 60 → 30"
}

// maxChanges is how many changes the console keeps.
const maxChanges = 20

// Built shows the state of a build.
func (c *Console) Built(b Build) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.build = &b
	if b.State == "building" {
		return
	}
	for _, name := range b.What {
		c.builds[name] = append([]Build{b}, c.builds[name][:min(len(c.builds[name]), maxBuilds-1)]...)
	}
}

// Changed shows a change of the program.
func (c *Console) Changed(change Change) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.changes = append([]Change{change}, c.changes[:min(len(c.changes), maxChanges-1)]...)
}

// Throttled tells the panels why the API throttles a request. The API calls it before it answers
// the request.
func (c *Console) Throttled(requestID, reason string) {
	for _, p := range c.config.Panels {
		if p.Throttled != nil {
			p.Throttled(requestID, reason)
		}
	}
}

// current returns the running stack.
func (c *Console) current() Stack {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.stack
}
