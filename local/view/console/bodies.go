package console

import (
	"slices"
	"strings"
	"unicode/utf8"
)

const (
	// maxKeptBody is the most bytes that the console keeps of a message, an event or an answer, and
	// the most that a person can send from the page.
	maxKeptBody = 256 << 10
	// maxListedBody is the most bytes of a message in a list of messages. The run's log has no more
	// of a message either.
	maxListedBody = 16 << 10
	// maxKeptMessages is how many messages the console keeps, in queues or not.
	maxKeptMessages = 2000
	// maxKeptBodies is the most bytes that a kept list holds.
	maxKeptBodies = 8 << 20
)

// A Body is a message, an event or an answer, as the console sends it: without signatures,
// credentials and the values of secrets.
type Body struct {
	Text string `json:"text"`
	Size int    `json:"size"`          // in bytes, of the whole body
	Cut  bool   `json:"cut,omitempty"` // Text is only the beginning
}

// A body is the beginning of a text that the console keeps.
type body struct {
	text string
	size int  // of the whole text
	cut  bool // text is only the beginning
}

// newBody returns what the console keeps of a text: at most limit bytes. It does not keep a long
// text in memory.
func newBody(text string, limit int) body {
	if len(text) <= limit {
		return body{text, len(text), false}
	}
	end := limit
	for !utf8.RuneStart(text[end]) {
		end--
	}
	return body{strings.Clone(text[:end]), len(text), true}
}

func (b body) shown(h hider) Body { return Body{Text: h.in(b.text), Size: b.size, Cut: b.cut} }

// kept is a list of the latest values with ids. Both their number and their bytes are bounded: the
// oldest go first.
type kept[T any] struct {
	most   int // values
	values []keptValue[T]
	bytes  int
}

type keptValue[T any] struct {
	id    string
	bytes int
	value T
}

func (k *kept[T]) add(id string, bytes int, value T) {
	k.values = append(k.values, keptValue[T]{id, bytes, value})
	k.bytes += bytes
	drop := 0
	for len(k.values)-drop > k.most || k.bytes > maxKeptBodies {
		k.bytes -= k.values[drop].bytes
		drop++
	}
	k.values = slices.Delete(k.values, 0, drop)
}

// find returns the latest value with an id.
func (k *kept[T]) find(id string) (value T, found bool) {
	for _, v := range slices.Backward(k.values) {
		if v.id == id {
			return v.value, true
		}
	}
	return value, false
}
