package lambda

import (
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strconv"
)

// MaxPayload limits a function's answer, in bytes. The documentation says 6 MB:
// https://docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html
// Lambda's error message and its emulator allow these 100 bytes more.
const MaxPayload = 6<<20 + 100

// runtimeAPI returns the Runtime API of all instances. The path begins with the instance's id,
// which is part of AWS_LAMBDA_RUNTIME_API: runtimes put "http://" before it and the request's path
// after it. The id is random, so it also authenticates the instance.
// https://docs.aws.amazon.com/lambda/latest/dg/runtimes-api.html
func (h *Host) runtimeAPI() http.Handler {
	mux := http.NewServeMux()
	handle := func(pattern string, f func(http.ResponseWriter, *http.Request, *instance)) {
		mux.HandleFunc(pattern, func(w http.ResponseWriter, r *http.Request) {
			inst := h.instance(r.PathValue("instance"))
			if inst == nil {
				refuse(w, http.StatusForbidden, "InvalidInstance", errors.New("no such instance"))
				return
			}
			f(w, r, inst)
		})
	}
	handle("GET /{instance}/2018-06-01/runtime/invocation/next", serveNext)
	handle("POST /{instance}/2018-06-01/runtime/invocation/{request}/response", serveResponse)
	handle("POST /{instance}/2018-06-01/runtime/invocation/{request}/error", serveError)
	handle("POST /{instance}/2018-06-01/runtime/init/error", serveInitError)
	return mux
}

func (h *Host) register(inst *instance) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.instances[inst.id] = inst
}

func (h *Host) unregister(inst *instance) {
	h.mu.Lock()
	defer h.mu.Unlock()
	delete(h.instances, inst.id)
}

func (h *Host) instance(id string) *instance {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.instances[id]
}

// serveNext answers with the next event. It may wait for it without limit.
func serveNext(w http.ResponseWriter, r *http.Request, inst *instance) {
	if err := inst.next(); err != nil {
		refuse(w, http.StatusForbidden, "InvalidStateTransition", err)
		return
	}
	select {
	case d := <-inst.events:
		inv := d.inv
		d.conn = runtimeConnOf(r)
		inst.nextDone(inv) // before the process has the event: it may answer at once
		header := w.Header()
		header.Set("Content-Length", strconv.Itoa(len(inv.payload)))
		header.Set("Content-Type", "application/json")
		header.Set("Lambda-Runtime-Aws-Request-Id", inv.requestID)
		header.Set("Lambda-Runtime-Deadline-Ms", strconv.FormatInt(inv.deadline.UnixMilli(), 10))
		header.Set("Lambda-Runtime-Invoked-Function-Arn", inst.fn.ARN)
		header.Set("Lambda-Runtime-Trace-Id", inv.span.Header())
		_, err := w.Write(inv.payload)
		err = errors.Join(err, http.NewResponseController(w).Flush())
		if err != nil {
			inst.log.Debug("the event could not be written", "request_id", inv.requestID, "error", err)
			inst.takeBack()
		}
		d.written <- err == nil
	case <-r.Context().Done():
		inst.nextDone(nil)
	}
}

func serveResponse(w http.ResponseWriter, r *http.Request, inst *instance) {
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, MaxPayload))
	a := &answer{payload: body}
	if tooLarge := (*http.MaxBytesError)(nil); errors.As(err, &tooLarge) {
		a = &answer{err: &FunctionError{
			Type:    ErrorTypeResponseSize,
			Message: fmt.Sprintf("Response payload size exceeded maximum allowed payload size (%d bytes).", MaxPayload),
		}}
	} else if err != nil {
		refuse(w, http.StatusBadRequest, "InvalidRequest", fmt.Errorf("reading the response: %w", err))
		return
	}
	// A runtime that fails in the middle of a response reports it in the trailer.
	// https://docs.aws.amazon.com/lambda/latest/dg/runtimes-custom.html#runtimes-custom-response-streaming
	if errorType := r.Trailer.Get("Lambda-Runtime-Function-Error-Type"); errorType != "" {
		detail, _ := base64.StdEncoding.DecodeString(r.Trailer.Get("Lambda-Runtime-Function-Error-Body"))
		a = &answer{err: reportedError(detail, errorType)}
	}
	status := http.StatusAccepted
	if a.err != nil && a.err.Type == ErrorTypeResponseSize {
		status = http.StatusRequestEntityTooLarge
	}
	accept(w, inst.respond(r.PathValue("request"), a), status)
}

func serveError(w http.ResponseWriter, r *http.Request, inst *instance) {
	e, err := readError(w, r)
	if err != nil {
		refuse(w, http.StatusBadRequest, "InvalidRequest", err)
		return
	}
	accept(w, inst.respond(r.PathValue("request"), &answer{err: e}), http.StatusAccepted)
}

func serveInitError(w http.ResponseWriter, r *http.Request, inst *instance) {
	e, err := readError(w, r)
	if err != nil {
		refuse(w, http.StatusBadRequest, "InvalidRequest", err)
		return
	}
	select {
	case inst.initFailed <- e:
		accept(w, nil, http.StatusAccepted)
	default:
		refuse(w, http.StatusForbidden, "InvalidStateTransition", errors.New("an init error was reported before"))
	}
}

func readError(w http.ResponseWriter, r *http.Request) (*FunctionError, error) {
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, MaxPayload))
	if err != nil {
		return nil, fmt.Errorf("reading the error: %w", err)
	}
	return reportedError(body, r.Header.Get("Lambda-Runtime-Function-Error-Type")), nil
}

func accept(w http.ResponseWriter, err error, status int) {
	if err != nil {
		refuse(w, http.StatusBadRequest, "InvalidRequestID", err)
		return
	}
	writeJSON(w, status, map[string]string{"status": "OK"})
}

func refuse(w http.ResponseWriter, status int, errorType string, err error) {
	writeJSON(w, status, map[string]string{"errorType": errorType, "errorMessage": err.Error()})
}

func writeJSON(w http.ResponseWriter, status int, v map[string]string) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(v) // an error means that the process is ending
}
