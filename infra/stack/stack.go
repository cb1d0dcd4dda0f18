// Package stack is the Pulumi program: it declares the shop's resources in AWS, for all stages.
// [Settings] holds the differences between stages. The functions come from package lambdas, and
// package rules checks what this package declares.
package stack

import (
	"context"
	"fmt"

	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/cloudwatch"
	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/kms"
	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/secretsmanager"
	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/sns"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"restock/infra/bundle"
	"restock/infra/operations"
	"restock/lambdas"
)

// Deploy is the Pulumi program of a deployment. It builds the functions from their sources.
func Deploy(ctx *pulumi.Context) error {
	return Program(bundle.From(lambdas.Folder))(ctx)
}

// Program returns the Pulumi program that builds the functions with build. The local run and the
// tests pass builders of their own.
func Program(build bundle.Builder) pulumi.RunFunc {
	return func(ctx *pulumi.Context) error {
		settings, err := loadSettings(ctx)
		if err != nil {
			return err
		}
		zips, err := buildFunctions(ctx.Context(), build, settings.functions())
		if err != nil {
			return err
		}
		if err := operations.TagAll(ctx); err != nil {
			return err
		}
		base, err := newBase(ctx, settings)
		if err != nil {
			return err
		}
		functions, err := base.newFunctions(ctx, zips)
		if err != nil {
			return err
		}
		dashboard, err := base.watch(ctx, functions)
		if err != nil {
			return err
		}
		base.export(ctx, dashboard)
		return nil
	}
}

func buildFunctions(
	ctx context.Context, build bundle.Builder, functions []lambdas.Function,
) (map[string]bundle.Zip, error) {
	var names []string
	handles := map[string]string{} // the function of a queue
	for _, f := range functions {
		if err := f.Validate(); err != nil {
			return nil, err
		}
		if other := handles[f.Queue]; f.Queue != "" && other != "" {
			return nil, fmt.Errorf("function %s: function %s handles the messages of %s, too, and each message goes "+
				"to "+
				"one of them: give it another queue in lambdas/lambdas.go", f.Name, other, f.Queue)
		}
		handles[f.Queue] = f.Name
		names = append(names, f.Name)
	}
	zips, err := build(ctx, names)
	if err != nil {
		return nil, fmt.Errorf("building the functions: %w", err)
	}
	return zips, nil
}

// A base holds the resources that the functions use.
type base struct {
	settings  Settings
	network   *network
	database  *database
	secrets   map[string]*secretsmanager.Secret // by name: from:"secret.NAME" in lambdas/environment.go
	messaging *messaging
	key       *kms.Key   // encrypts the logs and the managers' topic
	managers  *sns.Topic // gets the messages of alarms and functions to people
	api       *api
	cdn       *cdn // nil without the setting cdn
	bindings  bindings
	// ready are the resources that must exist before a function is made, beside network.ready.
	ready []pulumi.Resource
}

func newBase(ctx *pulumi.Context, s Settings) (*base, error) {
	b := &base{settings: s}
	var err error
	network := networkArgs{s.Zones, s.EndpointZones, endpointActions(lambdas.All())}
	if b.network, err = newNetwork(ctx, network); err != nil {
		return nil, err
	}
	b.database, err = newDatabase(ctx, databaseArgs{s.Database, s.Protect, b.network.subnetIDs, b.network.database})
	if err != nil {
		return nil, err
	}
	if b.secrets, err = newSecrets(ctx, s); err != nil {
		return nil, err
	}
	if b.messaging, err = newMessaging(ctx, messagingArgs{s.functions(), s.Protect}); err != nil {
		return nil, err
	}
	if b.key, err = operations.NewKey(ctx, b.messaging.topic.Arn); err != nil {
		return nil, err
	}
	if b.managers, err = operations.NewTopic(ctx, lambdas.OperationsTopic, b.key, s.AlarmEmail); err != nil {
		return nil, err
	}
	topics := map[string]*sns.Topic{lambdas.StockEmptyTopic: b.messaging.topic, lambdas.OperationsTopic: b.managers}
	if err := b.messaging.subscribe(ctx, s.functions(), topics); err != nil {
		return nil, err
	}
	if b.api, err = newAPI(ctx, s.CORSOrigins); err != nil || !s.CDN {
		return b, err
	}
	b.cdn, err = newCDN(ctx, cdnArgs{b.api.url, s.CORSOrigins, s.Domain})
	return b, err
}

// newFunctions makes the functions and their triggers, and serves their routes. It makes and runs
// the function "setup" first: the others need the schema that setup migrates, and the secrets that
// it fills.
func (b *base) newFunctions(ctx *pulumi.Context, zips map[string]bundle.Zip) ([]*function, error) {
	b.bindings = b.newBindings(ctx)
	setup, err := b.newFunction(ctx, lambdas.Setup, zips[lambdas.Setup.Name])
	if err != nil {
		return nil, err
	}
	done, err := runSetup(ctx, setup, zips[lambdas.Setup.Name], b.database, b.secrets)
	if err != nil {
		return nil, err
	}
	rotated, ok := b.secrets[lambdas.Setup.Rotates]
	if !ok {
		return nil, fmt.Errorf("function %s rotates the secret %q, which the stack does not have: name another in "+
			"lambdas/lambdas.go, or add it in infra/stack/secrets.go", lambdas.Setup.Name, lambdas.Setup.Rotates)
	}
	if err := setup.rotate(ctx, rotated, done); err != nil {
		return nil, err
	}
	// Pulumi makes the other functions only after these resources.
	b.ready = append(b.messaging.subscriptions(), done)
	if b.settings.Database.Proxy {
		logins := []*secretsmanager.Secret{b.secrets["proxy-first"], b.secrets["proxy-second"]}
		proxy, err := newProxy(ctx, proxyArgs{b.settings, b.network, b.database, logins, done})
		if err != nil {
			return nil, err
		}
		b.ready = append(b.ready, proxy.ready...)
		b.bindings = b.bindings.through(proxy)
	}
	functions := []*function{setup}
	for _, declared := range b.settings.functions() {
		if declared.Name == lambdas.Setup.Name {
			continue
		}
		f, err := b.newFunction(ctx, declared, zips[declared.Name])
		if err != nil {
			return nil, err
		}
		if err := f.connect(ctx, b.messaging, b.api); err != nil {
			return nil, err
		}
		functions = append(functions, f)
	}
	s, domain := b.settings, b.settings.Domain
	if s.CDN {
		domain = nil // it names the CDN
	}
	return functions, b.api.deploy(ctx, deploymentArgs{s.Throttling, domain, s.LogRetentionDays, b.key})
}

// watch makes the alarms and the dashboard.
func (b *base) watch(ctx *pulumi.Context, functions []*function) (*cloudwatch.Dashboard, error) {
	measured := metrics{metricsNamespace(ctx), b.messaging, b.database, b.api}
	alarms, err := newAlarms(ctx, b.settings, b.managers, measured, functions)
	if err != nil {
		return nil, err
	}
	return newDashboard(ctx, measured, functions, alarms)
}

func (b *base) export(ctx *pulumi.Context, dashboard *cloudwatch.Dashboard) {
	queue := b.messaging.queues[lambdas.StockQueue]
	url, domainTarget := b.api.publicURL, b.api.domainTarget
	if b.cdn != nil {
		url, domainTarget = b.cdn.url, b.cdn.domainTarget
	}
	ctx.Export("apiUrl", url)
	// A signature covers the host name, which CloudFront replaces. So the merchant's signed
	// requests go to the API itself.
	ctx.Export("merchantUrl", b.api.publicURL)
	ctx.Export("topicName", b.messaging.topic.Name)
	ctx.Export("queueName", queue.Name)
	ctx.Export("deadLetterQueueName", queue.deadLetters.Name)
	ctx.Export("dashboardName", dashboard.DashboardName)
	ctx.Export("databaseSecretArn", b.secrets["database"].Arn)
	if b.settings.Domain != nil {
		ctx.Export("domainTarget", domainTarget)
	}
}
