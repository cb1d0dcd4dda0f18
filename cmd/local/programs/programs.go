// Package programs has the programs that command local can run: the shop and the tutorial. It
// passes package local/run what is special about the shop: its declarations, its settings' names,
// its panels of the console, and the stand-in of its factory.
package programs

import (
	"context"
	"fmt"
	"log/slog"
	"maps"
	"os"
	"path/filepath"
	"time"

	"restock/cmd/local/factory"
	"restock/cmd/local/panels"
	tutorial "restock/examples/tutorial/program"
	"restock/infra/policy/usage"
	"restock/infra/stack"
	"restock/lambdas"
	"restock/local/run"
)

const shopName = "shop"

// unusedGrants are the shop's grants that no run uses, with the reason for each. There are none:
// add one only for calls that a run cannot make. A test compares the table with runs.
var unusedGrants []usage.Justification

// Shop returns the shop's program.
func Shop() run.Program {
	declared := stack.Declarations()
	declared.DeclaredIn = declaredIn
	return run.Program{
		Name: shopName, Project: ".", Package: "infra/stack", Functions: lambdas.Folder,
		Declared: declared, MissingIn: missingIn, Declare: stack.Program, Unused: unusedGrants,
		ConcurrencySetting: "Concurrency in lambdas/lambdas.go, setting concurrency.%s",
		ThrottlingSetting: func(routeKey string) string {
			return fmt.Sprintf("setting throttling.%s", lambdas.TrafficOf(routeKey))
		},
		Callers:  "buyers",
		Business: panels.Business(nil),
	}
}

// Tutorial returns the tutorial's program.
func Tutorial() run.Program {
	return run.Program{
		Name: "tutorial", Project: "examples/tutorial", Package: "examples/tutorial/program",
		Functions: tutorial.Functions, Declare: tutorial.Program,
	}
}

// All returns all programs.
func All() []run.Program { return []run.Program{Shop(), Tutorial()} }

// factoryName is the name of the factory among a run's outside servers.
const factoryName = "factory"

// Config configures a run. DefaultConfig sets all fields that it needs.
type Config struct {
	run.Config
	// Factory is the address of the factory's stand-in. If it is stack.SimulatedFactory, the run
	// has the function that simulates the factory on AWS instead.
	Factory     string
	FactoryStep time.Duration // the duration of each of the factory's four steps
}

// UsageVariable is the environment variable with the file to which runs add their calls: see
// run.Config. A relative path is below the project's folder.
const UsageVariable = "RESTOCK_USAGE"

// DefaultConfig returns the configuration of a run of the shop. projectDir is the folder of its
// module.
func DefaultConfig(projectDir string) Config {
	c := Config{Config: run.DefaultConfig(Shop(), projectDir), Factory: "127.0.0.1:8081", FactoryStep: time.Second}
	c.Command = "./cmd/local"
	if c.Usage = os.Getenv(UsageVariable); c.Usage != "" && !filepath.IsAbs(c.Usage) {
		c.Usage = filepath.Join(projectDir, c.Usage)
	}
	return c
}

// A Run is a running program, with the factory's stand-in.
type Run struct {
	*run.Run
	Factory *factory.Factory // nil if the run has no stand-in of the factory
}

// Endpoints are the addresses of a run's parts.
type Endpoints struct {
	run.Endpoints
	Factory string `json:"factory"` // empty if the run has no stand-in of the factory
	Region  string `json:"region"`
}

// Endpoints returns the addresses of the run's parts.
func (r *Run) Endpoints() Endpoints {
	e := r.Run.Endpoints()
	return Endpoints{e, e.Outside[factoryName], r.Region()}
}

// Start starts a program, and returns when it is ready to serve. If it fails, it stops what it has
// started.
func Start(ctx context.Context, c Config) (*Run, error) {
	r := &Run{}
	if c.Program.Name == shopName && c.Program.Dir == "" {
		c.Panels = panels.New(c.Log.With("part", "console"), func() *factory.Factory { return r.Factory })
		c.Program.Business = panels.Business(c.Panels)
		r.addFactory(&c)
		if c.OTLP != "" {
			c.set("tracing", true) // so that the functions record their work
		}
	}
	var err error
	if r.Run, err = run.Start(ctx, c.Config); err != nil {
		return nil, err
	}
	return r, nil
}

// set replaces a setting of the stage.
func (c *Config) set(key string, value any) {
	c.Settings = maps.Clone(c.Settings)
	if c.Settings == nil {
		c.Settings = map[string]any{}
	}
	c.Settings[key] = value
}

// addFactory adds the factory of the shop to a configuration.
func (r *Run) addFactory(c *Config) {
	const setting = "factoryUrl"
	if c.Factory == stack.SimulatedFactory {
		c.set(setting, stack.SimulatedFactory)
		return
	}
	step := c.FactoryStep
	c.Outside = []run.OutsideServer{{
		Name: factoryName, Setting: setting, Address: c.Factory,
		New: func(apiURL string, log *slog.Logger) run.StandIn {
			r.Factory = factory.New(factory.Config{CallbackOrigins: []string{apiURL}, Step: step, Log: log})
			return r.Factory
		},
	}}
}
