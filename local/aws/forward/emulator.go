package forward

import (
	"bytes"
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	v4 "github.com/aws/aws-sdk-go-v2/aws/signer/v4"

	"restock/local/aws/awsapi"
	"restock/local/view/events"
)

// An Emulator is a server that answers calls of AWS's API.
type Emulator struct {
	name   string
	url    func() (*url.URL, error) // starts the server, the first time
	client *http.Client
}

// NewEmulator returns an emulator with a name for people. The first call calls start, which returns
// the emulator's URL. The user and the password in the URL are an access key; without them, it is
// local/local.
func NewEmulator(name string, start func() (string, error)) *Emulator {
	return &Emulator{
		name: name,
		url: sync.OnceValues(func() (*url.URL, error) {
			address, err := start()
			if err != nil {
				return nil, fmt.Errorf("starting %s: %w", name, err)
			}
			return url.Parse(address)
		}),
		// A redirect of the emulator is its answer. If the run followed it, the call would reach a
		// resource that nobody has authorized.
		client: &http.Client{
			// An object may be compressed: it arrives as it was stored.
			Transport:     &http.Transport{DisableCompression: true, DisableKeepAlives: true},
			CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
		},
	}
}

func (e *Emulator) String() string { return e.name }

// Start starts the emulator, unless it runs already.
func (e *Emulator) Start() error {
	_, err := e.url()
	return err
}

// A Call is a call that creates a declared resource.
type Call struct {
	Operation string // in X-Amz-Target; empty without that header
	Method    string // default: POST
	Path      string // with the query; default: /
	Body      string

	ContentType string // default: that of a JSON body, for calls with an Operation
	// Exists are the codes of errors that say that the resource exists: an emulator outside of the
	// run keeps its resources.
	Exists []string
	// Hint, if not empty, says what a person may do if the call fails.
	Hint string
	// Then, if not nil, gets the answer.
	Then func(answer []byte) error
}

// do sends a call and returns an error if the emulator does not answer with success.
func (s *service) do(c Call) error {
	status, text, err := s.ask(c)
	if err != nil {
		return err
	}
	if status < http.StatusBadRequest {
		if c.Then != nil {
			return c.Then(text)
		}
		return nil
	}
	exists := func(code string) bool { return bytes.Contains(text, []byte(code)) }
	if slices.ContainsFunc(c.Exists, exists) {
		return nil
	}
	err = fmt.Errorf("%s answers %d %s: %s",
		cmp.Or(c.Operation, c.Method+" "+c.Path), status, http.StatusText(status), text)
	if c.Hint != "" {
		err = fmt.Errorf("%w: %s", err, c.Hint)
	}
	return err
}

// ask sends a call and returns the status and the beginning of the answer.
func (s *service) ask(c Call) (status int, text []byte, err error) {
	r, err := http.NewRequestWithContext(s.Context, cmp.Or(c.Method, http.MethodPost),
		"http://emulator"+cmp.Or(c.Path, "/"), strings.NewReader(c.Body))
	if err != nil {
		return 0, nil, fmt.Errorf("making the request: %w", err)
	}
	if c.Operation != "" {
		r.Header.Set("X-Amz-Target", s.Target+"."+c.Operation)
		r.Header.Set("Content-Type", "application/x-amz-json-1.1")
	}
	if c.ContentType != "" {
		r.Header.Set("Content-Type", c.ContentType)
	}
	response, err := s.send(r, []byte(c.Body))
	if err != nil {
		return 0, nil, err
	}
	defer response.Body.Close()
	text, err = io.ReadAll(io.LimitReader(response.Body, maxError))
	if err != nil {
		return 0, nil, fmt.Errorf("reading the answer: %w", err)
	}
	return response.StatusCode, text, nil
}

// maxError limits how much of an error the run reads.
const maxError = 64 << 10

// dropped are headers of a call that the run does not pass on: they belong to the connection, or to
// the caller's signature.
// https://www.rfc-editor.org/rfc/rfc9110#name-connection
var dropped = []string{
	"Authorization", "X-Amz-Security-Token", "X-Amz-Date", "Connection", "Keep-Alive", "Proxy-Connection",
	"Te", "Trailer", "Transfer-Encoding", "Upgrade", "Content-Length", "Accept-Encoding", "Expect",
}

// send sends a request to the emulator, signed by the emulator's access key. All callers have the
// same one, because DynamoDB Local, for example, keeps the tables of each key apart:
// https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/DynamoDBLocal.UsageNotes.html
func (s *service) send(r *http.Request, body []byte) (*http.Response, error) {
	base, err := s.Emulator.url()
	if err != nil {
		return nil, err
	}
	out := r.Clone(r.Context())
	out.RequestURI, out.Host = "", base.Host
	if s.Rewrite != nil {
		body = s.Rewrite(s.graph, body)
	}
	out.URL.Scheme, out.URL.Host = base.Scheme, base.Host
	if prefix := strings.TrimSuffix(base.Path, "/"); prefix != "" {
		out.URL.Path, out.URL.RawPath = prefix+out.URL.Path, prefix+out.URL.EscapedPath()
	}
	for _, name := range dropped {
		out.Header.Del(name)
	}
	out.Body, out.ContentLength, out.TransferEncoding = io.NopCloser(bytes.NewReader(body)), int64(len(body)), nil
	if len(body) == 0 {
		out.Body = http.NoBody
	}
	sum := sha256.Sum256(body)
	payload := cmp.Or(out.Header.Get("X-Amz-Content-Sha256"), hex.EncodeToString(sum[:]))
	if s.Service == "s3" {
		out.Header.Set("X-Amz-Content-Sha256", payload)
	}
	credentials := aws.Credentials{AccessKeyID: "local", SecretAccessKey: "local"}
	if base.User != nil {
		credentials.AccessKeyID = base.User.Username()
		credentials.SecretAccessKey, _ = base.User.Password()
	}
	signer := v4.NewSigner(func(o *v4.SignerOptions) { o.DisableURIPathEscaping = s.Service == "s3" })
	if err := signer.SignHTTP(r.Context(), credentials, out, payload, s.Service, s.Region, time.Now()); err != nil {
		return nil, fmt.Errorf("signing the call for %s: %w", s.Emulator, err)
	}
	response, err := s.Emulator.client.Do(out)
	if err != nil {
		return nil, fmt.Errorf("%s does not answer: %w", s.Emulator, err)
	}
	return response, nil
}

// unsupported are codes with which emulators answer a call that they do not know.
var unsupported = []string{
	"UnknownOperation", "UnknownService", "NotImplemented", "InvalidAction", "UnsupportedOperation",
}

const unsupportedCall = "the emulator does not support this call: it fails here, and may work on AWS"

// answer returns the function that passes on the calls of a service.
func (s *service) answer() awsapi.Answer {
	var warned sync.Map // by operation
	return func(ctx context.Context, w http.ResponseWriter, r *http.Request, body []byte, operation string,
		may func(awsapi.Permission) error) (failed bool, err error) {
		if s.Misrouted != nil {
			if err := s.Misrouted(Request{Request: r, Graph: s.graph}, operation, s.ask); err != nil {
				return true, err
			}
		}
		response, err := s.send(r, body)
		if err != nil {
			if ctx.Err() == nil {
				s.Log.ErrorContext(ctx, "an emulator does not answer", events.AWSCallFailed.Attr(),
					"service", s.Service, "operation", operation, "error", err)
			}
			return true, &awsapi.Error{
				Status: http.StatusServiceUnavailable, Code: "ServiceUnavailable", Message: err.Error(),
			}
		}
		defer response.Body.Close()
		failed = response.StatusCode >= http.StatusBadRequest
		var head []byte
		if failed {
			head, _ = io.ReadAll(io.LimitReader(response.Body, maxError)) // the caller sees a short error
			if s.Reveals != nil {
				if need := s.Reveals(r, operation, response.StatusCode, head); need != nil {
					if err := may(*need); err != nil {
						return true, err
					}
				}
			}
			code := string(head) + response.Header.Get("X-Amzn-Errortype")
			lacks := func(text string) bool { return strings.Contains(code, text) }
			if response.StatusCode == http.StatusNotImplemented || slices.ContainsFunc(unsupported, lacks) {
				if _, again := warned.LoadOrStore(operation, true); !again {
					s.Log.WarnContext(ctx, unsupportedCall, events.AWSCallFailed.Attr(), "service", s.Service,
						"operation", operation, "emulator", s.Emulator.name, "answer", strings.TrimSpace(string(head)))
				}
			}
		}
		maps.Copy(w.Header(), response.Header)
		w.Header().Del("Connection")
		w.WriteHeader(response.StatusCode)
		_, _ = w.Write(head) // #nosec G705 -- an answer of AWS's API is no page
		_, err = io.Copy(w, response.Body)
		if err != nil && !errors.Is(err, context.Canceled) {
			s.Log.DebugContext(ctx, "passing an answer on failed", slog.String("service", s.Service), "error", err)
		}
		return failed, nil
	}
}
