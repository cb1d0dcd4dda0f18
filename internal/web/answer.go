// Package web reads requests and writes answers for the functions behind the HTTP API: JSON,
// messages in the reader's language, and errors with a code.
package web

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"log/slog"
	"net/http"
	"strings"
	"time"

	"restock/internal/shop"
)

// retryAfter is how many seconds a client should wait before it tries again.
const retryAfter = "2"

// Answer writes a value as JSON.
func Answer(w http.ResponseWriter, status int, value any) {
	w.Header().Set("Content-Type", "application/json; charset=utf-8")
	w.Header().Set("Cache-Control", "no-store")
	w.WriteHeader(status)
	// If the client is gone, nobody can handle the error.
	_ = json.NewEncoder(w).Encode(value)
}

// shared lets browsers and CloudFront keep an answer for one second, so that a thousand readers
// cost one invocation a second. While the shop fails, CloudFront repeats an old answer for half a
// minute at most. Without stale-if-error it would do so without a limit:
// https://docs.aws.amazon.com/AmazonCloudFront/latest/DeveloperGuide/Expiration.html#stale-content
const shared = "public, max-age=1, stale-if-error=30"

// AnswerShared writes content that is the same for every reader. A client that has it gets 304.
func AnswerShared(w http.ResponseWriter, r *http.Request, contentType, content, etag string) {
	h := w.Header()
	h.Set("Content-Type", contentType)
	h.Set("Cache-Control", shared)
	h.Set("ETag", etag)
	http.ServeContent(w, r, "", time.Time{}, strings.NewReader(content))
}

// ETag returns a strong entity tag of content.
func ETag(content string) string {
	sum := sha256.Sum256([]byte(content))
	return `"` + hex.EncodeToString(sum[:16]) + `"`
}

// A Problem is the body of an error answer.
type Problem struct {
	Message string    `json:"message"` // in the reader's language
	Code    shop.Code `json:"code"`    // for programs: it never changes
	Detail  string    `json:"detail,omitempty"`
	// Commands are lines of the merchant's command line that help, in their order: shop archive
	// --undo CP-502101. They lack the flags that name the shop.
	Commands []string `json:"commands,omitempty"`

	Stock *int `json:"stock,omitempty"` // on hand, if it is not enough
	// ExpectedAt is when the stock on order should arrive; in the past if it is late.
	ExpectedAt time.Time `json:"expected_at,omitzero"`
}

// IsOurs reports whether an error with a code is a fault of the shop, and not of the caller.
func IsOurs(code shop.Code) bool { return Status(code) >= http.StatusInternalServerError }

// Status returns the HTTP status of the error answers with a code.
func Status(code shop.Code) int {
	if status, known := statuses[code]; known {
		return status
	}
	return statuses[shop.CodeInternal]
}

// Fail answers with an error. It logs the error if it is a fault of the shop. The answer contains
// no internal details.
func Fail(w http.ResponseWriter, r *http.Request, log *slog.Logger, err error) {
	code := shop.CodeOf(err)
	status, message := Status(code), Message(code)
	if _, known := statuses[code]; !known {
		message = Message(shop.CodeInternal)
	}
	if IsOurs(code) {
		log.ErrorContext(r.Context(), "request failed",
			"method", r.Method, "path", r.URL.Path, "code", code, "error", err)
	}
	if status == http.StatusServiceUnavailable {
		w.Header().Set("Retry-After", retryAfter)
	}
	detail, commands := advice(err)
	Answer(w, status, Problem{
		Message: message.Text(LanguageOf(r)), Code: code, Detail: detail, Commands: commands,
	})
}

// FailOutOfStock refuses a purchase, and says what is on hand and when more should arrive.
func FailOutOfStock(w http.ResponseWriter, r *http.Request, err error, refused shop.Sale) {
	detail, _ := advice(err)
	Answer(w, http.StatusConflict, Problem{
		Message: NotBought.WithStock(LanguageOf(r), refused.Stock), Code: shop.CodeOutOfStock, Detail: detail,
		Stock: &refused.Stock, ExpectedAt: refused.ExpectedAt,
	})
}

// advice returns the parts of an error that the caller may read.
func advice(err error) (detail string, commands []string) {
	var e *shop.Error
	if errors.As(err, &e) {
		return e.Detail, e.Commands
	}
	return "", nil
}
