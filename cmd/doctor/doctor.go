package main

import (
	"context"
	"fmt"
	"net/url"
	"strings"
	"time"

	"restock/infra/cost"
	"restock/infra/graph"
	"restock/infra/recorder"
	"restock/infra/stack"
)

// patience limits each check that waits for pulumi or for AWS.
const patience = 15 * time.Second

// A doctor examines a stage.
type doctor struct {
	project, stage, secretsProvider string

	name     string            // of the project
	config   map[string]string // of Pulumi.<stage>.yaml, with full keys
	settings stack.Settings
	declared *graph.Graph // nil if the settings are wrong
	backend  string       // URL of pulumi's backend; empty if there is none
	aws      *account     // nil if AWS does not accept the credentials
}

// examine runs the checks in the order in which a person repairs what they find.
func (d *doctor) examine(ctx context.Context) (findings []finding) {
	for _, check := range []struct {
		name string
		run  func(context.Context) finding
	}{
		{"settings", d.checkSettings},
		{"pulumi", d.checkPulumi},
		{"backend", d.checkBackend},
		{"secrets", d.checkSecrets},
		{"identity", d.checkIdentity},
		{"concurrency", d.needsAWS(d.checkConcurrency)},
		{"vpc", d.needsAWS(d.checkVPCs)},
		{"database", d.needsAWS(d.checkDatabase)},
		{"factory", d.needsSettings(d.checkFactory)},
		{"cost", d.needsSettings(d.checkCost)},
	} {
		limited, cancel := context.WithTimeout(ctx, patience)
		f := check.run(limited)
		cancel()
		f.Check = check.name
		findings = append(findings, f)
	}
	return findings
}

func ok(format string, values ...any) finding {
	return finding{Status: passed, Says: fmt.Sprintf(format, values...)}
}

func fail(remedy, format string, values ...any) finding {
	return finding{Status: failed, Says: fmt.Sprintf(format, values...), Remedy: remedy}
}

func warn(remedy, format string, values ...any) finding {
	return finding{Status: warning, Says: fmt.Sprintf(format, values...), Remedy: remedy}
}

// needsSettings skips a check if the settings are wrong.
func (d *doctor) needsSettings(check func(context.Context) finding) func(context.Context) finding {
	return func(ctx context.Context) finding {
		if d.declared == nil {
			return finding{Status: skipped, Says: "not checked, because the settings are wrong"}
		}
		return check(ctx)
	}
}

// needsAWS skips a check if AWS does not answer or the settings are wrong.
func (d *doctor) needsAWS(check func(context.Context) finding) func(context.Context) finding {
	return d.needsSettings(func(ctx context.Context) finding {
		if d.aws == nil {
			return finding{Status: skipped, Says: "not checked, because the identity is unknown"}
		}
		return check(ctx)
	})
}

// file is the name of the stage's configuration.
func (d *doctor) file() string { return "Pulumi." + d.stage + ".yaml" }

func (d *doctor) checkSettings(context.Context) finding {
	var err error
	if d.name, d.config, err = recorder.Config(d.project, d.stage); err == nil {
		d.settings, err = stack.ReadSettings(d.project, d.stage)
	}
	if err == nil {
		d.declared, err = stack.Record(d.project, d.stage)
	}
	if err != nil {
		return fail("change it, see docs/reference.md#settings", "%v", err)
	}
	return ok("%s declares %d resources", d.file(), len(d.declared.Resources))
}

// checkFactory finds an address that IANA reserves for examples. Every production order to it
// fails, so nothing is ever restocked.
// https://www.rfc-editor.org/rfc/rfc2606#section-3
func (d *doctor) checkFactory(context.Context) finding {
	if d.settings.FactoryURL == stack.SimulatedFactory {
		return ok("simulated: the stage deploys a function that plays the factory")
	}
	u, err := url.Parse(d.settings.FactoryURL)
	if err != nil {
		return fail("set factoryUrl in "+d.file(), "factoryUrl is not a URL")
	}
	for _, example := range []string{"example.com", "example.net", "example.org"} {
		if strings.HasSuffix("."+u.Hostname(), "."+example) {
			return fail("set factoryUrl in "+d.file()+" to your factory's address, or leave it out in a stage that is "+
				"not protected, which then simulates the factory",
				"factoryUrl is %s, which is no factory, so nothing would be restocked", u.Redacted())
		}
	}
	return ok("%s", u.Redacted())
}

func (d *doctor) checkCost(context.Context) finding {
	of := cost.Stage{Name: d.stage, Region: d.declared.Region, Graph: d.declared}
	e, err := cost.New(of, cost.Seoul(), cost.DefaultAssumptions())
	if err != nil {
		return warn("look the prices up before you deploy", "%v", err)
	}
	return ok("%s a month (%s a day) without a checkout, %s for each million checkouts; make cost STAGE=%s explains it",
		e.FixedTotal, e.FixedTotal/30, e.PerMillionTotal, d.stage)
}
