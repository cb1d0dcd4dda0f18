package main

import (
	"strings"
	"testing"

	"restock/cmd/local/programs"
	"restock/local/run"
)

func TestTheWelcomeNamesEachAPI(t *testing.T) {
	c := programs.DefaultConfig("")
	c.Program = run.Program{Name: "notes"}
	one := run.Endpoints{API: "http://one"}
	several := run.Endpoints{API: "http://one", APIs: map[string]string{
		"urn:pulumi:dev::notes::aws:apigatewayv2/api:Api::public":         "http://one",
		"urn:pulumi:dev::notes::aws:lambda/functionUrl:FunctionUrl::hook": "http://two",
	}}
	if text := welcome(c, "eu-west-1", programs.Endpoints{}); strings.Contains(text, "the notes") {
		t.Errorf("got %s\nwithout an API", text)
	}
	for _, c2 := range []struct {
		endpoints run.Endpoints
		want      []string
	}{
		{one, []string{"  the notes  http://one"}},
		{several, []string{"  the public  http://one", "  the hook    http://two"}},
	} {
		text := welcome(c, "eu-west-1", programs.Endpoints{Endpoints: c2.endpoints})
		for _, want := range c2.want {
			if !strings.Contains(text, want) {
				t.Errorf("got %s\nwant %q in it", text, want)
			}
		}
	}
}
