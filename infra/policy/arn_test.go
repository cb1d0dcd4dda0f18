package policy_test

import (
	"strings"
	"testing"

	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/sqs"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"restock/infra/graph"
	"restock/infra/policy"
)

func TestInvalidARNFailsTheProgram(t *testing.T) {
	program := func(text string) pulumi.RunFunc {
		return func(ctx *pulumi.Context) error {
			_, err := sqs.NewQueue(ctx, "q", &sqs.QueueArgs{Tags: pulumi.StringMap{
				"role": policy.SiblingARN(pulumi.String(text).ToStringOutput(), "iam", "root"),
			}})
			return err
		}
	}
	g, err := graph.Record(program("arn:aws:sqs:eu-west-1:000000000000:q"), graph.Options{Project: "p", Stage: "s"})
	if err != nil {
		t.Fatal(err)
	}
	if got, want := g.OfType(graph.Queue)[0].Object("tags")["role"], "arn:aws:iam::000000000000:root"; got != want {
		t.Errorf("got %v, want %s", got, want)
	}
	_, err = graph.Record(program("queue"), graph.Options{Project: "p", Stage: "s"})
	if err == nil || !strings.Contains(err.Error(), `reading the ARN "queue"`) {
		t.Errorf("got %v, want an error that names the text", err)
	}
}
