// Command reset deletes the databases that local runs keep in a directory. The next run starts with
// a new one.
package main

import (
	"flag"
	"fmt"
	"io"
	"os"

	"restock/local/mariadb"
)

func main() {
	data := flag.String("data", "", "the directory with the databases of the runs")
	flag.Parse()
	if *data == "" || flag.NArg() > 0 {
		fmt.Fprintln(os.Stderr, "usage: reset -data DIRECTORY, for example reset -data .data")
		os.Exit(2)
	}
	if err := reset(*data, os.Stdout); err != nil {
		fmt.Fprintln(os.Stderr, "reset:", err)
		os.Exit(1)
	}
}

// reset deletes the databases in a directory and prints their paths. It leaves other files
// unchanged.
func reset(data string, out io.Writer) error {
	kept, err := mariadb.Kept(data)
	if err != nil {
		return err
	}
	for _, dir := range kept {
		if err := mariadb.Forget(dir); err != nil {
			return err
		}
		fmt.Fprintln(out, "deleted:", dir)
	}
	if len(kept) == 0 {
		fmt.Fprintln(out, "there are no databases in", data)
	}
	return nil
}
