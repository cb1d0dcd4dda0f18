package rules

import (
	"fmt"
	"net/url"
	"strconv"

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
		if f.Uses("database") {
			for _, database := range i.OfType(databaseType) {
				reach("database "+database.Name, network.Database(r, database))
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
