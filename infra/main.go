// Command infra is the Pulumi program: it declares the shop's stack in AWS.
package main

import (
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"restock/infra/stack"
)

func main() {
	pulumi.Run(stack.Deploy)
}
