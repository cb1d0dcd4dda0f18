package awsapi

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/google/uuid"
)

// maxBody is the largest request body taken, in bytes. A batch of SQS messages may hold 1 MiB, which JSON's escapes can
// make six times as long.
const maxBody = 8 << 20

// Service is one AWS service: what the requests for it look like, and the operations it has.
type Service struct {
	// Name is the name the service signs requests with, such as "sqs".
	Name string
	// Protocol is how requests and answers are written.
	Protocol Protocol
	// Operations are the calls the service has, by the API's names for them.
	Operations map[string]Operation
}

// Operation is one call of a service. Handle makes it from a typed function.
type Operation func(ctx context.Context, decode func(input any) error) (output any, err error)

// Handle makes an operation of a function from the decoded input to the output. An error that is, or wraps, an *Error is
// sent to the caller; any other is logged and sent as an internal failure.
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
	names    []string           // of the services, sorted
}

// NewHandler returns a handler for the services. Two services may not share a JSON target prefix or a query version: that
// is a mistake in the program, and panics.
func NewHandler(log *slog.Logger, services ...Service) *Handler {
	h := &Handler{log: log, services: map[string]Service{}}
	for _, s := range services {
		key := s.Protocol.key()
		if other, taken := h.services[key]; taken {
			panic(fmt.Sprintf("awsapi: services %s and %s are both addressed by %q", other.Name, s.Name, key))
		}
		h.services[key] = s
		h.names = append(h.names, s.Name)
	}
	slices.Sort(h.names)
	return h
}

// ServeHTTP answers one API call.
func (h *Handler) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	start := time.Now()
	requestID := uuid.NewString()
	w.Header().Set("X-Amzn-Requestid", requestID)
	r.Body = http.MaxBytesReader(w, r.Body, maxBody)

	scope := parseCredentialScope(r.Header.Get("Authorization"))
	ctx := withAccessKeyID(r.Context(), scope.accessKeyID)

	protocol, service, operation, err := h.route(r, scope)
	var out any
	if err == nil {
		out, err = service.Operations[operation](ctx, protocol.decoder(r))
	}

	log := h.log.With("service", service.Name, "operation", operation, "caller", scope.accessKeyID, "duration", time.Since(start))
	var refusal *Error
	switch {
	case err == nil:
		log.Debug("AWS call answered")
		protocol.writeOutput(w, operation, requestID, out)
		return
	case r.Context().Err() != nil:
		log.Debug("AWS call abandoned: the caller is gone, or the run is ending")
		return
	case !errors.As(err, &refusal):
		log.Error("AWS call failed inside the local run", "error", err)
		refusal = &Error{Status: http.StatusInternalServerError, Code: "InternalFailure", Message: "The local run failed; its log has the reason. Request ID: " + requestID}
	default:
		log.Debug("AWS call refused", "code", refusal.Code, "message", refusal.Message)
	}
	protocol.writeError(w, requestID, refusal)
}

// route finds who answers the request. The protocol is never nil, so that a refusal can always be written.
func (h *Handler) route(r *http.Request, scope credentialScope) (Protocol, Service, string, error) {
	key, operation, protocol := "", "", Protocol(jsonProtocol{version: "1.0"})
	if target := r.Header.Get("X-Amz-Target"); target != "" {
		dot := strings.LastIndexByte(target, '.')
		key, operation = target[:max(dot, 0)], target[dot+1:]
	} else {
		if err := r.ParseForm(); err != nil {
			return protocol, Service{}, "", bodyError(err)
		}
		if operation = r.Form.Get("Action"); operation != "" {
			key, protocol = r.Form.Get("Version"), queryProtocol{}
		}
	}

	service, ok := h.services[key]
	if !ok {
		return protocol, Service{Name: scope.service}, operation, h.unknownService(r, operation, scope)
	}
	protocol = service.Protocol
	if _, ok := service.Operations[operation]; !ok {
		return protocol, service, operation, protocol.unknownOperation(fmt.Sprintf(
			"The operation %s of %s is not available in the local run, which serves %s.",
			operation, service.Name, strings.Join(slices.Sorted(maps.Keys(service.Operations)), ", ")))
	}
	return protocol, service, operation, nil
}

func (h *Handler) unknownService(r *http.Request, operation string, scope credentialScope) *Error {
	wanted := scope.service
	if wanted == "" {
		wanted = "unnamed (the request is not signed)"
	}
	if operation == "" {
		operation = r.Method + " " + r.URL.Path
	}
	return &Error{
		Status: http.StatusNotFound,
		Code:   "UnknownOperationException",
		Message: fmt.Sprintf("The local run does not serve %s: the service asked for is %s, and the services here are %s.",
			operation, wanted, strings.Join(h.names, ", ")),
	}
}
