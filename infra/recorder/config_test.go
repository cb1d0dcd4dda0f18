package recorder_test

import (
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"restock/infra/recorder"
)

func TestStageOfAProgramWithAMainOfItsOwn(t *testing.T) {
	t.Setenv("AWS_REGION", "")
	t.Setenv("AWS_DEFAULT_REGION", "")
	const project = "name: p\nruntime: go\nmain: infra\nlocal:\n  build: make\nconfig:\n  size: {default: 3}\n" +
		"template:\n  config:\n    aws:region: {default: us-east-2}\n    word: {default: hush, secret: true}\n"
	const encrypted = "config:\n  aws:region: eu-west-1\n  p:word:\n    secure: AAAA\n"
	for _, c := range []struct {
		name, file string
		given      map[string]string
		want       map[string]string
		secrets    []string
		err        string
	}{
		{"no file", "", nil, map[string]string{"aws:region": "us-east-2", "p:word": "hush", "p:size": "3"},
			[]string{"p:word"}, ""},
		{"given", "", map[string]string{"word": "mine"}, map[string]string{
			"aws:region": "us-east-2", "p:word": "mine", "p:size": "3",
		}, []string{"p:word"}, ""},
		{"plain in the file", "config:\n  aws:region: eu-west-1\n  p:word: mine\n", nil, map[string]string{
			"aws:region": "eu-west-1", "p:word": "mine", "p:size": "3",
		}, []string{"p:word"}, ""},
		{"encrypted", encrypted, nil, nil, nil, "encrypted value of p:word"},
		{"encrypted and given", encrypted, map[string]string{"word": "mine"},
			map[string]string{"aws:region": "eu-west-1", "p:word": "mine", "p:size": "3"}, []string{"p:word"}, ""},
		{"no region", "config:\n  p:word: x\n", nil, nil, nil, "-config aws:region=us-east-1"},
	} {
		dir := t.TempDir()
		files := map[string]string{"Pulumi.yaml": project}
		if c.file != "" {
			files["Pulumi.dev.yaml"] = c.file
		}
		for name, content := range files {
			if err := os.WriteFile(filepath.Join(dir, name), []byte(content), 0o644); err != nil {
				t.Fatal(err)
			}
		}
		s, err := recorder.ReadStage(dir, "dev", c.given)
		if c.err != "" {
			if err == nil || !strings.Contains(err.Error(), c.err) {
				t.Errorf("%s: got %v, want an error with %q", c.name, err, c.err)
			}
			continue
		}
		if err != nil || !maps.Equal(s.Config, c.want) || !slices.Equal(s.Secrets, c.secrets) {
			t.Errorf("%s: got %v, secrets %q, %v; want %v, secrets %q",
				c.name, s.Config, s.Secrets, err, c.want, c.secrets)
		}
		if s.Main != "infra" || s.Runtime != "go" || s.Keys["local"] == nil || (s.NoFile != "") != (c.file == "") {
			t.Errorf("%s: got %+v", c.name, s)
		}
	}
}
