package graph

import (
	"fmt"
	"os"
	"path/filepath"

	"github.com/pulumi/pulumi/sdk/v3/go/common/resource/config"
	"github.com/pulumi/pulumi/sdk/v3/go/common/workspace"
)

// Config reads a stage's configuration from the project's files, as pulumi does. Values that are encrypted stay so.
func Config(projectDir, stage string) (project string, values map[string]string, err error) {
	p, err := workspace.LoadProject(filepath.Join(projectDir, "Pulumi.yaml"))
	if err != nil {
		return "", nil, fmt.Errorf("reading the project: %w", err)
	}
	path := filepath.Join(projectDir, "Pulumi."+stage+".yaml")
	if _, err := os.Stat(path); err != nil {
		return "", nil, fmt.Errorf("there is no stage %q: %w", stage, err)
	}
	s, err := workspace.LoadProjectStack(nil, p, path)
	if err != nil {
		return "", nil, fmt.Errorf("reading stage %s: %w", stage, err)
	}
	decrypted, err := s.Config.Decrypt(config.NopDecrypter)
	if err != nil {
		return "", nil, fmt.Errorf("reading %s: %w", path, err)
	}
	values = map[string]string{}
	for key, value := range decrypted {
		values[key.String()] = value
	}
	return p.Name.String(), values, nil
}
