package main

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"strings"
	"sync"
	"time"

	"restock/local/system/loopback"
	"restock/local/system/process"
)

// An instance is a process of a function. The benchmark serves its Runtime API.
type instance struct {
	*process.Process
	began  time.Time // before exec
	server *http.Server

	polls   chan time.Time // the process asks for an invocation
	events  chan string    // its answer, or "" to end the process
	answers chan answer

	mu   sync.Mutex // guards said
	said []string
}

// An answer is the end of an invocation.
type answer struct {
	took time.Duration // since the Runtime API handed out the event
	body string
}

// startInstance starts a function and its Runtime API.
func startInstance(config process.Config) (*instance, error) {
	listener, err := loopback.Listen("127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	i := &instance{polls: make(chan time.Time, 1), events: make(chan string), answers: make(chan answer, 1)}
	i.server = &http.Server{ReadHeaderTimeout: coldStartTimeout, Handler: i.runtimeAPI()}
	go func() { _ = listener.Serve(i.server, nil, slog.New(slog.DiscardHandler)) }() // close ends it
	config.Env = append(config.Env, "AWS_LAMBDA_RUNTIME_API="+listener.Addr().String(),
		"AWS_REGION=ap-northeast-2", "AWS_ACCESS_KEY_ID=bench", "AWS_SECRET_ACCESS_KEY=bench")
	config.Stdout, config.Stderr = i.say, i.say
	i.began = time.Now()
	if i.Process, err = process.Start(config); err != nil {
		_ = i.server.Close()
		return nil, err
	}
	return i, nil
}

func (i *instance) say(line string) {
	i.mu.Lock()
	defer i.mu.Unlock()
	i.said = append(i.said, line)
}

// output returns all lines that the process wrote.
func (i *instance) output() string {
	i.mu.Lock()
	defer i.mu.Unlock()
	return strings.Join(i.said, "\n")
}

func (i *instance) close() {
	i.Kill()
	<-i.Done()
	_ = i.server.Close()
}

// runtimeAPI serves https://docs.aws.amazon.com/lambda/latest/dg/runtimes-api.html for one
// invocation after the other.
func (i *instance) runtimeAPI() http.Handler {
	const base = "/2018-06-01/runtime/invocation/"
	var handedOut time.Time
	mux := http.NewServeMux()
	mux.HandleFunc("GET "+base+"next", func(w http.ResponseWriter, r *http.Request) {
		i.polls <- time.Now()
		select {
		case <-r.Context().Done():
		case event := <-i.events:
			if event == "" {
				w.WriteHeader(http.StatusInternalServerError) // the Lambda library then ends the process
				return
			}
			handedOut = time.Now()
			w.Header().Set("Lambda-Runtime-Aws-Request-Id", "bench")
			w.Header().Set("Lambda-Runtime-Deadline-Ms", fmt.Sprint(handedOut.Add(firstAnswerTimeout).UnixMilli()))
			_, _ = io.WriteString(w, event)
		}
	})
	mux.HandleFunc("POST "+base+"bench/{outcome}", func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		i.answers <- answer{time.Since(handedOut), string(body)}
		w.WriteHeader(http.StatusAccepted)
	})
	return mux
}

// poll waits until the process asks for an invocation, and returns when it did.
func (i *instance) poll(ctx context.Context) (time.Time, error) {
	return await(ctx, i, i.polls, "asked for work")
}

// invoke hands out an event to a process that has asked for one, and waits for the answer.
func (i *instance) invoke(ctx context.Context, event string) (answer, error) {
	i.events <- event
	return await(ctx, i, i.answers, "answered")
}

// await waits for something that a process does.
func await[T any](ctx context.Context, i *instance, from <-chan T, what string) (T, error) {
	ctx, cancel := context.WithTimeoutCause(ctx, firstAnswerTimeout,
		fmt.Errorf("it has not %s in %v", what, firstAnswerTimeout))
	defer cancel()
	var none T
	select {
	case it := <-from:
		return it, nil
	case <-i.Done():
		return none, fmt.Errorf("it ended before it %s: %s", what, i.output())
	case <-ctx.Done():
		return none, context.Cause(ctx)
	}
}
