package conformance

import (
	"bytes"
	"cmp"
	"flag"
	"fmt"
	"io"
	"maps"
	"os"
	"slices"
	"strings"
	"sync"
	"unicode/utf8"
)

// update writes docs/conformance.md.
var update = flag.Bool("update", false, "write docs/conformance.md")

const document = "../../docs/conformance.md"

// scored is the result of a fact.
type scored struct {
	service, operation string
	kind               factKind
	exact              bool
	file, test, date   string
	problem            string // how it differs
	reason             string // why it may differ
}

// score has the results of all recordings.
var score scoreboard

type scoreboard struct {
	mu      sync.Mutex
	files   map[string]sources
	results []scored
}

// sources says what of a file is checked.
type sources struct {
	recordings int
	left       []leftOut
}

func (s *scoreboard) add(file string, recordings []recording, left []leftOut) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.files == nil {
		s.files = map[string]sources{}
	}
	of := s.files[file]
	of.recordings += len(recordings)
	of.left = append(of.left, left...)
	s.files[file] = of
}

func (s *scoreboard) record(result scored) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.results = append(s.results, result)
}

// finish prints the score, and compares docs/conformance.md with it or writes it. It returns the
// exit code.
func (s *scoreboard) finish(complete bool) int {
	if len(s.results) == 0 {
		return 0
	}
	s.table(os.Stdout)
	if endpoint.other || !complete {
		return 0
	}
	content := s.document()
	if *update {
		if err := os.WriteFile(document, content, 0o644); err != nil {
			fmt.Fprintln(os.Stderr, err)
			return 1
		}
		return 0
	}
	if kept, err := os.ReadFile(document); err != nil || !bytes.Equal(kept, content) {
		fmt.Fprintln(os.Stderr, "docs/conformance.md does not say what these tests measured: run make conformance")
		return 1
	}
	return 0
}

// A tally counts the facts of an operation, and how many are exact, by kind.
type tally struct{ facts, exact [3]int }

func (t *tally) count(r scored) {
	t.facts[r.kind]++
	if r.exact {
		t.exact[r.kind]++
	}
}

func (t tally) row() string {
	var cells []string
	for kind := range t.facts {
		cell := "–"
		if t.facts[kind] > 0 {
			cell = fmt.Sprintf("%d of %d", t.exact[kind], t.facts[kind])
		}
		cells = append(cells, cell)
	}
	return strings.Join(cells, " | ")
}

// table writes the score of each operation, and of each service.
func (s *scoreboard) table(w io.Writer) {
	type key struct{ service, operation string }
	tallies := map[key]*tally{}
	for _, r := range s.results {
		for _, k := range []key{{r.service, r.operation}, {r.service, ""}, {"", ""}} {
			if tallies[k] == nil {
				tallies[k] = &tally{}
			}
			tallies[k].count(r)
		}
	}
	fmt.Fprintln(w, "| service | operation | status and code | text | members |\n|---|---|---|---|---|")
	keys := slices.SortedFunc(maps.Keys(tallies), func(a, b key) int {
		return cmp.Or(cmp.Compare(a.service, b.service), cmp.Compare(a.operation, b.operation))
	})
	for _, k := range keys {
		service := cmp.Or(k.service, "**all**")
		operation := cmp.Or(k.operation, "**all**")
		fmt.Fprintf(w, "| %s | %s | %s |\n", service, operation, tallies[k].row())
	}
}

// document returns docs/conformance.md.
func (s *scoreboard) document() []byte {
	var b bytes.Buffer
	fmt.Fprint(&b, `# The stand-ins and AWS's recorded answers

<!-- make conformance writes this page -->

LocalStack's developers ran tests against AWS and [recorded the
answers](https://github.com/localstack/localstack/tree/main/tests/aws/services) (Apache-2.0). The
[conformance tests](../test/conformance) send requests of their own to the stand-ins and compare the
answers with these facts. "Members" are members of answers, messages and events. "sqs (query)" is
SQS in the protocol of SDKs before November 2023.

## Score

`)
	s.table(&b)
	fmt.Fprint(&b, "\n## Differences that stay\n\n")
	differences := slices.DeleteFunc(slices.Clone(s.results), func(r scored) bool { return r.exact })
	slices.SortFunc(differences, func(a, b scored) int {
		return cmp.Or(cmp.Compare(a.service, b.service), cmp.Compare(a.operation, b.operation),
			cmp.Compare(a.test, b.test), cmp.Compare(a.kind, b.kind), cmp.Compare(a.reason, b.reason))
	})
	if len(differences) > 0 {
		fmt.Fprintln(&b, "| service | operation | recorded in | validated | why it differs |\n|---|---|---|---|---|")
	}
	for _, d := range differences {
		fmt.Fprintf(&b, "| %s | %s | %s | %s | %s |\n", d.service, d.operation, code(d.test), d.date, d.reason)
	}
	fmt.Fprint(&b, `
## What neither a recording nor the documentation shows

- Secrets Manager and SNS with text that is not valid Unicode, such as "\ud800" in JSON or the byte
  FF in a form: AWS may refuse it or change it. The run refuses it, so that no secret and no message
  changes without a word. SQS refuses it as documented, with InvalidMessageContents.
- A member of JSON in another case: AWS ignores members that it does not know. The run refuses them,
  because such a program has a mistake.
- Which statements BlockPublicPolicy of PutResourcePolicy refuses: AWS proves what a policy allows.
  The run refuses a principal "*" without a condition.
- When a rotation function that the program declares has no permission, AWS refuses the declaration.
  The run's rules do so; with -unchecked the run starts, and the rotation fails.
- Control characters in a message of SNS: the run publishes the message. An envelope has them as
  JSON escapes. SQS refuses them in a raw delivery, as documented: that message is lost, with a
  warning in the log.
`)
	fmt.Fprint(&b, `
## Where recordings and documentation disagree

The run does what was recorded. The documentation was read on 2026-11-28.

- [DeleteTopic](https://docs.aws.amazon.com/sns/latest/api/API_DeleteTopic.html) deletes the
  subscriptions. On 2026-01-12, GetSubscriptionAttributes still described one.
- [Publish](https://docs.aws.amazon.com/sns/latest/api/API_Publish.html) with MessageStructure "json"
  does not allow duplicate keys. On 2025-11-19, it succeeded.
- RequestID, ErrorCode and ErrorMessage: [AWS
  Lambda](https://docs.aws.amazon.com/lambda/latest/dg/invocation-async-retain-records.html) adds
  them to the dead letters of functions. Dead letters of an SNS subscription had none of them on
  2023-08-24, and for FIFO topics on 2025-11-24.
- ChangeMessageVisibility after the visibility timeout "might result in an error" ([SQS's
  API](https://docs.aws.amazon.com/goto/WebAPI/sqs-2012-11-05/ChangeMessageVisibility)), and has the
  error MessageNotInflight. On 2024-04-30, it succeeded. The run refuses a handle only after another
  receive of the message.
`)
	fmt.Fprint(&b, "\n## What the recordings are, and what is left out\n\n")
	for _, file := range slices.Sorted(maps.Keys(s.files)) {
		of := s.files[file]
		fmt.Fprintf(&b, "- `%s`: %d tests are checked\n", file, of.recordings)
		for _, l := range of.left {
			b.WriteString(wrapped(fmt.Sprintf("  - left out, %d: %s", l.tests, l.why), "\n    ") + "\n")
		}
	}
	return b.Bytes()
}

// wrapped writes a line as lines of at most 100 characters, as in other documents.
func wrapped(line, separator string) string {
	if utf8.RuneCountInString(line) <= 100 {
		return line
	}
	space := strings.LastIndex(string([]rune(line)[:101]), " ")
	return line[:space] + separator + wrapped(line[space+1:], separator)
}

// code formats a name for Markdown.
func code(name string) string { return "`" + strings.ReplaceAll(name, "|", `\|`) + "`" }
