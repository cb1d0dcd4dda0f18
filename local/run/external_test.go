package run_test

import (
	"bytes"
	"log/slog"
	"net/http"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"

	"restock/infra/graph"
	"restock/local/run"
)

// A buffer may be written while it is read.
type buffer struct {
	mu   sync.Mutex
	text bytes.Buffer
}

func (b *buffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.text.Write(p)
}

func (b *buffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.text.String()
}

// plain returns the configuration of a run of the program in examples/plain. Runs with the same
// build folder link the program once.
func plain(t *testing.T, buildDir string, log *buffer) run.Config {
	t.Helper()
	p, err := run.External("../../examples/plain")
	if err != nil {
		t.Fatal(err)
	}
	c := run.DefaultConfig(p, p.Dir)
	c.API, c.AWS, c.BuildDir = "127.0.0.1:0", "127.0.0.1:0", buildDir
	c.Log = slog.New(slog.NewTextHandler(log, nil))
	return c
}

// post sends a note to the program's API.
func post(t *testing.T, r *run.Run) (status int) {
	t.Helper()
	response, err := http.Post(r.Endpoints().API+"/notes", "text/plain", strings.NewReader("buy sugar"))
	if err != nil {
		t.Fatal(err)
	}
	response.Body.Close()
	return response.StatusCode
}

func TestProgramWithAMainOfItsOwn(t *testing.T) {
	buildDir := t.TempDir()
	t.Run("runs", func(t *testing.T) { runsPlain(t, buildDir) })
	t.Run("is refused what its role may not do", func(t *testing.T) { refusesPlain(t, buildDir) })
}

func runsPlain(t *testing.T, buildDir string) {
	var log buffer
	r, err := run.Start(t.Context(), plain(t, buildDir, &log))
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	if status := post(t, r); status != http.StatusAccepted || r.Undelivered() != 1 {
		t.Errorf("got the status %d and %d messages in the queue, want 202 and 1; the log:\n%s",
			status, r.Undelivered(), log.String())
	}
	if strings.Contains(log.String(), "rule=parent") {
		t.Errorf("the log has violations of this project's style:\n%s", log.String())
	}
}

func refusesPlain(t *testing.T, buildDir string) {
	var log buffer
	c := plain(t, buildDir, &log)
	c.Edit = func(g *graph.Graph) {
		g.Resources = slices.DeleteFunc(g.Resources, func(r *graph.Resource) bool { return r.Type == graph.RolePolicy })
		g.Resources = append(g.Resources, &graph.Resource{
			URN: "urn:pulumi:dev::plain::aws:dynamodb/table:Table::notes", Type: "aws:dynamodb/table:Table",
			Name: "notes", ID: "notes", Source: "main.go:99",
		})
	}
	var refused []string
	c.Refused = func(line string) { refused = append(refused, line) }
	r, err := run.Start(t.Context(), c)
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	if status := post(t, r); status != http.StatusInternalServerError {
		t.Errorf("got the status %d, want 500", status)
	}
	want := regexp.MustCompile(`sqs:SendMessage.*arn:aws:sqs:us-east-1:000000000000:notes.*main\.go:\d+`)
	if len(refused) != 1 || !want.MatchString(refused[0]) {
		t.Errorf("the run has refused %q, want one call that matches %s", refused, want)
	}
	const notRun = `msg="declared, but not run here" type=aws:dynamodb/table:Table name=notes reason="the run has no ` +
		`stand-in for this type" declared_in=main.go:99`
	if !strings.Contains(log.String(), notRun) {
		t.Errorf("the log is\n%s\nwant a line with %s", log.String(), notRun)
	}
}
