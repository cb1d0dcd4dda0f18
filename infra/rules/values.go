package rules

import (
	"fmt"
	"slices"

	"restock/infra/graph"
)

// checkValues checks the values of variables whose source has the right type and the wrong meaning.
// The rule environment compares a value with its source.
func checkValues(i *inspection) {
	i.checkSources()
	i.checkMasterSecret()
	i.checkHosts()
}

// checkHosts checks that functions connect to a database through its proxy, if it has one. A
// function that goes around it takes connections that the proxy shares out.
func (i *inspection) checkHosts() {
	for _, database := range i.OfType(graph.Database) {
		proxy := i.proxyOf(database)
		if proxy == nil {
			continue
		}
		for r, f := range i.functions() {
			for _, v := range f.Variables {
				if v.From == "database.host" && variables(r)[v.Name] == database.String("address") {
					i.report(r, "set the variable to the output Endpoint of Proxy "+proxy.Name,
						"variable %s leads to the database itself, around its proxy: it takes connections that the "+
							"proxy shares out", v.Name)
				}
			}
		}
	}
}

// masterSecrets returns the ARNs of the secrets that RDS makes for master users.
func (i *inspection) masterSecrets() (arns []string) {
	for _, database := range i.OfType(graph.Database) {
		for _, secret := range database.Objects("masterUserSecrets") {
			arns = append(arns, fmt.Sprint(secret["secretArn"]))
		}
	}
	return arns
}

// checkSources checks that a variable has the same source in all functions. If two functions sign
// and verify with different keys, each works by itself. The host of the database may be its proxy.
func (i *inspection) checkSources() {
	first := map[string]Declaration{}
	sources := map[string]string{}
	for r, f := range i.functions() {
		for _, v := range f.Variables {
			other, seen := sources[v.Name]
			if !seen {
				first[v.Name], sources[v.Name] = f, v.From
			} else if hosts := []string{"database.host", "database.instance"}; other != v.From &&
				!(slices.Contains(hosts, other) && slices.Contains(hosts, v.From)) {
				i.report(r, "use one source in both functions, or another name",
					"variable %s is from %s, and in function %s it is from %s", v.Name, v.From, first[v.Name].Name,
					other)
			}
		}
	}
}

// checkMasterSecret checks that only one function gets the secret of the master user, and that its
// role may read the secret. Nobody else needs the database's administrator.
func (i *inspection) checkMasterSecret() {
	for _, arn := range i.masterSecrets() {
		owner := ""
		for r, f := range i.functions() {
			variables := variables(r)
			for _, v := range f.Variables {
				if variables[v.Name] != arn {
					continue
				}
				if owner != "" && owner != f.Name {
					i.report(r, "use the secret of the functions' own user",
						"variable %s is the secret of the database's master user, which function %s has, too",
						v.Name, owner)
				}
				owner = f.Name
				if !i.mayDo(r, "secretsmanager:GetSecretValue", arn) {
					i.report(r, "grant read beside the variable",
						"its role does not allow secretsmanager:GetSecretValue on the master user's secret in "+
							"variable %s",
						v.Name)
				}
			}
		}
	}
}
