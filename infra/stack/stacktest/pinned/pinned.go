// Package pinned gives tests the project's configuration, without what a fork changes. Tests that
// only need files import it instead of stacktest, which links the whole program.
package pinned

import (
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"restock/lambdas"
)

// Region is the region of the stages that tests record.
const Region = "ap-northeast-2"

// Project copies a project's configuration into a folder of the test, and returns the folder. The
// copy has the name, the region, the zones and the catalogue that the tests expect. So tests do not
// depend on what a fork changes, see docs/rebranding.md.
func Project(tb testing.TB, projectDir string) string {
	tb.Helper()
	dir := tb.TempDir()
	for name, text := range contents(tb, projectDir) {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			tb.Fatal(err)
		}
	}
	return dir
}

var (
	projectName = regexp.MustCompile(`(?m)^name: (\S+)$`)
	regionLine  = regexp.MustCompile(`(?m)^  aws:region: (\S+)$`)
	catalogue   = regexp.MustCompile(`(?m)^    catalogue: \S+\n`)
	zone        = regexp.MustCompile(Region + `[a-z]\b`)
)

// contents returns the files of a project's configuration, by name.
func contents(tb testing.TB, projectDir string) map[string]string {
	tb.Helper()
	names, _ := filepath.Glob(filepath.Join(projectDir, "Pulumi*.yaml")) // the pattern is well-formed
	files := map[string]string{}
	for _, name := range names {
		text, err := os.ReadFile(name) // #nosec G304 -- a file of the project
		if err != nil {
			tb.Fatal(err)
		}
		files[filepath.Base(name)] = string(text)
	}
	name := projectName.FindStringSubmatch(files["Pulumi.yaml"])
	if name == nil {
		tb.Fatalf("%s/Pulumi.yaml has no name", projectDir)
	}
	files["Pulumi.yaml"] = strings.Replace(files["Pulumi.yaml"], name[0], "name: restock", 1)
	for _, file := range slices.Collect(maps.Keys(files)) {
		text := strings.ReplaceAll(files[file], "  "+name[1]+":", "  restock:")
		if region := regionLine.FindStringSubmatch(text); region != nil {
			text = strings.ReplaceAll(text, region[1], Region)
		}
		all := slices.Compact(slices.Sorted(slices.Values(zone.FindAllString(text, -1))))
		if len(all) == 2 { // the first zone becomes a, the second c
			text = strings.ReplaceAll(text, all[1], Region+"c")
			text = strings.ReplaceAll(text, all[0], Region+"a")
		}
		files[file] = catalogue.ReplaceAllString(text, "    catalogue: "+lambdas.TestCatalogue+"\n")
	}
	return files
}
