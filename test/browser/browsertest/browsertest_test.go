package browsertest_test

import (
	"fmt"
	"image"
	"image/color"
	"image/png"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"restock/test/browser"
	"restock/test/browser/browsertest"
)

func TestMain(m *testing.M) { browsertest.Main(m) }

// A recorder is a test that keeps its failures.
type recorder struct {
	testing.TB
	failures []string
	cleanups []func()
}

func (r *recorder) Helper()          {}
func (r *recorder) Failed() bool     { return false }
func (r *recorder) Cleanup(f func()) { r.cleanups = append(r.cleanups, f) }
func (r *recorder) Errorf(format string, args ...any) {
	r.failures = append(r.failures, fmt.Sprintf(format, args...))
}

// end runs the cleanups, as the end of a test does.
func (r *recorder) end() {
	for _, f := range slices.Backward(r.cleanups) {
		f()
	}
}

// serve serves a page with a Content-Security-Policy that blocks styles and other scripts. Other
// paths get 409.
func serve(t *testing.T, body string) string {
	t.Helper()
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path != "/" {
			http.Error(w, "not here", http.StatusConflict)
			return
		}
		w.Header().Set("Content-Type", "text/html; charset=utf-8")
		w.Header().Set("Content-Security-Policy",
			"default-src 'none'; script-src 'unsafe-inline'; connect-src *; img-src data: 'self'")
		fmt.Fprintf(w, `<!doctype html><html lang="en"><meta name="viewport" content="width=device-width">
			<title>A page</title><link rel="icon" href="data:,"><body><main><h1>A page</h1>%s</main>`, body)
	}))
	t.Cleanup(server.Close)
	return server.URL
}

// refusedRequest is a script whose request gets 409.
const refusedRequest = `<script>fetch("/buy", {method: "POST"}).then(() => { window.done = true; })</script>`

func TestProblemsOfAPageFailTheTest(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		body  string
		await string
		want  []string // parts of the failures
	}{
		"nothing": {`<p>All is well.</p>`, `true`, nil},
		"an exception": {
			`<script>setTimeout(() => { window.done = true; throw new Error("spilt"); })</script>`,
			`window.done`, []string{"Error: spilt"},
		},
		"a rejection": {
			`<script>Promise.reject(new Error("refused"))</script>`,
			`true`, []string{"Error: refused"},
		},
		"an error in the console": {
			`<script>console.error("burnt", 7)</script>`,
			`true`, []string{"console.error: burnt 7"},
		},
		"a request that is refused": {
			refusedRequest,
			`window.done`, []string{"POST /buy: answered with 409"},
		},
		"a request to another origin": {
			`<script>fetch("http://example.com/").catch(() => { window.done = true; })</script>`, `window.done`,
			[]string{"request to another origin: http://example.com/", "ERR_NAME_NOT_RESOLVED"},
		},
		"a style that is not allowed": {
			`<p style="color: red">Red.</p>`,
			`true`, []string{"Content Security Policy"},
		},
		"a script that is not allowed": {
			`<script src="/other.js"></script><script>eval("1")</script>`,
			`true`, []string{"/other.js", "eval"},
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r := &recorder{TB: t}
			page := browsertest.Open(r, browser.Desktop, serve(t, test.body))
			page.Await(test.await)
			r.end()
			checkFailures(t, r.failures, test.want)
		})
	}
}

func checkFailures(t *testing.T, got, want []string) {
	t.Helper()
	all := strings.Join(got, "\n")
	for _, part := range want {
		if !strings.Contains(all, part) {
			t.Errorf("got the failures\n%s\nwant one with %q", all, part)
		}
	}
	if len(want) == 0 && len(got) > 0 {
		t.Errorf("got the failures\n%s\nwant none", all)
	}
}

func TestExpectedProblemMustOccur(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct{ expected, want string }{
		"it occurs":      {"POST /buy: answered with 409", ""},
		"another occurs": {"POST /buy: answered with 500", "does not have the expected problem"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r := &recorder{TB: t}
			page := browsertest.Open(r, browser.Desktop, serve(t, refusedRequest))
			page.Expect(test.expected)
			page.Await(`window.done`)
			r.end()
			all := strings.Join(r.failures, "\n")
			if (all == "") != (test.want == "") || !strings.Contains(all, test.want) {
				t.Errorf("expecting %q, the page fails with %q, want %q", test.expected, all, test.want)
			}
		})
	}
}

func TestInaccessiblePageFailsTheTest(t *testing.T) {
	t.Parallel()
	const faint = `<p><font color="#ccc">All is well.</font></p>`
	for name, test := range map[string]struct {
		body  string
		parts []string
		want  string
	}{
		"accessible": {`<p>All is well.</p>`, nil, ""},
		"a picture without alt": {`<img src="data:image/gif;base64,R0lGODlhAQABAAAAACw=">`, nil,
			"image-alt (critical)"},
		"faint text":              {faint, nil, "color-contrast (serious)"},
		"a field without label":   {`<input>`, nil, "label (critical)"},
		"faint text in a part":    {`<h2>Faint</h2>` + faint, []string{"h2", "p"}, "color-contrast (serious)"},
		"faint text outside them": {`<h2>Not faint</h2>` + faint, []string{"h1", "h2"}, ""},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r := &recorder{TB: t}
			page := browsertest.Open(r, browser.Desktop, serve(t, test.body))
			page.CheckAccessibility(test.parts...)
			r.end()
			all := strings.Join(r.failures, "\n")
			if (all == "") != (test.want == "") || !strings.Contains(all, test.want) {
				t.Errorf("%s fails with\n%s\nwant %q", test.body, all, test.want)
			}
		})
	}
}

func TestKeyboardOrderIsTheReadingOrder(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		body  string
		order []string
		want  string
	}{
		"in reading order": {
			`<button>A</button> <button>B</button><p><a href="#x">C</a>`,
			[]string{"button A", "button B", "link C"}, "",
		},
		"columns": {
			`<table><tr><td><button>A</button><br><button>B</button><td><button>C</button></table>`,
			[]string{"button A", "button B", "button C"}, "",
		},
		"in another order": {
			`<button tabindex="2">A</button> <button tabindex="1">B</button>`,
			[]string{"button B", "button A"}, "which stands before it",
		},
		"a button without name": {`<button></button>`, []string{"button "}, "without a name"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r := &recorder{TB: t}
			page := browsertest.Open(r, browser.Desktop, serve(t, test.body))
			if got := page.KeyboardOrder(); !slices.Equal(got, test.order) {
				t.Errorf("KeyboardOrder of %s: got %q, want %q", test.body, got, test.order)
			}
			r.end()
			all := strings.Join(r.failures, "\n")
			if (all == "") != (test.want == "") || !strings.Contains(all, test.want) {
				t.Errorf("%s fails with %q, want %q", test.body, all, test.want)
			}
		})
	}
}

func TestPageSeesTheVisitor(t *testing.T) {
	t.Parallel()
	visitor := browser.Phone.In("en-GB,en").InTheDark()
	visitor.Scale, visitor.Timezone = 2, "Asia/Seoul"
	page := browsertest.Open(t, visitor, serve(t, `<p>Hello.</p>`))
	got := browsertest.Evaluate[string](page, `[
		navigator.language, innerWidth, devicePixelRatio,
		matchMedia("(prefers-color-scheme: dark)").matches, matchMedia("(prefers-reduced-motion)").matches,
		matchMedia("(pointer: coarse)").matches, Intl.DateTimeFormat().resolvedOptions().timeZone,
	].join(" ")`)
	if want := "en-GB 360 2 true true true Asia/Seoul"; got != want {
		t.Errorf("the page sees %s, want %s", got, want)
	}
}

func TestPageGoesOfflineAndComesBack(t *testing.T) {
	t.Parallel()
	page := browsertest.Open(t, browser.Desktop, serve(t, ``))
	const reach = `fetch("/").then(() => "reached", () => "not reached")`
	page.Expect("GET /: net::ERR_INTERNET_DISCONNECTED")
	for _, offline := range []bool{false, true, false} {
		page.Offline(offline)
		got := browsertest.Evaluate[string](page, reach)
		if want := map[bool]string{false: "reached", true: "not reached"}[offline]; got != want {
			t.Errorf("offline %t: the server is %s, want %s", offline, got, want)
		}
	}
}

func TestPicturesShowTheWholePageWideAndNarrowLightAndDark(t *testing.T) {
	browsertest.Require(t)
	dir := t.TempDir()
	t.Setenv(browsertest.PicturesVariable, dir)
	const lightAndDark = `<meta name="color-scheme" content="light dark">`
	// The page is taller than the visitors' screens, which have at most 900 pixels.
	address := serve(t, lightAndDark+strings.Repeat("<p>A tall page.</p>", 30))
	t.Run("phone and desktop", func(t *testing.T) {
		browsertest.Open(t, browser.Phone, address)
		browsertest.Open(t, browser.Desktop, address)
	})
	for _, page := range []string{"1", "2"} {
		for _, width := range browser.Widths {
			for _, scheme := range []string{"light", "dark"} {
				name := fmt.Sprintf("%s-phone_and_desktop-%s-%d-%s.png", t.Name(), page, width, scheme)
				size, dark := look(t, filepath.Join(dir, name))
				if size.X != int(width) || size.Y < 1000 {
					t.Errorf("%s has %d × %d pixels, want %d × at least 1000", name, size.X, size.Y, width)
				}
				if dark != (scheme == "dark") {
					t.Errorf("%s is dark: %t", name, dark)
				}
			}
		}
	}
}

// look returns the size of a picture, and whether it is dark at its edge.
func look(t *testing.T, file string) (size image.Point, dark bool) {
	t.Helper()
	f, err := os.Open(file)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	picture, err := png.Decode(f)
	if err != nil {
		t.Fatal(err)
	}
	edge := color.GrayModel.Convert(picture.At(0, 0)).(color.Gray)
	return picture.Bounds().Size(), edge.Y < 128
}
