package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
	"time"
)

const (
	starts       = 5
	startTimeout = time.Minute
)

// measureStart measures how long the built local run takes until it can sell.
func (b *bench) measureStart(ctx context.Context) (section, error) {
	s := section{Title: "The local run"}
	dir, err := os.MkdirTemp("", "restock-bench-")
	if err != nil {
		return s, err
	}
	defer os.RemoveAll(dir)
	executable := filepath.Join(dir, "local")
	build := exec.CommandContext(ctx, "go", "build", "-o", executable, "./cmd/local")
	build.Dir = b.project
	if out, err := build.CombinedOutput(); err != nil {
		return s, fmt.Errorf("building the local run: %w\n%s", err, out)
	}
	var took []float64
	for i := range starts + 1 {
		d, err := b.start(ctx, executable, filepath.Join(dir, "ready"))
		if err != nil {
			return s, err
		}
		if i > 0 { // the first run builds the functions and the template of the database
			took = append(took, d.Seconds())
		}
		b.step()
	}
	s.Rows = []result{{What: "make local, from built to ready", Value: median(took), Unit: "s", Goal: atMost(5)}}
	const edited = "EditedHandlerIsLive"
	measured, err := b.goBench(ctx, "./cmd/local/programs", edited, "-benchtime=5x")
	if err != nil {
		return s, err
	}
	s.Rows = append(s.Rows, result{
		What:  "a handler, from saved to the first answer of the new one",
		Value: measured[edited]["ns/op"] / float64(time.Second), Unit: "s", Goal: atMost(2),
	})
	return s, nil
}

// start starts the run, waits until it is ready, and ends it.
func (b *bench) start(ctx context.Context, executable, ready string) (took time.Duration, err error) {
	ctx, cancel := context.WithTimeoutCause(ctx, startTimeout,
		fmt.Errorf("the local run was not ready in %v", startTimeout))
	defer cancel()
	local := exec.CommandContext(ctx, executable, "-stage", b.stage, "-ready", ready,
		"-api", "127.0.0.1:0", "-aws", "127.0.0.1:0", "-factory", "127.0.0.1:0", "-console", "127.0.0.1:0")
	local.Dir = b.project
	local.Cancel = func() error { return local.Process.Signal(syscall.SIGTERM) }
	began := time.Now()
	if err := local.Start(); err != nil {
		return 0, err
	}
	ended := make(chan error, 1)
	go func() { ended <- local.Wait() }()
	look := time.NewTicker(lookInterval)
	defer look.Stop()
	for {
		if _, err := os.Stat(ready); err == nil {
			took = time.Since(began)
			return took, errors.Join(local.Process.Signal(syscall.SIGTERM), <-ended)
		}
		select {
		case err := <-ended:
			return 0, fmt.Errorf("the local run ended before it was ready: %w", errors.Join(context.Cause(ctx), err))
		case <-look.C:
		}
	}
}
