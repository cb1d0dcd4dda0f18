// Package replay makes the changes that a page of the documents shows, and runs its commands, in a
// copy of the project.
package replay

import (
	"fmt"
	"regexp"
	"strings"
)

// A Block is a fenced block of a page.
type Block struct {
	Line     int    // the number of the page's line that ends the block
	Heading  string // the nearest heading above it, with its ###
	Language string
	Lines    []string
}

// A Change replaces lines of a file. The old lines must occur in it once. If there are no old
// lines, the change adds the file.
type Change struct {
	File     string // relative to the project's root, with slashes
	Old, New string
}

// IsNew reports whether the change adds the file.
func (c Change) IsNew() bool { return c.Old == "" }

var (
	heading = regexp.MustCompile(`^#+ `)
	fence   = regexp.MustCompile("^```([a-z]*)$")
)

// Blocks returns the fenced blocks of a page.
func Blocks(page string) (blocks []Block) {
	above, inside := "", false
	var b Block
	for i, line := range strings.Split(page, "\n") {
		marker := fence.FindStringSubmatch(line)
		switch {
		case marker != nil && inside:
			b.Line, inside = i+1, false
			blocks = append(blocks, b)
		case marker != nil:
			inside, b = true, Block{Heading: above, Language: marker[1]}
		case inside:
			b.Lines = append(b.Lines, line)
		case heading.MatchString(line):
			above = line
		}
	}
	return blocks
}

// Diff parses a diff. It has "--- file", then lines that stay, that are removed (-) and that are
// added (+). Another "--- file", or "@@", begins the next change. "+++ file" begins a new file,
// whose lines are all added.
func Diff(lines []string) (changes []Change, err error) {
	var c Change
	isNew := false
	end := func() error {
		if c.Old == "" && c.New == "" {
			return nil
		}
		if (c.Old == "") != isNew || c.Old == c.New {
			return fmt.Errorf("the change of %s changes no existing line", c.File)
		}
		changes = append(changes, c)
		c = Change{File: c.File}
		return nil
	}
	for _, line := range lines {
		file, isFile := strings.CutPrefix(line, "--- ")
		newFile, isNewFile := strings.CutPrefix(line, "+++ ")
		if isFile || isNewFile || line == "@@" {
			if err := end(); err != nil {
				return nil, err
			}
			if isFile || isNewFile {
				c.File, isNew = file, isNewFile
			}
			if isNewFile {
				c.File = newFile
			}
			continue
		}
		if c.File == "" {
			return nil, fmt.Errorf("the diff begins with %q, want --- or +++, and a file", line)
		}
		sign, text := " ", ""
		if line != "" {
			sign, text = line[:1], line[1:]
		}
		if sign != " " && sign != "-" && sign != "+" {
			return nil, fmt.Errorf("the diff's line %q does not begin with a space, - or +", line)
		}
		if sign != "+" {
			c.Old += text + "\n"
		}
		if sign != "-" {
			c.New += text + "\n"
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

// Apply applies a change to a file's text.
func (c Change) Apply(text string) (string, error) {
	var at []int // where the old lines begin
	for begin := 0; begin < len(text); {
		if strings.HasPrefix(text[begin:], c.Old) {
			at = append(at, begin)
		}
		end := strings.IndexByte(text[begin:], '\n')
		if end < 0 {
			break
		}
		begin += end + 1
	}
	if len(at) != 1 {
		return "", fmt.Errorf("%s has these lines %d times, want once:\n%s", c.File, len(at), c.Old)
	}
	return text[:at[0]] + c.New + text[at[0]+len(c.Old):], nil
}

// HasLine reports whether the output of a command has a line like want, in which … stands for any
// text. It ignores white space at the ends.
func HasLine(want string, lines []string) bool {
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
