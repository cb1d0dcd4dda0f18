package recorder

import (
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
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

// A Stage is the configuration of a program that has a main of its own.
type Stage struct {
	Project   string
	Main      string            // the folder of the main package, below the folder of Pulumi.yaml
	Runtime   string            // "go"
	Config    map[string]string // by full key
	Secrets   []string          // the keys of secret values
	Keys      map[string]any    // the keys of Pulumi.yaml that Pulumi ignores
	NoFile    string            // the name of the stage's file, if it does not exist
	stageFile string
}

// ReadStage reads the configuration of a stage of a program with a main of its own. Unlike Config
// it accepts a stage without a file, as Pulumi does, and uses the values that Pulumi.yaml proposes
// for a new project. given replaces values, by full key, or by key without the project's name. A
// value that the file has encrypted must be among them.
func ReadStage(dir, stage string, given map[string]string) (s Stage, err error) {
	p, err := workspace.LoadProject(filepath.Join(dir, "Pulumi.yaml"))
	if err != nil {
		return s, fmt.Errorf("reading the project: %w", err)
	}
	s = Stage{
		Project: p.Name.String(), Main: p.Main, Runtime: p.Runtime.Name(), Keys: p.AdditionalKeys,
		Config: map[string]string{}, stageFile: "Pulumi." + stage + ".yaml",
	}
	for key, value := range given {
		s.set(key, value)
	}
	if err := s.readFile(p, filepath.Join(dir, s.stageFile)); err != nil {
		return s, err
	}
	for key, declared := range p.Config {
		if declared.Secret {
			s.hide(key)
		}
		if value := cmp.Or(declared.Value, declared.Default); value != nil {
			s.set(key, text(value))
		}
	}
	if p.Template != nil {
		for key, proposed := range p.Template.Config {
			if proposed.Secret {
				s.hide(key)
			}
			if proposed.Default != "" && s.NoFile != "" {
				s.set(key, proposed.Default)
			}
		}
	}
	// The provider falls back to these variables:
	// https://www.pulumi.com/registry/packages/aws/installation-configuration/
	if region := cmp.Or(os.Getenv("AWS_REGION"), os.Getenv("AWS_DEFAULT_REGION")); region != "" {
		s.set("aws:region", region)
	}
	if s.Config["aws:region"] == "" {
		return s, fmt.Errorf("stage %s has no aws:region: add it to %s, or use -config aws:region=us-east-1",
			stage, s.stageFile)
	}
	return s, nil
}

// set sets a value that is not set yet.
func (s *Stage) set(key, value string) {
	key = s.full(key)
	if _, known := s.Config[key]; !known {
		s.Config[key] = value
	}
}

// hide makes the value of a key secret, wherever the value comes from.
func (s *Stage) hide(key string) {
	if key = s.full(key); !slices.Contains(s.Secrets, key) {
		s.Secrets = append(s.Secrets, key)
	}
}

// full returns a key with the project's name, which a key may leave out.
func (s *Stage) full(key string) string {
	if strings.Contains(key, ":") {
		return key
	}
	return s.Project + ":" + key
}

// readFile reads the stage's file, if there is one.
func (s *Stage) readFile(p *workspace.Project, path string) error {
	if _, err := os.Stat(path); errors.Is(err, fs.ErrNotExist) {
		s.NoFile = s.stageFile
		return nil
	}
	file, err := workspace.LoadProjectStack(nil, p, path)
	if err != nil {
		return fmt.Errorf("reading %s: %w", s.stageFile, err)
	}
	for key, value := range file.Config {
		name := key.String()
		if value.Secure() {
			if _, known := s.Config[name]; !known {
				return fmt.Errorf("%s has an encrypted value of %s, and a recording has no key for it: "+
					"use -config %s=VALUE with a value for this machine", s.stageFile, name, name)
			}
			s.hide(name)
			continue
		}
		plain, err := value.Value(config.NopDecrypter)
		if err != nil {
			return fmt.Errorf("reading %s of %s: %w", name, s.stageFile, err)
		}
		s.set(name, plain)
	}
	return nil
}

// text returns a value of Pulumi.yaml in the form that Pulumi passes to programs.
func text(value any) string {
	if s, ok := value.(string); ok {
		return s
	}
	written, _ := json.Marshal(value) // a value from YAML has JSON's types
	return string(written)
}

// Stages lists a project's stages, by the names of their files.
func Stages(projectDir string) (names []string) {
	files, _ := filepath.Glob(filepath.Join(projectDir, "Pulumi.*.yaml")) // the pattern is well-formed
	for _, file := range files {
		names = append(names, strings.TrimSuffix(strings.TrimPrefix(filepath.Base(file), "Pulumi."), ".yaml"))
	}
	return names
}
