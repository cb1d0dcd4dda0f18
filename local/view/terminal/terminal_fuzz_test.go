package terminal

import (
	"encoding/json"
	"log/slog"
	"regexp"
	"strings"
	"testing"
	"unicode"
	"unicode/utf8"

	"restock/local/view/events"
	"restock/test/fuzzing"
)

// colours matches the escape sequences of a coloured line.
var colours = regexp.MustCompile("\x1b\\[[0-9;]*m")

func TestRandomInputs(t *testing.T) { fuzzing.Targets(t) }

// FuzzLine checks that an event is one line, whatever text it contains: no text begins a new line
// or controls the terminal.
func FuzzLine(f *testing.F) {
	for _, text := range []string{
		`{"timestamp":"2026-11-21T21:17:41Z","level":"INFO","message":"factory asked",` +
			`"sku":"CP-502101","quantity":100,"requestId":"r"}`,
		`{"message":"a\nINF a line of my own","b":"\u001b[2J"}`, `{"message":"\u001b]0;a title\u0007"}`,
		`{"message":"a","key\nwith=\u001b[31m":{"b":["\r"]}}`, `{"message":"a\u202eb\u009b31m","":""}`,
		"a\nb", "a\r\x1b[1A", `{"message":"a","b`, `{"message":5}`, `{"message":"a"} trailing`, "\xff\xfe", "",
	} {
		f.Add(text, text)
	}
	f.Fuzz(func(t *testing.T, message, value string) {
		write := func(log *slog.Logger) {
			log.With("function", value).Info(message, events.FunctionLine.Attr(), "stream", "stdout", "value", value,
				value, 1, "error", errorOf(value))
		}
		for _, coloured := range []bool{false, true} {
			var out strings.Builder
			write(slog.New(newCalm(&screen{out: &out}, slog.LevelInfo, coloured, Program{})))
			text, ended := strings.CutSuffix(out.String(), "\n")
			for i, line := range strings.Split(text, "\n") {
				if coloured {
					line = colours.ReplaceAllString(line, "")
				}
				// A value of several lines follows below, indented: it does not look like an event.
				clean := utf8.ValidString(line) && !strings.ContainsFunc(line, unprintable)
				if !ended || !clean || i > 0 && !strings.HasPrefix(line, indent) {
					t.Errorf("%q with %q, coloured %v: got\n%q", message, value, coloured, out.String())
				}
			}
		}
		var out strings.Builder
		write(JSON(&out, slog.LevelInfo))
		if text := out.String(); strings.Count(text, "\n") != 1 || !json.Valid([]byte(text)) {
			t.Errorf("%q with %q: JSON got\n%q", message, value, text)
		}
	})
}

type errorOf string

func (e errorOf) Error() string { return string(e) }

// unprintable reports whether a rune controls the line, its direction or the terminal.
func unprintable(r rune) bool { return r != ' ' && !unicode.IsPrint(r) }
