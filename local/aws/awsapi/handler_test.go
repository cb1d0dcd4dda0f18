package awsapi

import (
	"bytes"
	"context"
	"errors"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
)

const authorization = "AWS4-HMAC-SHA256 Credential=AKIDLOCAL/20260101/ap-northeast-2/dynamodb/aws4_request, " +
	"SignedHeaders=host, Signature=00"

type greetInput struct {
	Name  string
	Times int
}

type greetOutput struct {
	Greeting string
	Caller   string
}

// newTestHandler serves "greet" in each protocol, and returns its log.
func newTestHandler() (*Handler, *bytes.Buffer) {
	greet := Handle(func(ctx context.Context, in greetInput) (greetOutput, error) {
		switch in.Name {
		case "refuse":
			return greetOutput{},
				&Error{Status: http.StatusNotFound, Code: "PersonDoesNotExist", QueryCode: "Old.NonExistentPerson",
					Message: "no <person>"}
		case "break":
			return greetOutput{}, errors.New("the disk holds a secret")
		}
		return greetOutput{Greeting: strings.Repeat("hello "+in.Name, in.Times), Caller: AccessKeyID(ctx)}, nil
	})
	operations := map[string]Operation{"Greet": greet}
	var log bytes.Buffer
	return NewHandler(slog.New(slog.NewTextHandler(&log, nil)),
		Service{Name: "plain", Protocol: JSON("1.1", "plain"), Operations: operations},
		Service{Name: "compatible",
			Protocol:   QueryCompatibleJSON("1.0", "AmazonCompatible", "com.amazonaws.compatible"),
			Operations: operations, InvalidText: Errorf("NoText", "not a text")},
		Service{Name: "query", Protocol: Query("2010-03-31", "http://query.example/"), Operations: operations},
	), &log
}

func jsonRequest(target, body string) *http.Request {
	r := httptest.NewRequest("POST", "/", strings.NewReader(body))
	r.Header.Set("X-Amz-Target", target)
	r.Header.Set("Authorization", authorization)
	return r
}

func formRequest(body string) *http.Request {
	r := httptest.NewRequest("POST", "/", strings.NewReader(body))
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded; charset=utf-8")
	r.Header.Set("Authorization", authorization)
	return r
}

func TestAnswers(t *testing.T) {
	for _, tt := range []struct {
		name    string
		request *http.Request
		status  int
		header  map[string]string
		body    string // a part of the answer
	}{
		{"JSON", jsonRequest("plain.Greet", `{"Name":"<you>","Times":1}`), 200,
			map[string]string{"Content-Type": "application/x-amz-json-1.1"},
			`{"Greeting":"hello <you>","Caller":"AKIDLOCAL"}`},
		{"JSON without a body", jsonRequest("plain.Greet", ``), 200, nil, `{"Greeting":"","Caller":"AKIDLOCAL"}`},
		{"JSON error", jsonRequest("plain.Greet", `{"Name":"refuse"}`), 404,
			map[string]string{"X-Amzn-Query-Error": ""}, `{"__type":"PersonDoesNotExist","message":"no <person>"}`},
		{"query compatible error", jsonRequest("AmazonCompatible.Greet", `{"Name":"refuse"}`), 404,
			map[string]string{"X-Amzn-Query-Error": "Old.NonExistentPerson;Sender",
				"Content-Type": "application/x-amz-json-1.0"},
			`{"__type":"com.amazonaws.compatible#PersonDoesNotExist","message":"no <person>"}`},
		{"query", formRequest("Action=Greet&Version=2010-03-31&Name=%3Cyou%3E&Times=1"), 200,
			map[string]string{"Content-Type": "text/xml"},
			`<GreetResponse xmlns="http://query.example/"><GreetResult><Greeting>hello ` +
				`&lt;you&gt;</Greeting><Caller>AKIDLOCAL</Caller></GreetResult><ResponseMetadata><RequestId>`},
		{"query error", formRequest("Action=Greet&Version=2010-03-31&Name=refuse"), 404, nil,
			`<ErrorResponse xmlns="http:` +
				`//query.example/"><Error><Type>Sender</Type><Code>Old.NonExistentPerson</Code><Message>no ` +
				`&lt;person&gt;</Message></Error><RequestId>`},

		{"unknown JSON operation", jsonRequest("plain.Dance", `{}`), 400, nil,
			`"The operation Dance of plain is not available in the local run, which serves Greet."`},
		{"unknown query operation", formRequest("Action=Dance&Version=2010-03-31"), 400, nil,
			`<Code>InvalidAction</Code>`},
		{"a form without an action", formRequest("Version=2010-03-31&Name=you"), 400,
			map[string]string{"Content-Type": "text/xml"}, `<Type>Sender</Type><Code>MissingAction</Code>`},
		{"unknown JSON service", jsonRequest("DynamoDB_20120810.ListTables", `{}`), 404, nil,
			`The local run does not serve ListTables: the request is for dynamodb, and the services here are ` +
				`compatible, plain, query.`},
		{"unknown query service", formRequest("Action=GetCallerIdentity&Version=2011-06-15"), 404, nil,
			`does not serve GetCallerIdentity`},
		{"a REST service", httptest.NewRequest("GET", "/2015-03-31/functions", nil), 404, nil,
			`does not serve GET /2015-03-31/functions: the request is for unnamed`},
		{"a target without a dot", jsonRequest("plain", `{}`), 404, nil, `does not serve plain`},

		{"no JSON", jsonRequest("plain.Greet", `{"Name":`), 400, nil, `SerializationException`},
		{"two JSON values", jsonRequest("plain.Greet", `{}{}`), 400, nil, `more than one JSON value`},
		{"a JSON list", jsonRequest("plain.Greet", `[]`), 400, nil, `SerializationException`},
		{"a wrong JSON type", jsonRequest("plain.Greet", `{"Times":"two"}`), 400, nil,
			`the member Times must be of type int`},
		{"an unknown member", jsonRequest("plain.Greet", `{"Mood":"good"}`), 400, nil,
			`the local run does not implement the member \"Mood\"`},
		{"a member in another case", jsonRequest("plain.Greet", `{"name":"you"}`), 400, nil,
			`AWS ignores the member \"name\": names are case-sensitive, and this one is \"Name\"`},
		{"half an escaped character", jsonRequest("plain.Greet", `{"Name":"a\ud800b"}`), 400, nil,
			`SerializationException`},
		{"invalid UTF-8 in JSON", jsonRequest("plain.Greet", "{\"Name\":\"a\xffb\"}"), 400, nil, `not valid Unicode`},
		{"invalid UTF-8 in a form", formRequest("Action=Greet&Version=2010-03-31&Name=a%FFb"), 400, nil,
			`<Code>InvalidParameter</Code>`},
		{"a service's own answer to invalid text", jsonRequest("AmazonCompatible.Greet", `{"Name":"\udc00"}`), 400, nil,
			`NoText`},
		{"a wrong query type", formRequest("Action=Greet&Version=2010-03-31&Times=two"), 400, nil,
			`The parameter Times is not a valid int.`},
		{"an unknown parameter", formRequest("Action=Greet&Version=2010-03-31&Mood=good"), 400, nil,
			`does not implement the parameter Mood`},
		{"a large JSON body", jsonRequest("plain.Greet", `{"Name":"`+strings.Repeat("x", maxBody)+`"}`), 413, nil,
			`RequestEntityTooLargeException`},
		{"a large form", formRequest("Action=Greet&Version=2010-03-31&Name=" + strings.Repeat("x", maxBody)), 413, nil,
			`RequestEntityTooLargeException`},
	} {
		t.Run(tt.name, func(t *testing.T) {
			handler, _ := newTestHandler()
			w := httptest.NewRecorder()
			handler.ServeHTTP(w, tt.request)
			if w.Code != tt.status || !strings.Contains(w.Body.String(), tt.body) {
				t.Errorf("got %d %s\nwant %d …%s…", w.Code, w.Body, tt.status, tt.body)
			}
			for name, want := range tt.header {
				if got := w.Header().Get(name); got != want {
					t.Errorf("header %s: got %q, want %q", name, got, want)
				}
			}
			if len(w.Header().Get("X-Amzn-Requestid")) != 36 {
				t.Errorf("request id: got %q", w.Header().Get("X-Amzn-Requestid"))
			}
		})
	}
}

func TestInternalErrorIsLoggedAndNotShown(t *testing.T) {
	handler, log := newTestHandler()
	w := httptest.NewRecorder()
	handler.ServeHTTP(w, jsonRequest("plain.Greet", `{"Name":"break"}`))
	if w.Code != 500 || !strings.Contains(w.Body.String(), "InternalFailure") ||
		strings.Contains(w.Body.String(), "disk") {
		t.Errorf("answer: got %d %s, want 500 InternalFailure without the reason", w.Code, w.Body)
	}
	if !strings.Contains(log.String(), "the disk holds a secret") ||
		!strings.Contains(log.String(), "service=plain operation=Greet caller=AKIDLOCAL") {
		t.Errorf("log: got %s, want the reason and the call", log)
	}
}

func TestInputIsNeitherLoggedNorQuotedInErrors(t *testing.T) {
	for _, body := range []string{`{"Times":"hunter2"}`, `{"Name":"hunter2"`, `{"Name":hunter2}`,
		`{"Times":123.4567}`, `"hunter2"`} {
		handler, log := newTestHandler()
		w := httptest.NewRecorder()
		handler.ServeHTTP(w, jsonRequest("plain.Greet", body))
		for _, secret := range []string{"hunter2", "4567"} {
			if strings.Contains(w.Body.String()+log.String(), secret) {
				t.Errorf("input %s is quoted: answer %s, log %s", body, w.Body, log)
			}
		}
	}
}

func TestCallerThatIsGoneIsNotAnswered(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	var log bytes.Buffer
	handler := NewHandler(slog.New(slog.NewTextHandler(&log, nil)), Service{
		Name: "plain", Protocol: JSON("1.1", "plain"), Operations: map[string]Operation{
			"Wait": Handle(func(ctx context.Context, _ struct{}) (struct{}, error) {
				cancel()
				return struct{}{},
					ctx.Err()
			}),
		}})
	w := httptest.NewRecorder()
	handler.ServeHTTP(w, jsonRequest("plain.Wait", `{}`).WithContext(ctx))
	if w.Body.Len() != 0 || strings.Contains(log.String(), "failed") {
		t.Errorf("answer %q, log %q; want neither", w.Body, &log)
	}
}

func TestUnreadableBodyIsRefused(t *testing.T) {
	handler, _ := newTestHandler()
	r := jsonRequest("plain.Greet", "")
	r.Body = io.NopCloser(io.MultiReader(strings.NewReader(`{"Name":`), brokenReader{}))
	w := httptest.NewRecorder()
	handler.ServeHTTP(w, r)
	if w.Code != 400 || !strings.Contains(w.Body.String(), "could not be read") {
		t.Errorf("got %d %s", w.Code, w.Body)
	}
}

type brokenReader struct{}

func (brokenReader) Read([]byte) (int, error) { return 0, io.ErrUnexpectedEOF }

func TestPage(t *testing.T) {
	items := []string{"a", "b", "c"}
	for _, tt := range []struct {
		limit       int
		token, want string
		next        string
		ok          bool
	}{
		{2, "", "ab", "2", true},
		{2, "2", "c", "", true},
		{3, "", "abc", "", true},
		{2, "3", "", "", true},
		{2, "4", "", "", false},
		{2, "-1", "", "", false},
		{2, "x", "", "", false},
	} {
		page, next, ok := Page(items, tt.limit, tt.token)
		if got := strings.Join(page, ""); got != tt.want || next != tt.next || ok != tt.ok {
			t.Errorf("Page(%v, %d, %q): got %q, %q, %v; want %q, %q, %v", items, tt.limit, tt.token, got, next, ok,
				tt.want, tt.next, tt.ok)
		}
	}
}
