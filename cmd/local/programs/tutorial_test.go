package programs_test

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

	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/sqs"

	"restock/cmd/local/programs"
	"restock/infra/graph"
	"restock/local/view/terminal"
)

// tutorialDir is the folder of the text.
const tutorialDir = projectDir + "/examples/tutorial"

// These words begin the commands of the text that the test replaces.
const (
	theRun = "go run ./cmd/local -program tutorial"
	goTest = "go test "
)

// tutorialMistakes maps each line that the text adds to the program to the change of the recorded
// graph that it causes. Building the changed program would take minutes.
var tutorialMistakes = map[string]func(*graph.Graph){
	`return on.api.route(ctx, "GET /", hello)`: func(g *graph.Graph) {
		g.Find(graph.APIRoute, "routeKey", "POST /").Outputs["routeKey"] = "GET /"
	},
	`permission{[]string{"sqs:GetQueueUrl"}, q.Arn})`: func(g *graph.Graph) {
		policy := g.Named(graph.RolePolicy, "producer")
		policy.Outputs["policy"] = strings.Replace(policy.String("policy"), "sqs:SendMessage", "sqs:GetQueueUrl", 1)
	},
	`visibilityTimeout = 2 * consumerTimeout`: func(g *graph.Graph) {
		messages(g).Outputs["visibilityTimeoutSeconds"] = 2.0
	},
	`FunctionResponseTypes: pulumi.StringArray{},`: func(g *graph.Graph) {
		g.OfType(graph.EventSourceMapping)[0].Outputs["functionResponseTypes"] = []any{}
	},
}

func messages(g *graph.Graph) *graph.Resource {
	return g.Named(graph.Queue, "messages")
}

// relax gives the functions of a run a minute, because a busy machine is slow. It does not change
// the graph that the rules check, which has the URLs of AWS.
func relax(g *graph.Graph) {
	q := messages(g)
	if !strings.HasPrefix(q.String("url"), "http://127.0.0.1:") {
		return
	}
	q.Outputs["visibilityTimeoutSeconds"] = 60.0 // at least the function's timeout, as on AWS
	for _, f := range g.OfType(graph.Function) {
		f.Outputs["timeout"] = 60.0
	}
}

// hurry shortens the visibility timeout of the running queue to a second.
func (l *learner) hurry(aws, region string) {
	l.Helper()
	client := sqs.New(sqs.Options{Region: region, BaseEndpoint: &aws,
		Credentials: credentials.NewStaticCredentialsProvider("local", "local", "")})
	url := aws + "/" + graph.AccountID + "/messages"
	if _, err := client.SetQueueAttributes(l.Context(), &sqs.SetQueueAttributesInput{
		QueueUrl: &url, Attributes: map[string]string{"VisibilityTimeout": "1"},
	}); err != nil {
		l.Fatal(err)
	}
}

// The text is the tutorial's README. Its commands run one of the programs of this package.
func TestCommandsOfTheTutorialPrintItsOutput(t *testing.T) {
	t.Parallel()
	if testing.Short() {
		t.Skip("-short skips the text's commands, which build and run programs")
	}
	for _, program := range []string{"sh", "curl", "go"} {
		if _, err := exec.LookPath(program); err != nil {
			t.Skipf("the text's commands need %s: %v", program, err)
		}
	}
	text, err := os.ReadFile(tutorialDir + "/README.md")
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
	mark string // the text after the kind; may be empty
	text string
}

func blocks(text string) (all []block) {
	for _, m := range regexp.MustCompile("(?ms)^```(\\w+) ?([^\n]*)\n(.*?)^```$").FindAllStringSubmatch(text, -1) {
		all = append(all, block{m[1], m[2], m[3]})
	}
	return all
}

// A learner does what the text says and compares the output with the text.
type learner struct {
	*testing.T

	run       *programs.Run
	log       string             // the file with the log of the run
	printed   string             // the output of the last command
	began     int                // the length of the log when the last command began
	notRun    bool               // whether the last command was skipped
	edit      func(*graph.Graph) // the mistake for the next run; may be nil
	overlay   map[string]string  // for the next test: the path of a changed file by the original's path
	addresses *strings.Replacer  // replaces the text's addresses by those of the run
}

// do runs or compares a block, depending on its kind.
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
			l.Errorf("got the output\n%s\nwant\n%s", l.printed, b.text)
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

// pattern returns a pattern for output that the text shows. An ellipsis stands for any text, and
// the time of a line for any time.
func pattern(shown string) *regexp.Regexp {
	expression := strings.ReplaceAll(regexp.QuoteMeta(shown), "…", ".*")
	return regexp.MustCompile("^" + regexp.MustCompile(`^\d\d:\d\d:\d\d`).ReplaceAllString(expression,
		`\d\d:\d\d:\d\d`) + "$")
}

// command runs a command of the text. It starts the local run and the tests itself.
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
	cmd.Dir = projectDir
	out, err := cmd.Output()
	if err != nil {
		var failed *exec.ExitError
		errors.As(err, &failed)
		l.Fatalf("%s\n%v: %s", line, err, failed.Stderr)
	}
	l.printed = string(out)
}

// start ends the current run and starts another, with the change that the text has made in between.
func (l *learner) start(flags string) {
	l.Helper()
	l.end()
	log, err := os.CreateTemp(l.TempDir(), "log")
	if err != nil {
		l.Fatal(err)
	}
	l.Cleanup(func() { log.Close() })
	l.log, l.began = log.Name(), 0

	root, err := filepath.Abs(projectDir)
	if err != nil {
		l.Fatal(err)
	}
	config := programs.DefaultConfig(root)
	config.Program = programs.Tutorial()
	config.API, config.AWS, config.Factory = "127.0.0.1:0", "127.0.0.1:0", "not an address: the tutorial has no factory"
	config.Unchecked = flags == "-unchecked"
	config.Built = true // by TestMain: the changes that the text makes to functions are overlays of go test
	// Log each event by itself: on the terminal, repeated events would be counted instead.
	config.Log = terminal.Log(log, slog.LevelDebug, terminal.Program{})
	mistake, region := l.edit, ""
	config.Edit = func(g *graph.Graph) {
		region = g.Region
		relax(g)
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
		l.Errorf("got a factory at %q and a database at %q, want none", e.Factory, e.DSN)
	}
	l.hurry(e.AWS, region)
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

// change makes a change of the text, for the next run or the next test only.
func (l *learner) change(b block) {
	l.Helper()
	original, err := filepath.Abs(filepath.Join(tutorialDir, b.mark))
	if err != nil {
		l.Fatal(err)
	}
	source, err := os.ReadFile(original)
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
		if l.edit = tutorialMistakes[strings.TrimSpace(new.String())]; l.edit == nil {
			l.Fatalf("tutorialMistakes has no entry for the line:\n%s", new.String())
		}
		return
	}
	changed := filepath.Join(l.TempDir(), filepath.Base(b.mark))
	source = bytes.Replace(source, []byte(old.String()), []byte(new.String()), 1)
	if err := os.WriteFile(changed, source, 0o600); err != nil {
		l.Fatal(err)
	}
	l.overlay = map[string]string{original: changed}
}

// test runs tests with the changed files. They may fail: the text shows the output.
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
	cmd.Dir = projectDir
	cmd.Env = append(cmd.Environ(), "GOFLAGS="+os.Getenv("GOFLAGS")+" -vet=off") // the text is not about vet
	out, _ := cmd.CombinedOutput()
	l.printed = string(out)
}

// lines returns the run's log so far.
func (l *learner) lines() string {
	text, err := os.ReadFile(l.log)
	if err != nil {
		l.Fatal(err)
	}
	return string(text)
}

// await waits until the run has logged a line since the last command began.
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
			l.Fatalf("waited in vain for the line\n%s\nThe log is\n%s", shown, since)
		}
	}
}
