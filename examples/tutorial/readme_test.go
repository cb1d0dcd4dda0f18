package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"log/slog"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"restock/cmd/local/programs"
	"restock/infra/graph"
	"restock/local/view/terminal"
)

const (
	moduleRoot = "../.."
	theRun     = "go run ./cmd/local -program tutorial"
	goTest     = "go test "
)

// mistakes are what the lines that the text adds to the program do to what it declares: to build the program anew for each would take minutes.
var mistakes = map[string]func(*graph.Graph){
	`return on.api.route(ctx, "GET /", hello)`: func(g *graph.Graph) {
		g.Find(graph.APIRoute, "routeKey", "POST /").Outputs["routeKey"] = "GET /"
	},
	`permission{[]string{"sqs:GetQueueUrl"}, q.Arn})`: func(g *graph.Graph) {
		policy := g.Find(graph.RolePolicy, "role", "producer")
		policy.Outputs["policy"] = strings.Replace(policy.String("policy"), "sqs:SendMessage", "sqs:GetQueueUrl", 1)
	},
	`visibilityTimeout = 2 * consumerTimeout`: func(g *graph.Graph) { messages(g).Outputs["visibilityTimeoutSeconds"] = 2.0 },
	`FunctionResponseTypes: pulumi.StringArray{},`: func(g *graph.Graph) {
		g.OfType(graph.EventSourceMapping)[0].Outputs["functionResponseTypes"] = []any{}
	},
}

func messages(g *graph.Graph) *graph.Resource {
	return g.Find(graph.Queue, "name", "messages")
}

// hurry has the queue of the run show a failed message again after a second. What is checked is not this graph, but that on AWS.
func hurry(g *graph.Graph) {
	if q := messages(g); strings.HasPrefix(q.String("url"), "http://127.0.0.1:") {
		q.Outputs["visibilityTimeoutSeconds"] = 1.0
	}
}

func TestTheTextsCommandsPrintWhatItSays(t *testing.T) {
	if testing.Short() {
		t.Skip("-short: the text's commands build and run programs")
	}
	for _, program := range []string{"sh", "curl", "go"} {
		if _, err := exec.LookPath(program); err != nil {
			t.Skipf("the text's commands need %s: %v", program, err)
		}
	}
	text, err := os.ReadFile("README.md")
	if err != nil {
		t.Fatal(err)
	}
	l := &learner{T: t}
	for _, b := range blocks(string(text)) {
		l.do(b)
	}
}

// A block is a fenced block of the text.
type block struct {
	kind string // "sh", "text", …
	mark string // what follows the kind, if anything does
	text string
}

func blocks(text string) (all []block) {
	for _, m := range regexp.MustCompile("(?ms)^```(\\w+) ?([^\n]*)\n(.*?)^```$").FindAllStringSubmatch(text, -1) {
		all = append(all, block{m[1], m[2], m[3]})
	}
	return all
}

// A learner does what the text says, and looks whether what it shows comes.
type learner struct {
	*testing.T

	run       *programs.Run
	log       string // the file that the run's lines go to
	printed   string // by the last command
	began     int    // the length of the log when it began
	notRun    bool   // the last command could not be run here
	edit      func(*graph.Graph)
	overlay   map[string]string // the functions' files that were changed: by path, the path of the changed one
	addresses *strings.Replacer // the text's addresses, with the run's in their place
}

func (l *learner) do(b block) {
	l.Helper()
	switch {
	case b.kind == "diff":
		l.change(b)
	case b.kind == "sh" && b.mark == "on-aws":
		l.notRun = true
		if out, err := exec.Command("sh", "-n", "-c", b.text).CombinedOutput(); err != nil {
			l.Errorf("%s\n%v: %s", b.text, err, out)
		}
	case b.kind == "sh" && b.mark == "needs-aws-cli" && !installed("aws"):
		l.notRun = true
		l.Log("not run: the AWS CLI is not installed")
	case b.kind == "sh":
		l.notRun = false
		l.command(strings.TrimSpace(b.text))
	case b.kind == "text" && !l.notRun:
		if !pattern(strings.TrimSpace(b.text)).MatchString(strings.TrimSpace(l.printed)) {
			l.Errorf("printed was\n%s\nthe text says\n%s", l.printed, b.text)
		}
	case b.kind == "log":
		for line := range strings.Lines(b.text) {
			l.await(strings.TrimSpace(line))
		}
	}
}

func installed(program string) bool {
	_, err := exec.LookPath(program)
	return err == nil
}

// pattern matches what a part of the text shows. An ellipsis is what is different each time; so is the time of a line.
func pattern(shown string) *regexp.Regexp {
	expression := strings.ReplaceAll(regexp.QuoteMeta(shown), "…", ".*")
	return regexp.MustCompile("^" + regexp.MustCompile(`^\d\d:\d\d:\d\d`).ReplaceAllString(expression, `\d\d:\d\d:\d\d`) + "$")
}

func (l *learner) command(line string) {
	l.Helper()
	if flags, ok := strings.CutPrefix(line, theRun); ok {
		l.start(strings.TrimSpace(flags))
		return
	}
	if l.run != nil {
		l.began = len(l.lines())
	}
	if strings.HasPrefix(line, goTest) {
		l.test(line)
		return
	}
	cmd := exec.CommandContext(l.Context(), "sh", "-c", l.addresses.Replace(line))
	cmd.Dir = moduleRoot
	out, err := cmd.Output()
	if err != nil {
		var failed *exec.ExitError
		errors.As(err, &failed)
		l.Fatalf("%s\n%v: %s", line, err, failed.Stderr)
	}
	l.printed = string(out)
}

// start ends the run, if there is one, and starts the next, with what the text has changed in between.
func (l *learner) start(flags string) {
	l.Helper()
	l.end()
	log, err := os.CreateTemp(l.TempDir(), "log")
	if err != nil {
		l.Fatal(err)
	}
	l.Cleanup(func() { log.Close() })
	l.log, l.began = log.Name(), 0

	root, err := filepath.Abs(moduleRoot)
	if err != nil {
		l.Fatal(err)
	}
	config := programs.DefaultConfig(root)
	config.Program = programs.Tutorial()
	config.API, config.AWS, config.Factory = "127.0.0.1:0", "127.0.0.1:0", "not an address: nothing here asks a factory"
	config.Unchecked = flags == "-unchecked"
	// Every event: with messages that come back after a second, the terminal would count them.
	config.Log = terminal.Log(log, slog.LevelDebug)
	mistake := l.edit
	config.Edit = func(g *graph.Graph) {
		hurry(g)
		if mistake != nil {
			mistake(g)
		}
	}
	l.edit = nil
	r, err := programs.Start(l.Context(), config)
	if err != nil {
		l.printed = "local: " + err.Error()
		return
	}
	l.run, l.printed = r, ""
	l.Cleanup(l.end)
	e := r.Endpoints()
	if e.Factory != "" || e.DSN != "" {
		l.Errorf("the run has a factory at %q and a database at %q, and the program declares neither", e.Factory, e.DSN)
	}
	l.addresses = strings.NewReplacer("http://127.0.0.1:8080", e.API, "http://127.0.0.1:4566", e.AWS)
}

func (l *learner) end() {
	if l.run == nil {
		return
	}
	if err := l.run.Close(); err != nil {
		l.Errorf("ending the run: %v", err)
	}
	l.run = nil
}

// change makes a change of the text, for the next run or the next test alone.
func (l *learner) change(b block) {
	l.Helper()
	source, err := os.ReadFile(b.mark)
	if err != nil {
		l.Fatal(err)
	}
	var old, new strings.Builder
	for line := range strings.Lines(b.text) {
		if removed, ok := strings.CutPrefix(line, "-"); ok {
			old.WriteString(removed)
		} else {
			new.WriteString(strings.TrimPrefix(line, "+"))
		}
	}
	if n := bytes.Count(source, []byte(old.String())); n != 1 {
		l.Fatalf("%s has these lines %d times, want once:\n%s", b.mark, n, old.String())
	}
	if strings.HasPrefix(b.mark, "program/") {
		if l.edit = mistakes[strings.TrimSpace(new.String())]; l.edit == nil {
			l.Fatalf("the test does not know what this does to the program:\n%s", new.String())
		}
		return
	}
	changed := filepath.Join(l.TempDir(), filepath.Base(b.mark))
	if err := os.WriteFile(changed, bytes.Replace(source, []byte(old.String()), []byte(new.String()), 1), 0o600); err != nil {
		l.Fatal(err)
	}
	path, err := filepath.Abs(b.mark)
	if err != nil {
		l.Fatal(err)
	}
	l.overlay = map[string]string{path: changed}
}

// test runs tests of the changed functions.
func (l *learner) test(line string) {
	l.Helper()
	overlay, err := json.Marshal(map[string]any{"Replace": l.overlay})
	if err != nil {
		l.Fatal(err)
	}
	l.overlay = nil
	file := filepath.Join(l.TempDir(), "overlay.json")
	if err := os.WriteFile(file, overlay, 0o600); err != nil {
		l.Fatal(err)
	}
	args := slices.Insert(strings.Fields(line)[1:], 1, "-overlay="+file)
	cmd := exec.CommandContext(l.Context(), "go", args...)
	cmd.Dir = moduleRoot
	out, _ := cmd.CombinedOutput() // it may fail: the text says how
	l.printed = string(out)
}

// lines are the run's, so far.
func (l *learner) lines() string {
	text, err := os.ReadFile(l.log)
	if err != nil {
		l.Fatal(err)
	}
	return string(text)
}

// await waits until the run has told a line since the last command began.
func (l *learner) await(shown string) {
	l.Helper()
	want := pattern(shown)
	deadline := time.After(5 * time.Minute)
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	for {
		since := l.lines()[l.began:]
		for line := range strings.Lines(since) {
			if want.MatchString(strings.TrimSpace(line)) {
				return
			}
		}
		select {
		case <-tick.C:
		case <-deadline:
			l.Fatalf("waited for the line\n%s\nthe run says\n%s", shown, since)
		}
	}
}
