package rules

import (
	"fmt"
	"regexp"
	"slices"
	"strings"

	"restock/infra/graph"
)

// checkStages checks that a stage serves its API at the API's own URL, and that AWS accepts the
// stage, its access log and the names of the API.
func checkStages(i *inspection) {
	for _, r := range i.OfType(graph.APIStage) {
		// The paths of another stage begin with its name:
		// https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-stages.html
		if name := r.String("name"); name != "$default" {
			i.report(r, "set name to $default", "its name is %q: all paths would begin with /%s, and %s without it "+
				"answers 404",
				name, name, "the API's URL")
		}
		if !r.Bool("autoDeploy") && r.String("deploymentId") == "" {
			i.report(r, "set autoDeploy to true", "autoDeploy is false, and it has no deployment: it answers 404")
		}
		i.checkAccessLog(r)
	}
	i.checkDomains()
	i.checkCORS()
}

// contextVariables are the variables of an access log:
// https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-logging-variables.html
var contextVariables = strings.Fields(`accountId apiId authorizer.error authorizer.principalId awsEndpointRequestId
	awsEndpointRequestId2 customDomain.basePathMatched dataProcessed domainName domainPrefix error.message
	error.messageString error.responseType extendedRequestId httpMethod identity.accountId identity.caller
	identity.cognitoAuthenticationProvider identity.cognitoAuthenticationType identity.cognitoIdentityId
	identity.cognitoIdentityPoolId identity.principalOrgId identity.sourceIp identity.user identity.userAgent
	identity.userArn integration.error integration.integrationStatus integration.latency integration.requestId
	integration.status integrationErrorMessage integrationLatency integrationStatus path protocol requestId
	requestTime requestTimeEpoch responseLatency responseLength routeKey stage status`)

// contextVariable matches a variable in the format of an access log.
var contextVariable = regexp.MustCompile(`\$([\w-]+)((?:\.[\w-]+)*)`)

// checkAccessLog: API Gateway writes a hyphen for a variable that does not exist.
func (i *inspection) checkAccessLog(stage *graph.Resource) {
	settings := stage.Object("accessLogSettings")
	if settings == nil {
		return
	}
	format, _ := settings["format"].(string)
	for _, v := range contextVariable.FindAllStringSubmatch(format, -1) {
		name := strings.TrimPrefix(v[2], ".")
		open := strings.HasPrefix(name, "authorizer.") || strings.HasPrefix(name, "identity.clientCert.")
		if v[1] != "context" || !open && !slices.Contains(contextVariables, name) {
			i.report(stage, "use a variable of HTTP APIs, like $context.status",
				"the format of its access log has %s, which does not exist: the log has a hyphen in its place", v[0])
		}
	}
}

// checkDomains: HTTP APIs have regional names with TLS 1.2 only.
// https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-custom-domain-names.html
func (i *inspection) checkDomains() {
	for _, r := range i.OfType(graph.APIDomainName) {
		configuration := r.Object("domainNameConfiguration")
		for property, want := range map[string]string{"endpointType": "REGIONAL", "securityPolicy": "TLS_1_2"} {
			if got := configuration[property]; got != want {
				i.report(r, "set "+property+" to "+want,
					"its %s is %v, want %s: an HTTP API has no other", property, got, want)
			}
		}
		if arn, _ := configuration["certificateArn"].(string); !strings.HasPrefix(arn, "arn:aws:acm:"+i.Region+":") {
			i.report(r, "use a certificate of Certificate Manager in "+i.Region,
				"its certificateArn is %q, want a certificate in %s, the API's region: API Gateway refuses another",
				arn, i.Region)
		}
	}
	for _, r := range i.OfType(graph.APIMapping) {
		stages := slices.ContainsFunc(i.OfType(graph.APIStage), func(stage *graph.Resource) bool {
			return stage.String("name") == r.String("stage") && stage.String("apiId") == r.String("apiId")
		})
		if !stages {
			i.report(r, "use the output of the Stage in place of a text: stage.Name",
				"its stage is %q, which API %q does not have: "+
					"AWS refuses it",
				r.String("stage"), r.String("apiId"))
		}
		if i.Find(graph.APIDomainName, "domainName", r.String("domainName")) == nil {
			i.report(r, "use the output of the DomainName in place of a text: domainName.DomainName",
				"its domainName is %q, which is not declared: AWS refuses it",
				r.String("domainName"))
		}
	}
}

// safelisted are the methods that browsers send to other sites without allowMethods.
// https://fetch.spec.whatwg.org/#cors-safelisted-method
var safelisted = []string{"GET", "HEAD", "POST"}

// checkCORS checks that pages of other sites may send the requests that the API answers. Signed
// routes and buffered ones are not for pages.
// https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-cors.html
func (i *inspection) checkCORS() {
	for _, api := range i.OfType(graph.API) {
		cors := graph.Resource{Outputs: api.Object("corsConfiguration")}
		allowed := append(cors.Strings("allowMethods"), safelisted...)
		if len(cors.Outputs) == 0 || slices.Contains(allowed, "*") {
			continue
		}
		for _, route := range i.OfType(graph.APIRoute) {
			method, _, isMethod := strings.Cut(route.String("routeKey"), " ")
			public := route.String("authorizationType") == "" || route.String("authorizationType") == "NONE"
			if isMethod && public && i.queueOf(i.Integration(route)) == nil && !slices.Contains(allowed, method) {
				i.report(api, "add "+method+" to allowMethods",
					"allowMethods of its corsConfiguration lack %s: browsers refuse the route %q "+
						"to the pages of %s", method, route.String("routeKey"),
					strings.Join(cors.Strings("allowOrigins"), ", "))
			}
		}
	}
}

// handlesBuffered reports whether an integration invokes a function whose requests wait in its
// queue.
func (i *inspection) handlesBuffered(integration *graph.Resource) bool {
	function := i.Find(graph.Function, "invokeArn", integration.String("integrationUri"))
	for r, f := range i.functions() {
		if r == function {
			return f.Buffered
		}
	}
	return false
}

// subtypes are the actions of AWS services that an HTTP API can send a request to:
// https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-develop-integrations-aws-services-reference.html
var subtypes = strings.Fields(`EventBridge-PutEvents SQS-SendMessage SQS-ReceiveMessage SQS-DeleteMessage
	SQS-PurgeQueue AppConfig-GetConfiguration Kinesis-PutRecord StepFunctions-StartExecution
	StepFunctions-StartSyncExecution StepFunctions-StopExecution`)

// requestPart matches a part of a request in a parameter of an integration.
var requestPart = regexp.MustCompile(`\$\{?request\.(path|querystring|header|body)\.([\w-]+)`)

// anyPart matches the beginning of an expression about a request.
var anyPart = regexp.MustCompile(`\$\{request\.\w+`)

// checkIntegrations checks that AWS accepts the routes and the integrations of an API, and that the
// functions can read what they get: events of version 2.0, or a message with the body of the
// request and the declared parts of it.
// https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-develop-integrations-lambda.html
// https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-parameter-mapping.html
func checkIntegrations(i *inspection) {
	for _, r := range i.OfType(graph.APIIntegration) {
		subtype := r.String("integrationSubtype")
		switch {
		case subtype == "" && i.handlesBuffered(r): // the rule buffer reports it
		case subtype == "":
			if kind, version := r.String("integrationType"), r.String("payloadFormatVersion"); kind != "AWS_PROXY" ||
				version != "2.0" {
				i.report(r, "set integrationType to AWS_PROXY and payloadFormatVersion to 2.0",
					"its integrationType is %s and its payloadFormatVersion %q: the functions read events of version "+
						"2.0",
					kind, version)
			}
		case !slices.Contains(subtypes, subtype):
			i.report(r, "set integrationSubtype to SQS-SendMessage",
				"its integrationSubtype is %q, which API Gateway does not have", subtype)
		case subtype == "SQS-SendMessage":
			parameters := r.Object("requestParameters")
			if url := parameters["QueueUrl"]; i.Find(graph.Queue, "url", url) == nil {
				i.report(r, "use the output of the Queue: queue.Url",
					"its parameter QueueUrl is %q, want the URL of a queue of the "+
						"stack: requests are lost",
					url)
			}
			if body := parameters["MessageBody"]; body != "$request.body" {
				i.report(r, "set MessageBody to $request.body",
					"its parameter MessageBody is %q, want $request.body: the function needs the whole body of a "+
						"request", body)
			}
		}
	}
	for _, route := range i.OfType(graph.APIRoute) {
		key := route.String("routeKey")
		integration := i.Integration(route)
		if integration == nil {
			continue // the rule route reports it
		}
		for _, value := range integration.Object("requestParameters") {
			for _, part := range anyPart.FindAllString(fmt.Sprint(value), -1) {
				if !requestPart.MatchString(part+".x") && !strings.HasPrefix(part, "${request.body") {
					i.report(integration, "use path, querystring, header or body",
						"it sends %s, and a request has no such part: API Gateway refuses the integration", part)
				}
			}
			for _, part := range requestPart.FindAllStringSubmatch(fmt.Sprint(value), -1) {
				parameter := "{" + part[2]
				inPath := strings.Contains(key, parameter+"}") || strings.Contains(key, parameter+"+}")
				if part[1] == "path" && !inPath {
					sent := "${request.path." + part[2] + "}"
					i.report(integration, "name a parameter of the route's path",
						"it sends %s, and the route %q has no {%s} in its path: API Gateway answers 400",
						sent, key, part[2])
				}
			}
		}
	}
}
