// Command tutorial is the Pulumi program of the tutorial.
package main

import (
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"restock/examples/tutorial/program"
)

func main() {
	pulumi.Run(program.Deploy)
}
