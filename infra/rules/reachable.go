package rules

import (
	"fmt"
	"net/url"
	"strconv"

	"restock/infra/graph"
	"restock/lambdas"
)

// services are the services of AWS that a function calls to use a thing that it is granted.
var services = map[string]string{
	"secret": "secretsmanager",
	"topic":  "sns",
	"queue":  "sqs",
}

// checkReachable holds that every function reaches what its environment names: the database, the services of what it is granted, the
// factory on the Internet. What a function does not reach does not refuse it: the call hangs until the function's timeout.
// https://docs.aws.amazon.com/lambda/latest/dg/troubleshooting-networking.html
func checkReachable(i *inspection) {
	network := NewNetwork(i.Graph)
	for r, f := range i.functions() {
		reach := func(what string, err error) {
			if err != nil {
				i.report(r, "declare the missing piece in the network", "it does not reach %s: %v", what, err)
			}
		}
		for _, v := range lambdas.Variables(f.Environment) {
			if v.Thing == "database" && (v.Which == "host" || v.Which == "instance") {
				i.reachDatabase(network, r, variables(r)[v.Name], reach)
			}
		}
		called := map[string]bool{}
		for _, v := range lambdas.Variables(f.Environment) {
			if service := services[v.Thing]; len(v.Grants) > 0 && service != "" && !called[service] {
				called[service] = true
				reach(service, network.Service(r, service))
			}
			if v.From() == "config.factoryUrl" {
				factory := variables(r)[v.Name]
				port, err := portOf(factory)
				if err == nil {
					err = network.Internet(r, port)
				}
				reach(factory, err)
			}
		}
	}
}

// reachDatabase looks for the database that is at an address, or behind the proxy that is. What is at no address of the stack is the rule
// environment's, or a person's own.
func (i *inspection) reachDatabase(network Network, function *graph.Resource, host string, reach func(what string, err error)) {
	for _, database := range i.OfType(databaseType) {
		proxy := i.proxyOf(database)
		switch {
		case database.String("address") == host:
			reach("database "+database.Name, network.Database(function, database))
		case proxy != nil && proxy.String("endpoint") == host:
			reach("database "+database.Name+" through its proxy", network.Proxy(function, proxy, database))
		}
	}
}

// proxyOf is the proxy before a database, nil if there is none.
func (i *inspection) proxyOf(database *graph.Resource) *graph.Resource {
	target := i.Find(proxyTargetType, "dbInstanceIdentifier", database.String("identifier"))
	if target == nil {
		return nil
	}
	return i.Find(proxyType, "name", target.String("dbProxyName"))
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
