// Package program declares the tutorial's stack in AWS: two exercises, each in a file, on what they share.
package program

import (
	"fmt"

	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/kms"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi/config"

	"restock/infra/bundle"
	"restock/infra/operations"
)

// Functions is the folder of the functions' sources, below the module's root.
const Functions = "examples/tutorial/functions"

// Deploy is the Pulumi program.
func Deploy(ctx *pulumi.Context) error {
	return Program(bundle.From(Functions))(ctx)
}

// Program is the program with another way to build the functions' code.
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
		people, err := operations.NewTopic(ctx, "operations", key, config.Get(ctx, ctx.Project()+":alarmEmail"))
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
		if err := messages(ctx, on, queue, people); err != nil {
			return err
		}
		ctx.Export("apiUrl", api.ApiEndpoint)
		ctx.Export("queueName", queue.Name)
		ctx.Export("deadLetterQueueName", queue.deadLetters.Name)
		return nil
	}
}

// A platform is what the exercises are made on.
type platform struct {
	code map[string]bundle.Bundle // by the function's name
	key  *kms.Key                 // of their logs
	api  *api
}
