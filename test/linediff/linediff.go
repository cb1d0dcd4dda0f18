// Package linediff shows the lines in which two texts differ, for tests that compare with golden
// files.
package linediff

import (
	"fmt"
	"strings"
)

// context is how many equal lines are shown before and after a difference.
const context = 3

// Diff returns the lines that differ, with the equal lines around them: "-" begins a line of want
// that got lacks, "+" a line of got that want lacks. It returns the empty text if they are equal.
func Diff(want, got string) string {
	a, b := strings.Split(want, "\n"), strings.Split(got, "\n")
	start := 0 // as many lines are equal at the start, and end at the end
	for start < min(len(a), len(b)) && a[start] == b[start] {
		start++
	}
	end := 0
	for end < min(len(a), len(b))-start && a[len(a)-1-end] == b[len(b)-1-end] {
		end++
	}
	lines := make([]string, 0, len(a)+len(b))
	for _, line := range a[:start] {
		lines = append(lines, " "+line)
	}
	lines = append(lines, between(a[start:len(a)-end], b[start:len(b)-end])...)
	for _, line := range a[len(a)-end:] {
		lines = append(lines, " "+line)
	}
	return excerpt(lines)
}

// between returns the lines of both texts, those in which they differ marked.
func between(a, b []string) (lines []string) {
	// common[i][j] is the length of the longest common subsequence of a[i:] and b[j:].
	common := make([][]int, len(a)+1)
	for i := range common {
		common[i] = make([]int, len(b)+1)
	}
	for i := len(a) - 1; i >= 0; i-- {
		for j := len(b) - 1; j >= 0; j-- {
			if common[i][j] = max(common[i+1][j], common[i][j+1]); a[i] == b[j] {
				common[i][j] = common[i+1][j+1] + 1
			}
		}
	}
	for len(a)+len(b) > 0 {
		i, j := len(common)-1-len(a), len(common[0])-1-len(b)
		switch {
		case len(a) > 0 && len(b) > 0 && a[0] == b[0]:
			lines, a, b = append(lines, " "+a[0]), a[1:], b[1:]
		case len(b) == 0 || len(a) > 0 && common[i+1][j] >= common[i][j+1]:
			lines, a = append(lines, "-"+a[0]), a[1:]
		default:
			lines, b = append(lines, "+"+b[0]), b[1:]
		}
	}
	return lines
}

// excerpt leaves out the equal lines that are far from a difference.
func excerpt(lines []string) string {
	var out strings.Builder
	skipped := 0
	for i, line := range lines {
		near := false
		for _, other := range lines[max(0, i-context):min(len(lines), i+context+1)] {
			near = near || other[0] != ' '
		}
		if !near {
			skipped++
			continue
		}
		if skipped > 0 {
			fmt.Fprintf(&out, "… %d equal lines\n", skipped)
			skipped = 0
		}
		out.WriteString(line + "\n")
	}
	return out.String()
}
