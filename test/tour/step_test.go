package tour

import (
	"fmt"
	"regexp"
	"strings"

	"restock/test/replay"
)

// A step is a change, the command to run after it, and its expected output.
type step struct {
	name    string // of its test: the mistake's number, and a letter if the mistake has several steps
	title   string
	changes []replay.Change
	command string
	output  []string // lines, in which … stands for any text
}

var mistakeHeading = regexp.MustCompile(`^### (\d+)\. (.+)$`)

// parse parses the steps of the tour. A step has three blocks, of diff, sh and text, below the
// heading of its mistake.
func parse(tour string) ([]step, error) {
	var steps []step
	for _, b := range replay.Blocks(tour) {
		at := func(format string, values ...any) error {
			return fmt.Errorf("line %d: "+format, append([]any{b.Line}, values...)...)
		}
		mistake := mistakeHeading.FindStringSubmatch(b.Heading)
		if mistake == nil {
			return nil, at("a block of %q without a mistake above it", b.Language)
		}
		var last *step
		if len(steps) > 0 {
			last = &steps[len(steps)-1]
		}
		switch {
		case b.Language == "diff" && (last == nil || last.output != nil):
			changes, err := replay.Diff(b.Lines)
			if err != nil {
				return nil, at("%w", err)
			}
			steps = append(steps, step{name: mistake[1], title: mistake[2], changes: changes})
		case b.Language == "sh" && last != nil && last.command == "":
			last.command = strings.Join(b.Lines, "\n")
		case b.Language == "text" && last != nil && last.command != "" && last.output == nil && len(b.Lines) > 0:
			last.output = b.Lines
		default:
			return nil, at("a block of %q does not belong here: a step is a diff, a command (sh) and its output (text)",
				b.Language)
		}
	}
	if len(steps) > 0 && steps[len(steps)-1].output == nil {
		return nil, fmt.Errorf("the last step, of mistake %s, has no expected output", steps[len(steps)-1].name)
	}
	return named(steps), nil
}

// named gives each step of a mistake with several steps a letter.
func named(steps []step) []step {
	of := map[string]int{}
	for _, s := range steps {
		of[s.name]++
	}
	letter := map[string]rune{}
	for i, s := range steps {
		if of[s.name] > 1 {
			steps[i].name = s.name + string('a'+letter[s.name])
			letter[s.name]++
		}
	}
	return steps
}
