package tour

import (
	"fmt"
	"regexp"
	"strings"
)

// A step is a change, the command to run after it, and its expected output.
type step struct {
	name    string // of its test: the mistake's number, and a letter if the mistake has several steps
	title   string
	changes []change
	command string
	output  []string // lines, in which … stands for any text
}

// A change replaces lines of a file. The old lines must occur in it once.
type change struct {
	file     string // relative to the project's root, with slashes
	old, new string
}

var (
	mistakeHeading = regexp.MustCompile(`^### (\d+)\. (.+)$`)
	fence          = regexp.MustCompile("^```([a-z]*)$")
)

// parse parses the steps of the tour. A step has three blocks, of diff, sh and text, below the
// heading of its mistake.
func parse(tour string) ([]step, error) {
	var steps []step
	var number, title, language string
	var block []string
	inside := false
	for i, line := range strings.Split(tour, "\n") {
		at := func(format string, values ...any) error {
			return fmt.Errorf("line %d: "+format, append([]any{i + 1}, values...)...)
		}
		marker := fence.FindStringSubmatch(line)
		switch {
		case marker == nil && inside:
			block = append(block, line)
		case marker == nil:
			if heading := mistakeHeading.FindStringSubmatch(line); heading != nil {
				number, title = heading[1], heading[2]
			}
		case !inside:
			inside, language, block = true, marker[1], nil
		default:
			inside = false
			if number == "" {
				return nil, at("a block of %q without a mistake above it", language)
			}
			var last *step
			if len(steps) > 0 {
				last = &steps[len(steps)-1]
			}
			switch {
			case language == "diff" && (last == nil || last.output != nil):
				changes, err := parseDiff(block)
				if err != nil {
					return nil, at("%w", err)
				}
				steps = append(steps, step{name: number, title: title, changes: changes})
			case language == "sh" && last != nil && last.command == "":
				last.command = strings.Join(block, "\n")
			case language == "text" && last != nil && last.command != "" && last.output == nil && len(block) > 0:
				last.output = block
			default:
				return nil, at("a block of %q does not belong here: a step is a diff, a command (sh) and "+
					"its output (text)", language)
			}
		}
	}
	if len(steps) > 0 && steps[len(steps)-1].output == nil {
		return nil, fmt.Errorf("the last step, of mistake %s, has no expected output", number)
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

// parseDiff parses a diff. It has "--- file", then lines that stay, that are removed (-) and that
// are added (+). Another "--- file", or "@@", begins the next change.
func parseDiff(lines []string) (changes []change, err error) {
	var c change
	end := func() error {
		if c.old == "" && c.new == "" {
			return nil
		}
		if c.old == "" || c.old == c.new {
			return fmt.Errorf("the change of %s changes no existing line", c.file)
		}
		changes = append(changes, c)
		c = change{file: c.file}
		return nil
	}
	for _, line := range lines {
		file, isFile := strings.CutPrefix(line, "--- ")
		if isFile || line == "@@" {
			if err := end(); err != nil {
				return nil, err
			}
			if isFile {
				c.file = file
			}
			continue
		}
		if c.file == "" {
			return nil, fmt.Errorf("the diff begins with %q, want --- and a file", line)
		}
		sign, text := " ", ""
		if line != "" {
			sign, text = line[:1], line[1:]
		}
		if sign != " " && sign != "-" && sign != "+" {
			return nil, fmt.Errorf("the diff's line %q does not begin with a space, - or +", line)
		}
		if sign != "+" {
			c.old += text + "\n"
		}
		if sign != "-" {
			c.new += text + "\n"
		}
	}
	if err := end(); err != nil {
		return nil, err
	}
	if len(changes) == 0 {
		return nil, fmt.Errorf("the diff is empty")
	}
	return changes, nil
}

// apply applies a change to a file's text.
func (c change) apply(text string) (string, error) {
	var at []int // where the old lines begin
	for begin := 0; begin < len(text); {
		if strings.HasPrefix(text[begin:], c.old) {
			at = append(at, begin)
		}
		end := strings.IndexByte(text[begin:], '\n')
		if end < 0 {
			break
		}
		begin += end + 1
	}
	if len(at) != 1 {
		return "", fmt.Errorf("%s has these lines %d times, want once:\n%s", c.file, len(at), c.old)
	}
	return text[:at[0]] + c.new + text[at[0]+len(c.old):], nil
}

// hasLine reports whether the output of a command has a line like want, in which … stands for any
// text. It ignores white space at the ends.
func hasLine(want string, lines []string) bool {
	var parts []string
	for part := range strings.SplitSeq(strings.TrimSpace(want), "…") {
		parts = append(parts, regexp.QuoteMeta(part))
	}
	pattern := regexp.MustCompile("^" + strings.Join(parts, ".*") + "$")
	for _, line := range lines {
		if pattern.MatchString(strings.TrimSpace(line)) {
			return true
		}
	}
	return false
}
