package web

import (
	"embed"
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"sync"

	"golang.org/x/text/language"
)

// DefaultLanguage is the language of the answers to requests that prefer none of the shop's
// languages. It is the name of one of the files in the folder languages.
const DefaultLanguage = "ko"

// Each file is a language of the shop. Its name is the language's tag.
//
//go:embed languages/*.json
var files embed.FS

// A Language has all texts of the shop in one language.
type Language struct {
	Tag    string `json:"-"`      // BCP 47: "ko"
	Name   string `json:"name"`   // in the language itself, for the button that chooses it
	Script string `json:"script"` // its Unicode script: "Latin"
	// Currencies has the currencies whose amounts the language does not write as browsers do:
	// {"KRW": "{amount}원"}.
	Currencies map[string]string `json:"currencies"`
	// Page are the texts of the storefront. {name} stands for a value.
	Page map[string]string `json:"page"`
	// Answers are the messages of the API. {stock} stands for the stock.
	Answers map[Message]string `json:"answers"`
}

// A Message names a text in Language.Answers: an error code, or one of the constants below.
type Message string

// The messages that are about a stock.
const (
	Bought    Message = "bought"
	Received  Message = "received"
	NotBought Message = "not_bought"
)

// Languages returns the languages of the shop, the default first. It panics if a file is broken; a
// test makes sure that the embedded ones are not.
var Languages = sync.OnceValue(func() (all []Language) {
	entries, err := files.ReadDir("languages")
	for _, entry := range entries {
		l := Language{Tag: strings.TrimSuffix(entry.Name(), ".json")}
		text, failure := files.ReadFile("languages/" + entry.Name())
		if failure == nil {
			failure = json.Unmarshal(text, &l)
		}
		if failure != nil {
			panic(fmt.Sprintf("web: language %s: %v", l.Tag, failure))
		}
		all = append(all, l)
	}
	first := slices.IndexFunc(all, func(l Language) bool { return l.Tag == DefaultLanguage })
	if err != nil || first < 0 {
		panic(fmt.Sprintf("web: there is no language %s: %v", DefaultLanguage, err))
	}
	all[0], all[first] = all[first], all[0]
	return all
})

var matcher = sync.OnceValue(func() language.Matcher { return newMatcher(Languages()) })

func newMatcher(languages []Language) language.Matcher {
	var tags []language.Tag
	for _, l := range languages {
		tags = append(tags, language.Make(l.Tag))
	}
	return language.NewMatcher(tags) // it returns the first for a request that prefers none of them
}

// LanguageOf returns the language of the shop that a request prefers.
func LanguageOf(r *http.Request) Language {
	_, index := language.MatchStrings(matcher(), r.Header.Get("Accept-Language"))
	return Languages()[index]
}

// Text returns a message in a language.
func (m Message) Text(l Language) string { return l.Answers[m] }

// WithStock returns a message about a stock in a language.
func (m Message) WithStock(l Language, stock int) string {
	return strings.ReplaceAll(m.Text(l), "{stock}", strconv.Itoa(stock))
}
