package shop

import (
	"strings"
	"testing"
)

func TestTextHasVisibleCharactersOnly(t *testing.T) {
	for text, want := range map[string]bool{
		"부산도너츠": true,
		"딸기잼":   true,
		"\u1104\u1161\u11af\u1100\u1175\u110c\u1162\u11b7": true, // the same word, decomposed
		"요리사 👨\u200d🍳":                                     true,
		"👩🏽\u200d🍳":                                        true,
		"❤\ufe0f\u200d🔥":                                   true,
		"🙂\u200d↔\ufe0f":                                   true,
		"도너츠\u3000열두 개":                                    true, // an ideographic space
		"도넛 🍩":                                             true,
		"1\ufe0f\u20e3 Donut":                              true,
		"Crème brûlée":                                     true,
		"한\u3000":                                          false, // a space at the end
		"\u3000":                                           false,
		"":                                                 false,
		" a":                                               false,
		"a\nb":                                             false,
		"a\tb":                                             false,
		"a\u2028b":                                         false, // a line separator
		"a\u0085b":                                         false,
		"a\u202eb":                                         false, // from right to left
		"a\u2066b":                                         false,
		"a\u200bb":                                         false, // a space of no width
		"a\ufeffb":                                         false,
		"a\u00adb":                                         false,
		"도\u200d너츠":                                        false, // a joiner that joins nothing
		"🍩\u200d":                                          false,
		"\u200d🍩":                                          false,
		"🍩\u200d\u200d🍩":                                   false,
		"도\u3164너츠":                                        false, // an invisible letter
		"a\x00b":                                           false,
		"\xff":                                             false,
	} {
		if got := isText(text, 100); got != want {
			t.Errorf("%+q: got %v, want %v", text, got, want)
		}
	}
	if isText(strings.Repeat("도", 101), 100) || !isText(strings.Repeat("도", 100), 100) {
		t.Error("the limit is not 100 characters")
	}
}
