// Command estimate prints the monthly cost of a stage, from the resources that the Pulumi program
// declares. It does not query AWS.
package main

import (
	"encoding/json"
	"flag"
	"fmt"
	"io"
	"os"

	"restock/infra/cost"
	"restock/infra/stack"
)

func main() {
	if err := run(os.Args[1:], os.Stdout); err != nil {
		fmt.Fprintln(os.Stderr, "estimate:", err)
		os.Exit(1)
	}
}

func run(args []string, stdout io.Writer) error {
	assume := cost.DefaultAssumptions()
	flags := flag.NewFlagSet("estimate", flag.ExitOnError)
	stage := flags.String("stage", "dev", "the stage, with its configuration in Pulumi.<stage>.yaml")
	project := flags.String("project", ".", "the folder of Pulumi.yaml")
	asJSON := flags.Bool("json", false, "print JSON; amounts are micro-dollars")
	flags.Int64Var(&assume.CheckoutsPerMonth, "checkouts-per-month", assume.CheckoutsPerMonth, "checkouts a month")
	flags.Int64Var(&assume.ReadsPerCheckout, "reads-per-checkout", assume.ReadsPerCheckout,
		"requests for products per checkout")
	flags.Int64Var(&assume.CheckoutMS, "checkout-ms", assume.CheckoutMS, "milliseconds of a checkout")
	flags.Int64Var(&assume.LotSize, "lot-size", assume.LotSize, "checkouts per production order")
	flags.Int64Var(&assume.CustomMetrics, "custom-metrics", assume.CustomMetrics,
		"metrics that the functions write to their logs")
	_ = flags.Parse(args) // exits if a flag is wrong
	if flags.NArg() > 0 {
		return fmt.Errorf("%q is not a flag: see -h", flags.Arg(0))
	}

	g, err := stack.Record(*project, *stage)
	if err != nil {
		return err
	}
	estimate, err := cost.New(cost.Stage{Name: *stage, Region: g.Region, Graph: g}, cost.Seoul(), assume)
	if err != nil {
		return err
	}
	if !*asJSON {
		return estimate.Print(stdout)
	}
	encoder := json.NewEncoder(stdout)
	encoder.SetEscapeHTML(false)
	encoder.SetIndent("", "  ")
	return encoder.Encode(estimate)
}
