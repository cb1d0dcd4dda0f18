package programs_test

import (
	"errors"
	"net/http"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/lambda"
	"github.com/aws/aws-sdk-go-v2/service/lambda/types"
	"github.com/aws/smithy-go"

	"restock/infra/stack/stacktest/pinned"
)

// invokesFunctions checks that a person can invoke a function of the run.
func (s *stack) invokesFunctions(t *testing.T) {
	invoke := func(secret, region, function, event string, kind types.InvocationType) (*lambda.InvokeOutput, error) {
		client := lambda.New(lambda.Options{
			BaseEndpoint: &s.AWS, Region: region, Retryer: aws.NopRetryer{},
			Credentials: credentials.NewStaticCredentialsProvider("local", secret, ""),
		})
		return client.Invoke(t.Context(), &lambda.InvokeInput{
			FunctionName: &function, Payload: []byte(event), InvocationType: kind,
		})
	}
	const region = pinned.Region
	for _, name := range []string{"sweep", "arn:aws:lambda:" + region + ":000000000000:function:sweep"} {
		answer, err := invoke("local", region, name, "{}", "")
		if err != nil || answer.FunctionError != nil || !strings.HasPrefix(string(answer.Payload), `{"published":0,`) {
			t.Errorf("%s: got %+v, %v; want the report of a sweep", name, answer, err)
		}
	}
	answer, err := invoke("local", region, "stock", `{"Records": 1}`, "")
	if err != nil || aws.ToString(answer.FunctionError) != "Unhandled" ||
		!strings.Contains(string(answer.Payload), `"errorMessage":`) {
		t.Errorf("an event of another form: got %+v, %v; want the function's error", answer, err)
	}
	answer, err = invoke("local", region, "sweep", "{}", types.InvocationTypeDryRun)
	if err != nil || answer.StatusCode != http.StatusNoContent {
		t.Errorf("a dry run: got %+v, %v; want status 204", answer, err)
	}
	for _, c := range []struct{ name, secret, region, function, event, code, text string }{
		{"a function that does not exist", "local", region, "sweeper", "{}", "ResourceNotFoundException", "ads, "},
		{"an event that is not JSON", "local", region, "sweep", "{", "InvalidRequestContentException", "json"},
		{"a wrong secret", "wrong", region, "sweep", "{}", "AccessDeniedException", "signature"},
		{"another region", "local", "us-east-1", "sweep", "{}", "AccessDeniedException", region},
	} {
		_, err := invoke(c.secret, c.region, c.function, c.event, "")
		refusal, ok := errors.AsType[smithy.APIError](err)
		if !ok || refusal.ErrorCode() != c.code || !strings.Contains(refusal.ErrorMessage(), c.text) {
			t.Errorf("%s: got error %v, want %s with %q", c.name, err, c.code, c.text)
		}
	}
	if _, err := invoke("local", region, "sweep", "{}", types.InvocationTypeEvent); err == nil ||
		!strings.Contains(err.Error(), "the invocation type Event is not served here") {
		t.Errorf("an asynchronous invocation: got error %v, want a refusal", err)
	}
}
