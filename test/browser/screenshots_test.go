package browser_test

import (
	"log/slog"
	"maps"
	"net/http/httptest"
	"os"
	"path"
	"regexp"
	"slices"
	"strings"
	"testing"

	"restock/cmd/local/panels"
	"restock/internal/web"
	"restock/lambdas/sales-api/storefront"
	"restock/local/view/console/page"
	"restock/local/view/console/page/pagetest"
)

// A run of the command screenshots takes a minute, so this test reads the pages instead. The
// command would wait minutes for a part that a page no longer has.
func TestThePagesHaveWhatTheScreenshotsWaitFor(t *testing.T) {
	source, err := os.ReadFile("../screenshots/main.go")
	if err != nil {
		t.Fatal(err)
	}
	answer := httptest.NewRecorder()
	storefront.Handler().ServeHTTP(answer, httptest.NewRequest("GET", "/", nil))
	pages := answer.Body.String()
	files := pagetest.Read(t, "", page.Files)
	for _, p := range panels.New(slog.New(slog.DiscardHandler), nil) {
		maps.Copy(files, pagetest.Read(t, path.Join("panels", p.Name), p.Files))
	}
	pages += strings.Join(slices.Collect(maps.Values(files)), "\n")
	for _, l := range web.Languages() { // the storefront has its answers as JSON
		for _, text := range l.Answers {
			pages += text + "\n"
		}
	}
	for what, patterns := range map[string][2]string{
		"id":     {`#([a-z][a-z-]*)|getElementById\("([a-z-]+)"\)`, `\bid(?:="|: ")NAME"`},
		"class":  {`\+" \.(\w+)"`, `class="(?:[^"]* )?NAME[ "]`},
		"option": {`\.value = "(\w+)"`, `<option value="NAME"`},
		"text":   {`shows\([^,]+, "[0-9 ]*([A-Za-z][^"]*)"\)`, `NAME`},
	} {
		found := regexp.MustCompile(patterns[0]).FindAllStringSubmatch(string(source), -1)
		if len(found) == 0 {
			t.Errorf("main.go waits for no %s", what)
		}
		for _, m := range found {
			name := m[1] + strings.Join(m[2:], "")
			pattern := strings.Replace(patterns[1], "NAME", regexp.QuoteMeta(name), 1)
			if !regexp.MustCompile(pattern).MatchString(pages) {
				t.Errorf("main.go waits for the %s %q, which the pages do not have", what, name)
			}
		}
	}
}
