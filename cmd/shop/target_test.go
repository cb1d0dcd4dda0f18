package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestLocalRunIsInTheRegionOfTheStageDev(t *testing.T) {
	dir := t.TempDir()
	t.Chdir(dir)
	if _, said, code := typed(t, "products", "--local"); code != 2 || !strings.Contains(said, "give --region") {
		t.Errorf("outside the project: ended with %d, %s; want a request for the region", code, said)
	}
	if err := os.WriteFile("Pulumi.dev.yaml", []byte("config:\n  aws:region: eu-west-1\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Mkdir("below", 0o700); err != nil {
		t.Fatal(err)
	}
	t.Chdir(filepath.Join(dir, "below"))
	if region, err := localRegion(); region != "eu-west-1" || err != nil {
		t.Errorf("got %q, %v; want the region of Pulumi.dev.yaml in a folder above", region, err)
	}
}

// pulumi puts a program named pulumi first in the path. It prints the outputs of the stage demo.
func pulumi(t *testing.T, outputs map[string]string) {
	t.Helper()
	script := "#!/bin/sh\ntest \"$1 $2 $4 $5\" = 'stack output --stack=demo --non-interactive' || { echo \"error: no " +
		"stack named\n'$4' found\" >&2; exit 255; }\ncase $3 in\n"
	for name, value := range outputs {
		script += name + ") echo '" + value + "';;\n"
	}
	script += "*) echo error: current stack does not have output property $3 >&2; exit 255;;\nesac\n"
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "pulumi"), []byte(script), 0o755); err != nil {
		t.Fatal(err)
	}
	t.Setenv("PATH", dir+":"+os.Getenv("PATH"))
}

func TestStageIsFoundByItsOutputs(t *testing.T) {
	a := newAPI(t, example)
	pulumi(t, map[string]string{"merchantUrl": a.url})
	t.Setenv("AWS_ACCESS_KEY_ID", "AKIDEXAMPLE")
	t.Setenv("AWS_SECRET_ACCESS_KEY", "secret")
	t.Setenv("AWS_REGION", "ap-northeast-2")
	if out, said, code := typed(t, "products", "--stage", "demo"); code != 0 ||
		!strings.Contains(out, "shop --stage demo set CP-502101") {
		t.Errorf("ended with %d, %s %s; want the products, and advice for the stage", code, out, said)
	}
	for stage, want := range map[string]string{
		"other": "shop: asking pulumi for merchantUrl of stage other: exit status 255: error: no stack named " +
			"'--stack=other' found\n",
		"demo": "shop: asking pulumi for deadLetterQueueName of stage demo: exit status 255: error: current stack " +
			"does not have output property deadLetterQueueName\n",
	} {
		if _, said, code := typed(t, "redrive", "--stage", stage); code != 1 || said != want {
			t.Errorf("stage %s: ended with %d, %s; want %s", stage, code, said, want)
		}
	}
	t.Setenv("PATH", t.TempDir())
	if _, said, code := typed(t, "products", "--stage", "demo"); code != 1 ||
		!strings.Contains(said, "pulumi is not installed: give --url") {
		t.Errorf("without pulumi: ended with %d, %s", code, said)
	}
}

func TestRegionIsWhatTheURLSays(t *testing.T) {
	t.Setenv("AWS_REGION", "us-east-1")
	for _, c := range []struct{ url, region, want string }{
		{"https://abc123.execute-api.ap-northeast-2.amazonaws.com", "", "ap-northeast-2"},
		{"https://abc123.execute-api.ap-northeast-2.amazonaws.com/", "", "ap-northeast-2"},
		{"https://abc123.execute-api.ap-northeast-2.amazonaws.com", "eu-west-1", "eu-west-1"},
		{"https://shop.example.com", "", "us-east-1"},
		{"https://shop.example.com", "eu-west-1", "eu-west-1"},
	} {
		got, err := target{url: c.url, region: c.region}.resolve(t.Context())
		if err != nil || got.aws.Region != c.want || strings.HasSuffix(got.api, "/") {
			t.Errorf("%s with --region %q: got %+v, %v; want region %s", c.url, c.region, got, err, c.want)
		}
	}
}

func TestEnvironmentNamesTheShopWhereNoFlagDoes(t *testing.T) {
	t.Setenv(urlVariable, "https://abc123.execute-api.ap-northeast-2.amazonaws.com")
	if got, err := (target{}).resolve(t.Context()); err != nil ||
		got.api != "https://abc123.execute-api.ap-northeast-2.amazonaws.com" {
		t.Errorf("got %+v, %v; want what %s says", got, err, urlVariable)
	}
	if got, err := (target{local: true}).resolve(t.Context()); err != nil || got.api != localAPI {
		t.Errorf("with --local: got %+v, %v; want %s", got, err, localAPI)
	}
}

func TestARunThatIsNotUpMayBeOnOtherPorts(t *testing.T) {
	for name, c := range map[string]struct {
		target    target
		namesFile bool
	}{
		"the default ports":  {target{local: true, region: testRegion}, true},
		"the ports of a run": {target{ready: ready(t, "http://127.0.0.1:1", "http://127.0.0.1:1")}, false},
	} {
		got, err := c.target.resolve(t.Context())
		if err != nil || strings.Contains(got.notUp, "other ports, give --ready FILE") != c.namesFile ||
			!strings.Contains(got.notUp, "make local") {
			t.Errorf("%s: got %+v, %v; names the file of a run: want %v", name, got, err, c.namesFile)
		}
	}
}
