package conformance

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"encoding/xml"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	v4 "github.com/aws/aws-sdk-go-v2/aws/signer/v4"
)

// A recording is a test that LocalStack's developers ran against AWS. They recorded AWS's answers
// in tests/aws/services/<file>.snapshot.json of https://github.com/localstack/localstack
// (Apache-2.0). The requests here are our own. Only the facts come from the recording: statuses,
// codes, members, and AWS's texts of errors.
type recording struct {
	test string // the test's name in the file
	date string // when it was last validated against AWS: 2025-08-19
	run  func(r *Recorded)
}

// checkRecorded runs the recordings of a file in parallel, each as a subtest, and scores their
// facts. left says which other tests of the file are left out, and why.
func checkRecorded(t *testing.T, file string, recordings []recording, left ...leftOut) {
	t.Helper()
	t.Parallel()
	score.add(file, recordings, left)
	for _, rec := range recordings {
		t.Run(rec.test, func(t *testing.T) {
			t.Parallel()
			if _, err := time.Parse(time.DateOnly, rec.date); err != nil {
				t.Errorf("the date of the validation: %v", err)
			}
			r := &Recorded{T: t, file: file, recording: rec, reasons: map[factKind]string{}}
			rec.run(r)
			for _, why := range r.reasons {
				t.Errorf("no fact follows the difference %q", why)
			}
		})
	}
}

// leftOut counts tests of a file whose facts are not checked, and says why.
type leftOut struct {
	tests int
	why   string
}

// Recorded is the testing.T of a recording.
type Recorded struct {
	*testing.T
	file      string
	recording recording
	reasons   map[factKind]string // why the next fact of a kind differs; see differs
	header    http.Header         // of the next requests, beside the protocol's own
}

// differs says that the next fact of a kind differs from AWS's answer, and why that stays so.
// docs/conformance.md lists the difference. If the fact conforms, the recording fails, so that the
// list stays true.
func (r *Recorded) differs(kind factKind, why string) { r.reasons[kind] = why }

// A kind of fact says which part of an answer it is about.
type factKind int

const (
	statusAndCode factKind = iota // the HTTP status, and the code of a refusal
	errorText
	members // of an answer, a message or an event
)

// fact scores a fact of an operation. what names the fact for people.
func (r *Recorded) fact(service, operation string, kind factKind, what string, got, want any) {
	r.Helper()
	reason := r.reasons[kind]
	delete(r.reasons, kind)
	var problem string
	if err := match(got, want); err != nil {
		problem = err.Error()
	}
	score.record(scored{
		service: service, operation: operation, kind: kind, exact: problem == "",
		file: r.file, test: r.recording.test, date: r.recording.date, problem: problem, reason: reason,
	})
	if endpoint.other { // its score is printed
		return
	}
	source := fmt.Sprintf("recorded in %s, %s, validated %s", r.file, r.recording.test, r.recording.date)
	switch {
	case problem != "" && reason == "":
		r.Errorf("%s %s: %s: %s\n%s", service, operation, what, problem, source)
	case problem == "" && reason != "":
		r.Errorf("%s %s: %s: it conforms now: remove the difference %q\n%s", service, operation, what, reason, source)
	}
}

// An input has the members of a request, in the form of the service's JSON protocol. SNS gets them
// as a form of the query protocol: there an attributeMap becomes entries with key and value, and
// an input within an input that a member ending in Attributes holds becomes entries with Name and
// Value.
type input map[string]any

// An attributeMap has texts by name.
type attributeMap map[string]string

// An answer is what the endpoint answered to a call.
type answer struct {
	r                  *Recorded
	service, operation string
	status             int
	code, message      string // of a refusal
	members            map[string]any
}

var protocols = map[string]struct{ target, version, contentType string }{
	"sqs":            {target: "AmazonSQS.", contentType: "application/x-amz-json-1.0"},
	"secretsmanager": {target: "secretsmanager.", contentType: "application/x-amz-json-1.1"},
	"sns":            {version: "2010-03-31", contentType: "application/x-www-form-urlencoded; charset=utf-8"},
}

// call sends a request as the SDKs write it, but without their checks.
func (r *Recorded) call(service, operation string, in input) *answer {
	r.Helper()
	if service == "sqs" && r.inQueryProtocol() {
		return r.callSQSQuery(operation, in)
	}
	protocol := protocols[service]
	header := http.Header{"Content-Type": {protocol.contentType}}
	var body []byte
	if protocol.target != "" {
		header.Set("X-Amz-Target", protocol.target+operation)
		var err error
		if body, err = json.Marshal(in); err != nil {
			r.Fatal(err)
		}
	} else {
		form := url.Values{"Action": {operation}, "Version": {protocol.version}}
		for name, value := range in {
			addToForm(form, name, value)
		}
		body = []byte(form.Encode())
	}
	return r.send(service, operation, header, body)
}

// send signs and sends a request with a body of the caller's own.
func (r *Recorded) send(service, operation string, header http.Header, body []byte) *answer {
	r.Helper()
	return r.sendTo(endpoint.url, service, operation, header, body)
}

// sendTo is like send, to a URL of the endpoint.
func (r *Recorded) sendTo(url, service, operation string, header http.Header, body []byte) *answer {
	r.Helper()
	ctx := context.WithoutCancel(r.Context()) // cleanups call, too
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, url, bytes.NewReader(body))
	if err != nil {
		r.Fatal(err)
	}
	request.Header = header
	for name, values := range r.header {
		request.Header[name] = values
	}
	keys, err := credentialsProvider.Retrieve(ctx)
	if err != nil {
		r.Fatal(err)
	}
	hash := sha256.Sum256(body)
	err = v4.NewSigner().SignHTTP(ctx, keys, request, hex.EncodeToString(hash[:]), service,
		endpoint.region, time.Now())
	if err != nil {
		r.Fatal(err)
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		r.Fatalf("%s %s: %v", service, operation, err)
	}
	defer response.Body.Close()
	content, err := io.ReadAll(response.Body)
	if err != nil {
		r.Fatalf("%s %s: %v", service, operation, err)
	}
	a := &answer{r: r, service: service, operation: operation, status: response.StatusCode}
	if bytes.HasPrefix(bytes.TrimSpace(content), []byte("<")) {
		a.readXML(content)
	} else {
		a.readJSON(content, response.Header)
	}
	return a
}

func (a *answer) readJSON(content []byte, header http.Header) {
	a.r.Helper()
	if len(content) > 0 {
		if err := json.Unmarshal(content, &a.members); err != nil {
			a.r.Fatalf("%s %s: the answer %q: %v", a.service, a.operation, content, err)
		}
	}
	if a.status < http.StatusBadRequest {
		return
	}
	kind, _ := a.members["__type"].(string)
	a.code = kind[strings.LastIndex(kind, "#")+1:]
	// SQS names its former codes in a header; SDKs report these.
	if former, _, found := strings.Cut(header.Get("x-amzn-query-error"), ";"); found {
		a.code = former
	}
	for _, name := range []string{"message", "Message"} {
		if text, ok := a.members[name].(string); ok {
			a.message = text
		}
	}
}

func (a *answer) readXML(content []byte) {
	a.r.Helper()
	var root element
	if err := xml.Unmarshal(content, &root); err != nil {
		a.r.Fatalf("%s %s: the answer %q: %v", a.service, a.operation, content, err)
	}
	members, _ := root.value().(map[string]any)
	if refusal, ok := members["Error"].(map[string]any); ok {
		a.code, _ = refusal["Code"].(string)
		a.message, _ = refusal["Message"].(string)
	}
	a.members, _ = members[a.operation+"Result"].(map[string]any)
	if a.service == "sqs" {
		a.members = unflattened(a.operation, root)
	}
}

// An element is an element of an XML answer.
type element struct {
	XMLName  xml.Name
	Text     string    `xml:",chardata"`
	Children []element `xml:",any"`
}

// value returns what JSON would have: a text, a list of members, a map of entries, or an object.
func (e element) value() any {
	if len(e.Children) == 0 {
		return e.Text
	}
	object := map[string]any{}
	var list []any
	for _, child := range e.Children {
		switch child.XMLName.Local {
		case "member":
			list = append(list, child.value())
		case "entry":
			entry, _ := child.value().(map[string]any)
			if name, ok := entry["key"].(string); ok {
				object[name] = entry["value"]
			}
		default:
			object[child.XMLName.Local] = child.value()
		}
	}
	if list != nil {
		return list
	}
	return object
}

// addToForm adds a member of a request to a form of the query protocol.
// https://docs.aws.amazon.com/sns/latest/api/CommonParameters.html
func addToForm(form url.Values, name string, value any) {
	entries := func(key, of string, n int, entry string, v any) {
		form.Set(fmt.Sprintf("%s.entry.%d.%s", name, n+1, key), entry)
		addToForm(form, fmt.Sprintf("%s.entry.%d.%s", name, n+1, of), v)
	}
	switch v := value.(type) {
	case attributeMap:
		for n, key := range sortedKeys(v) {
			entries("key", "value", n, key, v[key])
		}
	case input:
		attributes := strings.HasSuffix(name, "Attributes")
		for n, key := range sortedKeys(v) {
			if attributes {
				entries("Name", "Value", n, key, v[key])
			} else {
				addToForm(form, name+"."+key, v[key])
			}
		}
	case []input:
		for n, member := range v {
			addToForm(form, fmt.Sprintf("%s.member.%d", name, n+1), member)
		}
	case []string:
		for n, member := range v {
			form.Set(fmt.Sprintf("%s.member.%d", name, n+1), member)
		}
	default:
		form.Set(name, fmt.Sprint(v))
	}
}

func sortedKeys[V any](m map[string]V) []string {
	keys := make([]string, 0, len(m))
	for key := range m {
		keys = append(keys, key)
	}
	slices.Sort(keys)
	return keys
}

// ok ends the recording if the call was refused. It is for calls that no fact is about.
func (a *answer) ok() *answer {
	a.r.Helper()
	if a.status != http.StatusOK {
		a.r.Fatalf("%s %s: got status %d, %s: %s, want 200", a.service, a.operation, a.status, a.code, a.message)
	}
	return a
}

// text returns a member of an answer that is a text.
func (a *answer) text(member string) string {
	a.r.Helper()
	text, ok := a.members[member].(string)
	if !ok {
		a.r.Fatalf("%s %s: the member %s is %v, want a text", a.service, a.operation, member, a.members[member])
	}
	return text
}

// answered checks that AWS answered 200, with members unless want is nil. See match for how values
// are compared.
func (a *answer) answered(want any) *answer {
	a.r.Helper()
	a.statusAndCode(http.StatusOK, "")
	if want != nil {
		a.r.fact(a.service, a.operation, members, "members", a.members, want)
	}
	return a
}

// refused checks the status, the code and the text of a refusal. An empty text is not checked.
func (a *answer) refused(status int, code, text string) *answer {
	a.r.Helper()
	a.statusAndCode(status, code)
	if text != "" {
		a.r.fact(a.service, a.operation, errorText, "the text", a.message, text)
	}
	return a
}

func (a *answer) statusAndCode(status int, code string) {
	a.r.Helper()
	got, want := fmt.Sprintf("%d %s", a.status, a.code), fmt.Sprintf("%d %s", status, code)
	a.r.fact(a.service, a.operation, statusAndCode, "status and code", got, want)
}

// missing is the value of a member that an answer must not have, and null is JSON's null.
type (
	missing struct{}
	null    struct{}
)

// jsonOf matches a text that is the JSON of a value.
type jsonOf struct{ value any }

// number is the value of a member that is a number, such as a time.
type number struct{}

// exactly is an input whose object must not have other members.
type exactly input

// unordered has the elements of a list in any order.
type unordered []any

// match compares a value with the one that AWS returned. An input may have fewer members. A
// *regexp.Regexp matches a complete text. A member that is missing must not be there.
func match(got, want any) error {
	switch w := want.(type) {
	case jsonOf:
		text, _ := got.(string)
		var value any
		if err := json.Unmarshal([]byte(text), &value); err != nil {
			return fmt.Errorf("got %#v, want the JSON of %v", got, w.value)
		}
		return match(value, w.value)
	case *regexp.Regexp:
		text, ok := got.(string)
		if !ok || w.FindString(text) != text || text == "" {
			return fmt.Errorf("got %#v, want a text like %s", got, w)
		}
		return nil
	case missing, null:
		if got != nil {
			return fmt.Errorf("got %#v, want none", got)
		}
		return nil
	case number:
		if _, ok := got.(float64); !ok {
			return fmt.Errorf("got %#v, want a number", got)
		}
		return nil
	case exactly:
		object, _ := got.(map[string]any)
		for _, name := range sortedKeys(object) {
			if _, wanted := w[name]; !wanted {
				return fmt.Errorf("%s: got %#v, want no such member", name, object[name])
			}
		}
		return matchObject(got, input(w))
	case unordered:
		return matchUnordered(got, w)
	case input:
		return matchObject(got, w)
	case attributeMap:
		object := input{}
		for name, text := range w {
			object[name] = text
		}
		return matchObject(got, object)
	case []input:
		list := make([]any, len(w))
		for i := range w {
			list[i] = w[i]
		}
		return match(got, list)
	case []any:
		list, ok := got.([]any)
		if !ok || len(list) != len(w) {
			return fmt.Errorf("got %v, want %v", got, want)
		}
		for i := range w {
			if err := match(list[i], w[i]); err != nil {
				return fmt.Errorf("[%d]: %w", i, err)
			}
		}
		return nil
	case int: // JSON has only float64
		return match(got, float64(w))
	}
	if n, ok := got.(int); ok {
		got = float64(n)
	}
	if !reflect.DeepEqual(got, want) {
		return fmt.Errorf("got %#v, want %#v", got, want)
	}
	return nil
}

func matchUnordered(got any, want unordered) error {
	list, ok := got.([]any)
	left := slices.Clone(want)
	for _, element := range list {
		if i := slices.IndexFunc(left, func(w any) bool { return match(element, w) == nil }); i >= 0 {
			left = slices.Delete(left, i, i+1)
		}
	}
	if !ok || len(list) != len(want) || len(left) > 0 {
		return fmt.Errorf("got %v, want %v in any order", got, want)
	}
	return nil
}

func matchObject(got any, want input) error {
	object, ok := got.(map[string]any)
	if !ok {
		return fmt.Errorf("got %v, want an object", got)
	}
	for _, name := range sortedKeys(want) {
		value, there := object[name]
		_, unwanted := want[name].(missing)
		if there == unwanted {
			return fmt.Errorf("%s: got the member: %v with %#v, want it: %v", name, there, value, !unwanted)
		}
		if unwanted {
			continue
		}
		if err := match(value, want[name]); err != nil {
			return fmt.Errorf("%s: %w", name, err)
		}
	}
	return nil
}
