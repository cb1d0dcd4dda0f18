package run

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"sync"

	"restock/infra/graph"
	"restock/infra/rules"
	"restock/local/system/blackhole"
	"restock/local/view/events"
)

// blackholed returns the variables that lead a function into a black hole, by the function's URN.
// Where the declared network has no route, the call hangs, as on AWS, and the run names the missing
// resource. This applies to the addresses in the function's environment, and to the AWS services of
// the run. The run does not block other addresses on this machine.
func (r *Run) blackholed(g *graph.Graph) (map[string]map[string]string, error) {
	variables, endpoints := map[string]map[string]string{}, r.services.endpointVariables()
	for _, d := range append(rules.Destinations(g, r.config.Program.Declared), everyService(g, endpoints)...) {
		if d.Missing == nil {
			continue
		}
		hole, err := blackhole.Listen(r.reportOnce(d))
		if err != nil {
			return nil, fmt.Errorf("blocking function %s from %s: %w", d.Function.Name, d.What, err)
		}
		r.onClose("black hole", func(context.Context) error { return hole.Close() })
		lead := func(name, value string) {
			urn := d.Function.URN
			if variables[urn] == nil {
				variables[urn] = map[string]string{}
			}
			if name != "" {
				variables[urn][name] = value
			}
		}
		lead(d.HostVariable, hole.Addr().IP.String())
		lead(d.PortVariable, strconv.Itoa(hole.Addr().Port))
		lead(d.URLVariable, "http://"+hole.Addr().String())
		lead(endpoints[d.Service], "http://"+hole.Addr().String())
	}
	return variables, nil
}

// everyService returns each AWS service of the run as a destination of each function. endpoints has
// the services.
func everyService(g *graph.Graph, endpoints map[string]string) []rules.Destination {
	network := rules.NewNetwork(g)
	var all []rules.Destination
	for _, function := range g.OfType(graph.Function) {
		for _, service := range slices.Sorted(maps.Keys(endpoints)) {
			all = append(all, rules.Destination{
				Function: function, What: service, Service: service, Missing: network.Service(function, service),
			})
		}
	}
	return all
}

// serviceOf returns a word for what a function does not reach: an AWS service, "database" or
// "internet".
func serviceOf(d rules.Destination) string {
	switch {
	case d.HostVariable != "":
		return "database"
	case d.URLVariable != "":
		return "internet"
	default:
		return d.Service
	}
}

// reportOnce returns a function that logs, on its first call, which destination a function does not
// reach, and what is missing.
func (r *Run) reportOnce(d rules.Destination) func() {
	var once sync.Once
	return func() {
		once.Do(func() {
			declaredIn := r.config.Program.Declared.Where("reachable", d.Function)
			r.config.Log.Warn("no way through the network", events.NetworkBlocked.Attr(), "part", "network",
				"function", d.Function.Name, "to", d.What, "service", serviceOf(d),
				"missing", d.Missing, "declared_in", declaredIn)
			r.refused(fmt.Sprintf("function %s does not reach %s: %v (%s)",
				d.Function.Name, d.What, d.Missing, declaredIn))
		})
	}
}
