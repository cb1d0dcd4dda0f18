package main

import (
	"encoding/json"
	"flag"
	"fmt"
	"os"

	"restock/local/run"
)

// record is the command `local record`: it writes the stack that the program declares for a stage,
// and the rules that it breaks, as JSON. A run builds this command anew and calls it when the
// sources of the program have changed, because the running process still has the old program.
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
		return fmt.Errorf("writing the declared stack: %w", err)
	}
	return nil
}

// A usageError is an error of the command line. Package flag has printed it.
type usageError struct{ error }

func (e usageError) Unwrap() error { return e.error }
