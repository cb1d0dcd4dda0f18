package stack

import (
	"fmt"
	"maps"
	"time"

	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"restock/infra/policy"
	"restock/lambdas"
)

// bindings hold the values for the functions' environments, by the name in package lambdas, like
// "topic.stock_empty" or "database.host".
type bindings struct {
	values map[string]pulumi.StringInput // an ARN, if variables with this name have grants
	keys   map[string]pulumi.StringInput // the ARN of the KMS key that encrypts the resource
}

func (b *base) newBindings(ctx *pulumi.Context) bindings {
	leadTime := time.Duration(b.settings.FactoryLeadTimeSeconds * int(time.Second))
	operationsTopic := "topic." + lambdas.OperationsTopic
	var factoryURL pulumi.StringInput = pulumi.String(b.settings.FactoryURL)
	if b.settings.FactoryURL == SimulatedFactory {
		factoryURL = b.api.url // lambdas.Factory has a route of it
	}
	values := map[string]pulumi.StringInput{
		"config.catalogue":                 pulumi.String(b.settings.Catalogue),
		"config.factoryUrl":                factoryURL,
		"config.factoryLeadTime":           pulumi.String(leadTime.String()),
		"config.metricsNamespace":          pulumi.String(metricsNamespace(ctx)),
		"database.host":                    b.database.instance.Address,
		"database.instance":                b.database.instance.Address,
		"database.port":                    pulumi.Sprintf("%d", b.database.instance.Port),
		"database.name":                    b.database.instance.DbName,
		"secret.database-admin":            b.database.adminSecret,
		"topic." + lambdas.StockEmptyTopic: b.messaging.topic.Arn,
		operationsTopic:                    b.managers.Arn,
		"api.url":                          b.api.url,
	}
	if b.settings.Tracing {
		values["config.tracing"] = pulumi.String("true")
	}
	for name, queue := range b.messaging.queues {
		values["queue."+name] = queue.Arn
	}
	for name, secret := range b.secrets {
		values["secret."+name] = secret.Arn
	}
	return bindings{values, map[string]pulumi.StringInput{operationsTopic: b.key.Arn}}
}

// through returns the bindings of functions that connect to the database through a proxy.
func (b bindings) through(p *proxy) bindings {
	b.values = maps.Clone(b.values)
	b.values["database.host"] = p.host
	return b
}

// environment returns the values of a function's variables.
func (b bindings) environment(f lambdas.Function) (pulumi.StringMap, error) {
	environment := pulumi.StringMap{}
	for _, v := range lambdas.Variables(f.Environment) {
		value, ok := b.values[v.From()]
		if !ok && v.Optional {
			continue
		}
		if !ok {
			return nil, unknownBinding(f, v)
		}
		environment[v.Name] = value
	}
	return environment, nil
}

func unknownBinding(f lambdas.Function, v lambdas.Variable) error {
	return fmt.Errorf("function %s: variable %s is filled from %q, which the stack does not have: name another in "+
		"lambdas/environment.go, or add it in infra/stack/grants.go", f.Name, v.Name, v.From())
}

// A permission is what a grant allows: actions on one resource.
type permission struct {
	actions  []string
	resource pulumi.StringInput
}

// permissions returns what a function may do, by the grants of its environment and its queue.
func (b bindings) permissions(f lambdas.Function) ([]permission, error) {
	var permissions []permission
	for _, v := range lambdas.Variables(f.Environment) {
		if len(v.Grants) == 0 {
			continue
		}
		resource, ok := b.values[v.From()]
		if !ok && v.Optional {
			continue
		}
		if !ok {
			return nil, unknownBinding(f, v)
		}
		p := permission{resource: resource}
		for _, verb := range v.Grants {
			allowed := policy.Actions(v.Thing, verb)
			if allowed == nil {
				return nil, fmt.Errorf("function %s: variable %s has the unknown grant %q for a %s: use another in "+
					"lambdas/environment.go, or add it in infra/policy/grants.go", f.Name, v.Name, verb, v.Thing)
			}
			p.actions = append(p.actions, allowed...)
		}
		permissions = append(permissions, p)
		if key, ok := b.keys[v.From()]; ok {
			permissions = append(permissions, permission{policy.Actions("key", "encrypt"), key})
		}
	}
	if f.Queue != "" {
		queue, ok := b.values["queue."+f.Queue]
		if !ok {
			return nil, fmt.Errorf("function %s: it handles queue %q, which the stack does not have", f.Name, f.Queue)
		}
		permissions = append(permissions, permission{policy.Actions("queue", "consume"), queue})
	}
	return permissions, nil
}
