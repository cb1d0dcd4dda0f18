package console

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"mime"
	"net/http"
)

// maxBody is the most bytes in the body of a control.
const maxBody = 16 << 10

// contentSecurityPolicy lets the page load only files of the console.
const contentSecurityPolicy = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; " +
	"connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"

// protected adds headers that stop other sites from embedding the page and from reading answers.
// Package loopback refuses the requests that other sites send.
func protected(h http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		header := w.Header()
		header.Set("Content-Security-Policy", contentSecurityPolicy)
		header.Set("X-Content-Type-Options", "nosniff")
		header.Set("Referrer-Policy", "no-referrer")
		header.Set("Cross-Origin-Opener-Policy", "same-origin")
		header.Set("Cross-Origin-Resource-Policy", "same-origin")
		header.Set("Cache-Control", "no-store")
		h.ServeHTTP(w, r)
	})
}

// A Refusal is an error with the HTTP status of its answer.
type Refusal struct {
	Status int
	Err    error
}

func (r Refusal) Error() string { return r.Err.Error() }
func (r Refusal) Unwrap() error { return r.Err }

// Decode parses the body of a control: one JSON document. Unknown fields are errors. Every error
// that Decode returns is a Refusal.
func Decode(w http.ResponseWriter, r *http.Request, into any) error {
	return decode(w, r, into, maxBody)
}

// decode is Decode for bodies of up to limit bytes.
func decode(w http.ResponseWriter, r *http.Request, into any, limit int64) error {
	if kind, _, err := mime.ParseMediaType(r.Header.Get("Content-Type")); err != nil || kind != "application/json" {
		err = fmt.Errorf("the content type is %q: send application/json", r.Header.Get("Content-Type"))
		return Refusal{http.StatusUnsupportedMediaType, err}
	}
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, limit))
	if tooLarge := (*http.MaxBytesError)(nil); errors.As(err, &tooLarge) {
		return Refusal{http.StatusRequestEntityTooLarge, fmt.Errorf("the body is larger than %d bytes", limit)}
	}
	if err != nil {
		return Refusal{http.StatusBadRequest, fmt.Errorf("reading the body: %w", err)}
	}
	if len(bytes.TrimSpace(body)) == 0 {
		return Refusal{http.StatusBadRequest, errors.New("the body is empty: send a JSON document, like {}")}
	}
	decoder := json.NewDecoder(bytes.NewReader(body))
	decoder.DisallowUnknownFields()
	if err := decoder.Decode(into); err != nil {
		return Refusal{http.StatusBadRequest, fmt.Errorf("reading the body: %w", err)}
	}
	if _, err := decoder.Token(); !errors.Is(err, io.EOF) {
		return Refusal{http.StatusBadRequest, errors.New("the body has more than one JSON document")}
	}
	return nil
}

// Answer writes a value as JSON.
func Answer(w http.ResponseWriter, status int, value any) {
	text, err := document(value)
	if err != nil {
		Refuse(w, http.StatusInternalServerError, fmt.Errorf("writing the answer: %w", err))
		return
	}
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_, _ = w.Write(append(text, '\n')) // #nosec G705 -- JSON, no page; an error: the client has gone
}

// document returns a value as one line of JSON. The answer is no HTML, so <, > and & stay as they
// are.
func document(value any) ([]byte, error) {
	var text bytes.Buffer
	encoder := json.NewEncoder(&text)
	encoder.SetEscapeHTML(false)
	err := encoder.Encode(value)
	return bytes.TrimSuffix(text.Bytes(), []byte("\n")), err
}

// Refuse answers with a status and an error: {"error": "…"}.
func Refuse(w http.ResponseWriter, status int, err error) {
	Answer(w, status, map[string]string{"error": err.Error()})
}

// Fail answers with an error. The status is that of a Refusal, or 400 for all other errors.
func Fail(w http.ResponseWriter, err error) {
	status := http.StatusBadRequest
	if r := (Refusal{}); errors.As(err, &r) {
		status = r.Status
	}
	Refuse(w, status, err)
}
