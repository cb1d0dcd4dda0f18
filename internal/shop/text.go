package shop

import (
	"strings"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/unicode/norm"
)

// normal returns a text in Unicode's composed form (NFC). Some keyboards, for example of macOS,
// type the decomposed form of the same word, and a comparison of bytes must treat both as equal.
func normal(s string) string { return norm.NFC.String(s) }

// isText reports whether a text is one line that a person can read, of at most maxCharacters.
func isText(s string, maxCharacters int) bool {
	return s != "" && utf8.ValidString(s) && utf8.RuneCountInString(s) <= maxCharacters &&
		strings.TrimSpace(s) == s && isVisible(s)
}

const (
	zeroWidthJoiner  = '\u200d' // joins emoji: a man and a frying pan become a cook
	ideographicSpace = '\u3000' // as wide as a character of Korean or Chinese
	emojiVariation   = '\ufe0f' // asks for an emoji's picture
)

// isVisible reports whether every character of a text can be seen. Control characters, line
// separators and format characters cannot: two different texts could look the same.
func isVisible(s string) bool {
	before := rune(0)
	for i, r := range s {
		switch {
		case r == ideographicSpace:
		case r == zeroWidthJoiner:
			next, _ := utf8.DecodeRuneInString(s[i+utf8.RuneLen(r):])
			joins := (before == emojiVariation || unicode.Is(unicode.S, before)) &&
				unicode.Is(unicode.S, next) && next != utf8.RuneError
			if !joins {
				return false // a joiner that joins nothing cannot be seen
			}
		case !unicode.IsPrint(r), unicode.Is(unicode.Other_Default_Ignorable_Code_Point, r):
			return false
		}
		before = r
	}
	return true
}
