package awsapi

import (
	"bytes"
	"context"
	"encoding/base64"
	"encoding/json"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/url"
	"reflect"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"restock/test/fuzzing"
)

// echoed is an input with a member of each kind.
type echoed struct {
	Name  string
	Count int
	Force bool
	Blob  []byte
	Items []echoedItem `xml:"Items>member"`
}

type echoedItem struct {
	Key    string
	Values []string `xml:"Values>entry"`
}

// An echo answers with its input, and stores it.
type echo struct {
	asked *echoed
	log   bytes.Buffer
}

func (e *echo) handler() *Handler {
	operations := map[string]Operation{"Echo": Handle(func(_ context.Context, in echoed) (echoed, error) {
		e.asked = &in
		return in, nil
	})}
	return NewHandler(slog.New(slog.NewTextHandler(&e.log, nil)),
		Service{Name: "plain", Protocol: JSON("1.1", "plain"), Operations: operations},
		Service{Name: "query", Protocol: Query("2010-03-31", "http://query.example/"), Operations: operations})
}

// answer sends a request. The answer must not be an internal failure, and every log record must be
// one line.
func (e *echo) answer(t *testing.T, r *http.Request) *httptest.ResponseRecorder {
	t.Helper()
	w := httptest.NewRecorder()
	e.handler().ServeHTTP(w, r)
	if w.Code >= http.StatusInternalServerError || (e.asked != nil) != (w.Code == http.StatusOK) {
		t.Errorf("got %d %s, and the operation was asked for %+v", w.Code, w.Body, e.asked)
	}
	for line := range strings.Lines(e.log.String()) {
		if !strings.HasPrefix(line, "time=") {
			t.Errorf("the log has the line %q", line)
		}
	}
	return w
}

func TestRandomInputs(t *testing.T) { fuzzing.Targets(t) }

// FuzzJSONCall checks that a call in the JSON protocol gets a JSON answer, and that the operation
// gets the input that encoding/json decodes.
func FuzzJSONCall(f *testing.F) {
	for _, target := range []string{"plain.Echo", "plain.Dance", "plain.", ".", "a\nb.Echo"} {
		for _, body := range []string{
			`{"Name":"<you>","Count":1,"Force":true,"Blob":"AAE=","Items":[{"Key":"a","Values":["b","c"]},{}]}`,
			`{"Count":"two"}`, `{"name":"a","Name":"b"}`, `{"Count":1e1}`, `{}{}`, `{}}`, `null`, "", "\xff",
			`{"Blob":"%"}`,
			`{"Items":` + strings.Repeat("[", 500),
		} {
			f.Add(target, body)
		}
	}
	f.Fuzz(func(t *testing.T, target, body string) {
		var e echo
		w := e.answer(t, jsonRequest(target, body))
		if !json.Valid(w.Body.Bytes()) {
			t.Errorf("%q %q: the answer is %q", target, body, w.Body)
		}
		if e.asked == nil || strings.TrimSpace(body) == "" {
			return
		}
		var want, answered echoed
		if err := json.Unmarshal([]byte(body), &want); err != nil || !reflect.DeepEqual(*e.asked, want) {
			t.Errorf("%q: the operation was asked for %+v, want %+v, %v", body, *e.asked, want, err)
		}
		if err := json.Unmarshal(w.Body.Bytes(), &answered); err != nil || !reflect.DeepEqual(answered, want) {
			t.Errorf("%q: answered with %s, want %+v, %v", body, w.Body, want, err)
		}
	})
}

// FuzzQueryCall checks that a call in the query protocol gets well-formed XML. The operation's
// input, written as a form again, must decode to the same input.
func FuzzQueryCall(f *testing.F) {
	const call = "Action=Echo&Version=2010-03-31&"
	for _, form := range []string{
		call + "Name=%3Cyou%3E&Count=1&Force=true&Blob=AAE%3D&Items.member.1.Key=a&Items.member.1.Values.entry.1=b&" +
			"Items.member.2.Key=c", call + "Count=two", call + "Name=a%00%1b%ff%EF%BF%BE", call + "Name=a&Name=b",
		call + "Name.1=a", call + "%0a=1", call + "Items=&Items.member.1.Key=x", call + "Items.member.2.Key=a+gap",
		call + "Items.member.01.Key=x", call + "Items.member.1.Values.entry.1.x=y", call + "Blob=%25",
		call + "Force=maybe",
		"Action=%3C&Version=2010-03-31", "Action=Echo&Version=%0a", "Action=Echo;Version=1", "%zz", "",
	} {
		f.Add(form)
	}
	f.Fuzz(func(t *testing.T, form string) {
		var e, again echo
		w := e.answer(t, formRequest(form))
		if w.Header().Get("Content-Type") == "text/xml" {
			if err := readXML(w.Body); err != nil {
				t.Errorf("%q: the answer cannot be read: %v", form, err)
			}
		} else if !json.Valid(w.Body.Bytes()) {
			t.Errorf("%q: the answer is %q", form, w.Body)
		}
		if e.asked == nil {
			return
		}
		asked, err := url.ParseQuery(form)
		if err != nil {
			t.Fatalf("%q: taken, and is no form: %v", form, err)
		}
		for name := range asked {
			if !parameter.MatchString(name) {
				t.Errorf("%q: taken, and there is no parameter %q", form, name)
			}
		}
		again.answer(t, formRequest(e.asked.form().Encode()))
		if again.asked == nil || !reflect.DeepEqual(again.asked, e.asked) {
			t.Errorf("%q: the operation was asked for %+v, and by the same again for %+v", form, e.asked, again.asked)
		}
	})
}

// parameter matches the parameters of echoed. An empty list is written without the entries' part.
var parameter = regexp.MustCompile(
	`^(Action|Version|Name|Count|Force|Blob|Items(\.member\.[1-9]\d*(\.Key|\.Values(\.entry\.[1-9]\d*)?))?)$`)

// form returns the form that decodes to the input.
func (e echoed) form() url.Values {
	form := url.Values{"Action": {"Echo"}, "Version": {"2010-03-31"}, "Name": {e.Name},
		"Count": {strconv.Itoa(e.Count)}, "Force": {strconv.FormatBool(e.Force)}}
	if e.Blob != nil {
		form.Set("Blob", base64.StdEncoding.EncodeToString(e.Blob))
	}
	for i, item := range e.Items {
		member := fmt.Sprintf("Items.member.%d.", i+1)
		form.Set(member+"Key", item.Key)
		for j, value := range item.Values {
			form.Set(member+fmt.Sprintf("Values.entry.%d", j+1), value)
		}
	}
	return form
}

// readXML reads a document to its end.
func readXML(r io.Reader) error {
	decoder := xml.NewDecoder(r)
	for {
		if _, err := decoder.Token(); errors.Is(err, io.EOF) {
			return nil
		} else if err != nil {
			return err
		}
	}
}
