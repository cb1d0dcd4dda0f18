package run

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"net/http"
	"slices"
	"sync"
	"time"

	"github.com/google/uuid"

	"restock/infra/graph"
	"restock/infra/rules"
	"restock/local/aws/apigateway"
	"restock/local/aws/eventsource"
	"restock/local/aws/iam"
	"restock/local/aws/lambda"
	"restock/local/aws/xray"
	"restock/local/view/console"
	"restock/local/view/events"
	"restock/local/view/progress"
)

// functions are the deployed functions by ARN.
type functions map[string]*function

// A function is a deployed function. Its errors of throttling are [awsapi.Throttled].
type function struct {
	*lambda.Deployed
	ended  func(console.Invocation) // nil without a console
	notRun string                   // why the run cannot run it, or ""
}

// throttled is the error of an invocation that exceeds the concurrency.
type throttled struct {
	error
	reason string
}

func (throttled) Throttled() bool  { return true }
func (t throttled) Reason() string { return t.reason }
func (t throttled) Unwrap() error  { return t.error }

// Invoke invokes the function.
func (f *function) Invoke(ctx context.Context, payload []byte) ([]byte, error) {
	if f.notRun != "" {
		return nil, fmt.Errorf("function %s is not run here: %s", f.Name, f.notRun)
	}
	id, began := cmp.Or(lambda.RequestID(ctx), uuid.NewString()), time.Now()
	out, err := f.Deployed.Invoke(lambda.WithRequestID(ctx, id), payload)
	if f.ended != nil {
		f.ended(invocation(f.Name, id, began, payload, out, err))
	}
	if full := (*lambda.ThrottledError)(nil); errors.As(err, &full) {
		return nil, throttled{err, full.Reason}
	}
	return out, err
}

// invocation returns an invocation that has ended, for the console.
func invocation(name, id string, began time.Time, event, answer []byte, err error) console.Invocation {
	i := console.Invocation{
		ID: id, Function: name, Began: began, Took: time.Since(began), Event: event, Answer: answer,
	}
	if err != nil {
		i.Error = err.Error()
	}
	if failure := (*lambda.FunctionError)(nil); errors.As(err, &failure) {
		i.Error = fmt.Sprintf("%s: %s", failure.Type, failure.Message)
		i.Answer, _ = json.Marshal(failure) // its fields are texts: no error
	}
	return i
}

// accountConcurrency returns the account's quota. A program that reserves nothing is for an account
// that cannot reserve anything, so the run gives it the quota of a new account.
func accountConcurrency(g *graph.Graph) int {
	for _, f := range g.OfType(graph.Function) {
		if f.Number("reservedConcurrentExecutions") > 0 {
			return lambda.DefaultConcurrency
		}
	}
	return lambda.NewAccountConcurrency
}

// newFunctions adds the declared functions to a host.
func (r *Run) newFunctions(p *program, authority *iam.Authority) (functions, error) {
	daemon, err := r.startXRay(p.graph)
	if err != nil {
		return nil, err
	}
	host, err := lambda.NewHost(lambda.Config{
		XRayDaemon: daemon,
		Region:     p.graph.Region, AccountID: graph.AccountID,
		EndpointURL: r.listen.url(r.listen.aws),
		Concurrency: accountConcurrency(p.graph),
		Credentials: credentialsOf(authority),
		Log:         r.config.Log.With("part", "lambda"),
	})
	if err != nil {
		return nil, fmt.Errorf("starting the functions' host: %w", err)
	}
	r.host = host
	r.onClose("functions", host.Close)

	blackholed, err := r.blackholed(p.onAWS)
	if err != nil {
		return nil, err
	}
	fs := functions{}
	for _, resource := range p.graph.OfType(graph.Function) {
		if reason := r.notRun[resource.URN]; reason != "" {
			fs[resource.String("arn")] = &function{notRun: reason, Deployed: &lambda.Deployed{
				Function: lambda.Function{Name: resource.String("name"), ARN: resource.String("arn")},
			}}
			continue
		}
		runtime, handler := resource.String("runtime"), resource.String("handler")
		if r.config.Program.Dir == "" && (runtime != "provided.al2023" || handler != "bootstrap") {
			return nil, fmt.Errorf("function %s: runtime %q with handler %q: the run builds only a bootstrap "+
				"for provided.al2023", resource.Name, runtime, handler)
		}
		logFormat, _ := resource.Object("loggingConfig")["logFormat"].(string) // default: text
		logGroup, _ := resource.Object("loggingConfig")["logGroup"].(string)   // default: Lambda's
		logLevel, _ := resource.Object("loggingConfig")["applicationLogLevel"].(string)
		config := lambda.Function{
			Name:        resource.String("name"),
			ARN:         resource.String("arn"),
			Executable:  resource.String("code"),
			Environment: r.services.emulators(r.config.Emulators),
			Timeout:     cmp.Or(seconds(resource.Number("timeout")), lambda.DefaultTimeout),
			MemoryMB:    int(resource.Number("memorySize")),
			LogFormat:   logFormat,
			LogLevel:    logLevel,
			LogGroup:    logGroup,
			Role:        resource.String("role"),

			ActiveTracing: activeTracing(resource),
		}
		if err := authority.AuthorizeRole(config.ARN); err != nil {
			return nil, fmt.Errorf("adding function %s: %w", resource.String("name"), err)
		}
		variables, _ := resource.Object("environment")["variables"].(map[string]any)
		for name, value := range variables {
			config.Environment[name] = fmt.Sprint(value)
		}
		maps.Copy(config.Environment, blackholed[resource.URN])
		reserved, declared := resource.Outputs["reservedConcurrentExecutions"].(float64)
		if declared && reserved >= 0 { // as on AWS, -1 means no reserved concurrency
			concurrency := int(reserved)
			config.ReservedConcurrency = &concurrency
			config.ConcurrencySetting = r.config.Program.concurrencySetting(resource)
		}
		r.debug(&config)
		f, err := host.Add(config)
		if err != nil {
			return nil, fmt.Errorf("adding function %s: %w", resource.String("name"), err)
		}
		fs[resource.String("arn")] = &function{Deployed: f, ended: r.invoked()}
	}
	return fs, nil
}

// activeTracing reports whether a function has active tracing.
func activeTracing(function *graph.Resource) bool {
	return function.Object("tracingConfig")["mode"] == "Active"
}

// startXRay starts the X-Ray daemon, if a function needs it, and returns its address.
func (r *Run) startXRay(g *graph.Graph) (address string, err error) {
	if !slices.ContainsFunc(g.OfType(graph.Function), activeTracing) {
		return "", nil
	}
	daemon, err := xray.Start(r.config.Log.With("part", "xray"))
	if err != nil {
		return "", fmt.Errorf("starting the X-Ray daemon: %w", err)
	}
	r.onClose("X-Ray daemon", func(context.Context) error { return daemon.Close() })
	return daemon.Address(), nil
}

func (fs functions) named(g *graph.Graph, name string) *function {
	if r := g.Find(graph.Function, "name", name); r != nil {
		return fs[r.String("arn")]
	}
	return nil
}

// runInvocations runs the invocations that are a part of the deployment. The run fails if one of
// them fails.
func (fs functions) runInvocations(ctx context.Context, g *graph.Graph, log *slog.Logger) error {
	for _, r := range g.OfType(graph.Invocation) {
		f := fs.named(g, r.String("functionName"))
		if f == nil {
			return fmt.Errorf("invocation %s: there is no function %q", r.Name, r.String("functionName"))
		}
		if err := f.runInvocation(ctx, r, log); err != nil {
			return err
		}
	}
	return nil
}

// runInvocation runs an invocation that is a part of the deployment.
func (f *function) runInvocation(ctx context.Context, invocation *graph.Resource, log *slog.Logger) error {
	step := progress.Begin(log, events.FunctionRunning, "running function "+f.Name)
	_, err := f.Invoke(ctx, []byte(invocation.String("input")))
	step.End(err)
	if err != nil {
		return fmt.Errorf("running function %s: %w", f.Name, err)
	}
	return nil
}

// prepare starts each function once, so that one that cannot start fails the start of the run and
// not the first request: for example because it cannot read a variable of its environment, or has
// no handler for a route. A function that is only slow, or may not run now, does not fail it.
func (fs functions) prepare(ctx context.Context) error {
	var all sync.WaitGroup
	errs := make([]error, len(fs))
	for i, arn := range slices.Sorted(maps.Keys(fs)) {
		all.Go(func() {
			if fs[arn].notRun != "" {
				return
			}
			err := fs[arn].Prepare(ctx)
			var failure *lambda.FunctionError
			if errors.As(err, &failure) && failure.Type != lambda.ErrorTypeTimeout {
				errs[i] = err
			}
		})
	}
	all.Wait()
	return errors.Join(append(errs, ctx.Err())...)
}

// unset returns an error if the program sets a property that the run does not support, unless the
// value is harmless.
func unset(r *graph.Resource, property string, harmless any) error {
	if value, set := r.Outputs[property]; set && value != harmless {
		return fmt.Errorf("%s %s: the local run does not support %s, which is %v: leave it out, or test the stack "+
			"on AWS (%s)", r.Type, r.Name, property, value, r.Source)
	}
	return nil
}

// startEventSources starts the event source mappings.
func (r *Run) startEventSources(g *graph.Graph, s *services) error {
	for _, resource := range g.OfType(graph.EventSourceMapping) {
		if err := unset(resource, "filterCriteria", nil); err != nil {
			return err
		}
		queue, f := s.sqs.Queue(resource.String("eventSourceArn")), s.functionOf(g, resource.String("functionName"))
		if queue == nil || f == nil {
			return fmt.Errorf("event source mapping %s: from %q to %q: the stack lacks the queue or the function",
				resource.Name, resource.String("eventSourceArn"), resource.String("functionName"))
		}
		partial := slices.Contains(resource.Strings("functionResponseTypes"), "ReportBatchItemFailures")
		maximum, _ := resource.Object("scalingConfig")["maximumConcurrency"].(float64)
		enabled, declared := resource.Outputs["enabled"].(bool)
		mapping, err := eventsource.Start(eventsource.Config{
			FunctionName:            f.Name,
			BatchSize:               cmp.Or(int(resource.Number("batchSize")), eventsource.DefaultBatchSize),
			BatchingWindow:          seconds(resource.Number("maximumBatchingWindowInSeconds")),
			MaximumConcurrency:      int(maximum),
			ReportBatchItemFailures: partial,
			FunctionTimeout:         f.Timeout,
			Disabled:                declared && !enabled,
			AuthorizeReceive: func() error {
				return s.authority.AuthorizeEventSource(f.ARN, resource.String("eventSourceArn"))
			},
		}, queue, f, r.config.Log.With("part", "eventsource"))
		if err != nil {
			return fmt.Errorf("event source mapping %s: %w", resource.Name, err)
		}
		r.onClose("event source mapping", mapping.Shutdown)
	}
	return nil
}

// serveAPI serves the declared routes.
func (r *Run) serveAPI(s *services) error {
	p, fs := s.program, *s.functions.Load()
	for _, declared := range p.graph.OfType(graph.API) {
		config := apigateway.Config{APIID: declared.ID, CORS: corsOf(declared)}
		config.Authorize = func(request *http.Request, body []byte, _ apigateway.Route) error {
			return s.authorizeRequest(request, body, p.graph.Region, declared.String("executionArn")+"/"+config.Stage)
		}
		limits := map[string]*apigateway.Throttling{} // by route key
		for _, stage := range p.graph.OfType(graph.APIStage) {
			if stage.String("apiId") != declared.ID {
				continue
			}
			if !stage.Bool("autoDeploy") {
				return fmt.Errorf("stage %s: autoDeploy is not on: nothing would be deployed to it", stage.Name)
			}
			config.Stage, config.DeclaredIn = stage.String("name"), stage.Source
			config.AccessLogFormat, _ = stage.Object("accessLogSettings")["format"].(string)
			config.Throttling = r.throttling(stage, "", stage.Object("defaultRouteSettings"))
			for _, own := range stage.Objects("routeSettings") {
				key, _ := own["routeKey"].(string)
				limits[key] = r.throttling(stage, key, own)
			}
			config.StageVariables = map[string]string{}
			for name, value := range stage.Object("stageVariables") {
				config.StageVariables[name] = fmt.Sprint(value)
			}
		}
		for _, route := range p.graph.OfType(graph.APIRoute) {
			if route.String("apiId") != declared.ID {
				continue
			}
			key := route.String("routeKey")
			served := apigateway.Route{
				Key: key, DeclaredIn: r.config.Program.Declared.Where("route", route),
				Authorization: route.String("authorizationType"), Throttling: limits[key],
			}
			source := rules.RouteARN(declared.String("executionArn"), config.Stage, key)
			if err := s.integrate(&served, p.graph, fs, route, source); err != nil {
				return err
			}
			delete(limits, key)
			config.Routes = append(config.Routes, served)
		}
		for key := range limits {
			return fmt.Errorf("HTTP API %s: the settings of route %q are for no route of the API", declared.Name, key)
		}
		if err := r.serveGateway("HTTP API", p, declared, config); err != nil {
			return err
		}
	}
	return nil
}

// corsOf returns an API's declared CORS configuration, or nil.
func corsOf(api *graph.Resource) *apigateway.CORS {
	declared := api.Object("corsConfiguration")
	if len(declared) == 0 {
		return nil
	}
	list := func(property string) (values []string) {
		items, _ := declared[property].([]any)
		for _, item := range items {
			values = append(values, fmt.Sprint(item))
		}
		return values
	}
	credentials, _ := declared["allowCredentials"].(bool)
	maxAge, _ := declared["maxAge"].(float64)
	return &apigateway.CORS{
		AllowOrigins: list("allowOrigins"), AllowMethods: list("allowMethods"), AllowHeaders: list("allowHeaders"),
		ExposeHeaders: list("exposeHeaders"), AllowCredentials: credentials, MaxAge: int(maxAge),
	}
}

// throttling returns the limits in a stage's settings of a route, or of all routes if the key is
// "". It returns nil if there are none.
func (r *Run) throttling(stage *graph.Resource, key string, settings map[string]any) *apigateway.Throttling {
	if settings == nil {
		return nil
	}
	declared := graph.Resource{Outputs: settings}
	return &apigateway.Throttling{
		RatePerSecond: declared.Number("throttlingRateLimit"),
		Burst:         int(declared.Number("throttlingBurstLimit")),
		Setting:       r.config.Program.throttlingSetting(stage, key),
	}
}

// integrate gives a route its integration: a function, or an action of a service of AWS. source is
// the route's ARN.
func (s *services) integrate(
	served *apigateway.Route, g *graph.Graph, fs functions, route *graph.Resource, source string,
) error {
	if integration := g.Integration(route); integration != nil {
		served.Timeout = seconds(integration.Number("timeoutMilliseconds") / 1000)
		if integration.String("integrationSubtype") != "" {
			var err error
			served.Action, err = s.action(g, integration)
			return err
		}
		kind, format := integration.String("integrationType"), integration.String("payloadFormatVersion")
		if kind != "AWS_PROXY" || format != "2.0" {
			return fmt.Errorf("integration %s: %q with payload format %q: the handlers take AWS_PROXY with 2.0",
				integration.Name, kind, format)
		}
		if r := g.Invoked(integration); r != nil {
			served.Function = s.by(fs[r.String("arn")], "apigateway.amazonaws.com", source)
			return nil
		}
	}
	return fmt.Errorf("route %q leads to %q: the stack lacks the integration or its function",
		route.String("routeKey"), route.String("target"))
}
