package main

import (
	"regexp"
	"slices"
	"strings"

	"github.com/spf13/pflag"
)

// goRun matches the path of a program that go run built, in a temporary folder or in Go's cache.
var goRun = regexp.MustCompile(`[/\\]go-build[0-9]*[/\\]`)

// program returns what a person typed to run the program with this path.
func program(path string) string {
	if goRun.MatchString(path) {
		return "go run ./cmd/shop"
	}
	return quoted(path)
}

// line returns a command line for the same shop. A person can type it as it is: it has the flags
// that name the shop.
func (s *session) line(words ...string) string {
	return joined(s.target.prefix, words)
}

// again returns the command line as a person typed it. It adds a key unless the line has one or key
// is empty.
func (s *session) again(key string) string {
	words := slices.Clone(s.args)
	if key != "" && !s.command.Flags().Changed("key") {
		end := slices.Index(words, "--") // arguments follow it
		if end < 0 {
			end = len(words)
		}
		words = slices.Insert(words, end, "--key", key)
	}
	return joined(s.program, words)
}

// joined returns a command line.
func joined(line string, words []string) string {
	for _, word := range words {
		line += " " + quoted(word)
	}
	return line
}

// given returns the flags that a person gave, as they are typed, except some. It begins with a
// space unless there are none. Flags whose value can only be set (pflag's Func) would lack it.
func given(flags *pflag.FlagSet, except ...string) (text string) {
	flags.VisitAll(func(f *pflag.Flag) {
		switch value := f.Value.String(); {
		case !f.Changed || slices.Contains(except, f.Name):
		case f.Value.Type() != "bool":
			text += " --" + f.Name + " " + quoted(value)
		case value == "true":
			text += " --" + f.Name
		}
	})
	return text
}

var plain = regexp.MustCompile(`^[A-Za-z0-9_@%+=:,./-]+$`)

// quoted returns a word as a POSIX shell reads it.
func quoted(word string) string {
	if plain.MatchString(word) {
		return word
	}
	return "'" + strings.ReplaceAll(word, "'", `'\''`) + "'"
}
