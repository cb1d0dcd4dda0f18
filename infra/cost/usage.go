package cost

import (
	"math"
	"slices"
	"strings"
	"time"

	"restock/infra/graph"
	"restock/infra/schedule"
	"restock/lambdas"
)

// A call is a number of invocations and the duration of each.
type call struct {
	times, milliseconds int64
}

// usage adds the cost of a million checkouts, and of the work of a month without checkouts.
func (e *estimator) usage() {
	const checkouts = million
	a := e.assume
	orders := int64(checkouts) / a.LotSize

	calls, requests := map[string][]call{}, int64(0) // by the function's logical name; of the HTTP API
	route := func(key string, times, ms int64) {
		if e.Find(graph.APIRoute, "routeKey", key) != nil {
			requests += times
		}
		if f := e.routed(key); f != nil {
			calls[f.Name] = append(calls[f.Name], call{times, ms})
		}
	}
	route(lambdas.RouteCheckout, checkouts, a.CheckoutMS)
	reads := checkouts * a.ReadsPerCheckout
	withCDN := len(e.OfType(graph.Distribution)) > 0
	if withCDN {
		passed := checkouts + reads
		e.perCheckouts(e.prices.CDNRequest, passed, "%s requests, %d%% of the reads answered from its cache",
			thousands(passed), a.CDNHits)
		e.perCheckouts(e.prices.CDNDataOut, passed*a.ResponseBytes, "%s responses of %d bytes", thousands(passed),
			a.ResponseBytes)
		reads = reads * (100 - a.CDNHits) / 100
	}
	route(lambdas.RouteProducts, reads, a.ReadMS)
	route(lambdas.RouteGoodsReceipt, orders, a.OrderMS)
	route(lambdas.RouteManufactures, orders, a.OrderMS)
	messages := int64(0)
	for _, mapping := range e.OfType(graph.EventSourceMapping) {
		if f := e.Find(graph.Function, "arn", mapping.String("functionName")); f != nil {
			calls[f.Name] = append(calls[f.Name], call{orders, a.OrderMS}) // messages come one by one
			messages += orders
		}
	}

	e.perCheckouts(e.prices.HTTPRequest, requests, "%s requests", thousands(requests))
	if !withCDN { // the data to CloudFront is free
		e.perCheckouts(e.prices.DataOut, requests*a.ResponseBytes, "%s responses of %d bytes", thousands(requests),
			a.ResponseBytes)
	}
	var w work
	for _, f := range e.OfType(graph.Function) {
		w = w.plus(e.work(f, calls[f.Name]))
	}
	if group := e.accessLog(); group != nil {
		bytes := requests * a.AccessBytes
		w.logged += bytes
		w.stored += a.kept(bytes, group)
	}
	e.perCheckouts(e.prices.FunctionRequest, w.invocations, "%s invocations", thousands(w.invocations))
	e.perCheckouts(e.prices.ComputeARM, w.arm, "%s GB-seconds", thousands(w.arm/gbSecond))
	e.perCheckouts(e.prices.ComputeX86, w.x86, "%s GB-seconds", thousands(w.x86/gbSecond))
	e.perCheckouts(e.prices.Trace, w.traced*a.Traced/100, "%d%% of %s invocations", a.Traced, thousands(w.traced))
	e.perCheckouts(e.prices.LogIngestion, w.logged, "%s of functions and of the API's access log", gigabytes(w.logged))
	e.perCheckouts(e.prices.LogStorage, w.stored, "%s kept for the retention", gigabytes(w.stored))
	e.perCheckouts(e.prices.SecretCall, w.secretCalls, "%s calls, one for each secret at a cold start",
		thousands(w.secretCalls))

	published, encrypted := int64(0), int64(0)
	for _, topic := range e.OfType(graph.Topic) {
		if topic.Name == lambdas.StockEmptyTopic {
			published = orders
			if topic.String("kmsMasterKeyId") != "" {
				encrypted = 2 * published // to encrypt and to deliver; SNS may reuse a data key, which costs less
			}
		}
	}
	e.perCheckouts(e.prices.Publish, published, "%s production orders", thousands(published))
	e.perCheckouts(e.prices.KeyCall, encrypted, "%s, two a message of an encrypted topic", thousands(encrypted))
	e.perCheckouts(e.prices.QueueRequest, 3*messages, "send, receive, delete × %s messages", thousands(messages))
	if len(e.OfType(graph.VPCEndpoint)) > 0 {
		through := published + w.privateSecretCalls
		e.perCheckouts(e.prices.EndpointData, through*a.EndpointBytes, "%s calls × %d bytes", thousands(through),
			a.EndpointBytes)
	}
	e.idle()
}

// idle adds the work of a month without checkouts: schedules, and polling of empty queues.
func (e *estimator) idle() {
	const month = hoursPerMonth * time.Hour
	for _, rule := range e.OfType(graph.EventRule) {
		expression, err := schedule.Parse(rule.String("scheduleExpression"))
		if err != nil {
			e.notPriced(rule, "scheduleExpression "+rule.String("scheduleExpression"))
			continue
		}
		for _, target := range e.OfType(graph.EventTarget) {
			f := e.Find(graph.Function, "arn", target.String("arn"))
			if f == nil || e.RuleOf(target) != rule {
				continue
			}
			w := e.work(f, []call{{int64(math.Round(expression.Times(month))), e.assume.SweepMS}})
			cost := e.price(e.prices.FunctionRequest, w.invocations) +
				e.price(e.prices.ComputeARM, w.arm) + e.price(e.prices.ComputeX86, w.x86) +
				e.price(e.prices.LogIngestion, w.logged) + e.price(e.prices.LogStorage, w.stored) +
				e.price(e.prices.SecretCall, w.secretCalls) + e.price(e.prices.Trace, w.traced)
			e.always("schedule "+rule.Name, cost, "%s invocations and their logs", thousands(w.invocations))
		}
	}
	for _, mapping := range e.OfType(graph.EventSourceMapping) {
		polls := e.assume.QueuePollers * int64(month/longPoll)
		e.always("polling for "+mapping.Name, e.price(e.prices.QueueRequest, polls), "%s requests to an empty queue",
			thousands(polls))
	}
}

// work is the use of resources by invocations.
type work struct {
	invocations        int64
	arm, x86           int64 // MiB-milliseconds
	logged, stored     int64 // bytes; stored is bytes in the store at any time, if each month is alike
	secretCalls        int64
	privateSecretCalls int64 // the calls from within the VPC
	traced             int64 // invocations with active tracing
}

func (w work) plus(o work) work {
	return work{
		w.invocations + o.invocations, w.arm + o.arm, w.x86 + o.x86, w.logged + o.logged, w.stored + o.stored,
		w.secretCalls + o.secretCalls, w.privateSecretCalls + o.privateSecretCalls,
		w.traced + o.traced,
	}
}

// work returns the use of resources by calls of a function, with their cold starts.
func (e *estimator) work(f *graph.Resource, calls []call) (w work) {
	a := e.assume
	var milliseconds int64
	for _, c := range calls {
		w.invocations += c.times
		milliseconds += c.times * c.milliseconds
	}
	if f.Object("tracingConfig")["mode"] == "Active" {
		w.traced = w.invocations
	}
	cold := w.invocations * a.ColdStartsPerThousand / 1000
	memory := int64(f.Number("memorySize"))
	if memory == 0 {
		memory = 128 // Lambda's default
	}
	compute := memory * (milliseconds + cold*a.ColdStartMS)
	if slices.Contains(f.Strings("architectures"), "arm64") {
		w.arm = compute
	} else {
		w.x86 = compute
	}
	w.logged = w.invocations * a.LogBytes
	group, _ := f.Object("loggingConfig")["logGroup"].(string)
	w.stored = a.kept(w.logged, e.Find(graph.LogGroup, "name", group))
	w.secretCalls = cold * e.secrets(f)
	if f.Object("vpcConfig") != nil {
		w.privateSecretCalls = w.secretCalls
	}
	return w
}

// kept returns the bytes that a log group stores at any time, for the bytes that are written in a
// month. Without a retention the logs grow each year: kept counts one year.
func (a Assumptions) kept(bytes int64, group *graph.Resource) int64 {
	days := int64(365)
	if group != nil && group.Number("retentionInDays") > 0 {
		days = int64(group.Number("retentionInDays"))
	}
	return bytes * a.LogCompressed / 100 * days / 30
}

// accessLog returns the log group of the API's access log; nil if there is none.
func (e *estimator) accessLog() *graph.Resource {
	for _, stage := range e.OfType(graph.APIStage) {
		if arn, _ := stage.Object("accessLogSettings")["destinationArn"].(string); arn != "" {
			return e.Find(graph.LogGroup, "arn", arn)
		}
	}
	return nil
}

// secrets counts the secrets in a function's environment.
func (e *estimator) secrets(f *graph.Resource) (n int64) {
	variables, _ := f.Object("environment")["variables"].(map[string]any)
	for _, value := range variables {
		if text, ok := value.(string); ok && strings.HasPrefix(text, "arn:aws:secretsmanager:") {
			n++
		}
	}
	return n
}

// routed returns the function that a route of the HTTP API invokes; nil if there is none.
func (e *estimator) routed(key string) *graph.Resource {
	route := e.Find(graph.APIRoute, "routeKey", key)
	if route == nil {
		return nil
	}
	if integration := e.Integration(route); integration != nil {
		return e.Find(graph.Function, "invokeArn", integration.String("integrationUri"))
	}
	return nil
}
