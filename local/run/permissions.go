package run

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"

	"restock/infra/graph"
	"restock/local/aws/awsapi"
	"restock/local/aws/iam"
	"restock/local/aws/lambda"
	"restock/local/aws/secretsmanager"
)

// newAuthority is who decides what may be done in the run: the declared policies, and those that queues and topics have at present.
func (r *Run) newAuthority(p *program, present func(arn string) (policy string, known bool)) (*iam.Authority, error) {
	authority, err := iam.New(iam.Config{
		Graph: p.graph, ResourcePolicy: present, DeclaredIn: r.config.Program.MissingIn, Log: r.config.Log.With("part", "iam"),
		Refused: func(denied *iam.AccessDenied) { r.refused(denied.Advice()) },
	})
	if err != nil {
		return nil, fmt.Errorf("deciding by the declared policies: %w", err)
	}
	return authority, nil
}

// refused tells who wants to know that the run has refused something.
func (r *Run) refused(line string) {
	if r.config.Refused != nil {
		r.config.Refused(line)
	}
}

// presentPolicy is the policy that a queue or a topic has at present: the declared one, or one that was set since.
func (s *services) presentPolicy(arn string) (policy string, known bool) {
	if policy, known := s.sqs.Policy(arn); known {
		return policy, true
	}
	return s.topics.Policy(arn)
}

// credentialsOf gives an instance of a function credentials of its role, which end with it.
func credentialsOf(authority *iam.Authority) func(lambda.Function) (lambda.Credentials, func()) {
	return func(f lambda.Function) (lambda.Credentials, func()) {
		c, release := authority.Issue(f.Role, f.Name)
		return lambda.Credentials{AccessKeyID: c.AccessKeyID, SecretAccessKey: c.SecretAccessKey, SessionToken: c.SessionToken}, release
	}
}

// An invoked function is one as a service of AWS sees it, which may not be allowed to invoke it.
type invoked struct {
	*function
	authority       *iam.Authority
	service, source string // who invokes, and the ARN on whose behalf
}

// Invoke invokes the function if a permission of it lets the service.
func (i invoked) Invoke(ctx context.Context, payload []byte) ([]byte, error) {
	if err := i.authority.AuthorizeService(i.service, i.source, "lambda:InvokeFunction", i.ARN); err != nil {
		return nil, err
	}
	return i.function.Invoke(ctx, payload)
}

// by is the function as a service invokes it, on behalf of a resource.
func (s *services) by(f *function, service, source string) invoked {
	return invoked{f, s.authority, service, source}
}

// authorizeRequest decides whether whoever signed a request to a route of an HTTP API may send it. What they must be allowed is the path that
// they ask for, and not the route's with its variables. https://docs.aws.amazon.com/apigateway/latest/developerguide/api-gateway-control-access-using-iam-policies-to-invoke-api.html
func (s *services) authorizeRequest(r *http.Request, body []byte, region, stageARN string) error {
	return s.authority.AuthorizeRequest(r, body,
		awsapi.Scope{Service: "execute-api", Region: region},
		awsapi.Permission{Action: "execute-api:Invoke", Resource: stageARN + "/" + r.Method + r.URL.Path})
}

// rotate invokes the function that rotates a secret, for Secrets Manager.
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

// startRotations has the declared secrets rotated. On AWS a new rotation begins at once, unless the program says otherwise.
func (s *services) startRotations(g *graph.Graph) error {
	for _, r := range g.OfType(graph.SecretRotation) {
		rules := graph.Resource{Outputs: r.Object("rotationRules")}
		immediately, declared := r.Outputs["rotateImmediately"].(bool)
		err := s.secrets.SetRotation(r.String("secretId"), secretsmanager.RotationConfig{
			FunctionARN: r.String("rotationLambdaArn"),
			Rules: secretsmanager.RotationRules{
				AutomaticallyAfterDays: int(rules.Number("automaticallyAfterDays")),
				Duration:               rules.String("duration"),
				ScheduleExpression:     rules.String("scheduleExpression"),
			},
			RotateImmediately: immediately || !declared,
		})
		if err != nil {
			return fmt.Errorf("rotation %s: %w", r.Name, err)
		}
	}
	return nil
}
