// Command build builds the functions' zips, as a deployment does.
package main

import (
	"context"
	"fmt"
	"os"

	"restock/infra/bundle"
	"restock/lambdas"
)

func main() {
	var names []string
	for _, f := range lambdas.All() {
		names = append(names, f.Name)
	}
	zips, err := bundle.BuildModule(context.Background(), lambdas.Folder, names)
	if err != nil {
		fmt.Fprintln(os.Stderr, "build:", err)
		os.Exit(1)
	}
	for _, name := range names {
		z := zips[name]
		fmt.Printf("%-20s %5.2f MiB  %s\n", bundle.OutDir+"/"+name+".zip", float64(z.Size)/(1<<20), z.Hash)
	}
}
