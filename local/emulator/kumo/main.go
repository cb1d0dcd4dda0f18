// Command kumo answers calls of AWS's API on a free port of this machine, and prints its URL. A
// local run builds and starts it if a program declares a resource such as a bucket. It is a module
// of its own, so that the project does not depend on the emulator.
//
// The emulator opens its own listener and exports no handler. So nothing refuses the pages of other
// web sites here: they would have to find the port.
package main

import (
	"fmt"

	"github.com/sivchari/kumo"
)

func main() {
	fmt.Println(kumo.NewServer().URL)
	select {} // until the run ends this process
}
