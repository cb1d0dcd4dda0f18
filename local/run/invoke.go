package run

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"slices"
	"strings"

	"restock/infra/graph"
	"restock/local/aws/awsapi"
	"restock/local/aws/iam"
	"restock/local/aws/lambda"
	"restock/local/view/console"
	"restock/local/view/events"
)

// invokeRoute is the only operation of Lambda's API that a run serves: a person invokes a function.
// https://docs.aws.amazon.com/lambda/latest/api/API_Invoke.html
const invokeRoute = "POST /2015-03-31/functions/{function}/invocations"

// RegionHeader is the header of answers to invokeRoute with the run's region, which a signature
// needs. An unsigned request gets it with the refusal.
const RegionHeader = "X-Local-Region"

// An invoker serves invokeRoute.
type invoker struct {
	functions functions
	authority *iam.Authority
	region    string
	log       *slog.Logger
}

// withInvoke adds invokeRoute to the AWS endpoint.
func (s *services) withInvoke(endpoint http.Handler, g *graph.Graph, log *slog.Logger) http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc(invokeRoute, func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set(RegionHeader, g.Region)
		functions := s.functions.Load()
		if functions == nil {
			refuse(w, http.StatusServiceUnavailable, "ServiceException",
				"the run is starting: its functions are not ready")
			return
		}
		invoker{*functions, s.authority, g.Region, log}.ServeHTTP(w, r)
	})
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		// A ServeMux would redirect a path such as /bucket//key, which is a key of S3.
		if strings.HasPrefix(r.URL.Path, "/2015-03-31/functions/") {
			if _, pattern := mux.Handler(r); pattern != "" {
				mux.ServeHTTP(w, r)
				return
			}
		}
		endpoint.ServeHTTP(w, r)
	})
}

func (i invoker) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	event, err := io.ReadAll(http.MaxBytesReader(w, r.Body, lambda.MaxRequest+1))
	if err != nil {
		refuse(w, http.StatusRequestEntityTooLarge, "RequestTooLargeException", lambda.ErrRequestTooLarge.Error())
		return
	}
	name := r.PathValue("function")
	f, arn := i.find(name)
	err = i.authority.AuthorizeRequest(r, event, awsapi.Scope{Service: "lambda", Region: i.region},
		awsapi.Permission{Action: "lambda:InvokeFunction", Resource: arn})
	if err != nil {
		refuse(w, http.StatusForbidden, "AccessDeniedException", err.Error())
		return
	}
	if f == nil {
		refuse(w, http.StatusNotFound, "ResourceNotFoundException", "Function not found: "+arn+"; the functions are "+
			strings.Join(i.names(), ", "))
		return
	}
	switch kind := r.Header.Get("X-Amz-Invocation-Type"); kind {
	case "", "RequestResponse":
	case "DryRun":
		w.WriteHeader(http.StatusNoContent)
		return
	default:
		refuse(w, http.StatusBadRequest, "InvalidParameterValueException",
			fmt.Sprintf("the invocation type %s is not served here: use RequestResponse, or DryRun", kind))
		return
	}
	out, err := f.Invoke(events.WithAttrs(r.Context(), slog.String(console.InvokedBy, "Lambda's API")), event)
	var failure *lambda.FunctionError
	switch {
	case errors.As(err, &failure):
		w.Header().Set("X-Amz-Function-Error", "Unhandled")
		out, err = json.Marshal(failure)
		if err != nil {
			i.log.Error("writing a function's error failed", "function", f.Name, "error", err)
		}
	case errors.Is(err, lambda.ErrInvalidRequest):
		refuse(w, http.StatusBadRequest, "InvalidRequestContentException", err.Error())
		return
	case errors.Is(err, lambda.ErrRequestTooLarge):
		refuse(w, http.StatusRequestEntityTooLarge, "RequestTooLargeException", err.Error())
		return
	case errors.Is(err, lambda.ErrThrottled):
		refuse(w, http.StatusTooManyRequests, "TooManyRequestsException", err.Error())
		return
	case err != nil:
		refuse(w, http.StatusInternalServerError, "ServiceException", err.Error())
		return
	}
	w.Header().Set("X-Amz-Executed-Version", "$LATEST")
	w.Header().Set("Content-Type", "application/json")
	_, _ = w.Write(out) // #nosec G705 -- no page: the answer is JSON, for a client of the API
}

// Invoke invokes a function by its name or ARN, and returns its answer.
func (r *Run) Invoke(ctx context.Context, function string, event []byte) ([]byte, error) {
	f, arn := invoker{functions: *r.services.functions.Load(), region: r.region}.find(function)
	if f == nil {
		return nil, fmt.Errorf("the stack has no function %s", arn)
	}
	return f.Invoke(ctx, event)
}

// find returns a function by its name or ARN. It returns the ARN also of a function that does not
// exist.
func (i invoker) find(nameOrARN string) (f *function, arn string) {
	for arn, f := range i.functions {
		if nameOrARN == arn || nameOrARN == f.Name {
			return f, arn
		}
	}
	return nil, graph.Function.ARN(i.region, nameOrARN)
}

func (i invoker) names() (names []string) {
	for _, f := range i.functions {
		names = append(names, f.Name)
	}
	slices.Sort(names)
	return names
}

// refuse answers with an error of Lambda's API.
func refuse(w http.ResponseWriter, status int, code, message string) {
	body, _ := json.Marshal(map[string]string{"Type": "User", "Message": message}) // texts never fail
	w.Header().Set("X-Amzn-Errortype", code)
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_, _ = w.Write(body) // the client may have gone
}
