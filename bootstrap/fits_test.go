package main

import (
	"encoding/json"
	"slices"
	"strings"
	"testing"

	"restock/infra/bundle"
	"restock/infra/graph"
	"restock/infra/recorder"
	"restock/infra/stack"
	"restock/infra/stack/stacktest"
)

// shop records the stack that the roles deploy.
func shop(tb testing.TB, stage string) *graph.Graph {
	tb.Helper()
	_, config := stacktest.Config(tb, "..", stage)
	settings := map[string]any{}
	if err := json.Unmarshal([]byte(config[project+":settings"]), &settings); err != nil {
		tb.Fatal(err)
	}
	settings["permissionsBoundary"] = policiesARN + "functions-" + stage // as docs/delivery.md sets it
	text, err := json.Marshal(settings)
	if err != nil {
		tb.Fatal(err)
	}
	config[project+":settings"] = string(text)
	g, err := recorder.Record(stack.Program(bundle.WithoutCode), recorder.Options{
		Project: project, Stage: stage, Config: config,
	})
	if err != nil {
		tb.Fatal(err)
	}
	return g
}

// service returns IAM's name of the service of a resource type.
func service(token graph.Type) string {
	kind := strings.TrimPrefix(string(token), graph.AWS)
	for _, known := range []struct{ prefix, service string }{
		{"apigatewayv2/", "apigateway"},
		{"cloudwatch/event", "events"},
		{"cloudwatch/log", "logs"},
		{"vpc/", "ec2"},
	} {
		if strings.HasPrefix(kind, known.prefix) {
			return known.service
		}
	}
	name, _, _ := strings.Cut(kind, "/")
	return name
}

func TestDeploymentMayUseEveryServiceOfTheStack(t *testing.T) {
	for _, stage := range []string{"dev", "prod"} {
		var services []string
		for _, s := range permissions(t, record(t))["deploy-"+stage].Statement {
			for _, action := range s.Action {
				name, _, _ := strings.Cut(action, ":")
				services = append(services, name)
			}
		}
		for _, token := range shop(t, stage).Types(graph.AWS) {
			if name := service(token); !slices.Contains(services, name) {
				t.Errorf("stage %s declares %s, and its deployment may do nothing with %s: add it to permissions.go",
					stage, token, name)
			}
		}
	}
}

// The policies of the stack's roles name resources by their ARNs. The boundary must allow them all.
func TestBoundaryHoldsWhatTheFunctionsDo(t *testing.T) {
	all := permissions(t, record(t))
	for _, stage := range []string{"dev", "prod"} {
		boundary := subject{"functions-" + stage, nil, strings.Replace(ownRole, "pr-12", stage, 1), true}
		for name, p := range permissions(t, shop(t, stage)) {
			for _, s := range p.Statement {
				for _, action := range s.Action {
					q := question{action: action, resource: s.Resource[0], of: project + "/" + stage, want: yes}
					q.with = map[string]string{masterTag: at("rds", "db:restock-"+stage+"-database-0123abc")}
					if s.Effect == "Allow" {
						boundary.asks = append(boundary.asks, q)
					}
				}
			}
			for _, wrong := range boundary.wrong(t, all[boundary.name].Statement, len(boundary.asks)) {
				t.Errorf("stage %s: role %s needs what its boundary denies, change functionsMayAtMost: %s", stage,
					name, wrong)
			}
		}
	}
}

// When a workflow deploys a role outside this path, or without the boundary that its stage
// requires, IAM refuses it.
func TestFunctionsRolesAreWhereADeploymentMayMakeThem(t *testing.T) {
	for _, stage := range []string{"dev", "prod"} {
		for _, role := range shop(t, stage).OfType(graph.Role) {
			if want := "/" + project + "/" + stage + "/"; role.String("path") != want {
				t.Errorf("stage %s: role %s is at %q, want %q", stage, role.Name, role.String("path"), want)
			}
			if role.String("permissionsBoundary") != policiesARN+"functions-"+stage {
				t.Errorf("stage %s: role %s has the boundary %q, want the one that is configured", stage, role.Name,
					role.String("permissionsBoundary"))
			}
		}
	}
}
