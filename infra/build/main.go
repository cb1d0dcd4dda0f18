// Command build builds the functions' zips like a deployment, and prints their sizes and hashes.
package main

import (
	"context"
	"fmt"
	"os"
	"text/tabwriter"

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
	table := tabwriter.NewWriter(os.Stdout, 0, 0, 2, ' ', 0)
	for _, name := range names {
		z := zips[name]
		fmt.Fprintf(table, "%s\t%5.2f MiB\t%s\n", bundle.OutDir+"/"+name+".zip", float64(z.Size)/(1<<20), z.Hash)
	}
	if err := table.Flush(); err != nil {
		fmt.Fprintln(os.Stderr, "build: listing the zips:", err)
		os.Exit(1)
	}
}
