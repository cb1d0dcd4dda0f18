// Package stack declares the shop's stack in AWS: one program for all stages.
package stack

import (
	"fmt"

	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"restock/infra/bundle"
	"restock/infra/operations"
	"restock/lambdas"
)

// Deploy is the Pulumi program.
func Deploy(ctx *pulumi.Context) error {
	return Program(bundle.From(lambdas.Folder))(ctx)
}

// Program is the program with another way to build the functions' code.
func Program(build bundle.Builder) pulumi.RunFunc {
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

		if err := operations.TagAll(ctx); err != nil {
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
		key, err := operations.NewKey(ctx, messaging.topic.Arn)
		if err != nil {
			return err
		}
		people, err := operations.NewTopic(ctx, lambdas.OperationsTopic, key, settings.AlarmEmail)
		if err != nil {
			return err
		}
		api, err := newAPI(ctx, settings, key)
		if err != nil {
			return err
		}

		// The database is set up before anything deploys that counts on its schema and its secrets.
		on := platform{settings, network, key, newThings(ctx, settings, database, secrets, messaging, people, key, api)}
		setup, err := newFunction(ctx, lambdas.Setup, on, bundles[lambdas.Setup.Name])
		if err != nil {
			return err
		}
		done, err := runSetup(ctx, setup, bundles[lambdas.Setup.Name], database, secrets)
		if err != nil {
			return err
		}
		if err := setup.rotate(ctx, secrets[lambdas.Setup.Rotates], done); err != nil {
			return err
		}
		ready := append(messaging.subscriptions(), done)
		if settings.Database.Proxy {
			proxy, err := newProxy(ctx, settings, network, database, secrets["database"], done)
			if err != nil {
				return err
			}
			ready = append(ready, proxy)
			on.things = newThings(ctx, settings, database, secrets, messaging, people, key, api)
		}

		deployed := []*function{setup}
		for _, declared := range functions {
			if declared.Name == lambdas.Setup.Name {
				continue
			}
			function, err := newFunction(ctx, declared, on, bundles[declared.Name], ready...)
			if err != nil {
				return err
			}
			if err := function.connect(ctx, messaging, api); err != nil {
				return err
			}
			deployed = append(deployed, function)
		}

		measured := metrics{metricsNamespace(ctx), messaging, database, api}
		alarms, err := newAlarms(ctx, settings, people, measured, deployed)
		if err != nil {
			return err
		}
		dashboard, err := newDashboard(ctx, measured, deployed, alarms)
		if err != nil {
			return err
		}

		ctx.Export("apiUrl", api.publicURL)
		ctx.Export("topicName", messaging.topic.Name)
		ctx.Export("queueName", messaging.queues[lambdas.StockQueue].Name)
		ctx.Export("deadLetterQueueName", messaging.queues[lambdas.StockQueue].deadLetters.Name)
		ctx.Export("dashboardName", dashboard.DashboardName)
		ctx.Export("databaseSecretArn", secrets["database"].Arn)
		return nil
	}
}
