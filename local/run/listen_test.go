package run

import (
	"slices"
	"testing"

	"restock/infra/graph"
	"restock/local/system/loopback"
)

func TestTheFirstAPIHasTheAddressOfTheFlag(t *testing.T) {
	for _, c := range []struct {
		declared []*graph.Resource
		want     string
	}{
		{[]*graph.Resource{{URN: "c", Type: graph.API}, {URN: "b", Type: graph.RESTStage}, {URN: "d", Type: graph.API}},
			"c"},
		{[]*graph.Resource{
			{URN: "c", Type: graph.RESTStage}, {URN: "b", Type: graph.RESTStage}, {URN: "a", Type: graph.FunctionURL},
		}, "b"},
		{[]*graph.Resource{{URN: "a", Type: graph.Topic}, {URN: "b", Type: graph.FunctionURL}}, "b"},
	} {
		api, err := loopback.Listen("127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		l := listeners{api: api, apis: &apiListeners{byURN: map[string]*loopback.Listener{}}}
		t.Cleanup(func() { _ = l.close() }) // some are closed twice

		// The graph sorts the resources.
		g, err := graph.New("eu-west-1", slices.Clone(c.declared), nil)
		if err != nil {
			t.Fatal(err)
		}
		l.apis.order(g)
		for _, r := range c.declared { // the program may declare the first one last
			listener, err := l.forAPI(r.URN)
			if err != nil {
				t.Fatal(err)
			}
			if first := listener == api; first != (r.URN == c.want) {
				t.Errorf("%s has the address of the flag: %v, want that of %s", r.URN, first, c.want)
			}
		}
	}
}
