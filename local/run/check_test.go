package run

import (
	"strings"
	"testing"

	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/sqs"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"restock/infra/stack"
)

func TestProgramThatWouldNotWorkOnAWSIsRefusedByName(t *testing.T) {
	settings := map[string]string{
		"aws:region":       "ap-northeast-2",
		"restock:settings": `{"zones":["ap-northeast-2a","ap-northeast-2c"],"factoryUrl":"https://factory.example.com"}`,
	}
	program := stack.Program(stack.WithoutCode)
	if _, err := check(program, "restock", "dev", settings); err != nil {
		t.Errorf("the program as it is: %v", err)
	}
	_, err := check(func(ctx *pulumi.Context) error {
		if err := program(ctx); err != nil {
			return err
		}
		_, err := sqs.NewQueue(ctx, "plain", &sqs.QueueArgs{SqsManagedSseEnabled: pulumi.Bool(false)})
		return err
	}, "restock", "dev", settings)
	if err == nil || !strings.Contains(err.Error(), "encrypted: aws:sqs/queue:Queue plain: ") {
		t.Errorf("a queue that is not encrypted: got %v, want an error that names it", err)
	}
}
