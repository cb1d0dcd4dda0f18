package main

import (
	"bytes"
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptrace"
	"net/url"
	"strconv"
	"strings"
	"sync/atomic"
	"syscall"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	v4 "github.com/aws/aws-sdk-go-v2/aws/signer/v4"

	"restock/internal/shop"
	"restock/internal/web"
)

// service is the name of the AWS service in the signature of a request to an HTTP API.
const service = "execute-api"

// timeout limits a call. An HTTP API waits no longer for its function.
const timeout = 30 * time.Second

// maxAnswer limits the bytes that are read of an answer. A function answers with 6 MB at most.
const maxAnswer = 8 << 20

// attempts limits how often a client sends a request that the shop could not take for the moment.
const attempts = 3

// pause is the time before the next attempt, if the answer has no Retry-After.
const pause = 2 * time.Second

// A client calls the merchant's API.
type client struct {
	target *resolved
	http   *http.Client
	signer *v4.Signer
	wait   func(context.Context, time.Duration) error
	again  func(key string) string // the command line that repeats the call
}

func newClient(t *resolved, wait func(context.Context, time.Duration) error, again func(string) string) *client {
	return &client{target: t, signer: v4.NewSigner(), wait: wait, again: again, http: &http.Client{
		Timeout: timeout,
		// A signature covers one host and one path, so a redirected request would be refused.
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}}
}

// A call is a request to the API. do decodes the answer into the field into.
type call struct {
	method, path string
	query        url.Values
	body         any // nil: no body
	key          string
	once         bool // the API does it once, however often it is asked
	dry          bool // it changes nothing
	into         any
}

// repeatable reports whether a second request does no harm if the first one was executed.
func (k call) repeatable() bool { return !k.changes() || k.key != "" || k.once }

// changes reports whether the call changes anything.
func (k call) changes() bool { return k.method != http.MethodGet && !k.dry }

// A refusal is an error answer of the API.
type refusal struct {
	status  int
	after   time.Duration // Retry-After
	problem web.Problem
	text    string // the body, if the API did not write it
	prefix  string // how a command line for this shop begins
}

func (r *refusal) Error() string {
	if r.problem.Code != "" {
		text := cmp.Or(r.problem.Detail, r.problem.Message)
		var lines []string
		for _, command := range r.problem.Commands {
			lines = append(lines, r.prefix+strings.TrimPrefix(command, "shop"))
		}
		if len(lines) > 0 {
			text += ": " + strings.Join(lines, " && ")
		}
		return text
	}
	return strings.TrimRight(fmt.Sprintf("%d %s: %s", r.status, http.StatusText(r.status), r.text), ": ")
}

// A failure is an error with an exit code.
type failure struct {
	error
	exit int
}

func (f *failure) Unwrap() error { return f.error }

// do makes a call. It repeats a call that the shop could not take for the moment, with the same
// key. The error says what happened and, if known, what to do.
func (c *client) do(ctx context.Context, k call) error {
	unsure := false // an earlier attempt may have made the change
	for attempt := 1; ; attempt++ {
		body, err := c.send(ctx, k)
		var refused *refusal
		switch {
		case err == nil:
			if err := json.Unmarshal(body, k.into); err != nil {
				return fmt.Errorf("%s: the answer is not from the merchant's API: %.200s", c.target.api, oneLine(body))
			}
			return nil
		case !errors.As(err, &refused) || refused.status != http.StatusServiceUnavailable || attempt == attempts,
			refused.problem.Code != shop.CodeUnavailable && !k.repeatable():
			return c.final(k, err, unsure)
		}
		unsure = unsure || refused.problem.Code != shop.CodeUnavailable
		if c.wait(ctx, cmp.Or(refused.after, pause)) != nil {
			return c.final(k, err, unsure)
		}
	}
}

// final gives an error its exit code. It says what may have happened to a change without an answer.
// The error is that of the last attempt; unsure says that an earlier one may have made the change.
func (c *client) final(k call, err error, unsure bool) error {
	var refused *refusal
	var usage *usageError
	var unsent *notSent
	answered := errors.As(err, &refused)
	unsure = unsure && k.changes()
	code := exitUnavailable
	switch {
	case errors.As(err, &usage),
		// Only a code of the API decides about the earlier attempts, too.
		answered && refused.status < http.StatusInternalServerError && (!unsure || refused.problem.Code != ""):
		return err
	case !unsure && answered && refused.problem.Code == shop.CodeUnavailable:
		err = fmt.Errorf("the shop is not available now, and nothing was changed: %w", err)
	case !unsure && (!k.changes() || errors.As(err, &unsent)):
	case k.key != "":
		advice := "; it may have been booked: repeat it with its key, and it is booked once"
		if answered && refused.problem.Code == shop.CodeOutcomeUnknown && refused.problem.Detail != "" {
			advice = "" // the detail has said so
		}
		err = fmt.Errorf("%w%s: %s", err, advice, c.again(k.key))
		code = exitUnknown
	case k.once:
		err = fmt.Errorf("%w; it may have been done: repeat it, it is done once: %s", err, c.again(""))
		code = exitUnknown
	default:
		err = fmt.Errorf("%w; it may have been done: look before you repeat it", err)
		code = exitUnknown
	}
	return &failure{err, code}
}

// A notSent is the error of a request of which nothing was sent.
type notSent struct{ error }

func (n *notSent) Unwrap() error { return n.error }

// request makes a signed request, and returns the credentials that signed it.
func (c *client) request(ctx context.Context, k call) (r *http.Request, signer aws.Credentials, err error) {
	var body []byte
	if k.body != nil {
		if body, err = json.Marshal(k.body); err != nil {
			return nil, signer, fmt.Errorf("writing the request: %w", err)
		}
	}
	address := c.target.api + k.path
	if len(k.query) > 0 {
		address += "?" + k.query.Encode()
	}
	if r, err = http.NewRequestWithContext(ctx, k.method, address, bytes.NewReader(body)); err != nil {
		return nil, signer, err
	}
	r.Header.Set("Accept-Language", "en")
	if k.body != nil {
		r.Header.Set("Content-Type", "application/json")
	}
	if k.key != "" {
		r.Header.Set(web.IdempotencyHeader, k.key)
	}
	signer, err = c.sign(ctx, r, body)
	return r, signer, err
}

func (c *client) send(ctx context.Context, k call) ([]byte, error) {
	// Without a connection nothing was sent. The error cannot tell: a timeout of the client hides
	// that the name was unknown or that nobody accepted.
	var connected atomic.Bool
	trace := &httptrace.ClientTrace{GotConn: func(httptrace.GotConnInfo) { connected.Store(true) }}
	request, signer, err := c.request(httptrace.WithClientTrace(ctx, trace), k)
	if err != nil {
		return nil, &notSent{err}
	}
	answer, err := c.http.Do(request)
	switch {
	case err != nil && !connected.Load():
		return nil, &notSent{c.unreachable(err)}
	case err != nil:
		return nil, c.unreachable(err)
	}
	defer answer.Body.Close()
	text, err := io.ReadAll(io.LimitReader(answer.Body, maxAnswer))
	if err != nil {
		return nil, fmt.Errorf("reading the answer: %w", err)
	}
	if answer.StatusCode >= 200 && answer.StatusCode < 300 {
		return text, nil
	}
	seconds, _ := strconv.Atoi(answer.Header.Get("Retry-After")) // 0 if there is none
	r := &refusal{
		status: answer.StatusCode, text: fmt.Sprintf("%.200s", oneLine(text)),
		after: time.Duration(seconds) * time.Second, prefix: c.target.prefix,
	}
	_ = json.Unmarshal(text, &r.problem) // a body that the API did not write stays text
	return nil, c.advised(r, signer)
}

// sign signs a request with the caller's credentials and returns them.
func (c *client) sign(ctx context.Context, r *http.Request, body []byte) (aws.Credentials, error) {
	signer, err := c.target.aws.Credentials.Retrieve(ctx)
	if err != nil {
		return signer, fmt.Errorf(
			"there are no AWS credentials to sign with: set AWS_PROFILE, or AWS_ACCESS_KEY_ID and "+
				"AWS_SECRET_ACCESS_KEY: %s", oneLine([]byte(err.Error())))
	}
	hash := sha256.Sum256(body)
	if err := c.signer.SignHTTP(ctx, signer, r, hex.EncodeToString(hash[:]), service, c.target.aws.Region,
		time.Now()); err != nil {
		return signer, fmt.Errorf("signing the request: %w", err)
	}
	return signer, nil
}

// advised adds advice to a refusal where the API cannot give it.
func (c *client) advised(r *refusal, signer aws.Credentials) error {
	switch {
	case r.problem.Code == shop.CodeUnknownProduct: // the API answers buyers, too, with this error
		return fmt.Errorf("%w: %s products lists them", r, r.prefix)
	case r.problem.Code != "":
		return r
	case r.status == http.StatusForbidden && c.target.local:
		return fmt.Errorf("%s refuses the access key %s for region %s: is that the region of the run's stage? See "+
			"the run's log: %w", c.target.api, signer.AccessKeyID, c.target.aws.Region, r)
	case r.status == http.StatusForbidden:
		return fmt.Errorf("%s refuses the access key %s (of %s) for region %s: allow its owner execute-api:Invoke "+
			"on the API, or use other credentials (AWS_PROFILE): %w",
			c.target.api, signer.AccessKeyID, signer.Source, c.target.aws.Region, r)
	case r.status == http.StatusNotFound:
		return fmt.Errorf("%s is not the shop's API, or an older version than this command: deploy the stage again: %w",
			c.target.api, r)
	}
	return fmt.Errorf("%s: %w", c.target.api, r)
}

// unreachable returns an error that says what to do about an API that does not answer.
func (c *client) unreachable(err error) error {
	var wrapped *url.Error
	if errors.As(err, &wrapped) {
		err = wrapped.Err // c.target.api names the URL
	}
	if errors.Is(err, syscall.ECONNREFUSED) {
		return fmt.Errorf("nothing listens on %s: %s (%w)", c.target.api, c.target.notUp, err)
	}
	return fmt.Errorf("%s: %w", c.target.api, err)
}

// oneLine returns a text without line breaks.
func oneLine(text []byte) string { return strings.Join(strings.Fields(string(text)), " ") }
