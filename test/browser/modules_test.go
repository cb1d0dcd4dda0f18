package browser_test

import (
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"restock/local/view/console/page"
	"restock/test/browser"
	"restock/test/browser/browsertest"
)

// empty is a page without content.
const empty = `<!doctype html><html lang="en"><title>Empty</title><link rel="icon" href="data:,">`

// openModules opens an empty page, which can import the modules of the console's page.
func openModules(t *testing.T) *browsertest.Page {
	t.Helper()
	modules := http.FileServerFS(page.Files)
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/" {
			w.Header().Set("Content-Type", "text/html; charset=utf-8")
			_, _ = io.WriteString(w, empty)
			return
		}
		modules.ServeHTTP(w, r)
	}))
	t.Cleanup(server.Close) // runs after the page is closed
	return browsertest.Open(t, browser.Desktop, server.URL)
}

// TestModulesOfTheConsole calls functions of the modules on one page. No test reads what another
// left there.
func TestModulesOfTheConsole(t *testing.T) {
	t.Parallel()
	page := openModules(t)
	for name, test := range map[string]func(*testing.T, *browsertest.Page){
		"the layout of any graph has no overlap":        testLayout,
		"boxes are as wide as the picture allows":       testWidths,
		"boxes with the same label show their kinds":    testTitles,
		"a line says first why the search has found it": testBrief,
		"keep keeps the focus when other items change":  testKeep,
		"a counter of one is in the singular":           testCounters,
		"parts of the page say what is rare":            testRareParts,
		"a time has its date unless it is today":        testClock,
	} {
		t.Run(name, func(t *testing.T) { test(t, page.In(t)) })
	}
}

// drawings lays out many graphs at many widths, and returns the problems that it finds. The graphs
// are pseudorandom, with a fixed seed.
const drawings = `import("/layout.js").then(({ layout }) => {
	let seed = 7;
	const random = (n) => (seed = (seed * 48271) % 2147483647) % n;
	const kinds = ["function", "function", "function", "topic", "queue", "dead-letter-queue", "database",
		"secrets", "schedule", "factory", "people", "alarms"];
	const problems = [];
	for (let round = 0; round < 400 && problems.length < 5; round++) {
		const nodes = [{ id: "callers:b", kind: "callers", label: "b" }];
		for (let i = random(24); i > 0; i--) {
			const kind = kinds[random(kinds.length)];
			nodes.push({ id: kind + ":" + i, kind, label: "n" + i, deploys: kind === "function" && random(4) === 0 });
		}
		const edges = new Map();
		for (let i = random(nodes.length * 2); i > 0; i--) {
			const [from, to] = [nodes[random(nodes.length)].id, nodes[random(nodes.length)].id];
			if (from !== to) edges.set(from + ">" + to, { id: from + ">" + to, from, to });
		}
		const width = 320 + random(1300); // a wide picture on a small screen scrolls
		const graph = { nodes, edges: [...edges.values()] };
		const wrong = (what) => problems.push(what + " at " + width + " of " + JSON.stringify(graph));
		const plan = layout(graph, width);
		const boxes = [...plan.nodes];
		if (boxes.length !== nodes.length) wrong(boxes.length + " of " + nodes.length + " nodes are drawn");
		if (!(plan.width <= width || width < 700)) wrong("it is " + plan.width + " wide");
		for (const [id, b] of boxes) {
			if (b.width < 60) wrong(id + " is " + b.width + " wide");
			const [right, bottom] = [b.x + b.width, b.y + b.height];
			const inside = b.x >= 0 && b.y >= 0 && right <= plan.width + 0.5 && bottom <= plan.height;
			if (!inside) wrong(id + " is not inside the picture: " + JSON.stringify([b, plan.height]));
			for (const [other, o] of boxes) {
				const overlap = b.x < o.x + o.width && o.x < right && b.y < o.y + o.height && o.y < bottom;
				if (id < other && overlap) wrong(id + " overlaps " + other);
			}
		}
		for (const e of graph.edges) {
			const drawn = plan.edges.get(e.id), text = JSON.stringify(drawn);
			if (!drawn) wrong(e.id + " is not drawn");
			if (drawn && /NaN|undefined|Infinity/.test(text)) wrong(e.id + " is drawn as " + text);
		}
	}
	return problems;
})`

func testLayout(t *testing.T, page *browsertest.Page) {
	for _, problem := range browsertest.Evaluate[[]string](page, drawings) {
		t.Errorf("a drawing is wrong: %.1500s", problem)
	}
}

// column returns the widths of a box and of the gutter beside it, in a chain of 8 functions.
const column = `import("/layout.js").then(({ layout }) => {
	const nodes = Array.from({ length: 8 }, (_, i) => ({ id: "function:" + i, kind: "function", label: "f" }));
	const edges = nodes.slice(1).map((n, i) => ({ id: "e" + i, from: "function:" + i, to: n.id }));
	const [a, b] = [...layout({ nodes, edges }, 1360).nodes.values()];
	return [a.width, b.x - a.x - a.width];
})`

// The names of parts are long: boxes, not gutters, use the width.
func testWidths(t *testing.T, page *browsertest.Page) {
	got := browsertest.Evaluate[[]float64](page, column)
	if width, gutter := got[0], got[1]; width < 130 || gutter > 38 {
		t.Errorf("got boxes of %v pixels and gutters of %v, want 130 or more and at most 38", width, gutter)
	}
}

func testTitles(t *testing.T, page *browsertest.Page) {
	const script = `import("/kinds.js").then(({ boxTitle }) => {
		const nodes = [["schedule", "ads"], ["function", "ads"], ["function", "stock"]]
			.map(([kind, label]) => ({ id: kind + ":" + label, kind, label }));
		return nodes.map((n) => boxTitle(n, nodes)).join(", ");
	})`
	const want = "ads (schedule), ads (function), stock"
	if got := browsertest.Evaluate[string](page, script); got != want {
		t.Errorf("got %q, want %q", got, want)
	}
}

func testBrief(t *testing.T, page *browsertest.Page) {
	const brief = `import("/eventrow.js").then(({ brief }) => {
		history.replaceState(null, "", "#q=" + encodeURIComponent(%s));
		return brief({ attrs: { a: 1, b: 2, c: 3, d: 4, code: 503, stock: 0, took: "1.503ms", step_n: 4,
			count: '"100"' } }, "sold");
	})`
	for search, want := range map[string]string{
		``:             "a 1 · b 2 · c 3 · d 4",
		`503`:          "code 503 · a 1 · b 2 · c 3", // not took 1.503ms
		`3`:            "c 3 · a 1 · b 2 · d 4",
		`"stock 0"`:    "stock 0 · a 1 · b 2 · c 3",
		`"STOCK  0`:    "stock 0 · a 1 · b 2 · c 3", // the reader has not typed the second quote yet
		`"step_n 4"`:   "step n 4 · a 1 · b 2 · c 3",
		`count`:        "count 100 · a 1 · b 2 · c 3", // without the quotes of JSON
		`sold 1.503ms`: "took 1.503ms · a 1 · b 2 · c 3",
		`(`:            "a 1 · b 2 · c 3 · d 4",
	} {
		got := browsertest.Evaluate[string](page, fmt.Sprintf(brief, browser.Quote(search)))
		if strings.TrimSpace(got) != want {
			t.Errorf("the search %s: got %q, want %q", search, got, want)
		}
	}
}

// focusAfter draws a list, focuses the last of its buttons, draws the list again, and returns what
// has the focus then.
const focusAfter = `import("/dom.js").then(({ keep, el }) => {
	const list = document.body.appendChild(el("ul"));
	const draw = (names) => keep(list, names, (name) => name, (name) => el("li", {}, el("button", {}, name)));
	draw(["a", "b", "c"]);
	list.lastElementChild.firstElementChild.focus();
	draw(%s);
	const shown = [...list.children].map((child) => child.textContent).join(" ");
	return shown + ", focus on " + document.activeElement.textContent;
})`

func testKeep(t *testing.T, page *browsertest.Page) {
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

func testCounters(t *testing.T, page *browsertest.Page) {
	for call, want := range map[string]string{
		`counterName("cold_starts", 1)`: "cold start",
		`counterName("cold_starts", 2)`: "cold starts",
		`counterName("deliveries", 1)`:  "delivery",
		`counterName("in_progress", 1)`: "in progress",
		`counterName("in_flight", 0)`:   "in flight",
	} {
		script := `import("/kinds.js").then(({ counterName }) => ` + call + `)`
		if got := browsertest.Evaluate[string](page, script); got != want {
			t.Errorf("%s: got %q, want %q", call, got, want)
		}
	}
}

func testRareParts(t *testing.T, page *browsertest.Page) {
	const letter = `import("/message.js").then(({ createList }) => {
		const list = createList({ kind: "dead-letter-queue", label: "q" });
		list.show({ messages: [{ queue: "q", id: "M", sent: "2026-11-28T12:00:00Z", receives: 5, body: {},
			about: "It expired.", obsolete: %t }] });
		return [".meaning", "button"].map((part) =>
			[...list.element.querySelectorAll(part + ":not([hidden])")].map((e) => e.textContent).join(" ")).join(", ");
	})`
	const journey = `import("/waterfall.js").then(({ create }) => {
		const panel = create();
		panel.show({ began: "2026-11-28T12:00:00Z", took_ms: 1000, steps: [], cut: %d });
		return panel.element.querySelector(".soft").textContent.split(" · ").slice(2).join(", ");
	})`
	const note = "bars compress waiting times, numbers are exact"
	for expression, want := range map[string]string{
		fmt.Sprintf(letter, false): "It expired., Redrive Delete",
		fmt.Sprintf(letter, true):  "It expired. Nothing to do: delete it., Delete",
		fmt.Sprintf(journey, 0):    note,
		fmt.Sprintf(journey, 1200): "1,200 steps of its middle not kept, " + note,
		`import("/invoke.js").then(({ outcome }) => [{ failed: 1 }, { failed: 2 }, {}].map(outcome).join(", "))`: "" +
			"1 message failed, 2 messages failed, succeeded",
		`import("/kinds.js").then(({ summary }) => ["api", "topic", "bucket"]
			.map((kind) => summary({ kind, detail: "http://127.0.0.1:8080" }, {})).join(", "))`: "" +
			"0 requests, 0 published, http://127.0.0.1:8080",
	} {
		if got := browsertest.Evaluate[string](page, expression); got != want {
			t.Errorf("%s: got %q, want %q", expression, got, want)
		}
	}
}

// All dates are local, so the result does not depend on the machine's time zone. Months count from
// 0.
func testClock(t *testing.T, page *browsertest.Page) {
	for call, want := range map[string]string{
		`clock(new Date(2026, 10, 28, 0, 0, 0), now)`:                 "00:00:00",
		`clock(new Date(2026, 10, 28, 23, 59, 59), now)`:              "23:59:59",
		`clock(new Date(2026, 10, 27, 23, 59, 59), now)`:              "27 Nov, 23:59:59",
		`clock(new Date(2025, 10, 28, 12, 0, 0), now)`:                "28 Nov, 12:00:00",
		`exactClock(new Date(2026, 10, 28, 14, 3, 59, 123), now)`:     "14:03:59.123",
		`exactClock(new Date(2026, 10, 25, 14, 3, 59, 123), now)`:     "25 Nov, 14:03:59.123",
		`clock(new Date(2026, 10, 25, 14, 3, 59).toISOString(), now)`: "25 Nov, 14:03:59",
	} {
		name, _, _ := strings.Cut(call, "(")
		expression := fmt.Sprintf(`import("/format.js").then(({ %s }) => {
			const now = new Date(2026, 10, 28, 14, 3, 59);
			return %s;
		})`, name, call)
		if got := browsertest.Evaluate[string](page, expression); got != want {
			t.Errorf("%s: got %q, want %q", call, got, want)
		}
	}
}
