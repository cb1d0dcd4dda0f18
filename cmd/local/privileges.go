package main

import (
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"
	"text/tabwriter"

	"restock/cmd/local/programs"
	"restock/infra/policy/usage"
	"restock/local/run"
)

// privilegesCommand compares the grants of a program with the calls of its runs.
const privilegesCommand = "privileges"

// defaultUsage is the file of calls of make local.
const defaultUsage = ".data/" + run.UsageFile

// privileges are what the command finds.
type privileges struct {
	Grants []usage.Grant `json:"grants"`
	// Policies are the narrowest sufficient policies, by the ARN of a role.
	Policies map[string]usage.Document `json:"policies"`
	// Lost is the number of calls that runs could not record. Grants without a use may be used.
	Lost int `json:"lost"`
}

// comparePrivileges is the command `local privileges`: it writes which grants of a program its runs
// used, and the narrowest policies that would have been enough.
func comparePrivileges(ctx context.Context, args []string, out io.Writer) error {
	var o options
	all := o.flags()
	flags := flag.NewFlagSet("local "+privilegesCommand, flag.ContinueOnError)
	for _, name := range []string{"program", "stage", "config"} {
		f := all.Lookup(name)
		flags.Var(f.Value, f.Name, f.Usage)
	}
	asJSON := flags.Bool("json", false, "write JSON, for programs")
	flags.Usage = func() {
		fmt.Fprintf(flags.Output(), "usage: local %s [flags] [FILE …]\nThe files have the calls of runs; without "+
			"one: %s\n", privilegesCommand, defaultUsage)
		flags.PrintDefaults()
	}
	if err := o.parse(flags, args); err != nil {
		return usageError{err}
	}
	files := flags.Args()
	if len(files) == 0 {
		files = []string{defaultUsage}
	}
	var counts usage.Counts
	for _, file := range files {
		more, err := run.ReadUsage(file)
		if err != nil {
			return err
		}
		counts.Add(more)
	}
	if len(counts.Times) == 0 {
		return fmt.Errorf("no run has added calls to %s: end a run of make local, or run make demo with %s=%s",
			strings.Join(files, ", "), programs.UsageVariable, files[0])
	}
	p, err := o.privileges(ctx, counts)
	if err != nil {
		return err
	}
	if *asJSON {
		encoder := json.NewEncoder(out)
		encoder.SetIndent("", "  ")
		return encoder.Encode(p)
	}
	return p.print(out)
}

func (o options) privileges(ctx context.Context, counts usage.Counts) (p privileges, err error) {
	project, err := run.FindProject()
	if err != nil {
		return p, err
	}
	g, err := run.Record(ctx, o.run.Program, project, o.run.Stage)
	if err != nil {
		return p, err
	}
	p.Lost = counts.Lost
	if p.Grants, err = usage.Grants(g, counts, o.run.Program.Unused...); err != nil {
		return p, err
	}
	p.Policies, err = usage.Narrowest(g, counts)
	return p, err
}

// print writes the grants as a table, and then the policies.
func (p privileges) print(out io.Writer) error {
	if p.Lost > 0 {
		fmt.Fprintf(out, "%d calls are not recorded, so a grant that was never used may be used.\n\n", p.Lost)
	}
	table := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	fmt.Fprintln(table, "policy\tstatement\tcaller\taction\tresource\tused")
	for _, g := range p.Grants {
		fmt.Fprintf(table, "%s\t%d\t%s\t%s\t%s\t%s\n", g.Policy, g.Statement, g.Caller, g.Action, g.Resource, used(g))
	}
	if err := table.Flush(); err != nil {
		return fmt.Errorf("writing the grants: %w", err)
	}
	for _, role := range slices.Sorted(maps.Keys(p.Policies)) {
		text, err := json.MarshalIndent(p.Policies[role], "", "  ")
		if err != nil {
			return fmt.Errorf("writing a policy: %w", err)
		}
		fmt.Fprintf(out, "\nThe narrowest sufficient policy of %s:\n%s\n", role, text)
	}
	return nil
}

// used says how often a grant was used, or why that is unknown.
func used(g usage.Grant) string {
	switch {
	case g.Unmeasured != "":
		return "not measurable here: " + g.Unmeasured
	case g.Unused():
		return strings.TrimSuffix("never: "+g.Justified, ": ")
	default:
		return fmt.Sprintf("%d times", g.Times)
	}
}
