package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"strings"
	"text/tabwriter"
	"time"

	"restock/test/load"
)

// A section is a table of related results.
type section struct {
	Title    string   `json:"title"`
	Database string   `json:"database,omitempty"` // which one was measured; see rds.Kind
	Rows     []result `json:"rows"`
}

// A result is a measured value with its goal.
type result struct {
	What  string  `json:"what"`
	Value float64 `json:"value"`
	Unit  string  `json:"unit"` // "/s", "ms", "s", "MB", "MiB", "" for a ratio or a count
	Goal  *goal   `json:"goal,omitempty"`
	Note  string  `json:"note,omitempty"`
}

// A goal is an upper or lower limit of a value.
type goal struct {
	AtLeast bool    `json:"atLeast"`
	Value   float64 `json:"value"`
}

func atMost(v float64) *goal  { return &goal{Value: v} }
func atLeast(v float64) *goal { return &goal{AtLeast: true, Value: v} }

// verdict says whether the value meets the goal, and otherwise by how much it misses the goal.
func (r result) verdict() string {
	switch {
	case r.Goal == nil:
		return ""
	case r.Goal.AtLeast && r.Value >= r.Goal.Value, !r.Goal.AtLeast && r.Value <= r.Goal.Value:
		return "met"
	default:
		return fmt.Sprintf("**missed by %.0f%%**", 100*abs(r.Value-r.Goal.Value)/r.Goal.Value)
	}
}

func abs(x float64) float64 { return max(x, -x) }

func (r result) goal() string {
	switch {
	case r.Goal == nil:
		return ""
	case r.Goal.AtLeast:
		return "≥ " + shown(r.Goal.Value, r.Unit)
	default:
		return "≤ " + shown(r.Goal.Value, r.Unit)
	}
}

// shown formats a value with about three significant digits.
func shown(v float64, unit string) string {
	digits := 2
	switch {
	case v >= 100:
		digits = 0
	case v >= 10:
		digits = 1
	}
	text := strings.TrimSuffix(fmt.Sprintf("%.*f", digits, v), ".00")
	switch unit {
	case "", "/s", "×":
		return text + unit
	default:
		return text + " " + unit
	}
}

// write writes sections as tables of Markdown with aligned columns.
func write(w io.Writer, sections []section) error {
	for _, s := range sections {
		fmt.Fprintf(w, "### %s\n\n", s.Title)
		if s.Database != "" {
			fmt.Fprintf(w, "Database: %s.\n\n", s.Database)
		}
		t := tabwriter.NewWriter(w, 0, 0, 1, ' ', 0)
		fmt.Fprintln(t, "| \t| measured \t| goal \t| \t| \t|")
		fmt.Fprintln(t, "|---\t|---:\t|---:\t|---\t|---\t|")
		for _, r := range s.Rows {
			fmt.Fprintf(t, "| %s \t| %s \t| %s \t| %s \t| %s \t|\n",
				r.What, shown(r.Value, r.Unit), r.goal(), r.verdict(), r.Note)
		}
		if err := t.Flush(); err != nil {
			return err
		}
		fmt.Fprintln(w)
	}
	return nil
}

// The lines of the document before and after the figures.
const (
	figuresBegin = "<!-- figures: written by make bench -->"
	figuresEnd   = "<!-- end of figures -->"
)

// replaceFigures replaces the figures between the markers of the document. The other text stays.
func replaceFigures(document string, figures []byte) error {
	text, err := os.ReadFile(document)
	if err != nil {
		return err
	}
	before, rest, begun := strings.Cut(string(text), figuresBegin)
	_, after, ended := strings.Cut(rest, figuresEnd)
	if !begun || !ended {
		return fmt.Errorf("%s does not have the lines %q and %q around the figures", document, figuresBegin, figuresEnd)
	}
	var b bytes.Buffer
	b.WriteString(before + figuresBegin + "\n\n")
	b.Write(figures)
	b.WriteString(figuresEnd + after)
	return os.WriteFile(document, b.Bytes(), 0o644)
}

// A record is the result of a run, in the form in which programs read it.
type record struct {
	Time     time.Time `json:"time"`
	Machine  machine   `json:"machine"`
	Sections []section `json:"sections"`
}

func writeJSON(w io.Writer, r record) error {
	encoder := json.NewEncoder(w)
	encoder.SetEscapeHTML(false)
	encoder.SetIndent("", "  ")
	return encoder.Encode(r)
}

func median(values []float64) float64 { return load.Percentile(values, 50) }

func milliseconds(d time.Duration) float64 { return float64(d) / float64(time.Millisecond) }
