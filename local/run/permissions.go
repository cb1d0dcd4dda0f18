package run

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"strings"

	"restock/local/aws/apigateway"
	"restock/local/aws/async"
	"restock/local/aws/awsapi"
	"restock/local/aws/iam"
	"restock/local/aws/lambda"
)

// newAuthority returns the authority that evaluates the declared policies, and the current policies
// of queues, topics and secrets.
func (r *Run) newAuthority(p *program, present func(arn string) (policy string, known bool)) (*iam.Authority, error) {
	authority, err := iam.New(iam.Config{
		Graph: p.graph, ResourcePolicy: present, DeclaredIn: r.config.Program.MissingIn,
		Log:     r.config.Log.With("part", "iam"),
		Refused: func(denied *iam.AccessDenied) { r.refused(denied.Advice()) },
		Made:    r.usage.Made,
	})
	if err != nil {
		return nil, fmt.Errorf("reading the declared policies: %w", err)
	}
	return authority, nil
}

// refused passes a refusal on to Config.Refused.
func (r *Run) refused(line string) {
	if r.config.Refused != nil {
		r.config.Refused(line)
	}
}

// credentialsOf returns a function that issues credentials of a function's role to an instance. Its
// second result revokes them.
func credentialsOf(authority *iam.Authority) func(lambda.Function) (lambda.Credentials, func()) {
	return func(f lambda.Function) (lambda.Credentials, func()) {
		c, release := authority.Issue(f.Role, f.Name)
		return lambda.Credentials{
			AccessKeyID: c.AccessKeyID, SecretAccessKey: c.SecretAccessKey, SessionToken: c.SessionToken,
		}, release
	}
}

// invoked is a function that an AWS service invokes. The service needs a permission.
type invoked struct {
	*function
	authority       *iam.Authority
	service, source string // the service, and the ARN of the resource on whose behalf it calls
}

// Invoke invokes the function if a permission allows the service to do so.
func (i invoked) Invoke(ctx context.Context, payload []byte) ([]byte, error) {
	if err := i.authority.AuthorizeService(i.service, i.source, "lambda:InvokeFunction", i.ARN); err != nil {
		return nil, err
	}
	return i.function.Invoke(ctx, payload)
}

// subscribed returns a function for SNS, which invokes it on behalf of a topic; nil if there is
// none.
func (s *services) subscribed(topicARN, functionARN string) async.Invoker {
	functions := s.functions.Load()
	if functions == nil || (*functions)[functionARN] == nil {
		return nil
	}
	return s.by((*functions)[functionARN], "sns.amazonaws.com", topicARN)
}

// by returns a function for a service that invokes it on behalf of a resource.
func (s *services) by(f *function, service, source string) invoked {
	return invoked{f, s.authority, service, source}
}

// authorizeRequest checks that the signer of a request to an API may send it.
func (s *services) authorizeRequest(r *http.Request, body []byte, region, stageARN string) error {
	return s.authority.AuthorizeRequest(r, body, awsapi.Scope{Service: "execute-api", Region: region},
		toInvoke(r, stageARN))
}

// toInvoke returns the permission that a request to an API requires. It is for the path of the
// request below the stage, not for the route's pattern.
// https://docs.aws.amazon.com/apigateway/latest/developerguide/api-gateway-control-access-using-iam-policies-to-invoke-api.html
func toInvoke(r *http.Request, stageARN string) awsapi.Permission {
	below := r.URL.Path
	if stage := stageARN[strings.LastIndexByte(stageARN, '/')+1:]; stage != apigateway.DefaultStage {
		below = strings.TrimPrefix(below, "/"+stage)
	}
	return awsapi.Permission{
		Action: "execute-api:Invoke", Resource: stageARN + "/" + r.Method + below, SourceIP: apigateway.SourceIP(r),
	}
}

// authorizeURL checks that the signer of a request to a function URL may send it, and may invoke
// the function. AWS requires both permissions for URLs that were created since October 2025:
// https://docs.aws.amazon.com/lambda/latest/dg/urls-auth.html
func (s *services) authorizeURL(r *http.Request, body []byte, region, functionARN string) error {
	for _, action := range []string{"lambda:InvokeFunctionUrl", "lambda:InvokeFunction"} {
		if err := s.authority.AuthorizeRequest(r, body, awsapi.Scope{Service: "lambda", Region: region},
			awsapi.Permission{Action: action, Resource: functionARN, SourceIP: apigateway.SourceIP(r)}); err != nil {
			return err
		}
	}
	return nil
}

// mayRotate reports whether a function exists, and has a permission for Secrets Manager.
func (s *services) mayRotate(functionARN, secretARN string) bool {
	functions := s.functions.Load()
	return functions != nil && (*functions)[functionARN] != nil && s.authority.AuthorizeService(
		"secretsmanager.amazonaws.com", secretARN, "lambda:InvokeFunction", functionARN) == nil
}

// rotate invokes the function that rotates a secret, on behalf of Secrets Manager.
func (s *services) rotate(ctx context.Context, functionARN string, payload []byte) ([]byte, error) {
	functions := s.functions.Load()
	if functions == nil || (*functions)[functionARN] == nil {
		return nil, fmt.Errorf("there is no function %s", functionARN)
	}
	var event struct{ SecretId string }
	if err := json.Unmarshal(payload, &event); err != nil {
		return nil, fmt.Errorf("reading the rotation's event: %w", err)
	}
	return s.by((*functions)[functionARN], "secretsmanager.amazonaws.com", event.SecretId).Invoke(ctx, payload)
}
