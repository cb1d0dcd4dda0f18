package merchant

import (
	"strings"

	"golang.org/x/text/language"

	"restock/internal/shop"
)

// LanguageTag returns the tag of a language in the case that RFC 5646 recommends: zh-Hant for
// ZH-HANT. Otherwise a product could have two names in one language. A tag that no registry has
// becomes lower case, and a text that is no tag stays as it is.
func LanguageTag(text string) string {
	lower := strings.ToLower(text)
	if !shop.IsLanguage(lower) {
		return text
	}
	tag, err := language.Raw.Parse(lower)
	if err != nil {
		return lower
	}
	return tag.String()
}
