package traceid_test

import (
	"regexp"
	"slices"
	"testing"
	"time"

	"restock/local/aws/traceid"
)

const root, id = "1-5759e988-bd862e3fe1be46a994272793", "53995c3f42cd8ad8"

// https://docs.aws.amazon.com/xray/latest/devguide/xray-concepts.html#xray-concepts-tracingheader
func TestHeadersHaveTheirForm(t *testing.T) {
	want := regexp.MustCompile(`^Root=1-648fca45-[0-9a-f]{24};Parent=[0-9a-f]{16};Sampled=0$`)
	first, second := traceid.New(time.Unix(0x648fca45, 0)), traceid.New(time.Unix(0x648fca45, 0))
	if !want.MatchString(first.Header()) || first.Header() == second.Header() {
		t.Errorf("got %q and %q, want two of the form %s", first.Header(), second.Header(), want)
	}
}

func TestParse(t *testing.T) {
	known := traceid.Span{Root: root, ID: id, Sampled: true}
	for header, want := range map[string]traceid.Span{
		"Root=" + root + ";Parent=" + id + ";Sampled=1":               known,
		"Self=1-2; Root=" + root + " ;Parent=" + id + ";Sampled=1;x=": known,
		"Root=" + root:                              {Root: root},
		"Root=" + root + ";Parent=1;Sampled=?":      {Root: root},
		"Parent=" + id:                              {ID: id},
		"Root=1-5759e988-bd862e3fe1be46a99427279%3": {},
		"": {},
	} {
		if got, ok := traceid.Parse(header); got != want || ok != (want.Root != "") {
			t.Errorf("%q: got %+v, %v; want %+v", header, got, ok, want)
		}
	}
	if got, ok := traceid.Parse(known.Header()); got != known || !ok {
		t.Errorf("%s: got %+v, want %+v", known.Header(), got, known)
	}
}

// The examples and rules are those of https://www.w3.org/TR/trace-context/#traceparent-header
func TestParseTraceparent(t *testing.T) {
	const trace = "4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7"
	sampled := traceid.Span{Root: "1-4bf92f35-77b34da6a3ce929d0e0e4736", ID: "00f067aa0ba902b7", Sampled: true}
	unsampled := sampled
	unsampled.Sampled = false
	for value, want := range map[string]traceid.Span{
		"00-" + trace + "-01":                                     sampled,
		"00-" + trace + "-03":                                     sampled,
		"00-" + trace + "-00":                                     unsampled,
		"cc-" + trace + "-01-more":                                sampled, // of a later version
		"00-" + trace + "-01-more":                                {},
		"cc-" + trace + "-01more":                                 {},
		"ff-" + trace + "-01":                                     {},
		"00-" + trace:                                             {},
		"00-" + trace + "-01,00-" + trace + "-01":                 {},
		"00-4BF92F3577B34DA6A3CE929D0E0E4736-00f067aa0ba902b7-01": {},
		"00-00000000000000000000000000000000-00f067aa0ba902b7-01": {},
		"00-4bf92f3577b34da6a3ce929d0e0e4736-0000000000000000-01": {},
		"": {},
	} {
		got, ok := traceid.ParseTraceparent(value)
		if got != want || ok != (want != traceid.Span{}) {
			t.Errorf("%q: got %+v, %v; want %+v", value, got, ok, want)
		}
		if ok && value[:2] == "00" && value[len(value)-1] < '2' && got.Traceparent() != value {
			t.Errorf("got %s, want %s", got.Traceparent(), value)
		}
	}
}

func TestAChildIsInTheTraceOfItsParent(t *testing.T) {
	parent := traceid.Span{Root: root, ID: id, Sampled: true}
	child := traceid.Start(traceid.With(t.Context(), parent))
	if child.Root != root || child.Parent != id || child.ID == id || !child.Sampled {
		t.Errorf("got %+v, want a child of %+v", child, parent)
	}
	if first := traceid.Start(t.Context()); first.Root == root || first.Parent != "" {
		t.Errorf("got %+v, want the first span of a trace", first)
	}
}

func TestReadReturnsTheSpansOfAnAttribute(t *testing.T) {
	want := []traceid.Span{{Root: root, ID: id, Parent: "1"}, {Root: root, ID: "2"}}
	if got := traceid.Read(traceid.Attr(want...).Value.String()); !slices.Equal(got, want) {
		t.Errorf("got %+v, want %+v", got, want)
	}
	if got := traceid.Read("something else"); len(got) != 0 {
		t.Errorf("got %+v of a text without spans", got)
	}
}
