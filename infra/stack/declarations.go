package stack

import (
	"restock/infra/rules"
	"restock/lambdas"
)

// Declarations returns the functions of package lambdas as values that package rules reads: rules
// must not import lambdas.
func Declarations() []rules.Declaration {
	var all []rules.Declaration
	for _, f := range lambdas.All() {
		d := rules.Declaration{
			Name: f.Name, Routes: f.Routes, Signed: f.Access == lambdas.Signed, Buffered: len(f.Buffered) > 0,
			Queue: f.Queue, Every: f.Every, Rotates: f.Rotates,
			Connections: f.Connections(), Instances: f.Instances,
			Optional: f.Name == lambdas.Factory.Name,
		}
		for _, v := range lambdas.Variables(f.Environment) {
			d.Variables = append(d.Variables, rules.Variable{
				Name: v.Name, From: v.From(), Grants: v.Grants, Optional: v.Optional, Internet: v.Internet,
			})
		}
		all = append(all, d)
	}
	return all
}
