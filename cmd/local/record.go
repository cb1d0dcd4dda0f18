package main

import (
	"encoding/json"
	"flag"
	"fmt"
	"os"

	"restock/local/run"
)

// record is the command `local record`: it writes what the program declares of a stage as JSON, and the rules that this breaks. A run asks
// it of the command that it has built anew, because its own program has changed.
func record(args []string) error {
	var o options
	all := o.flags()
	flags := flag.NewFlagSet("local "+run.RecordCommand, flag.ContinueOnError)
	for _, name := range []string{"program", "stage"} {
		f := all.Lookup(name)
		flags.Var(f.Value, f.Name, f.Usage)
	}
	if err := flags.Parse(args); err != nil {
		return usageError{err}
	}
	project, err := run.FindProject()
	if err != nil {
		return err
	}
	declared, err := run.Declare(o.run.Program, project, o.run.Stage)
	if err != nil {
		return err
	}
	if err := json.NewEncoder(os.Stdout).Encode(declared); err != nil {
		return fmt.Errorf("writing what is declared: %w", err)
	}
	return nil
}

// A usageError is one of the command line, which package flag has told of.
type usageError struct{ error }

func (e usageError) Unwrap() error { return e.error }
