package shop

import (
	"strings"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/unicode/norm"
)

// normal is a text in Unicode's composed form (NFC). The same word comes decomposed from some keyboards,
// for example those of macOS: a comparison of bytes must not take it for another one.
func normal(s string) string { return norm.NFC.String(s) }

// isText reports whether a text is one line that a person can read, of so many characters at most.
func isText(s string, maxCharacters int) bool {
	return s != "" && utf8.ValidString(s) && utf8.RuneCountInString(s) <= maxCharacters && strings.TrimSpace(s) == s && isVisible(s)
}

const (
	zeroWidthJoiner  = '\u200d' // makes one emoji of several: a man and a pan are a cook
	ideographicSpace = '\u3000' // as wide as a character of Korean or Chinese
	emojiVariation   = '\ufe0f' // asks for an emoji's picture
)

// isVisible reports whether a text shows all that it is. Control characters, line separators and format
// characters do not: one text would pass for another.
func isVisible(s string) bool {
	before := rune(0)
	for i, r := range s {
		switch {
		case r == ideographicSpace:
		case r == zeroWidthJoiner:
			next, _ := utf8.DecodeRuneInString(s[i+utf8.RuneLen(r):])
			if before != emojiVariation && !unicode.Is(unicode.S, before) || !unicode.Is(unicode.S, next) || next == utf8.RuneError {
				return false // it joins nothing, so nobody sees it
			}
		case !unicode.IsPrint(r), unicode.Is(unicode.Other_Default_Ignorable_Code_Point, r):
			return false
		}
		before = r
	}
	return true
}
