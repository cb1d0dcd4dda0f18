package stack

import (
	"restock/infra/rules"
	"restock/lambdas"
)

// Declarations returns the functions and topics of package lambdas as values that package rules
// reads: rules must not import lambdas.
func Declarations() (all rules.Declarations) {
	for _, t := range lambdas.Topics() {
		topic := rules.Topic{Name: t.Name}
		for _, attributes := range t.Messages {
			topic.Messages = append(topic.Messages, attributes)
		}
		all.Topics = append(all.Topics, topic)
	}
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
				Parse: v.Parse,
			})
		}
		all.Functions = append(all.Functions, d)
	}
	return all
}
