package terminal

import (
	"fmt"
	"log/slog"
	"strings"
	"unicode"
)

// controlPictures is the first character of a Unicode block that has a symbol for each ASCII
// control character: https://www.unicode.org/charts/PDF/U2400.pdf
const controlPictures = '\u2400'

// printable replaces the characters that would control the terminal: begin a new line, change the
// writing direction or the colour, or move the cursor. An event may contain text of a stranger,
// such as the path of a request. A symbol replaces an ASCII control character.
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

// printableAttr is a slog ReplaceAttr function that makes keys and values printable.
func printableAttr(_ []string, a slog.Attr) slog.Attr {
	a.Key = printable(a.Key)
	switch value := a.Value.Any().(type) {
	case string:
		a.Value = slog.StringValue(printable(value))
	case slog.Level: // tint formats the level itself
	default:
		if a.Value.Kind() == slog.KindAny {
			a.Value = slog.StringValue(printable(fmt.Sprintf("%+v", value)))
		}
	}
	return a
}
