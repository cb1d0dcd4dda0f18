package panels_test

import (
	"io"
	"log/slog"
	"maps"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"restock/cmd/local/factory"
	"restock/cmd/local/panels"
	"restock/local/view/console"
	"restock/local/view/console/consoletest"
	"restock/local/view/console/page"
	"restock/local/view/console/page/pagetest"
	"restock/test/await"
)

// A harness is a console with the shop's panels.
type harness struct {
	*consoletest.Harness
	factory *factory.Factory
}

func newHarness(t *testing.T) *harness {
	t.Helper()
	h := &harness{}
	h.Harness = consoletest.New(t, picture(), func(log *slog.Logger) []console.Panel {
		return panels.New(log, func() *factory.Factory { return h.factory })
	})
	return h
}

// picture has an API with its buyers, and a factory.
func picture() console.Graph {
	return console.Graph{
		Nodes: []console.Node{
			{ID: "callers:buyers", Kind: console.KindCallers, Name: "buyers"},
			{ID: "api:shop", Kind: console.KindAPI, Name: "shop"},
			{ID: "factory:factory", Kind: console.KindFactory, Name: "factory"},
		},
		Edges: []console.Edge{{ID: "callers:buyers>api:shop", From: "callers:buyers", To: "api:shop"}},
	}
}

func TestTheFactoryPanelSetsFaults(t *testing.T) {
	h := newHarness(t)
	h.Refuse(t, "/panels/factory/faults", `{"status":503}`, 409, "no factory")
	f := factory.New(factory.Config{Step: time.Hour})
	h.factory = f
	t.Cleanup(f.Close)
	if err := h.Console.Run(console.Stack{Graph: picture()}); err != nil {
		t.Fatal(err)
	}
	order := httptest.NewRequest("POST", "/api/manufactures",
		strings.NewReader(`{"MessageAttributeProductId":"CP-502101","MessageAttributeProductCnt":100}`))
	order.Header.Set("Content-Type", "application/json")
	f.ServeHTTP(httptest.NewRecorder(), order)
	for _, c := range []struct {
		body string
		want factory.Fault
		lost bool
	}{
		{`{"status":503}`, factory.Fault{Status: 503}, false},
		{`{"answer":"hang"}`, factory.Fault{Answer: factory.AnswerNever}, false},
		{`{"deliveries":2,"count":"50"}`, factory.Fault{Deliveries: 2, Count: "50"}, false},
		{`{"delay_ms":3000}`, factory.Fault{Delay: 3 * time.Second}, false},
		{`{"delay_ms":3000,"hold":true}`, factory.Fault{Delay: 3 * time.Second, Hold: true}, false},
		{`{"delay_ms":3000}`, factory.Fault{Delay: 3 * time.Second}, false},
		{`{"lose":true}`, factory.Fault{Delay: 3 * time.Second}, true},
		{`{}`, factory.Fault{}, true},
	} {
		var now panels.Fault
		if status := h.Post(t, "/panels/factory/faults", c.body, &now); status != 200 || f.Fault() != c.want {
			t.Errorf("%s: got %d %+v, the factory has %+v, want %+v", c.body, status, now, f.Fault(), c.want)
		}
		if lost := f.Requests()[0].Lost; lost != c.lost {
			t.Errorf("%s: the lot is lost: %v, want %v", c.body, lost, c.lost)
		}
	}
	for _, body := range []string{`{"status":200}`, `{"answer":"maybe"}`, `{"delay_ms":-1}`, `{"deliveries":20000}`,
		`{"staus":503}`, `{} {}`, `{`} {
		h.Refuse(t, "/panels/factory/faults", body, 400, "")
		if f.Fault() != (factory.Fault{}) {
			t.Errorf("%s: the factory has %+v, want no fault", body, f.Fault())
		}
	}
	var state struct {
		Panels   struct{ Factory panels.FactoryState }
		Counters map[string]map[string]int
	}
	await.Until(t, "the state shows the lot", func() bool {
		h.Get(t, "/state", &state)
		return state.Counters["factory:factory"]["lost"] == 1
	})
	if r := state.Panels.Factory.Requests[0]; r.SKU != "CP-502101" || r.Quantity != "100" || !r.Lost {
		t.Errorf("got %+v", r)
	}
}

func TestThePanelsFilesPassTheChecksOfThePage(t *testing.T) {
	all, entryPoints := pagetest.Read(t, "", page.Files), []string{"console.js"}
	for _, p := range panels.New(slog.New(slog.DiscardHandler), nil) {
		folder := "panels/" + p.Name
		maps.Copy(all, pagetest.Read(t, folder, p.Files))
		entryPoints = append(entryPoints, folder+"/panel.js")
	}
	pagetest.Inline(t, all)
	pagetest.Modules(t, all, entryPoints...)
}

func TestThePanelsAreInThePage(t *testing.T) {
	h := newHarness(t)
	read := func(path string) string {
		response, err := http.Get(h.URL + path)
		if err != nil {
			t.Fatal(err)
		}
		defer response.Body.Close()
		text, err := io.ReadAll(response.Body)
		if err != nil || response.StatusCode != http.StatusOK {
			t.Fatalf("GET %s: %s, %v", path, response.Status, err)
		}
		return string(text)
	}
	document := read("/")
	for _, piece := range []string{
		`data-panels="stock rush factory"`, `id="stock"`, `id="rush"`, `id="factory"`, `href="panels/rush/panel.css"`,
	} {
		if !strings.Contains(document, piece) {
			t.Errorf("the page lacks %s", piece)
		}
	}
	if strings.Contains(document, "panels -->") {
		t.Error("the page has a mark that no panel has replaced")
	}
	for _, name := range []string{"stock", "rush", "factory"} {
		if module := read("/panels/" + name + "/panel.js"); !strings.Contains(module, "export function start()") {
			t.Errorf("the module of panel %s has no function start", name)
		}
		read("/panels/" + name + "/panel.css")
	}
}
