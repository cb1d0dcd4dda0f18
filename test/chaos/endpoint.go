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
	"time"
)

// A failure is a way in which a service of AWS fails.
type failure string

const (
	failsBefore failure = "answers 500"
	failsAfter  failure = "executes the request and answers 500"
	hangs       failure = "hangs"
	throttles   failure = "throttles"
)

var awsFailures = []failure{failsBefore, failsAfter, hangs, throttles}

// An endpoint is a proxy in front of the AWS endpoint. It makes services fail, and records the
// published messages.
type endpoint struct {
	mu        sync.Mutex
	failing   map[string]failure     // by service
	published map[string][]published // by production order
}

// A published message was accepted by the topic between two times.
type published struct{ sent, accepted, validUntil time.Time }

func newEndpoint() *endpoint {
	return &endpoint{failing: map[string]failure{}, published: map[string][]published{}}
}

// fail makes a service fail until heal is called.
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

// taken counts the messages of each production order that the topic accepted, and how many of them
// are still valid. stock drops a message that has expired.
func (e *endpoint) taken(now time.Time) (all, valid map[string]int) {
	e.mu.Lock()
	defer e.mu.Unlock()
	all, valid = map[string]int{}, map[string]int{}
	for order, messages := range e.published {
		for _, m := range messages {
			all[order]++
			if now.Before(m.validUntil) {
				valid[order]++
			}
		}
	}
	return all, valid
}

// messages returns the messages that the topic accepted, by production order.
func (e *endpoint) messages() map[string][]published {
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
			// without this the server does not notice that the client has disconnected
			_, _ = io.Copy(io.Discard, r.Body)
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

// serve passes a request on, and records a message that the topic accepted.
func (e *endpoint) serve(w http.ResponseWriter, r *http.Request, next http.Handler) {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		return // the client has disconnected
	}
	r.Body = io.NopCloser(bytes.NewReader(body))
	sent := time.Now()
	answer := &answer{ResponseWriter: w, status: http.StatusOK}
	next.ServeHTTP(answer, r)
	if m := publishedMessage(body); m.Order != "" && answer.status == http.StatusOK {
		e.mu.Lock()
		defer e.mu.Unlock()
		e.published[m.Order] = append(e.published[m.Order], published{sent, time.Now(), m.ValidUntil})
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

// A stockEmpty has the fields of a stock_empty message that the judge needs.
type stockEmpty struct {
	Order      string    `json:"production_order_id"`
	ValidUntil time.Time `json:"valid_until"`
}

// publishedMessage returns the message that a request publishes to stock_empty. For any other
// request it returns a message without an order.
func publishedMessage(body []byte) stockEmpty {
	form, err := url.ParseQuery(string(body))
	if err != nil || form.Get("Action") != "Publish" || !strings.HasSuffix(form.Get("TopicArn"), ":stock_empty") {
		return stockEmpty{}
	}
	return messageIn(form.Get("Message"))
}

// messageIn reads a stock_empty message. For an unreadable text it returns a message without an
// order.
func messageIn(text string) (m stockEmpty) {
	_ = json.Unmarshal([]byte(text), &m)
	return m
}

// serviceOf returns the service in the signature of a request.
func serviceOf(r *http.Request) string {
	scope := strings.Split(r.Header.Get("Authorization"), "/")
	if len(scope) < 5 {
		return ""
	}
	return scope[3]
}

// answerError answers with an error in the protocol of a service:
// https://smithy.io/2.0/aws/protocols/
func answerError(w http.ResponseWriter, service string, status int, code string) {
	if service == "sns" {
		w.Header().Set("Content-Type", "text/xml")
		w.WriteHeader(status)
		_, _ = io.WriteString(w, "<ErrorResponse><Error><Type>Receiver</Type><Code>"+code+
			"</Code><Message>chaos</Message></Error></ErrorResponse>")
		return
	}
	w.Header().Set("Content-Type", "application/x-amz-json-1.1")
	w.WriteHeader(status)
	_, _ = io.WriteString(w, `{"__type":"`+code+`","message":"chaos"}`)
}
