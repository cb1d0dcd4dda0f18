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
	data := flag.String("data", "", "the directory that the runs keep their databases in")
	flag.Parse()
	if *data == "" || flag.NArg() > 0 {
		fmt.Fprintln(os.Stderr, "reset: name the directory: -data .data")
		os.Exit(2)
	}
	if err := reset(*data, os.Stdout); err != nil {
		fmt.Fprintln(os.Stderr, "reset:", err)
		os.Exit(1)
	}
}

// reset deletes the kept databases in a directory, and prints them. It leaves other files
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
		fmt.Fprintln(out, "forgotten:", dir)
	}
	if len(kept) == 0 {
		fmt.Fprintln(out, "nothing is kept in", data)
	}
	return nil
}
