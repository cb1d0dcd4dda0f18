// Package web is how the functions behind the HTTP API answer: JSON, messages in the reader's language, errors with a code.
package web

import (
	"encoding/json"
	"errors"
	"log/slog"
	"net/http"
	"time"

	"restock/internal/shop"
)

// retryAfter is how many seconds a client should wait before it asks again.
const retryAfter = "2"

// Answer writes a value as JSON.
func Answer(w http.ResponseWriter, status int, value any) {
	w.Header().Set("Content-Type", "application/json; charset=utf-8")
	w.Header().Set("Cache-Control", "no-store")
	w.WriteHeader(status)
	// The client may be gone: there is nobody left to tell.
	_ = json.NewEncoder(w).Encode(value)
}

// Problem is the body of an answer that reports an error.
type Problem struct {
	Message string    `json:"message"`
	Code    shop.Code `json:"code"`
	Detail  string    `json:"detail,omitempty"`
	Stock   *int      `json:"stock,omitempty"`
	// ExpectedAt is when stock should come that is on order; past, if it is late.
	ExpectedAt time.Time `json:"expected_at,omitzero"`
}

// IsOurs reports whether an error with a code is one of ours to mend, and not the caller's.
func IsOurs(code shop.Code) bool {
	f, known := failures[code]
	return !known || f.status >= http.StatusInternalServerError
}

// Fail answers with an error, and logs those that are ours. What is internal stays in the log.
func Fail(w http.ResponseWriter, r *http.Request, log *slog.Logger, err error) {
	code := shop.CodeOf(err)
	f, known := failures[code]
	if !known {
		f = failures[shop.CodeInternal]
	}
	if IsOurs(code) {
		log.ErrorContext(r.Context(), "request failed", "method", r.Method, "path", r.URL.Path, "code", code, "error", err)
	}
	if f.status == http.StatusServiceUnavailable {
		w.Header().Set("Retry-After", retryAfter)
	}
	Answer(w, f.status, Problem{Message: f.phrase.In(Language(r)), Code: code, Detail: detail(err)})
}

// FailOutOfStock refuses a buyer, and says what is on hand, and when more should come.
func FailOutOfStock(w http.ResponseWriter, r *http.Request, err error, refused shop.Sale) {
	Answer(w, http.StatusConflict, Problem{
		Message: outOfStock.In(Language(r), refused.Stock), Code: shop.CodeOutOfStock, Detail: detail(err), Stock: &refused.Stock, ExpectedAt: refused.ExpectedAt,
	})
}

// detail is what an error says to the caller.
func detail(err error) string {
	var e *shop.Error
	if errors.As(err, &e) {
		return e.Detail
	}
	return ""
}
