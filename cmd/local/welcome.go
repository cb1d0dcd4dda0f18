package main

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"text/tabwriter"

	"restock/cmd/local/programs"
)

// welcome returns the list of a running program's endpoints.
func welcome(c programs.Config, region string, e programs.Endpoints) string {
	var text strings.Builder
	table := tabwriter.NewWriter(&text, 0, 0, 2, ' ', 0)
	line := func(what, where string, values ...any) {
		fmt.Fprintf(table, "  %s\t"+where+"\n", append([]any{what}, values...)...)
	}
	text.WriteString("\n")
	if len(e.APIs) == 0 && e.API != "" {
		line("the "+c.Program.Name, "%s", e.API)
	}
	for _, urn := range slices.Sorted(maps.Keys(e.APIs)) {
		line("the "+urn[strings.LastIndex(urn, ":")+1:], "%s", e.APIs[urn])
	}
	line("AWS", "%s", e.AWS)
	line("", "export AWS_ACCESS_KEY_ID=local AWS_SECRET_ACCESS_KEY=local AWS_DEFAULT_REGION=%s AWS_ENDPOINT_URL=%s",
		region, e.AWS)
	line("", "aws sqs list-queues")
	if e.AWSTLS != "" {
		line("AWS over HTTPS", "%s", e.AWSTLS)
		line("", "export AWS_ENDPOINT_URL=%s AWS_CA_BUNDLE=%s", e.AWSTLS, e.AWSBundle)
	}
	if e.Factory != "" {
		line("the factory", "%s/api/manufactures", e.Factory)
	}
	if e.Console != "" {
		line("the console", "%s", e.Console)
	}
	if c.Debug != "" {
		line(c.Debug+" in Delve", "%s", programs.DelveAddress(c.Debugger))
	}
	_ = table.Flush() // a strings.Builder never fails
	text.WriteString("\n  Ctrl-C stops the run.\n\n")
	return text.String()
}
