package graph

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/pulumi/pulumi/sdk/v3/go/common/resource/config"
	"github.com/pulumi/pulumi/sdk/v3/go/common/workspace"
)

// Config reads a stage's configuration from the project's files, like the command pulumi. It does
// not decrypt values. The keys of values are full keys, like "aws:region".
func Config(projectDir, stage string) (project string, values map[string]string, err error) {
	p, err := workspace.LoadProject(filepath.Join(projectDir, "Pulumi.yaml"))
	if err != nil {
		return "", nil, fmt.Errorf("reading the project: %w", err)
	}
	path := filepath.Join(projectDir, "Pulumi."+stage+".yaml")
	if _, err := os.Stat(path); errors.Is(err, fs.ErrNotExist) {
		return "", nil, fmt.Errorf("there is no stage %q, want one of %s", stage,
			strings.Join(Stages(projectDir), ", "))
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

// Stages lists a project's stages, by the names of their files.
func Stages(projectDir string) (names []string) {
	files, _ := filepath.Glob(filepath.Join(projectDir, "Pulumi.*.yaml")) // the pattern is well-formed
	for _, file := range files {
		names = append(names, strings.TrimSuffix(strings.TrimPrefix(filepath.Base(file), "Pulumi."), ".yaml"))
	}
	return names
}
