// Package programs holds the programs that the local run knows: the shop and the tutorial, and the
// stand-in of the shop's factory, which is outside AWS.
package programs

import (
	"context"
	"log/slog"
	"time"

	"restock/cmd/local/factory"
	"restock/cmd/local/panels"
	tutorial "restock/examples/tutorial/program"
	"restock/infra/rules"
	"restock/infra/stack"
	"restock/lambdas"
	"restock/local/run"
)

const shopName = "shop"

// Shop is the program of the shop.
func Shop() run.Program {
	return run.Program{
		Name: shopName, Project: ".", Package: "infra/stack", Functions: lambdas.Folder,
		Declared:  rules.Declarations{Functions: stack.Declarations(), DeclaredIn: declaredIn},
		MissingIn: missingIn, Declare: stack.Program,
		ConcurrencySetting: "Concurrency in lambdas/lambdas.go, setting concurrency.%s",
		ThrottlingSetting:  "settings throttling.ratePerSecond and throttling.burst",
		Business:           milestone,
	}
}

// Tutorial is the program of the tutorial.
func Tutorial() run.Program {
	return run.Program{
		Name: "tutorial", Project: "examples/tutorial", Package: "examples/tutorial/program",
		Functions: tutorial.Functions, Declare: tutorial.Program,
	}
}

// All are the programs that run here.
func All() []run.Program { return []run.Program{Shop(), Tutorial()} }

// factoryName is the name of the factory among a run's outside servers.
const factoryName = "factory"

// Config says how a program runs. DefaultConfig fills all that is needed.
type Config struct {
	run.Config
	Factory     string        // where the factory's stand-in listens
	FactoryStep time.Duration // how long each of the factory's four steps takes
}

// DefaultConfig is a run of the shop, whose module is in a directory.
func DefaultConfig(projectDir string) Config {
	c := Config{Config: run.DefaultConfig(Shop(), projectDir), Factory: "127.0.0.1:8081", FactoryStep: time.Second}
	c.Command = "./cmd/local"
	return c
}

// A Run is a program at work, with the factory's stand-in.
type Run struct {
	*run.Run
	Factory *factory.Factory // nil where the stage names none
}

// Endpoints are where a run's parts are to be found.
type Endpoints struct {
	run.Endpoints
	Factory string `json:"factory"` // empty where the stage names none
}

// Endpoints returns where the run's parts are to be found.
func (r *Run) Endpoints() Endpoints {
	e := r.Run.Endpoints()
	return Endpoints{e, e.Outside[factoryName]}
}

// Start starts a program, and returns when it is ready to serve. An error leaves nothing behind.
func Start(ctx context.Context, c Config) (*Run, error) {
	r := &Run{}
	c.Outside = []run.OutsideServer{{
		Name: factoryName, Setting: "factoryUrl", Address: c.Factory,
		New: func(apiURL string, log *slog.Logger) run.StandIn {
			r.Factory = factory.New(factory.Config{CallbackOrigins: []string{apiURL}, Step: c.FactoryStep, Log: log})
			return r.Factory
		},
	}}
	if c.Program.Name == shopName {
		c.Panels = panels.New(c.Log.With("part", "console"), func() *factory.Factory { return r.Factory })
	}
	var err error
	if r.Run, err = run.Start(ctx, c.Config); err != nil {
		return nil, err
	}
	return r, nil
}
