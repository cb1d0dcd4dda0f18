package console_test

import (
	"net/url"
	"testing"

	"restock/local/view/console"
	"restock/local/view/events"
	"restock/test/await"
)

func TestASearchFindsEventsAndJourneysByTheirTextsAndAttributes(t *testing.T) {
	t.Parallel()
	h := newHarness(t)
	log := h.Log.With("part", "lambda")
	line := func(text string) { log.Info(text, events.FunctionLine.Attr(), "function", "stock") }
	line(`{"message":"sold","sku":"CP-1","quantity":7,"stock":0,"took":"1.503ms","correlation_id":"first"}`)
	line(`{"message":"sold","sku":"CP-2","correlation_id":"second"}`)
	line(`{"message":"production order opened","production_order":"018F-9","correlation_id":"second"}`)
	line(`{"message":"count","took":"1.503503s","a":1503503,"b":88,"c":0,"step_n":4}`)
	line(`{"message":"other"}`)
	var all []console.JourneySummary
	await.Until(t, "the journeys are there", func() bool {
		h.Get(t, "/journeys", &all)
		return len(all) == 2 && all[0].Steps+all[1].Steps == 3
	})
	await.Until(t, "the last event is there", func() bool {
		var found console.Found
		h.Get(t, "/search?q=other", &found)
		return len(found.Events) == 1
	})
	for _, c := range []struct {
		text, journey string
		events        int
	}{
		{"cp-1", "first", 1},      // an attribute, in another case
		{" SECOND ", "second", 2}, // the correlation id
		{"018f-9", "second", 1},   // the order
		{"opened", "second", 1},   // the message
		{"7", "first", 1},         // a number
		{"nothing", "", 0},
		{"sold cp-1", "first", 1},    // words of different attributes
		{`"stock 0"`, "first", 1},    // a phrase: the name and the value of an attribute
		{`"stock 0`, "first", 1},     // the reader has not typed the second quote yet
		{"stock 0", "first", 2},      // two words: the function is stock, and another attribute is 0
		{`count "step n 4"`, "", 1},  // a name as the line shows it
		{`"step_n 4"`, "", 1},        // and as the open line shows it
		{`"ock 0" sold`, "first", 1}, // a phrase may begin in a word
		{`"stock 0" cp-2`, "", 0},
		{"opened cp-2", "second", 0},   // words of different steps: the journey has both
		{"sold opened nothing", "", 0}, // all words must be there
		{"503", "", 0},                 // a number is not a part of another one,
		{"8", "", 0},                   // nor is its end
		{"3", "", 0},
		{"1503503", "", 1},
		{"88", "", 1},
		{"\xff", "", 0},          // no UTF-8
		{"function_line", "", 0}, // the page does not show kinds
	} {
		var found console.Found
		status := h.Get(t, "/search?q="+url.QueryEscape(c.text), &found)
		journey := ""
		if len(found.Journeys) > 0 {
			journey = found.Journeys[0].ID
		}
		if status != 200 || journey != c.journey || len(found.Journeys) > 1 || len(found.Events) != c.events {
			t.Errorf("%q: got %d %+v, want %d events and the journey %q", c.text, status, found, c.events, c.journey)
		}
	}
	var refused struct{ Error string }
	if status := h.Get(t, "/search?q=+", &refused); status != 400 || refused.Error == "" {
		t.Errorf("without a text: got %d %+v, want 400", status, refused)
	}
}
