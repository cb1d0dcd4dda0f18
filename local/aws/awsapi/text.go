package awsapi

import (
	"strconv"
	"unicode/utf16"
	"unicode/utf8"
)

// isUnicode reports whether a JSON text has only valid Unicode: UTF-8, and escapes such as
// \ud83c\udf69 in pairs. encoding/json would replace the rest with U+FFFD.
func isUnicode(text []byte) bool {
	if !utf8.Valid(text) {
		return false
	}
	for i := 0; i+1 < len(text); i++ {
		if text[i] != '\\' {
			continue
		}
		i++ // what the backslash escapes
		if first, ok := escape(text[i-1:]); ok && utf16.IsSurrogate(first) {
			second, _ := escape(text[min(i+5, len(text)):])
			if utf16.DecodeRune(first, second) == utf8.RuneError {
				return false
			}
			i += 10
		}
	}
	return true
}

// escape returns the UTF-16 code unit of the escape at the beginning of a JSON text: \u00e9.
func escape(text []byte) (unit rune, ok bool) {
	const length = 6
	if len(text) < length || text[0] != '\\' || text[1] != 'u' {
		return 0, false
	}
	n, err := strconv.ParseUint(string(text[2:length]), 16, 16)
	return rune(n), err == nil
}
