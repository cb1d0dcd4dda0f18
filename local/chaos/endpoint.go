package main

import (
	"bytes"
	"encoding/json"
	"io"
	"maps"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync"
)

// A failure is a way in which a service of AWS fails.
type failure string

const (
	failsBefore failure = "answers 500"
	failsAfter  failure = "does it, and answers 500"
	hangs       failure = "hangs"
	throttles   failure = "throttles"
)

var awsFailures = []failure{failsBefore, failsAfter, hangs, throttles}

// An endpoint stands before the AWS endpoint. It fails as it is told to, and notes which production orders were published.
type endpoint struct {
	mu        sync.Mutex
	failing   map[string]failure // by service
	published map[string]int     // by production order
}

func newEndpoint() *endpoint {
	return &endpoint{failing: map[string]failure{}, published: map[string]int{}}
}

// fail makes a service fail until it is healed.
func (e *endpoint) fail(service string, how failure) (heal func()) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.failing[service] = how
	return func() {
		e.mu.Lock()
		defer e.mu.Unlock()
		delete(e.failing, service)
	}
}

// taken is how often the topic has taken each production order.
func (e *endpoint) taken() map[string]int {
	e.mu.Lock()
	defer e.mu.Unlock()
	return maps.Clone(e.published)
}

func (e *endpoint) interpose(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		service := serviceOf(r)
		e.mu.Lock()
		how := e.failing[service]
		e.mu.Unlock()
		switch how {
		case failsBefore:
			answerError(w, service, http.StatusInternalServerError, "InternalFailure")
			return
		case throttles:
			answerError(w, service, http.StatusBadRequest, "ThrottlingException")
			return
		case hangs:
			_, _ = io.Copy(io.Discard, r.Body) // else the server does not notice that the client is gone
			<-r.Context().Done()
			return
		case failsAfter:
			e.serve(httptest.NewRecorder(), r, next)
			answerError(w, service, http.StatusInternalServerError, "InternalFailure")
			return
		}
		e.serve(w, r, next)
	})
}

// serve hands a request on, and notes a production order that the topic has taken.
func (e *endpoint) serve(w http.ResponseWriter, r *http.Request, next http.Handler) {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		return // the client is gone
	}
	r.Body = io.NopCloser(bytes.NewReader(body))
	answer := &answer{ResponseWriter: w, status: http.StatusOK}
	next.ServeHTTP(answer, r)
	if order := publishedOrder(body); order != "" && answer.status == http.StatusOK {
		e.mu.Lock()
		defer e.mu.Unlock()
		e.published[order]++
	}
}

type answer struct {
	http.ResponseWriter
	status int
}

func (a *answer) WriteHeader(status int) {
	a.status = status
	a.ResponseWriter.WriteHeader(status)
}

// publishedOrder is the production order that a request publishes to stock_empty; empty where it is another request.
func publishedOrder(body []byte) string {
	form, err := url.ParseQuery(string(body))
	if err != nil || form.Get("Action") != "Publish" || !strings.HasSuffix(form.Get("TopicArn"), ":stock_empty") {
		return ""
	}
	return orderIn(form.Get("Message"))
}

// orderIn is the production order in a stock_empty message.
func orderIn(message string) string {
	var m struct {
		Order string `json:"production_order_id"`
	}
	_ = json.Unmarshal([]byte(message), &m) // what cannot be read names none
	return m.Order
}

// serviceOf is the service that a request is signed for.
func serviceOf(r *http.Request) string {
	scope := strings.Split(r.Header.Get("Authorization"), "/")
	if len(scope) < 5 {
		return ""
	}
	return scope[3]
}

// answerError answers in the protocol of a service: https://smithy.io/2.0/aws/protocols/
func answerError(w http.ResponseWriter, service string, status int, code string) {
	if service == "sns" {
		w.Header().Set("Content-Type", "text/xml")
		w.WriteHeader(status)
		_, _ = io.WriteString(w, "<ErrorResponse><Error><Type>Receiver</Type><Code>"+code+"</Code><Message>chaos</Message></Error></ErrorResponse>")
		return
	}
	w.Header().Set("Content-Type", "application/x-amz-json-1.1")
	w.WriteHeader(status)
	_, _ = io.WriteString(w, `{"__type":"`+code+`","message":"chaos"}`)
}
