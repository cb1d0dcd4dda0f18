package programs_test

import (
	"fmt"
	"net/http"
	"strings"
	"testing"

	"restock/cmd/local/factory"
	"restock/cmd/local/programs"
	"restock/infra/graph"
	"restock/infra/policy/usage"
	declared "restock/infra/stack"
	"restock/lambdas"
	"restock/test/await"
)

// TestNoGrantIsUnused takes the shop through everything that needs a permission, and then compares
// its grants with the calls. A grant that nothing uses has a reason in the program's Unused.
func TestNoGrantIsUnused(t *testing.T) {
	t.Parallel()
	const proxied, simulated = "a stage with a proxy", "a stage that simulates the factory"
	graphs, runs := map[string]*graph.Graph{}, map[string]*stack{}
	for name, edit := range map[string]func(*programs.Config){
		proxied:   func(c *programs.Config) { c.Settings = map[string]any{"database": map[string]any{"proxy": true}} },
		simulated: func(c *programs.Config) { c.Factory = declared.SimulatedFactory },
	} {
		c := config(t)
		edit(&c)
		c.Edit = func(g *graph.Graph) { graphs[name] = g } // the last graph is the one with the run's names
		runs[name] = start(t, c)
	}
	runs[proxied].useEveryGrant(t)
	runs[simulated].buy(t, 3, 1) // the third sells the last one, and the function factory gets a request
	runs[simulated].awaitCall(t, "factory", "sqs:SendMessage", "factory_queue")
	runs[simulated].awaitCall(t, "factory", "sqs:GetQueueAttributes", "factory_queue")

	var counts usage.Counts
	for _, s := range runs {
		counts.Add(s.Usage())
	}
	justified := map[string]bool{}
	for stage, g := range graphs {
		grants, err := usage.Grants(g, counts, programs.Shop().Unused...)
		if err != nil {
			t.Fatal(err)
		}
		for _, g := range grants {
			switch is := fmt.Sprintf("%s, statement %d: %s may %s on %s", g.Policy, g.Statement, g.Caller, g.Action,
				g.Resource); {
			case g.Unused() && g.Justified == "":
				t.Errorf("%s: %s: nothing uses it: remove it, use it in this test, or give its reason in "+
					"unusedGrants", stage, is)
			case !g.Unused() && g.Justified != "":
				t.Errorf("%s: %s: unusedGrants has a reason for it, and it is used, or not measurable", stage, is)
			}
			justified[g.Justified] = true
		}
	}
	for _, j := range programs.Shop().Unused {
		if !justified[j.Why] {
			t.Errorf("%+v: no stage has the grant", j)
		}
	}
}

// awaitCall waits until a function has made a call. A part of the resource's ARN is enough.
func (s *stack) awaitCall(t *testing.T, function, action, resource string) {
	t.Helper()
	await.Until(t, function+" has called "+action+" on "+resource, func() bool {
		for call := range s.Usage().Times {
			if strings.HasSuffix(call.Session, "/"+function) && call.Action == action &&
				strings.Contains(call.Resource, resource) {
				return true
			}
		}
		return false
	})
}

// useEveryGrant makes every function of the shop do everything that needs a permission.
func (s *stack) useEveryGrant(t *testing.T) {
	t.Helper()
	fault := func(f factory.Fault) {
		t.Helper()
		if err := s.Run.Factory.SetFault(f); err != nil {
			t.Fatal(err)
		}
	}
	merchant := func(method, path, body string) {
		t.Helper()
		status, answer := s.merchant(t, person, method, "/merchant/"+path, body, body)
		if status >= http.StatusMultipleChoices {
			t.Fatalf("%s %s: got %d %s", method, path, status, answer)
		}
	}
	fault(factory.Fault{Hold: true})
	s.buy(t, 3, 1)
	s.awaitCall(t, "ads", "sns:Publish", lambdas.OperationsTopic)
	// The lot of the open order will not be enough: stock-increase orders more.
	merchant("PATCH", "products/CP-502101", `{"reorder_point":500,"order_up_to":1000}`)
	fault(factory.Fault{})
	await.Until(t, "the second lot is delivered", func() bool { return s.number(t, donutStock) == 1000 })
	// The factory delivers no more: the sweep asks again, gives up and tells people.
	fault(factory.Fault{Hold: true})
	merchant("POST", "production-orders", `{"sku":"CP-502101","quantity":10}`)
	await.Until(t, "the sweep has given up", func() bool {
		s.passTime(t)
		return s.number(t, `SELECT COUNT(*) FROM production_order WHERE status = 'failed'`) == 1
	})
	s.awaitCall(t, "sweep", "sns:Publish", lambdas.OperationsTopic)
	s.awaitCall(t, "setup", "secretsmanager:UpdateSecretVersionStage", ":secret:database-") // ends the first rotation
}
