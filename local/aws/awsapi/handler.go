package awsapi

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/google/uuid"

	"restock/local/aws/traceid"
	"restock/local/view/events"
)

// maxBody limits a request's body, in bytes. A batch of SQS messages may have 1 MiB, and JSON's
// escapes can multiply that by six.
const maxBody = 8 << 20

// Service is an AWS service: the form of its requests, and its operations.
type Service struct {
	// Name is the service's name in signatures, such as "sqs".
	Name string
	// Protocol is the format of requests and answers.
	Protocol Protocol
	// Operations are the service's operations, by the API's names.
	Operations map[string]Operation
	// Authorization defines the permissions of the operations. A handler without an authorizer
	// ignores it.
	Authorization *Authorization
	// InvalidText answers a request with text that is not valid Unicode. If it is nil, the protocol
	// has an answer.
	InvalidText error
	// Forward, if not nil, passes the calls on to another server. The service has no Operations.
	Forward *Forward
}

// Operation is an operation of a service. Handle makes one from a typed function.
type Operation func(ctx context.Context, decode func(input any) error) (output any, err error)

// Handle makes an operation from a function of the decoded input. If the function's error is or
// wraps an *Error, the caller receives it. Any other error is logged, and the caller receives an
// internal failure.
func Handle[In, Out any](call func(context.Context, In) (Out, error)) Operation {
	return func(ctx context.Context, decode func(any) error) (any, error) {
		var in In
		if err := decode(&in); err != nil {
			return nil, err
		}
		return call(ctx, in)
	}
}

// Handler serves services at one endpoint.
type Handler struct {
	log      *slog.Logger
	services map[string]Service // by Protocol.key
	forwards map[string]Service // with Service.Forward, by name
	names    []string           // of the services, sorted

	authorizer Authorizer // nil: every caller may do everything
	region     string     // of the signatures, with an authorizer

	mu       sync.Mutex
	reported map[[3]string]bool // see first
}

// NewHandler returns a handler that answers every caller. It panics if two services have the same
// JSON target prefix or query version, which is a programming error.
func NewHandler(log *slog.Logger, services ...Service) *Handler {
	h := &Handler{
		log: log, services: map[string]Service{}, forwards: map[string]Service{}, reported: map[[3]string]bool{},
	}
	for _, s := range services {
		if s.Forward != nil {
			h.forwards[s.Name] = s
			h.names = append(h.names, s.Name)
			continue
		}
		key := s.Protocol.key()
		if other, taken := h.services[key]; taken {
			panic(fmt.Sprintf("awsapi: services %s and %s are both addressed by %q", other.Name, s.Name, key))
		}
		h.services[key] = s
		h.names = append(h.names, s.Name)
	}
	slices.Sort(h.names)
	h.names = slices.Compact(h.names) // a service may have two protocols
	return h
}

// ServeHTTP answers one API call.
func (h *Handler) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	start := time.Now()
	requestID := uuid.NewString()
	w.Header().Set("X-Amzn-Requestid", requestID)

	c, err := h.route(w, r)
	ctx := h.context(c)
	if err == nil {
		err = h.authorize(&c)
	}
	var out any
	if err == nil && c.service.Forward != nil {
		may := func(p Permission) error { return h.permit(c, p) }
		var failed bool
		if failed, err = c.service.Forward.Answer(ctx, w, r, c.body, c.operation, may); err == nil {
			h.logForward(ctx, c, failed, start)
			return
		}
	} else if err == nil {
		if err = c.checkText(); err == nil {
			out, err = c.service.Operations[c.operation](ctx, c.protocol.decoder(r, c.body))
		}
	}

	log := h.traced(ctx).With("service", c.service.Name, "operation", c.operation,
		"caller", c.signature.accessKeyID, "duration", time.Since(start))
	var refusal *Error
	switch {
	case err == nil:
		log.DebugContext(ctx, "AWS call answered", events.AWSCallAnswered.Attr())
		c.protocol.writeOutput(w, c.operation, requestID, out)
		return
	case r.Context().Err() != nil:
		log.DebugContext(ctx, "AWS call abandoned: the caller is gone, or the run is ending",
			events.AWSCallFailed.Attr())
		return
	case !errors.As(err, &refusal):
		log.ErrorContext(ctx, "AWS call failed inside the local run", events.AWSCallFailed.Attr(), "error", err)
		refusal = &Error{Status: http.StatusInternalServerError, Code: "InternalFailure",
			Message: "The local run failed; its log has the reason. Request ID: " + requestID}
	case c.options != "" && h.first(c, h.session(c)):
		log.WarnContext(ctx, "no stand-in serves this call: it fails", events.AWSCallFailed.Attr(),
			"code", refusal.Code, "error", refusal.Message, "options", c.options)
	default:
		log.DebugContext(ctx, "AWS call refused", events.AWSCallFailed.Attr(), "code", refusal.Code,
			"error", refusal.Message)
	}
	c.protocol.writeError(w, requestID, refusal)
}

// call is a parsed request.
type call struct {
	request   *http.Request
	body      []byte
	signature signature
	signed    bool // the signature is complete

	protocol  Protocol // never nil, so that an error can always be encoded
	service   Service
	operation string
	options   string // what to do about a call that the handler does not serve; empty otherwise

	permissions []Permission // that a call requires that is passed on
	unread      error        // why they are unknown
}

// checkText refuses text that is not valid Unicode, which Go would change without a word. AWS
// documents what SQS does: it refuses a message with other characters than Unicode's. For Secrets
// Manager and SNS, nothing says whether AWS refuses the text or changes it.
// https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_SendMessage.html
func (c call) checkText() error {
	err := c.protocol.checkText(c.request, c.body)
	if err != nil && c.service.InvalidText != nil {
		return c.service.InvalidText
	}
	return err
}

// traceHeader is the header in which the SDKs pass on the trace of the calling invocation.
// https://docs.aws.amazon.com/xray/latest/devguide/xray-concepts.html#xray-concepts-tracingheader
const traceHeader = "X-Amzn-Trace-Id"

// context returns the call's context. It has the caller, the span that makes the call, and for the
// log the request id and the trace.
func (h *Handler) context(c call) context.Context {
	ctx := withAccessKeyID(c.request.Context(), c.signature.accessKeyID)
	attrs := []slog.Attr{slog.String("caller", c.signature.accessKeyID)}
	if function := h.session(c); function != "" {
		attrs = append(attrs, slog.String("function", function))
	}
	if trace := c.request.Header.Get(traceHeader); trace != "" {
		ctx = WithTraceHeader(ctx, trace)
		attrs = append(attrs, slog.String("trace_id", trace))
	}
	return events.WithAttrs(ctx, attrs...)
}

// traced returns the logger of a call's end. It has the span of the call, if the call is part of a
// trace.
func (h *Handler) traced(ctx context.Context) *slog.Logger {
	if parent, ok := traceid.From(ctx); ok {
		return h.log.With(traceid.Attr(parent.Child()))
	}
	return h.log
}

// session returns the name of the function that claims to have sent a call, or "".
func (h *Handler) session(c call) string {
	if h.authorizer == nil {
		return ""
	}
	caller, _ := h.authorizer.Credentials(c.signature.accessKeyID)
	return caller.Session
}

// route parses the request and finds its operation.
func (h *Handler) route(w http.ResponseWriter, r *http.Request) (call, error) {
	c := call{request: r, protocol: jsonProtocol{version: "1.0"}}
	c.signature, c.signed = parseSignature(r.Header.Get("Authorization"))

	if service, ok := h.forwards[c.signature.service]; ok {
		return h.routeForward(w, c, service)
	}
	body, bodyErr := io.ReadAll(http.MaxBytesReader(w, r.Body, maxBody))
	c.body = body
	key := ""
	if target := r.Header.Get("X-Amz-Target"); target != "" {
		dot := strings.LastIndexByte(target, '.')
		key, c.operation = target[:max(dot, 0)], target[dot+1:]
	} else {
		r.Body = io.NopCloser(bytes.NewReader(body))
		if err := r.ParseForm(); err != nil { // #nosec G120 -- it parses the body that was read, up to maxBody
			return c, bodyError(cmp.Or(bodyErr, err))
		}
		c.operation = r.Form.Get("Action")
		isForm := strings.HasPrefix(r.Header.Get("Content-Type"), "application/x-www-form-urlencoded")
		if c.operation != "" || isForm {
			key, c.protocol = r.Form.Get("Version"), queryProtocol{}
		}
		if c.operation == "" && isForm {
			c.service = Service{Name: c.signature.service}
			// https://docs.aws.amazon.com/sns/latest/api/CommonErrors.html
			return c, Errorf("MissingAction", "The request is missing an action or a required parameter.")
		}
	}

	service, ok := h.services[key]
	if !ok {
		c.service = Service{Name: c.signature.service}
		c.operation = cmp.Or(c.operation, r.Method+" "+r.URL.Path)
		return c, h.unknownService(&c)
	}
	c.service, c.protocol = service, service.Protocol
	if _, ok := service.Operations[c.operation]; !ok {
		return c, c.unknownOperation()
	}
	if bodyErr != nil {
		return c, bodyError(bodyErr)
	}
	return c, nil
}
