package run

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	v4 "github.com/aws/aws-sdk-go-v2/aws/signer/v4"

	"restock/infra/graph"
	"restock/local/aws/apigateway"
)

// sendMessage is the only action of a service that an API may take here.
const sendMessage = "SQS-SendMessage"

// apiSession is the name of the session in which API Gateway uses a role. AWS's error messages show
// it: https://repost.aws/knowledge-center/api-gateway-rest-api-sqs-errors
const apiSession = "BackplaneAssumeRoleSession"

// action returns the action of an integration with a service of AWS. It calls the AWS endpoint of
// the run with the integration's role, so the call is checked like those of functions.
func (s *services) action(g *graph.Graph, integration *graph.Resource) (*apigateway.Action, error) {
	failed := func(format string, args ...any) (*apigateway.Action, error) {
		return nil, fmt.Errorf("integration %s: %w", integration.Name, fmt.Errorf(format, args...))
	}
	subtype, format := integration.String("integrationSubtype"), integration.String("payloadFormatVersion")
	if subtype != sendMessage {
		return failed("%s is not run here: only %s is", subtype, sendMessage)
	}
	if format != "1.0" {
		return failed("its payload format is %q: a service of AWS takes 1.0", format)
	}
	role := integration.String("credentialsArn")
	if g.Find(graph.Role, "arn", role) == nil {
		return failed("its credentials %q are no role of the stack", role)
	}
	const service = "apigateway.amazonaws.com"
	if err := s.authority.AuthorizeAssumption(service, integration.String("apiId"), role); err != nil {
		return failed("letting %s assume its role: %w", service, err)
	}
	parameters := map[string]string{}
	for name, value := range integration.Object("requestParameters") {
		if !slices.Contains([]string{"QueueUrl", "MessageBody", "MessageAttributes"}, name) {
			return failed("its parameter %s is not run here", name)
		}
		parameters[name] = fmt.Sprint(value)
	}
	queue := g.Find(graph.Queue, "url", parameters["QueueUrl"])
	if queue == nil || parameters["MessageBody"] == "" {
		return failed("it needs the parameters QueueUrl, for a queue of the stack, and MessageBody")
	}
	credentials, _ := s.authority.Issue(role, apiSession) // valid as long as the run
	signer := v4.NewSigner()
	send := func(ctx context.Context, parameters map[string]string) (*apigateway.ServiceAnswer, error) {
		body, ok := sendMessageBody(parameters)
		if !ok { // a client can put a quotation mark into a value
			const refusal = `{"message":"Bad Request"}`
			return &apigateway.ServiceAnswer{
				Status: http.StatusBadRequest, ContentType: "application/json", Body: []byte(refusal),
			}, nil
		}
		request, err := http.NewRequestWithContext(ctx, http.MethodPost, parameters["QueueUrl"], bytes.NewReader(body))
		if err != nil {
			return nil, fmt.Errorf("calling SQS: %w", err)
		}
		request.Header.Set("Content-Type", "application/x-amz-json-1.0")
		request.Header.Set("X-Amz-Target", "AmazonSQS.SendMessage")
		hash := sha256.Sum256(body)
		err = signer.SignHTTP(ctx, aws.Credentials{
			AccessKeyID: credentials.AccessKeyID, SecretAccessKey: credentials.SecretAccessKey,
			SessionToken: credentials.SessionToken,
		}, request, hex.EncodeToString(hash[:]), "sqs", g.Region, time.Now())
		if err != nil {
			return nil, fmt.Errorf("signing a call of SQS: %w", err)
		}
		answer := &keptAnswer{header: http.Header{}}
		s.handler.ServeHTTP(answer, request)
		// AWS documents neither the answer's form nor its headers.
		return &apigateway.ServiceAnswer{
			Status: answer.status, ContentType: answer.header.Get("Content-Type"), Body: answer.body.Bytes(),
		}, nil
	}
	return &apigateway.Action{Parameters: parameters, Call: send}, nil
}

// sendMessageBody returns the body of a call of SendMessage. ok is false if the parameter
// MessageAttributes is not JSON.
// https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_SendMessage.html
func sendMessageBody(parameters map[string]string) (body []byte, ok bool) {
	input := map[string]any{}
	for name, value := range parameters {
		input[name] = value
	}
	if attributes, has := parameters["MessageAttributes"]; has {
		input["MessageAttributes"] = json.RawMessage(attributes)
	}
	body, err := json.Marshal(input)
	return body, err == nil
}

// A keptAnswer is the answer to a request that is not sent over a network.
type keptAnswer struct {
	header http.Header
	status int
	body   bytes.Buffer
}

func (a *keptAnswer) Header() http.Header         { return a.header }
func (a *keptAnswer) WriteHeader(status int)      { a.status = status }
func (a *keptAnswer) Write(b []byte) (int, error) { return a.body.Write(b) }
