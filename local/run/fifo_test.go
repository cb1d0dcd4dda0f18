package run_test

import (
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"sync"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	awssns "github.com/aws/aws-sdk-go-v2/service/sns"
	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/iam"
	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/lambda"
	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/sns"
	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/sqs"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"restock/infra/bundle"
	"restock/local"
	"restock/local/run"
	"restock/test/await"
	"restock/test/module"
)

// inOrder returns a program with a FIFO topic, a FIFO queue and a function, which posts each
// message to the URL of an observer.
func inOrder(observer string) func(bundle.Builder) pulumi.RunFunc {
	return func(build bundle.Builder) pulumi.RunFunc {
		return func(ctx *pulumi.Context) error {
			code, err := build(ctx.Context(), []string{"observe"})
			if err != nil {
				return err
			}
			topic, err := sns.NewTopic(ctx, "sold", &sns.TopicArgs{
				Name: pulumi.String("sold.fifo"), FifoTopic: pulumi.Bool(true),
			})
			if err != nil {
				return err
			}
			queue, err := subscribedQueue(ctx, topic)
			if err != nil {
				return err
			}
			role, err := iam.NewRole(ctx, "observe", &iam.RoleArgs{AssumeRolePolicy: pulumi.String(`{"Statement":{` +
				`"Effect":"Allow","Principal":{"Service":"lambda.amazonaws.com"},"Action":"sts:AssumeRole"}}`)})
			if err != nil {
				return err
			}
			if _, err = iam.NewRolePolicy(ctx, "observe", &iam.RolePolicyArgs{
				Role: role.Name, Policy: pulumi.Sprintf(`{"Version":"2012-10-17","Statement":{"Effect":"Allow",`+
					`"Action":["sqs:ReceiveMessage","sqs:DeleteMessage","sqs:GetQueueAttributes"],"Resource":"%s"}}`,
					queue.Arn),
			}); err != nil {
				return err
			}
			function, err := lambda.NewFunction(ctx, "observe", &lambda.FunctionArgs{
				Runtime: pulumi.String("provided.al2023"), Handler: pulumi.String("bootstrap"), Role: role.Arn,
				Code: pulumi.NewFileArchive(code["observe"].Path), Timeout: pulumi.Int(900),
				Environment: lambda.FunctionEnvironmentArgs{
					Variables: pulumi.StringMap{"OBSERVER": pulumi.String(observer)},
				},
			})
			if err != nil {
				return err
			}
			_, err = lambda.NewEventSourceMapping(ctx, "observe", &lambda.EventSourceMappingArgs{
				EventSourceArn: queue.Arn, FunctionName: function.Name, BatchSize: pulumi.Int(1),
			})
			return err
		}
	}
}

// subscribedQueue declares a FIFO queue that gets the messages of a topic.
func subscribedQueue(ctx *pulumi.Context, topic *sns.Topic) (*sqs.Queue, error) {
	queue, err := sqs.NewQueue(ctx, "sold", &sqs.QueueArgs{
		Name: pulumi.String("sold.fifo"), FifoQueue: pulumi.Bool(true), VisibilityTimeoutSeconds: pulumi.Int(5400),
	})
	if err != nil {
		return nil, err
	}
	if _, err = sqs.NewQueuePolicy(ctx, "sold", &sqs.QueuePolicyArgs{
		QueueUrl: queue.Url, Policy: pulumi.Sprintf(`{"Version":"2012-10-17","Statement":{"Effect":"Allow",`+
			`"Principal":{"Service":"sns.amazonaws.com"},"Action":"sqs:SendMessage","Resource":"%s",`+
			`"Condition":{"ArnEquals":{"aws:SourceArn":"%s"}}}}`, queue.Arn, topic.Arn),
	}); err != nil {
		return nil, err
	}
	_, err = sns.NewTopicSubscription(ctx, "sold", &sns.TopicSubscriptionArgs{
		Topic: topic.Arn, Protocol: pulumi.String("sqs"), Endpoint: queue.Arn, RawMessageDelivery: pulumi.Bool(true),
	})
	return queue, err
}

// The observer answers the first message of group a after it has got that of group b. So the groups
// run at the same time, and the further messages of group a must wait.
func TestAFunctionGetsEachMessageOfAFIFOTopicOnceAndInTheOrderOfItsGroup(t *testing.T) {
	if testing.Short() {
		t.Skip("it builds a function of another module")
	}
	messages, gotB := make(chan string, 10), make(chan struct{})
	releaseA := sync.OnceFunc(func() { close(gotB) })
	observer := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		text, err := io.ReadAll(r.Body)
		if err != nil {
			t.Error(err)
		}
		message := r.URL.Path + " " + string(text)
		if message == "/a 1" {
			select {
			case <-gotB:
			case <-t.Context().Done():
			}
		}
		messages <- message
		if message == "/b 1" {
			releaseA()
		}
	}))
	t.Cleanup(observer.Close)

	s := local.Start(t, run.Program{
		Name: "archive", Project: ".", Functions: "functions", Declare: inOrder(observer.URL),
	}, "testdata/archive", func(c *run.Config) {
		c.BuildDir, c.Unchecked = module.Kept(t, "../..", "archive"), true
	})
	client := awssns.New(awssns.Options{
		BaseEndpoint: aws.String(s.Endpoints().AWS), Region: "eu-west-1",
		Credentials: credentials.NewStaticCredentialsProvider("local", "local", ""),
	})
	for _, m := range []struct{ group, id, text string }{
		{"a", "a1", "1"}, {"a", "a2", "2"}, {"a", "a1", "a duplicate"}, {"b", "b1", "1"}, {"a", "a3", "3"},
	} {
		if _, err := client.Publish(t.Context(), &awssns.PublishInput{
			TopicArn:       aws.String("arn:aws:sns:eu-west-1:000000000000:sold.fifo"),
			MessageGroupId: &m.group, MessageDeduplicationId: &m.id, Message: &m.text,
		}); err != nil {
			t.Fatalf("publishing %v: %v\n%s", m, err, s.Log())
		}
	}
	var got []string
	for !slices.Contains(got, "/a 3") {
		got = append(got, await.Receive(t, "the function gets the next message", messages))
	}
	if want := []string{"/b 1", "/a 1", "/a 2", "/a 3"}; !slices.Equal(got, want) {
		t.Errorf("the function got %q, want %q; the log:\n%s", got, want, s.Log())
	}
	if denied := s.Denied(); len(denied) > 0 {
		t.Errorf("the run has refused %q", denied)
	}
}
