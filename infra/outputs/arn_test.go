package outputs_test

import (
	"strings"
	"testing"

	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"restock/infra/outputs"
	"restock/infra/recorder"
)

func TestInvalidARNFailsTheProgram(t *testing.T) {
	program := func(text string) pulumi.RunFunc {
		return func(ctx *pulumi.Context) error {
			root := outputs.SiblingARN(pulumi.String(text).ToStringOutput(), "iam", "root")
			var thing pulumi.CustomResourceState
			return ctx.RegisterResource("p:index:Thing", "thing", pulumi.Map{"root": root}, &thing)
		}
	}
	o := recorder.Options{Project: "p", Stage: "s"}
	g, err := recorder.Record(program("arn:aws:sqs:eu-west-1:000000000000:q"), o)
	if err != nil {
		t.Fatal(err)
	}
	if got, want := g.Named("p:index:Thing", "thing").String("root"), "arn:aws:iam::000000000000:root"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
	_, err = recorder.Record(program("queue"), o)
	if err == nil || !strings.Contains(err.Error(), `reading the ARN "queue"`) {
		t.Errorf("got %v, want an error that names the text", err)
	}
}
