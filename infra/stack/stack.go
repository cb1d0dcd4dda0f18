// Package stack declares the shop's stack in AWS: one program for all stages.
package stack

import (
	"context"
	"fmt"

	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"restock/infra/bundle"
	"restock/lambdas"
)

// Deploy is the Pulumi program.
func Deploy(ctx *pulumi.Context) error {
	return Program(bundle.Lambdas)(ctx)
}

// A Bundler builds the code of functions, by name.
type Bundler func(ctx context.Context, names []string) (map[string]bundle.Bundle, error)

// Program is the program with another way to build the functions' code.
func Program(build Bundler) pulumi.RunFunc {
	return func(ctx *pulumi.Context) error {
		settings, err := loadSettings(ctx)
		if err != nil {
			return err
		}
		functions := lambdas.All()
		var names []string
		for _, f := range functions {
			if err := f.Validate(); err != nil {
				return err
			}
			names = append(names, f.Name)
		}
		bundles, err := build(ctx.Context(), names)
		if err != nil {
			return fmt.Errorf("building the functions: %w", err)
		}

		if err := tagAll(ctx); err != nil {
			return err
		}
		network, err := newNetwork(ctx, settings)
		if err != nil {
			return err
		}
		database, err := newDatabase(ctx, settings, network)
		if err != nil {
			return err
		}
		secrets, err := newSecrets(ctx, settings)
		if err != nil {
			return err
		}
		messaging, err := newMessaging(ctx, settings)
		if err != nil {
			return err
		}
		api, err := newAPI(ctx, settings)
		if err != nil {
			return err
		}
		things := newThings(settings, database, secrets, messaging, api)

		// The database is set up before anything deploys that counts on its schema and its secrets.
		setup, err := newFunction(ctx, lambdas.Setup, settings, network, things, bundles[lambdas.Setup.Name])
		if err != nil {
			return err
		}
		done, err := runSetup(ctx, setup, bundles[lambdas.Setup.Name], database, secrets)
		if err != nil {
			return err
		}
		deployed := []*function{setup}
		for _, declared := range functions {
			if declared.Name == lambdas.Setup.Name {
				continue
			}
			function, err := newFunction(ctx, declared, settings, network, things, bundles[declared.Name], done, messaging.subscription)
			if err != nil {
				return err
			}
			if err := function.connect(ctx, messaging, api); err != nil {
				return err
			}
			deployed = append(deployed, function)
		}
		operations, err := newOperations(ctx, settings, messaging)
		if err != nil {
			return err
		}
		if err := newAlarms(ctx, settings, operations, messaging, database, api, deployed); err != nil {
			return err
		}

		ctx.Export("apiUrl", api.url)
		ctx.Export("topicName", messaging.topic.Name)
		ctx.Export("queueName", messaging.queue.Name)
		ctx.Export("deadLetterQueueName", messaging.deadLetters.Name)
		return nil
	}
}
