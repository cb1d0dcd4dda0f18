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

// handoverVariable is the environment variable with the state that a run hands to its successor.
// The successor is the same process with another program, so Ctrl-C still reaches it and its parent
// still waits for it.
const handoverVariable = "RESTOCK_LOCAL_HANDOVER"

// A handover is the state that a run hands to its successor, as JSON.
type handover struct {
	// The run's addresses, which are empty if it did not listen. That of the API is also empty if
	// the program has none.
	API, AWS, AWSTLS, Factory, Console string

	DataDir  string    // its temporary folder of data; empty if it had none
	DataLock int       // the file descriptor that holds the folder's lock
	Changes  []string  // how the stack has changed
	Began    time.Time // when the restart began
}

// received returns the state that this process got from its predecessor, or nil. It removes the
// variable, so that child processes do not get it.
func received() (*handover, error) {
	text, ok := os.LookupEnv(handoverVariable)
	if !ok {
		return nil, nil
	}
	os.Unsetenv(handoverVariable)
	h := &handover{}
	if err := json.Unmarshal([]byte(text), h); err != nil {
		return nil, fmt.Errorf("reading %s: %w", handoverVariable, err)
	}
	return h, nil
}

// take configures a run as the successor of the one that handed over.
func (h *handover) take(c *programs.Config) {
	for handed, address := range map[*string]*string{
		&h.API: &c.API, &h.AWS: &c.AWS, &h.AWSTLS: &c.AWSTLS, &h.Factory: &c.Factory, &h.Console: &c.Console,
	} {
		if *handed != "" {
			*address = *handed
		}
	}
	c.Changes = h.Changes
}

// openData returns the temporary folder of a run's data: the predecessor's, or a new one if the run
// may have a successor and neither -data nor -dsn is set. Otherwise it returns nil. The folder
// survives the run, but not the process.
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

// A successor is the run that follows a run.
type successor struct {
	run.Successor
	endpoints programs.Endpoints // the endpoints of the run before
	began     time.Time          // when the restart began
}

// start replaces this process with the successor of a closed run, which takes over its temporary
// data. It returns only if it fails.
func (s successor) start(data *tempdir.Dir) error {
	h := handover{
		API: address(s.endpoints.API), AWS: address(s.endpoints.AWS), AWSTLS: address(s.endpoints.AWSTLS),
		Factory: address(s.endpoints.Factory), Console: address(s.endpoints.Console),
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

// address returns the host and port of a URL, or "" for none.
func address(url string) string {
	_, address, _ := strings.Cut(url, "://")
	return address
}

// logLosses logs how many queued messages a restart drops: queues are in memory.
func logLosses(r *programs.Run, log *slog.Logger) {
	if n := r.Undelivered(); n > 0 {
		log.Warn("queued messages are dropped", "messages", n)
	}
}
