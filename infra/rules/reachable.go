package rules

import (
	"fmt"
	"net/url"
	"strconv"
	"strings"

	"restock/infra/graph"
)

// services are the services of AWS that a function calls to use a thing that it is granted.
var services = map[string]string{
	"secret": "secretsmanager",
	"topic":  "sns",
	"queue":  "sqs",
}

// A Destination is what a function calls.
type Destination struct {
	Function *graph.Resource
	What     string // for people: "database database", "sns", "https://factory.example.com"

	// How the function knows where it is: the variables that hold its URL, or its host and its port; or the name of a service of AWS.
	URLVariable, HostVariable, PortVariable, Service string

	// Missing is the first piece of the network that is missing on the way; nil if the function reaches it.
	Missing error
}

// Destinations lists what the functions of a recorded program call, by what their declared
// environments name: the database, the services of what they are granted, servers on the Internet.
func Destinations(g *graph.Graph, d Declarations) []Destination {
	i := &inspection{Graph: g, declarations: d}
	network := NewNetwork(g)
	var all []Destination
	for r, f := range i.functions() {
		called := map[string]bool{}
		for _, v := range f.Variables {
			value := variables(r)[v.Name]
			thing, _, _ := strings.Cut(v.From, ".")
			switch service := services[thing]; {
			case v.From == "database.host" || v.From == "database.instance":
				if d, ok := i.databaseAt(network, r, value); ok {
					d.HostVariable, d.PortVariable = v.Name, variableFrom(f.Variables, "database.port")
					all = append(all, d)
				}
			case len(v.Grants) > 0 && service != "" && !called[service]:
				called[service] = true
				all = append(all, Destination{Function: r, What: service, Service: service, Missing: network.Service(r, service)})
			case v.Internet:
				port, err := portOf(value)
				if err == nil {
					err = network.Internet(r, port)
				}
				all = append(all, Destination{Function: r, What: value, URLVariable: v.Name, Missing: err})
			}
		}
	}
	return all
}

// checkReachable holds that every function reaches what it calls. What a function does not reach does not refuse it: the call hangs until
// the function's timeout.
// https://docs.aws.amazon.com/lambda/latest/dg/troubleshooting-networking.html
func checkReachable(i *inspection) {
	for _, d := range Destinations(i.Graph, i.declarations) {
		if d.Missing != nil {
			i.report(d.Function, "declare the missing piece", "it does not reach %s: %v", d.What, d.Missing)
		}
	}
}

// variableFrom is the name of the variable that is filled from a thing; empty if none is.
func variableFrom(variables []Variable, from string) string {
	for _, v := range variables {
		if v.From == from {
			return v.Name
		}
	}
	return ""
}

// databaseAt is the database at an address, or behind the proxy that is. What is at no address of the stack is the rule environment's.
func (i *inspection) databaseAt(network Network, function *graph.Resource, host string) (Destination, bool) {
	for _, database := range i.OfType(graph.Database) {
		proxy := i.proxyOf(database)
		switch {
		case database.String("address") == host:
			return Destination{Function: function, What: "database " + database.Name, Missing: network.Database(function, database)}, true
		case proxy != nil && proxy.String("endpoint") == host:
			return Destination{Function: function, What: "database " + database.Name + " through its proxy", Missing: network.Proxy(function, proxy, database)}, true
		}
	}
	return Destination{}, false
}

// proxyOf is the proxy before a database, nil if there is none.
func (i *inspection) proxyOf(database *graph.Resource) *graph.Resource {
	target := i.Find(graph.ProxyTarget, "dbInstanceIdentifier", database.String("identifier"))
	if target == nil {
		return nil
	}
	return i.Find(graph.Proxy, "name", target.String("dbProxyName"))
}

// portOf is the TCP port that a URL leads to.
func portOf(address string) (int, error) {
	u, err := url.Parse(address)
	if err != nil {
		return 0, err
	}
	if u.Port() != "" {
		return strconv.Atoi(u.Port())
	}
	switch u.Scheme {
	case "https":
		return httpsPort, nil
	case "http":
		return 80, nil
	}
	return 0, fmt.Errorf("%q is not a URL of http or https", address)
}
