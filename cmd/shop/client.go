package main

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"syscall"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	v4 "github.com/aws/aws-sdk-go-v2/aws/signer/v4"

	"restock/internal/web"
)

// service is the name of the AWS service in the signature of a request to an HTTP API.
const service = "execute-api"

// timeout limits a call. An HTTP API waits no longer for its function.
const timeout = 30 * time.Second

// maxAnswer limits the bytes that are read of an answer. A function answers with 6 MB at most.
const maxAnswer = 8 << 20

// A client calls the merchant's API.
type client struct {
	target *resolved
	http   *http.Client
	signer *v4.Signer
}

func newClient(t *resolved) *client {
	return &client{target: t, signer: v4.NewSigner(), http: &http.Client{
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
	into         any
}

// A refusal is an error answer of the API.
type refusal struct {
	status  int
	problem web.Problem
	text    string // the body, if the API did not write it
}

func (r *refusal) Error() string {
	said := fmt.Sprintf("%d %s", r.status, http.StatusText(r.status))
	if r.problem.Code == "" {
		return strings.TrimRight(said+": "+r.text, ": ")
	}
	said = fmt.Sprintf("%d %s: %s", r.status, r.problem.Code, r.problem.Message)
	if r.problem.Detail != "" {
		said += ": " + r.problem.Detail
	}
	return said
}

// do makes a call. Its error says what was requested, what happened and, if known, what to do.
func (c *client) do(ctx context.Context, k call) error {
	asked := k.method + " " + c.target.api + k.path
	body, err := c.send(ctx, k)
	if err != nil {
		return fmt.Errorf("%s: %w", asked, err)
	}
	if err := json.Unmarshal(body, k.into); err != nil {
		return fmt.Errorf("%s: the answer is not from the merchant's API: %.200s", asked, oneLine(body))
	}
	return nil
}

func (c *client) send(ctx context.Context, k call) ([]byte, error) {
	var body []byte
	if k.body != nil {
		var err error
		if body, err = json.Marshal(k.body); err != nil {
			return nil, fmt.Errorf("writing the request: %w", err)
		}
	}
	address := c.target.api + k.path
	if len(k.query) > 0 {
		address += "?" + k.query.Encode()
	}
	request, err := http.NewRequestWithContext(ctx, k.method, address, bytes.NewReader(body))
	if err != nil {
		return nil, err
	}
	request.Header.Set("Accept-Language", "en")
	if k.body != nil {
		request.Header.Set("Content-Type", "application/json")
	}
	if k.key != "" {
		request.Header.Set(web.IdempotencyHeader, k.key)
	}
	signer, err := c.sign(ctx, request, body)
	if err != nil {
		return nil, err
	}
	answer, err := c.http.Do(request)
	if err != nil {
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
	r := &refusal{status: answer.StatusCode, text: fmt.Sprintf("%.200s", oneLine(text))}
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
	case r.status == http.StatusForbidden && r.problem.Code == "" && c.target.local:
		return fmt.Errorf("%w: it was signed with the access key %s for region %s: is that the region of the run's "+
			"stage? See the run's log", r, signer.AccessKeyID, c.target.aws.Region)
	case r.status == http.StatusForbidden && r.problem.Code == "":
		return fmt.Errorf("%w: it was signed with the access key %s (of %s) for region %s: allow its owner "+
			"execute-api:Invoke on the API, or use other credentials (AWS_PROFILE)",
			r, signer.AccessKeyID, signer.Source, c.target.aws.Region)
	case r.status == http.StatusNotFound && r.problem.Code == "":
		return fmt.Errorf("%w: it is not the shop's API, or it has no merchant's routes: deploy the stage again", r)
	}
	return r
}

// unreachable returns an error that says what to do about an API that does not answer.
func (c *client) unreachable(err error) error {
	var wrapped *url.Error
	if errors.As(err, &wrapped) {
		err = wrapped.Err // do names the method and the URL
	}
	switch {
	case errors.Is(err, syscall.ECONNREFUSED) && c.target.local:
		return errors.New("nothing listens there: is the local run up? Start it with make local")
	case errors.Is(err, syscall.ECONNREFUSED):
		return errors.New("nothing listens there: is that the stage's output merchantUrl?")
	}
	return err
}

// oneLine returns a text without line breaks.
func oneLine(text []byte) string { return strings.Join(strings.Fields(string(text)), " ") }
