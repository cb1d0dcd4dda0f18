package terminal

import (
	"fmt"
	"log/slog"
	"strings"
	"unicode"
)

// controlPictures is the block of Unicode that has a character for each of ASCII's controls: https://www.unicode.org/charts/PDF/U2400.pdf
const controlPictures = '\u2400'

// printable is a text without what would do something: begin a line, turn its direction, colour it, or move the cursor. What an event says
// may come from a stranger: the path of a request, or what a function writes of it. Controls are their pictures.
func printable(text string) string {
	return strings.Map(func(r rune) rune {
		switch {
		case unicode.IsPrint(r):
			return r
		case r < ' ':
			return controlPictures + r
		case unicode.IsSpace(r):
			return ' '
		default:
			return unicode.ReplacementChar
		}
	}, text)
}

// printableAttr is an attribute whose texts are printable, for a handler's ReplaceAttr.
func printableAttr(_ []string, a slog.Attr) slog.Attr {
	a.Key = printable(a.Key)
	switch value := a.Value.Any().(type) {
	case string:
		a.Value = slog.StringValue(printable(value))
	case slog.Level: // the event's own
	default:
		if a.Value.Kind() == slog.KindAny {
			a.Value = slog.StringValue(printable(fmt.Sprintf("%+v", value)))
		}
	}
	return a
}
