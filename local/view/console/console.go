// Package console shows a run while it runs: the stack as a picture, what moves in it, why something failed, and the controls to make something fail. It
// is fed by the run's log, and serves a page for people, and the same as a stream and as JSON for programs.
package console

import (
	"context"
	"fmt"
	"log/slog"
	"net/http"
	"sync"
	"time"

	"restock/local/aws/sqs"
	"restock/local/view/events"
)

// Config says whose console it is.
type Config struct {
	Program string // the name of the program that runs
	Stage   string
	Records *events.Stream[events.Event] // what the run logs; its end is the console's
	Log     *slog.Logger                 // of the console itself, which may be one whose records are those

	Panels []Panel // the program's own parts of the page

	// Business says what a line of a function means to a journey, by the line's kind and
	// attributes. It may be nil.
	Business func(kind string, attrs map[string]any) Milestone
}

// A Milestone is what a journey has come to.
type Milestone struct {
	Ordered bool // a production order was opened: the journey is kept longer
	Made    int  // units that came
}

// A Stack is what runs.
type Stack struct {
	Graph     Graph
	Endpoints map[string]string // URLs, by name: "api", "aws", and the names of outside servers
	Queues    []*sqs.Queue
	DSN       string // of the database, as its administrator; empty where there is none

	// Instances is how many instances of a function there are.
	Instances func(function string) int
}

// Console is the console of a run. Its methods may be called from many goroutines.
type Console struct {
	config   Config
	log      *slog.Logger
	handler  http.Handler
	observer *observer

	ctx     context.Context // ends with Close
	cancel  context.CancelFunc
	running sync.WaitGroup

	mu      sync.Mutex // guards what follows
	stack   Stack
	build   *Build
	changes []Change // the newest first

	looking sync.Mutex // guards what follows
	looked  time.Time
	cached  changing // as it was when it was last looked
}

// New makes a console that shows nothing but events, until it is told what runs. It must be closed.
func New(c Config) *Console {
	ctx, cancel := context.WithCancel(context.Background())
	console := &Console{config: c, log: c.Log, observer: newObserver(c.Business), ctx: ctx, cancel: cancel}
	console.handler = console.routes()
	records := c.Records.Subscribe(0)
	console.running.Go(func() {
		defer records.Close()
		console.observer.observe(ctx, records)
	})
	return console
}

// Close ends what the console runs, and the streams of those who listen to it. It may be called again.
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

// Draw shows a stack's picture before it runs.
func (c *Console) Draw(g Graph) { c.observer.show(g) }

// Run shows a stack that runs, in place of the one before. It is watched until the console is closed. The error is a panel's.
func (c *Console) Run(s Stack) error {
	c.observer.show(s.Graph)
	c.mu.Lock()
	c.stack = s
	c.mu.Unlock()
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

// Leave lets go of the stack's database, which is about to end. What the panels have read of it stays.
func (c *Console) Leave() {
	for _, p := range c.config.Panels {
		if p.Leave != nil {
			p.Leave()
		}
	}
}

// A Build is the state of the functions' sources.
type Build struct {
	State  string    `json:"state"`           // "ok", "building" or "failed"
	What   []string  `json:"what"`            // functions
	Error  string    `json:"error,omitempty"` // what the compiler said
	TookMS float64   `json:"took_ms,omitempty"`
	Time   time.Time `json:"time"`
}

// A Change is what a change of the program has changed in the stack.
type Change struct {
	Time  time.Time `json:"time"`
	Lines []string  `json:"lines"` // "~ aws:sqs/queue:Queue stock_queue: visibilityTimeoutSeconds 60 → 30"
}

// maxChanges is how many changes are kept.
const maxChanges = 20

// Built shows the state of the functions' sources.
func (c *Console) Built(b Build) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.build = &b
}

// Changed shows a change of the program.
func (c *Console) Changed(change Change) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.changes = append([]Change{change}, c.changes[:min(len(c.changes), maxChanges-1)]...)
}

// TurnedAway tells why the API refuses a request for which it has no capacity, before it answers.
func (c *Console) TurnedAway(requestID, reason string) {
	for _, p := range c.config.Panels {
		if p.TurnedAway != nil {
			p.TurnedAway(requestID, reason)
		}
	}
}

// current is the stack that runs.
func (c *Console) current() Stack {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.stack
}
