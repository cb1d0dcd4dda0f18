package programs_test

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"restock/cmd/local/programs"
	"restock/lambdas"
	"restock/local/run"
	"restock/local/view/events"
	"restock/test/await"
	"restock/test/module"
)

// A buildLog keeps the records of a run's log, of which the tests count those of builds.
type buildLog struct {
	mu      sync.Mutex
	records []slog.Record
}

func (j *buildLog) Enabled(context.Context, slog.Level) bool { return true }
func (j *buildLog) WithGroup(string) slog.Handler            { return j }
func (j *buildLog) WithAttrs([]slog.Attr) slog.Handler       { return j }
func (j *buildLog) Handle(_ context.Context, r slog.Record) error {
	j.mu.Lock()
	defer j.mu.Unlock()
	j.records = append(j.records, r)
	return nil
}

// count returns the number of records of a kind whose attributes contain some texts, such as
// "functions=stock".
func (j *buildLog) count(kind events.Kind, texts ...string) (n int) {
	j.mu.Lock()
	defer j.mu.Unlock()
	for _, r := range j.records {
		var text strings.Builder
		r.Attrs(func(a slog.Attr) bool { fmt.Fprintf(&text, "%s ", a); return true })
		missing := func(s string) bool { return !strings.Contains(text.String(), s) }
		if events.KindOf(r) == kind && !slices.ContainsFunc(texts, missing) {
			n++
		}
	}
	return n
}

// get returns the API's answer to a GET.
func (s *stack) get(tb testing.TB, path string) string {
	tb.Helper()
	response, err := http.Get(s.API + path)
	if err != nil {
		tb.Fatal(err)
	}
	defer response.Body.Close()
	text, err := io.ReadAll(response.Body)
	if err != nil {
		tb.Fatal(err)
	}
	return string(text)
}

// inCopy makes a run use a copy of the sources, which the test may edit.
func inCopy(tb testing.TB, c *programs.Config) module.Sources {
	tb.Helper()
	src := module.Copy(tb, projectDir, "edited")
	settings, err := filepath.Abs(filepath.Join(projectDir, c.Program.Project))
	if err != nil {
		tb.Fatal(err)
	}
	if c.Program.Project, err = filepath.Rel(src.Dir, settings); err != nil {
		tb.Fatal(err)
	}
	c.ProjectDir, c.BuildDir, c.Built = src.Dir, filepath.Join(src.Dir, run.BuildDir), false
	return src
}

// startFollowing starts a run that watches a copy of the sources.
func startFollowing(tb testing.TB) (*stack, module.Sources, *buildLog) {
	tb.Helper()
	c, j := config(tb), &buildLog{}
	src := inCopy(tb, &c)
	c.Watch, c.Log = true, slog.New(j)
	s := start(tb, c)
	src.Keep(tb)
	return s, src, j
}

const (
	// handler is a file of the function sales-api. answer is a file that only sales-api imports,
	// and jsonName a part of it that appears in the function's answers.
	handler, answer, jsonName = "lambdas/sales-api/selling/api.go", "internal/buyer/buyer.go", `json:"price"`
	// shared is a file of all functions.
	shared = "lambdas/function/function.go"
	live   = events.FunctionsReplaced
	broken = events.UpdateFailed
)

func TestARunReloadsChangedFunctions(t *testing.T) {
	s, src, j := startFollowing(t)
	if status, body, err := s.checkout(t.Context()); status != http.StatusOK {
		t.Fatalf("POST /checkout: %d %s (%v)", status, body, err)
	}
	left := s.number(t, donutStock)

	t.Run("a handler", func(t *testing.T) {
		saved := time.Now()
		src.Edit(t, answer, jsonName, `json:"price_in_won"`)
		await.Until(t, "the new handler answers", func() bool {
			return strings.Contains(s.get(t, "/product/donut"), `"price_in_won"`)
		})
		t.Logf("an edited handler was live after %v", time.Since(saved).Round(time.Millisecond))
		await.Until(t, "the run reports the swap", func() bool { return j.count(live, "functions=sales-api ") == 1 })
		if stock := s.number(t, donutStock); stock != left {
			t.Errorf("the stock is %d, want %d as before", stock, left)
		}
	})
	t.Run("an embedded page", func(t *testing.T) {
		src.Edit(t, "lambdas/sales-api/storefront/index.html", "</html>", "<!-- edited --></html>")
		await.Until(t, "the new page is served", func() bool {
			return strings.Contains(s.get(t, "/"), "<!-- edited -->")
		})
	})
	t.Run("a function that does not build", func(t *testing.T) {
		src.Edit(t, handler, "const donut", "var _ = undefined\n\nconst donut")
		await.Until(t, "the run reports the error", func() bool { return j.count(broken) == 1 })
		if j.count(broken, "functions=sales-api", ": undefined: undefined", "took=") != 1 {
			t.Error("the error lacks the function, the compiler's output or the duration")
		}
		if text := s.get(t, "/product/donut"); !strings.Contains(text, `"price_in_won"`) {
			t.Errorf("GET /product/donut: got %s, want an answer of the previous handler", text)
		}
		src.Edit(t, "lambdas/sweep/main.go", "func main", "func init() { println(\"sweep\") }\n\nfunc main")
		await.Until(t, "another function is still swapped", func() bool {
			return j.count(live, "functions=sweep ") == 1
		})

		src.Edit(t, handler, "var _ = undefined\n\n", "") // the original text: the go command links nothing
		await.Until(t, "the run reports the recovery", func() bool { return j.count(events.UpdateRecovered) == 1 })
		if n := j.count(broken); n != 1 {
			t.Errorf("the error was reported %d times, want once", n)
		}
	})
	t.Run("a package that does not exist yet", func(t *testing.T) {
		src.Edit(t, handler, "import (\n", "import (\n\t_ \"restock/internal/later\"\n")
		await.Until(t, "the run reports the error", func() bool {
			return j.count(broken, "restock/internal/later") == 1
		})
		src.Add(t, "internal/later/later.go", "package later\n")
		await.Until(t, "the run reports the recovery", func() bool { return j.count(events.UpdateRecovered) == 2 })
	})
	t.Run("a package that all functions import", func(t *testing.T) {
		saved, setup := time.Now(), j.count(events.FunctionRunning, "progress=done")
		src.Edit(t, shared, "func Start[", "func init() { println(\"start\") }\n\nfunc Start[")
		var all []string
		for _, f := range lambdas.All() {
			if f.Name != lambdas.Factory.Name { // the run has a stand-in of the factory
				all = append(all, f.Name)
			}
		}
		slices.Sort(all)
		await.Until(t, "all functions are swapped", func() bool { return j.count(live, strings.Join(all, " ")) == 1 })
		t.Logf("an edited package of all functions was live after %v", time.Since(saved).Round(time.Millisecond))
		if again := j.count(events.FunctionRunning, "progress=done"); again != setup+1 {
			t.Errorf("setup ran %d times after it was swapped, want once, as in a deployment", again-setup)
		}
		if status, body, err := s.checkout(t.Context()); status != http.StatusOK {
			t.Errorf("POST /checkout after that: %d %s (%v)", status, body, err)
		}
	})
	t.Run("an edit that changes no function", func(t *testing.T) {
		built := func() int {
			return j.count(events.Building, "progress=ended") + j.count(events.Building, "progress=done")
		}
		await.Until(t, "the previous build has ended", func() bool {
			return j.count(events.Building, "progress=begun") == built()
		})
		before, builds := j.count(live), built()
		src.Edit(t, "lambdas/sales-api/selling/api_test.go", "package selling\n",
			"package selling\n\n// A test is not part of a function.\n")
		src.Edit(t, "lambdas/stock/main.go", "func main() {", "func main() { // nothing new")
		await.Until(t, "the edit is built", func() bool { return built() == builds+1 })
		if after := j.count(live); after != before {
			t.Errorf("%d unchanged functions were swapped", after-before)
		}
	})
}

// BenchmarkEditedHandlerIsLive measures the time from saving a handler to the first answer of the
// new handler.
func BenchmarkEditedHandlerIsLive(b *testing.B) {
	s, src, _ := startFollowing(b)
	now := jsonName
	for i := 0; b.Loop(); i++ {
		next := fmt.Sprintf(`json:"price_%d"`, i)
		src.Edit(b, answer, now, next)
		for now = next; !strings.Contains(s.get(b, "/product/donut"), fmt.Sprintf(`"price_%d"`, i)); {
			if b.Context().Err() != nil {
				b.Fatal("the new handler never answered")
			}
		}
	}
}
