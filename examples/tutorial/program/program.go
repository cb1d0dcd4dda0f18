// Package program is the Pulumi program of the tutorial. Each exercise is a file (hello.go and
// messages.go, which uses queue.go); api.go and function.go are shared.
package program

import (
	"fmt"

	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/kms"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi/config"

	"restock/infra/bundle"
	"restock/infra/operations"
)

// Functions is the folder of the functions' sources, relative to the module's root.
const Functions = "examples/tutorial/functions"

// Deploy declares the tutorial's resources. It builds the functions from Functions.
func Deploy(ctx *pulumi.Context) error {
	return Program(bundle.From(Functions))(ctx)
}

// Program returns the Pulumi program with the given way to build the functions' code.
func Program(build bundle.Builder) pulumi.RunFunc {
	return func(ctx *pulumi.Context) error {
		code, err := build(ctx.Context(), []string{"hello", "producer", "consumer"})
		if err != nil {
			return fmt.Errorf("building the functions: %w", err)
		}
		if err := operations.TagAll(ctx); err != nil {
			return err
		}
		queue, err := newQueue(ctx)
		if err != nil {
			return err
		}
		key, err := operations.NewKey(ctx, queue.Arn)
		if err != nil {
			return err
		}
		operators, err := operations.NewTopic(ctx, "operations", key, config.Get(ctx, ctx.Project()+":alarmEmail"))
		if err != nil {
			return err
		}
		api, err := newAPI(ctx)
		if err != nil {
			return err
		}

		on := platform{code, key, api}
		if err := hello(ctx, on); err != nil {
			return err
		}
		if err := messages(ctx, on, queue, operators); err != nil {
			return err
		}
		ctx.Export("apiUrl", api.ApiEndpoint)
		ctx.Export("queueName", queue.Name)
		ctx.Export("deadLetterQueueName", queue.deadLetters.Name)
		return nil
	}
}

// A platform has the resources that the exercises share.
type platform struct {
	code map[string]bundle.Zip // by the function's name
	key  *kms.Key              // encrypts the logs
	api  *api
}
