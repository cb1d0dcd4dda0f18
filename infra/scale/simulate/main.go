// Command simulate lets a rush of buyers come to a stage, as its Pulumi program is configured, and says what becomes of them.
package main

import (
	"flag"
	"fmt"
	"os"
	"time"

	"restock/infra/scale"
	"restock/infra/stack"
)

func main() {
	flags := flag.NewFlagSet("simulate", flag.ExitOnError) // not the default one: libraries put theirs there
	project := flags.String("project", ".", "the folder of Pulumi.yaml")
	stage := flags.String("stage", "prod", "whose configuration: Pulumi.<stage>.yaml")
	buyers := flags.Float64("buyers", 10_000, "a second")
	duration := flags.Duration("for", 10*time.Second, "how long they come")
	stock := flags.Int("stock", 100, "pieces that there are")
	seed := flags.Uint64("seed", 1, "of chance; the same seed gives the same outcome")
	_ = flags.Parse(os.Args[1:]) // it exits
	rush := scale.Rush{BuyersPerSecond: *buyers, Duration: *duration, Stock: *stock}
	if err := simulate(*project, *stage, rush, *seed); err != nil {
		fmt.Fprintln(os.Stderr, "simulate:", err)
		os.Exit(1)
	}
}

func simulate(project, stage string, rush scale.Rush, seed uint64) error {
	g, err := stack.Record(project, stage)
	if err != nil {
		return err
	}
	s, err := scale.Of(stage, g)
	if err != nil {
		return err
	}
	multiAZ := false
	for _, instance := range g.OfType("aws:rds/instance:Instance") {
		multiAZ = instance.Bool("multiAz")
	}
	fmt.Printf("%s: throttled to %.0f requests a second and %d at once; %d instances, each with a connection; %d processors\n\n",
		stage, s.RatePerSecond, s.Burst, s.Instances, s.Processors)
	return scale.Print(os.Stdout, scale.Scenarios(s, multiAZ, rush), seed)
}
