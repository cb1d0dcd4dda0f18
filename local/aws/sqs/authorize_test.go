package sqs_test

import (
	"encoding/base64"
	"encoding/json"
	"log/slog"
	"slices"
	"strings"
	"testing"

	"restock/local/aws/awsapi"
	"restock/local/aws/sqs"
)

// https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/sqs-api-permissions-reference.html
func TestPermissionsOfOperations(t *testing.T) {
	const arns = "arn:aws:sqs:eu-west-1:000000000000:"
	service := sqs.New(sqs.Config{BaseURL: "http://here", Region: "eu-west-1", AccountID: "000000000000"},
		slog.New(slog.DiscardHandler))
	t.Cleanup(service.Close)
	for _, config := range []sqs.QueueConfig{sqs.NewQueueConfig("dlq"), sqs.NewQueueConfig("jobs")} {
		if config.Name == "jobs" {
			config.RedrivePolicy = &sqs.RedrivePolicy{DeadLetterTargetARN: arns + "dlq", MaxReceiveCount: 1}
		}
		if _, err := service.CreateQueue(config); err != nil {
			t.Fatal(err)
		}
	}
	task := base64.StdEncoding.EncodeToString([]byte(`{"taskId":"id","sourceArn":"` + arns + `dlq"}`))
	for _, c := range []struct{ operation, input, want string }{
		{"SendMessage", `{"QueueUrl":"http://here/000000000000/jobs","MessageBody":"m"}`, "SendMessage jobs"},
		{"SendMessageBatch", `{"QueueUrl":"http://localhost:1/000000000000/jobs"}`, "SendMessage jobs"},
		{"DeleteMessageBatch", `{"QueueUrl":"http://here/000000000000/jobs"}`, "DeleteMessage jobs"},
		{"ChangeMessageVisibilityBatch", `{"QueueUrl":"http://here/000000000000/jobs"}`,
			"ChangeMessageVisibility jobs"},
		{"GetQueueAttributes", `{"QueueUrl":"http://here/000000000000/absent"}`, "GetQueueAttributes absent"},
		{"GetQueueAttributes", `{"QueueUrl":"::"}`, "GetQueueAttributes "},
		{"GetQueueAttributes", `{"QueueUrl":"jobs"}`, "GetQueueAttributes jobs"},
		{"GetQueueUrl", `{"QueueName":"jobs"}`, "GetQueueUrl jobs"},
		{"CreateQueue", `{"QueueName":"new"}`, "CreateQueue new"},
		{"CreateQueue", `{"QueueName":"new","tags":{"a":"b"}}`, "CreateQueue new, TagQueue new"},
		{"TagQueue", `{"QueueUrl":"jobs","Tags":{"a":"b"}}`, "TagQueue jobs"},
		{"ListQueues", `{}`, "ListQueues *"},
		{"ListMessageMoveTasks", `{"SourceArn":"` + arns + `dlq"}`, "ListMessageMoveTasks dlq"},
		{"StartMessageMoveTask", `{"SourceArn":"` + arns + `dlq"}`,
			"StartMessageMoveTask dlq, ReceiveMessage dlq, DeleteMessage dlq, GetQueueAttributes dlq, SendMessage " +
				"jobs"},
		{"StartMessageMoveTask", `{"SourceArn":"` + arns + `dlq","DestinationArn":"` + arns + `other"}`,
			"StartMessageMoveTask dlq, ReceiveMessage dlq, DeleteMessage dlq, GetQueueAttributes dlq, SendMessage " +
				"other"},
		{"CancelMessageMoveTask", `{"TaskHandle":"` + task + `"}`,
			"CancelMessageMoveTask dlq, ReceiveMessage dlq, DeleteMessage dlq, GetQueueAttributes dlq"},
	} {
		permissions, err := service.Authorization().Permissions(c.operation,
			func(v any) error { return json.Unmarshal([]byte(c.input), v) })
		if err != nil {
			t.Errorf("%s %s: %v", c.operation, c.input, err)
		}
		var got []string
		for _, p := range permissions {
			got = append(got, strings.TrimPrefix(p.Action, "sqs:")+" "+strings.TrimPrefix(p.Resource, arns))
		}
		if got := strings.Join(got, ", "); got != c.want {
			t.Errorf("%s %s: asks for %q, want %q", c.operation, c.input, got, c.want)
		}
	}
}

func TestEveryOperationAsksForAPermissionOnAQueue(t *testing.T) {
	const queue = "arn:aws:sqs:eu-west-1:000000000000:q"
	service := sqs.New(sqs.Config{Region: "eu-west-1", AccountID: "000000000000"}, slog.New(slog.DiscardHandler))
	t.Cleanup(service.Close)
	handle := base64.StdEncoding.EncodeToString([]byte(`{"taskId":"id","sourceArn":"` + queue + `"}`))
	input := `{"QueueUrl":"http://here/000000000000/q","QueueName":"q","SourceArn":"` + queue + `","TaskHandle":"` +
		handle + `"}`
	for operation := range service.API().Operations {
		got, err := service.Authorization().Permissions(operation,
			func(v any) error { return json.Unmarshal([]byte(input), v) })
		if err != nil || len(got) == 0 ||
			slices.ContainsFunc(got,
				func(p awsapi.Permission) bool { return p.Resource != queue && operation != "ListQueues" }) {
			t.Errorf("%s: asks for %v, %v; want permissions on %s", operation, got, err, queue)
		}
	}
}
