package page_test

import (
	"fmt"
	"io/fs"
	"net/http"
	"net/http/httptest"
	"regexp"
	"strings"
	"testing"

	"restock/local/view/console/page"
	"restock/test/browser"
	"restock/test/browser/browsertest"
)

func TestMain(m *testing.M) { browsertest.Main(m) }

// sources are the page's files, by name.
func sources(t *testing.T) map[string]string {
	t.Helper()
	found := map[string]string{}
	err := fs.WalkDir(page.Files, ".", func(name string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() {
			return err
		}
		text, err := fs.ReadFile(page.Files, name)
		found[name] = string(text)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return found
}

func TestPageHoldsNothingInlineAndNothingFromElsewhere(t *testing.T) {
	inline := map[string]*regexp.Regexp{
		"a handler":      regexp.MustCompile(`(?i)<[^>]*\son\w+\s*=`),
		"a style":        regexp.MustCompile(`(?i)<[^>]*\sstyle\s*=|<style`),
		"a script":       regexp.MustCompile(`(?i)<script[^>]*>[^<]`),
		"another origin": regexp.MustCompile(`(?i)(src|href)="(\w+:|//)|url\(|@import`),
	}
	code := map[string]*regexp.Regexp{
		"code made of text":   regexp.MustCompile(`\beval\(|new Function\(`),
		"markup made of text": regexp.MustCompile(`innerHTML|outerHTML|insertAdjacentHTML|document\.write`),
		"a style attribute":   regexp.MustCompile(`setAttribute\("style"|\bstyle: ["'` + "`]"),
	}
	for name, text := range sources(t) {
		patterns := inline
		if strings.HasSuffix(name, ".js") {
			patterns = code
		}
		for what, pattern := range patterns {
			if found := pattern.FindString(text); found != "" {
				t.Errorf("%s holds %s: %s", name, what, found)
			}
		}
	}
}

func TestEveryModuleIsThereAndUsed(t *testing.T) {
	files := sources(t)
	imports := regexp.MustCompile(`from "\./([^"]+)"`)
	used := map[string]bool{"console.js": true}
	for name, text := range files {
		for _, found := range imports.FindAllStringSubmatch(text, -1) {
			used[found[1]] = true
			if _, ok := files[found[1]]; !ok {
				t.Errorf("%s imports %s, which is not there", name, found[1])
			}
		}
	}
	for name := range files {
		if strings.HasSuffix(name, ".js") && !used[name] {
			t.Errorf("nobody imports %s", name)
		}
	}
}

// drawings lays out many graphs at many widths, and tells what is wrong with them. Graphs are made of the numbers of a generator with a fixed seed.
const drawings = `import("/layout.js").then(({ layout }) => {
	let seed = 7;
	const random = (n) => (seed = (seed * 48271) % 2147483647) % n;
	const kinds = ["function", "function", "function", "topic", "queue", "dead-letter-queue", "database", "secrets", "schedule", "factory", "people"];
	const problems = [];
	for (let round = 0; round < 400 && problems.length < 5; round++) {
		const nodes = [{ id: "buyers:b", kind: "buyers", label: "b" }];
		for (let i = random(24); i > 0; i--) {
			const kind = kinds[random(kinds.length)];
			nodes.push({ id: kind + ":" + i, kind, label: "n" + i });
		}
		const edges = new Map();
		for (let i = random(nodes.length * 2); i > 0; i--) {
			const [from, to] = [nodes[random(nodes.length)].id, nodes[random(nodes.length)].id];
			if (from !== to) edges.set(from + ">" + to, { id: from + ">" + to, from, to });
		}
		const width = 320 + random(1300); // what does not fit a small screen scrolls
		const graph = { nodes, edges: [...edges.values()] };
		const wrong = (what) => problems.push(what + " at " + width + " of " + JSON.stringify(graph));
		const plan = layout(graph, width);
		const boxes = [...plan.nodes];
		if (boxes.length !== nodes.length) wrong(boxes.length + " of " + nodes.length + " nodes are drawn");
		if (!(plan.width <= width || width < 700)) wrong("it is " + plan.width + " wide");
		for (const [id, b] of boxes) {
			if (b.width < 60) wrong(id + " is " + b.width + " wide");
			if (!(b.x >= 0 && b.y >= 0 && b.x + b.width <= plan.width + 0.5 && b.y + b.height <= plan.height)) wrong(id + " sticks out: " + JSON.stringify([b, plan.height]));
			for (const [other, o] of boxes) {
				if (id < other && b.x < o.x + o.width && o.x < b.x + b.width && b.y < o.y + o.height && o.y < b.y + b.height) wrong(id + " overlaps " + other);
			}
		}
		for (const e of graph.edges) {
			const drawn = plan.edges.get(e.id);
			const stored = (id) => /^(database|secrets):/.test(id);
			if (!drawn && !(stored(e.from) && stored(e.to))) wrong(e.id + " is not drawn");
			if (drawn && /NaN|undefined|Infinity/.test(JSON.stringify(drawn))) wrong(e.id + " is drawn as " + JSON.stringify(drawn));
		}
	}
	return problems;
})`

// openModules opens a page of nothing, which can import the page's modules.
func openModules(t *testing.T) *browsertest.Page {
	t.Helper()
	modules := http.FileServerFS(page.Files)
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/" { // a page of nothing, to import into
			w.Header().Set("Content-Type", "text/html; charset=utf-8")
			_, _ = w.Write([]byte(`<!doctype html><html lang="en"><title>Nothing</title><link rel="icon" href="data:,">`))
			return
		}
		modules.ServeHTTP(w, r)
	}))
	t.Cleanup(server.Close)
	return browsertest.Open(t, browser.Desktop, server.URL)
}

func TestAnyGraphIsDrawnWithoutOverlap(t *testing.T) {
	t.Parallel()
	for _, problem := range browsertest.Evaluate[[]string](openModules(t), drawings) {
		t.Errorf("a drawing is wrong: %.1500s", problem)
	}
}

// focusAfter draws a list, puts the focus on the last of its buttons, draws the list again, and tells what has the focus then.
const focusAfter = `import("/dom.js").then(({ keep, el }) => {
	const list = document.body.appendChild(el("ul"));
	const draw = (names) => keep(list, names, (name) => name, (name) => el("li", {}, el("button", {}, name)));
	draw(["a", "b", "c"]);
	list.lastElementChild.firstElementChild.focus();
	draw(%s);
	const shown = [...list.children].map((child) => child.textContent).join(" ");
	return shown + ", focus on " + document.activeElement.textContent;
})`

func TestListKeepsTheFocusWhenOthersComeAndGo(t *testing.T) {
	t.Parallel()
	page := openModules(t)
	for drawn, want := range map[string]string{
		`["a", "b", "c"]`:      "a b c, focus on c",
		`["a", "c"]`:           "a c, focus on c",
		`["c"]`:                "c, focus on c",
		`["d", "a", "b", "c"]`: "d a b c, focus on c",
		`["d", "c", "e"]`:      "d c e, focus on c",
	} {
		if got := browsertest.Evaluate[string](page, fmt.Sprintf(focusAfter, drawn)); got != want {
			t.Errorf("after %s: got %q, want %q", drawn, got, want)
		}
	}
}
