package rules

import (
	"errors"
	"fmt"
	"net/url"
	"strconv"
	"strings"

	"restock/infra/graph"
)

// services are the services of AWS that a function calls, by the kind of the granted resource.
var services = map[string]string{
	"secret": "secretsmanager",
	"topic":  "sns",
	"queue":  "sqs",
}

// A Destination is a database, a service of AWS or a server that a function calls.
type Destination struct {
	Function *graph.Resource
	What     string // for people: "database database", "sns", "https://factory.example.com"

	// The address: the variables with its URL, or with its host and port, or the name of a service
	// of AWS.
	URLVariable, HostVariable, PortVariable, Service string

	// Missing names the first missing part of the network; nil if the function reaches the
	// destination.
	Missing error
}

// Destinations lists what the functions of a recorded program call, by their declared environments:
// the database, the services of granted resources, and servers on the Internet.
func Destinations(g *graph.Graph, d Declarations) []Destination {
	i := &inspection{Graph: g, declarations: d}
	network := NewNetwork(g)
	var all []Destination
	for r, f := range i.functions() {
		called, variables := map[string]bool{}, variables(r)
		for _, v := range f.Variables {
			value := variables[v.Name]
			kind, _, _ := strings.Cut(v.From, ".")
			switch service := services[kind]; {
			case v.From == "database.host" || v.From == "database.instance":
				if d, ok := i.databaseAt(network, r, value); ok {
					d.HostVariable, d.PortVariable = v.Name, variableFrom(f.Variables, "database.port")
					all = append(all, d)
				}
			case len(v.Grants) > 0 && service != "" && !called[service]:
				called[service] = true
				missing := network.Service(r, service)
				all = append(all, Destination{Function: r, What: service, Service: service, Missing: missing})
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

// checkReachable checks that every function reaches its destinations. Otherwise nothing refuses the
// call: it hangs until the function's timeout.
// https://docs.aws.amazon.com/lambda/latest/dg/troubleshooting-networking.html
func checkReachable(i *inspection) {
	for _, d := range Destinations(i.Graph, i.declarations) {
		if d.Missing != nil {
			remedy := "declare the missing part"
			if part := (*missingPart)(nil); errors.As(d.Missing, &part) {
				remedy = part.remedy
				if part.at != nil && part.at != d.Function {
					remedy += fmt.Sprintf(" in %s, %s", title(part.at), part.at.Source)
				}
			}
			i.report(d.Function, remedy, "it does not reach %s: %v", d.What, d.Missing)
		}
	}
}

// variableFrom returns the name of the variable with a source; empty if there is none.
func variableFrom(variables []Variable, from string) string {
	for _, v := range variables {
		if v.From == from {
			return v.Name
		}
	}
	return ""
}

// databaseAt returns the database with an address, or the database whose proxy has it. The rule
// environment reports other addresses.
func (i *inspection) databaseAt(network Network, function *graph.Resource, host string) (Destination, bool) {
	for _, database := range i.OfType(graph.Database) {
		what, proxy := "database "+database.Name, i.proxyOf(database)
		switch {
		case database.String("address") == host:
			missing := network.Database(function, database)
			return Destination{Function: function, What: what, Missing: missing}, true
		case proxy != nil && proxy.String("endpoint") == host:
			missing := network.Proxy(function, proxy, database)
			return Destination{Function: function, What: what + " through its proxy", Missing: missing}, true
		}
	}
	return Destination{}, false
}

// proxyOf returns the proxy before a database, nil if there is none.
func (i *inspection) proxyOf(database *graph.Resource) *graph.Resource {
	target := i.Find(graph.ProxyTarget, "dbInstanceIdentifier", database.String("identifier"))
	if target == nil {
		return nil
	}
	return i.Find(graph.Proxy, "name", target.String("dbProxyName"))
}

// portOf returns the TCP port of a URL.
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
