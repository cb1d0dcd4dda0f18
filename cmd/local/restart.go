package main

import (
	"encoding/json"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"time"

	"restock/cmd/local/programs"
	"restock/infra/graph"
	"restock/local/run"
	"restock/local/system/tempdir"
)

// handoverVariable, in the environment, holds what a run hands to its successor. The process stays the same: Ctrl-C and whoever waits for its end
// find it where it was.
const handoverVariable = "RESTOCK_LOCAL_HANDOVER"

// A handover is what a run hands to its successor, as JSON.
type handover struct {
	API, AWS, Factory, Console string    // where the run listened; empty where it did not
	DataDir                    string    // its temporary data directory; empty where it had none
	DataLock                   int       // the file descriptor that holds it
	Changes                    []string  // of the stack
	Began                      time.Time // when the run was asked to end
}

// received is what this process was handed; nil where it was started by somebody. Nothing that it starts sees it.
func received() (*handover, error) {
	text, is := os.LookupEnv(handoverVariable)
	if !is {
		return nil, nil
	}
	os.Unsetenv(handoverVariable)
	h := &handover{}
	if err := json.Unmarshal([]byte(text), h); err != nil {
		return nil, fmt.Errorf("reading %s: %w", handoverVariable, err)
	}
	return h, nil
}

// take makes a run the successor of the one that handed over.
func (h *handover) take(c *programs.Config) {
	for handed, address := range map[*string]*string{&h.API: &c.API, &h.AWS: &c.AWS, &h.Factory: &c.Factory, &h.Console: &c.Console} {
		if *handed != "" {
			*address = *handed
		}
	}
	c.Changes = h.Changes
}

// openData makes a temporary directory for the data of a run that may have a successor and was not told where to keep them, or takes over that
// of the run before; nil where there is none. It outlives its run, but not the process.
func openData(c *programs.Config, h *handover) (dir *tempdir.Dir, err error) {
	switch {
	case h != nil && h.DataDir != "":
		dir = tempdir.TakeOver(h.DataDir, h.DataLock)
	case c.Watch && c.Data == "" && c.DSN == "":
		if dir, err = tempdir.New("restock-data-*"); err != nil {
			return nil, err
		}
	default:
		return nil, nil
	}
	c.Data = filepath.Join(dir.Path(), "data")
	return dir, nil
}

// A successor is what is to come after a run.
type successor struct {
	run.Successor
	endpoints programs.Endpoints // where the run was
	began     time.Time          // when the run was asked to end
}

// start makes this process the successor of the run, which has been closed, with its temporary data. It returns only if it fails.
func (s successor) start(data *tempdir.Dir) error {
	h := handover{
		API: address(s.endpoints.API), AWS: address(s.endpoints.AWS), Factory: address(s.endpoints.Factory), Console: address(s.endpoints.Console),
		Changes: graph.Lines(s.Changes), Began: s.began,
	}
	if data != nil {
		fd, err := data.HandOver()
		if err != nil {
			return err
		}
		h.DataDir, h.DataLock = data.Path(), fd
	}
	text, err := json.Marshal(h)
	if err != nil {
		return fmt.Errorf("restarting: %w", err)
	}
	err = syscall.Exec(s.Executable, os.Args, append(os.Environ(), handoverVariable+"="+string(text)))
	return fmt.Errorf("restarting as %s: %w", s.Executable, err)
}

// address is the address of a URL; empty for none.
func address(url string) string { return strings.TrimPrefix(url, "http://") }

// logLosses logs how many messages are lost when a run ends: queues are in memory.
func logLosses(r *programs.Run, log *slog.Logger) {
	if n := r.Undelivered(); n > 0 {
		log.Warn("messages in queues are let go", "messages", n)
	}
}
