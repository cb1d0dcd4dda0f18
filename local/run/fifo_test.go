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
	"github.com/aws/aws-sdk-go-v2/service/sns"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"restock/infra/bundle"
	"restock/infra/graph"
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
			topic, err := newResource(ctx, graph.Topic, "sold", pulumi.Map{
				"name": pulumi.String("sold.fifo"), "fifoTopic": pulumi.Bool(true),
			})
			if err != nil {
				return err
			}
			queue, err := subscribedQueue(ctx, topic)
			if err != nil {
				return err
			}
			role, err := newResource(ctx, graph.Role, "observe", pulumi.Map{
				"assumeRolePolicy": pulumi.String(`{"Statement":{"Effect":"Allow",` +
					`"Principal":{"Service":"lambda.amazonaws.com"},"Action":"sts:AssumeRole"}}`),
			})
			if err != nil {
				return err
			}
			if _, err = newResource(ctx, graph.RolePolicy, "observe", pulumi.Map{
				"role": role.Name, "policy": pulumi.Sprintf(`{"Version":"2012-10-17","Statement":{"Effect":"Allow",`+
					`"Action":["sqs:ReceiveMessage","sqs:DeleteMessage","sqs:GetQueueAttributes"],"Resource":"%s"}}`,
					queue.ARN),
			}); err != nil {
				return err
			}
			function, err := newResource(ctx, graph.Function, "observe", pulumi.Map{
				"runtime": pulumi.String("provided.al2023"), "handler": pulumi.String("bootstrap"), "role": role.ARN,
				"code": pulumi.NewFileArchive(code["observe"].Path), "timeout": pulumi.Int(900),
				"environment": pulumi.Map{"variables": pulumi.Map{"OBSERVER": pulumi.String(observer)}},
			})
			if err != nil {
				return err
			}
			_, err = newResource(ctx, graph.EventSourceMapping, "observe", pulumi.Map{
				"eventSourceArn": queue.ARN, "functionName": function.Name, "batchSize": pulumi.Int(1),
			})
			return err
		}
	}
}

// subscribedQueue declares a FIFO queue that gets the messages of a topic.
func subscribedQueue(ctx *pulumi.Context, topic *resource) (*resource, error) {
	queue, err := newResource(ctx, graph.Queue, "sold", pulumi.Map{
		"name": pulumi.String("sold.fifo"), "fifoQueue": pulumi.Bool(true),
		"visibilityTimeoutSeconds": pulumi.Int(5400),
	})
	if err != nil {
		return nil, err
	}
	if _, err = newResource(ctx, graph.QueuePolicy, "sold", pulumi.Map{
		"queueUrl": queue.URL, "policy": pulumi.Sprintf(`{"Version":"2012-10-17","Statement":{"Effect":"Allow",`+
			`"Principal":{"Service":"sns.amazonaws.com"},"Action":"sqs:SendMessage","Resource":"%s",`+
			`"Condition":{"ArnEquals":{"aws:SourceArn":"%s"}}}}`, queue.ARN, topic.ARN),
	}); err != nil {
		return nil, err
	}
	_, err = newResource(ctx, graph.TopicSubscription, "sold", pulumi.Map{
		"topic": topic.ARN, "protocol": pulumi.String("sqs"), "endpoint": queue.ARN,
		"rawMessageDelivery": pulumi.Bool(true),
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
	client := sns.New(sns.Options{
		BaseEndpoint: aws.String(s.Endpoints().AWS), Region: "eu-west-1",
		Credentials: credentials.NewStaticCredentialsProvider("local", "local", ""),
	})
	for _, m := range []struct{ group, id, text string }{
		{"a", "a1", "1"}, {"a", "a2", "2"}, {"a", "a1", "a duplicate"}, {"b", "b1", "1"}, {"a", "a3", "3"},
	} {
		if _, err := client.Publish(t.Context(), &sns.PublishInput{
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
