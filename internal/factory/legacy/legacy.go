// Package legacy is the factory's own side of its contract: what it reads from a request, what it
// answers, and the callback that it makes. The stand-in of the local run and the simulated factory
// of a stage share it. The shop's side of the contract is package factory.
package legacy

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"time"

	"restock/internal/factory"
)

// Path is the path of the Factory API's only operation, a POST.
const Path = factory.Path

const (
	// StepTime is the duration of a step.
	StepTime = 10 * time.Second
	// LeadTime is the time from a request to its callback.
	LeadTime = (time.Duration(len(steps)) - 1) * StepTime

	// MaxBody is the longest request that the stand-ins accept, in bytes. Real requests have a few
	// hundred.
	MaxBody = 64 << 10
)

var steps = [...]string{"시작", "준비", "생산", "포장", "종료"}

// Steps returns the states of a lot. A lot begins in the first one, and reaches each other one a
// step later. In the last one, the factory makes the callback.
func Steps() []string { return steps[:] }

// An Order has the fields that the factory reads from a request. They stay as they were sent,
// whatever their type: the factory validates nothing. A field that cannot be decoded stays empty.
type Order struct {
	Requester   json.RawMessage `json:"MessageAttributeRequester"`
	Count       json.RawMessage `json:"MessageAttributeProductCnt"`
	CallbackURL string          `json:"CallbackUrl"`
}

// ReadOrder reads the body of a request.
func ReadOrder(body []byte) (o Order) {
	_ = json.Unmarshal(body, &o)
	return o
}

// Receipt returns the body of the answer to a request, for a lot with an id. It does not use
// encoding/json, which would rewrite the request that it echoes.
func (o Order) Receipt(body []byte, id string) []byte {
	echo := body
	if !json.Valid(echo) {
		echo, _ = json.Marshal(string(body)) // cannot fail on a string
	}
	b := fmt.Appendf(nil, `{"data":{"data":%s,"id":"%s"`, echo, id)
	if o.Requester != nil {
		b = fmt.Appendf(b, `,"reqestor":%s`, o.Requester)
	}
	return append(b, "}}"...)
}

// CallbackOrigin returns the scheme and the host of the callback, like "https://shop.example".
func (o Order) CallbackOrigin() (string, error) {
	u, err := url.Parse(o.CallbackURL)
	if err != nil {
		return "", fmt.Errorf("the CallbackUrl cannot be read: %w", withoutURL(err))
	}
	return u.Scheme + "://" + u.Host, nil
}

// Callback returns the address of the callback without its query. The query has the signature,
// which must stay secret: a reader of the log could use it.
func (o Order) Callback() string {
	where, _, _ := strings.Cut(o.CallbackURL, "?")
	return where
}

// Correlation returns the id of the buyer's request that caused the order, which the shop puts into
// the callback's URL; empty if the URL has none.
func (o Order) Correlation() string {
	_, query, _ := strings.Cut(o.CallbackURL, "?")
	values, _ := url.ParseQuery(query) // ignore what does not parse
	return factory.CorrelationOf(values)
}

// maxAnswer is how much of a callback's answer is read, in bytes.
const maxAnswer = 1 << 20

// A Caller makes the callbacks of finished lots.
type Caller struct{ client http.Client }

// NewCaller returns a caller that uses a client's settings.
func NewCaller(client http.Client) Caller {
	// A redirect could lead from an allowed origin to any other.
	client.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	return Caller{client}
}

// Call makes one callback with the request that the factory got. It returns the status of the
// answer, which the factory ignores. Its errors do not contain the URL.
func (c Caller) Call(ctx context.Context, callback string, body []byte) (status int, err error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, callback, bytes.NewReader(body))
	if err != nil {
		return 0, fmt.Errorf("making the callback: the URL cannot be used: %w", withoutURL(err))
	}
	req.Header.Set("Content-Type", "application/json")
	res, err := c.client.Do(req)
	if err != nil {
		return 0, fmt.Errorf("calling back: %w", withoutURL(err))
	}
	defer res.Body.Close()
	_, _ = io.Copy(io.Discard, io.LimitReader(res.Body, maxAnswer)) // so that the connection can be reused
	return res.StatusCode, nil
}

// withoutURL returns the cause of an error that has a callback's whole URL in its text.
func withoutURL(err error) error {
	if named := (*url.Error)(nil); errors.As(err, &named) {
		return named.Err
	}
	return err
}
