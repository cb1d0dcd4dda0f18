package run

import (
	"testing"

	"restock/infra/graph"
	"restock/local/system/loopback"
)

func TestTheFirstAPIByURNHasTheAddressOfTheFlag(t *testing.T) {
	api, err := loopback.Listen("127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	l := listeners{api: api, apis: &apiListeners{byURN: map[string]*loopback.Listener{}}}
	t.Cleanup(func() { _ = l.close() }) // some are closed twice
	g, err := graph.New("eu-west-1", []*graph.Resource{
		{URN: "c", Type: graph.RESTStage}, {URN: "b", Type: graph.RESTStage}, {URN: "a", Type: graph.FunctionURL},
	}, nil)
	if err != nil {
		t.Fatal(err)
	}
	l.apis.order(g)
	for _, urn := range []string{"c", "a", "b"} { // the program declares b last
		listener, err := l.forAPI(urn)
		if err != nil {
			t.Fatal(err)
		}
		if first := listener == api; first != (urn == "b") {
			t.Errorf("%s has the address of the flag: %v, want that of b", urn, first)
		}
	}
}
