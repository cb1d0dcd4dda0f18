package main

import (
	"context"
	"os"

	"restock/infra/bundle"
	"restock/lambdas"
)

// measureSizes builds the zips for a deployment, and measures their sizes.
func (b *bench) measureSizes(ctx context.Context) (section, error) {
	s := section{Title: "Size of the zips"}
	dir, err := os.MkdirTemp("", "restock-bench-")
	if err != nil {
		return s, err
	}
	defer os.RemoveAll(dir)
	var names []string
	for _, f := range lambdas.All() {
		names = append(names, f.Name)
	}
	zips, err := bundle.Build(ctx, b.project, lambdas.Folder, dir, names)
	if err != nil {
		return s, err
	}
	for _, name := range names {
		size := float64(zips[name].Size) / (1 << 20)
		s.Rows = append(s.Rows, result{What: name, Value: size, Unit: "MiB", Goal: atMost(4)})
	}
	return s, nil
}
