// Command kumo answers calls of AWS's API on a free port of this machine, and prints its URL. A
// local run builds and starts it if a program declares a resource such as a bucket. It is a module
// of its own, so that the project does not depend on the emulator.
package main

import (
	"fmt"

	"github.com/sivchari/kumo"
)

func main() {
	fmt.Println(kumo.NewServer().URL)
	select {} // until the run ends this process
}
