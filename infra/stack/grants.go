package stack

import (
	"fmt"
	"time"

	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/kms"
	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/secretsmanager"
	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/sns"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"restock/infra/policy"
	"restock/lambdas"
)

// things are what the functions' environments are filled with.
type things struct {
	values map[string]pulumi.StringInput // by the name under which lambdas declares it; an ARN, where a grant goes with it
	keys   map[string]pulumi.StringInput // the ARN of the stack's own key, where a thing is encrypted with it
}

func newThings(ctx *pulumi.Context, s Settings, d *database, secrets map[string]*secretsmanager.Secret, m *messaging, people *sns.Topic, key *kms.Key, a *api) things {
	operationsTopic := "topic." + lambdas.OperationsTopic
	t := map[string]pulumi.StringInput{
		"config.factoryUrl":                pulumi.String(s.FactoryURL),
		"config.factoryLeadTime":           pulumi.String(time.Duration(s.FactoryLeadTimeSeconds * int(time.Second)).String()),
		"config.metricsNamespace":          pulumi.String(metricsNamespace(ctx)),
		"database.host":                    d.host,
		"database.instance":                d.instance.Address,
		"database.port":                    pulumi.Sprintf("%d", d.instance.Port),
		"database.name":                    d.instance.DbName,
		"secret.database-admin":            d.adminSecret,
		"topic." + lambdas.StockEmptyTopic: m.topic.Arn,
		operationsTopic:                    people.Arn,
		"api.url":                          a.url,
	}
	for name, queue := range m.queues {
		t["queue."+name] = queue.Arn
	}
	for name, secret := range secrets {
		t["secret."+name] = secret.Arn
	}
	return things{t, map[string]pulumi.StringInput{operationsTopic: key.Arn}}
}

// environment is what a function's variables are filled with.
func (t things) environment(f lambdas.Function) (pulumi.StringMap, error) {
	environment := pulumi.StringMap{}
	for _, v := range lambdas.Variables(f.Environment) {
		value, ok := t.values[v.From()]
		if !ok {
			return nil, unknownThing(f, v)
		}
		environment[v.Name] = value
	}
	return environment, nil
}

func unknownThing(f lambdas.Function, v lambdas.Variable) error {
	return fmt.Errorf("function %s: variable %s is filled from %q, which the stack does not have: name another in lambdas/environment.go, or add it in infra/stack/grants.go", f.Name, v.Name, v.From())
}

// A permission is what a grant allows: actions on one resource.
type permission struct {
	actions  []string
	resource pulumi.StringInput
}

// permissions are what a function's environment and its queue grant it.
func (t things) permissions(f lambdas.Function) ([]permission, error) {
	var permissions []permission
	for _, v := range lambdas.Variables(f.Environment) {
		if len(v.Grants) == 0 {
			continue
		}
		thing, ok := t.values[v.From()]
		if !ok {
			return nil, unknownThing(f, v)
		}
		p := permission{resource: thing}
		for _, verb := range v.Grants {
			allowed := policy.Actions(v.Thing, verb)
			if allowed == nil {
				return nil, fmt.Errorf("function %s: variable %s grants %q on a %s, which means nothing: name another verb in lambdas/environment.go, or say in infra/policy/grants.go what it means", f.Name, v.Name, verb, v.Thing)
			}
			p.actions = append(p.actions, allowed...)
		}
		permissions = append(permissions, p)
		if key, ok := t.keys[v.From()]; ok {
			permissions = append(permissions, permission{policy.Actions("key", "encrypt"), key})
		}
	}
	if f.Queue != "" {
		queue, ok := t.values["queue."+f.Queue]
		if !ok {
			return nil, fmt.Errorf("function %s: it handles queue %q, which the stack does not have", f.Name, f.Queue)
		}
		permissions = append(permissions, permission{policy.Actions("queue", "consume"), queue})
	}
	return permissions, nil
}
