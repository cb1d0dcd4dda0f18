package stack_test

import (
	"maps"
	"path/filepath"
	"slices"
	"testing"

	"github.com/pulumi/pulumi/sdk/v3/go/common/resource/config"
	"github.com/pulumi/pulumi/sdk/v3/go/common/workspace"

	"restock/infra/bundle"
	"restock/infra/recorder"
	"restock/infra/stack"
)

// TestTemplateConfiguresAStage records a project that pulumi new has copied and renamed, with every
// default accepted. Pulumi adds the new name to a key that has no namespace.
func TestTemplateConfiguresAStage(t *testing.T) {
	p, err := workspace.LoadProject(filepath.Join(projectDir, "Pulumi.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	if p.Template == nil {
		t.Fatal("Pulumi.yaml has no template: pulumi new asks for nothing")
	}
	if got := slices.Sorted(maps.Keys(p.Template.Config)); !slices.Equal(got, []string{"aws:region", "settings"}) {
		t.Fatalf("the template asks for %q, want what settings.Load reads", got)
	}
	_, err = recorder.Record(stack.Program(bundle.WithoutCode), recorder.Options{
		Project: "bakery", Stage: "dev", Config: map[string]string{
			"aws:region":      p.Template.Config["aws:region"].Default,
			"bakery:settings": p.Template.Config["settings"].Default,
		},
	})
	if err != nil {
		t.Errorf("a stage with the template's defaults: %v", err)
	}
}

// A key with a namespace would name no setting of the renamed project.
func TestSettingsOfStagesBelongToEveryName(t *testing.T) {
	bakery := &workspace.Project{Name: "bakery"}
	for _, stage := range stages {
		s, err := workspace.LoadProjectStack(nil, bakery, filepath.Join(projectDir, "Pulumi."+stage+".yaml"))
		if err != nil {
			t.Fatal(err)
		}
		if _, ok := s.Config[config.MustMakeKey("bakery", "settings")]; !ok {
			t.Errorf("Pulumi.%s.yaml: the project's name is in a key, want the key settings", stage)
		}
	}
}
