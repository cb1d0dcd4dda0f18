package main

import (
	"fmt"
	"regexp"
	"slices"
	"strings"
)

// An outcome is what became of a mutant.
type outcome string

const (
	killed   outcome = "killed"
	survived outcome = "survived"
	broken   outcome = "broken" // it does not compile, or its test fails or is skipped without it
)

// An event is a line of go test -json. See go doc test2json, and go help buildjson.
type event struct {
	Action, Package, Test, Output string
}

// errorLine matches a line that a test prints with Error or Fatal.
var errorLine = regexp.MustCompile(`^\s+(\S+\.go:\d+: .*)`)

// verdict returns what the events of a test say about a mutant.
func verdict(events []event, test string) (o outcome, message string) {
	o = survived
	var build strings.Builder
	ran, passed := false, false
	for _, e := range events {
		name, _, _ := strings.Cut(e.Test, "/")
		switch {
		case e.Action == "build-output":
			build.WriteString(e.Output)
		case e.Action == "build-fail":
			return broken, "it does not compile: " + build.String()
		case e.Action == "skip" && e.Test == test:
			return broken, "its test was skipped: " + firstError(events)
		case e.Action == "run" && name == test:
			ran = true
		case e.Action == "pass" && e.Test == test:
			passed = true
		case e.Action == "fail" && name == test:
			o = killed
		case e.Action == "fail" && e.Test == "" && passed:
			return broken, "its test passes, and something else fails: " + firstError(events)
		// A panic ends the process, and so the test has no result of its own.
		case e.Action == "fail" && e.Test == "" && ran && o == survived:
			o = killed
		}
	}
	if !ran {
		return broken, "there is no test " + test
	}
	if o == survived {
		return survived, "its test passes"
	}
	return killed, firstError(events)
}

// firstError returns the first line in which a test says what is wrong, without its end if it is
// long.
func firstError(events []event) string {
	for _, e := range events {
		if m := errorLine.FindStringSubmatch(e.Output); m != nil && !isLog(events, e) {
			return fmt.Sprintf("%.300s", m[1])
		}
		if strings.HasPrefix(e.Output, "panic: ") || strings.HasPrefix(e.Output, "fatal error: ") {
			return strings.TrimSpace(e.Output)
		}
	}
	return "it says nothing"
}

// isLog reports whether an event is of a test that passes: then its lines are no errors.
func isLog(events []event, e event) bool {
	return slices.ContainsFunc(events, func(end event) bool { return end.Action == "pass" && end.Test == e.Test })
}
