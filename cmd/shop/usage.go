package main

import (
	"context"
	"flag"
	"fmt"
	"io"
	"slices"
	"strings"
)

// A usageError is the error of an invalid command line.
type usageError struct{ message string }

func (e *usageError) Error() string { return e.message }

func usagef(format string, args ...any) error { return &usageError{fmt.Sprintf(format, args...)} }

// options are the flags of every command.
type options struct {
	target target
	json   bool
}

func (o *options) flags(f *flag.FlagSet) {
	o.target.flags(f)
	f.BoolVar(&o.json, "json", o.json, "answer in JSON, for programs")
}

// A command is one command of shop.
type command struct {
	name, arguments, summary string
	least, most              int // how many arguments it takes
	flags                    func(*flag.FlagSet)
	run                      func(ctx context.Context, s *session, arguments []string) error
}

// parse reads the command line. Flags may stand anywhere. If help is requested, parse writes it to
// out and returns flag.ErrHelp.
func (o *options) parse(args []string, out io.Writer) (command, []string, error) {
	before := newFlagSet("shop")
	o.flags(before)
	name, rest, err := firstArgument(before, args)
	if err == nil && name == "" {
		err = usagef("give a command: %s; shop -h explains them", strings.Join(names(), ", "))
	}
	if err != nil {
		return command{}, nil, explained(err, out, overview)
	}
	all := commands()
	at := slices.IndexFunc(all, func(c command) bool { return c.name == name })
	if at < 0 {
		return command{}, nil, usagef("there is no command %q: there are %s", name, strings.Join(names(), ", "))
	}
	c := all[at]
	flags := newFlagSet(name)
	o.flags(flags) // again: they may also follow the command
	if c.flags != nil {
		c.flags(flags)
	}
	arguments, err := interspersed(flags, rest)
	if err == nil && (len(arguments) < c.least || len(arguments) > c.most) {
		err = usagef("%s takes %s: shop %s", c.name, counted(c), c.synopsis())
	}
	if err != nil {
		return command{}, nil, explained(err, out, func(w io.Writer) { c.explain(w, flags) })
	}
	return c, arguments, nil
}

func newFlagSet(name string) *flag.FlagSet {
	flags := flag.NewFlagSet(name, flag.ContinueOnError)
	flags.SetOutput(io.Discard) // run prints the error
	return flags
}

// firstArgument parses the flags before the first argument.
func firstArgument(flags *flag.FlagSet, args []string) (first string, rest []string, err error) {
	if err := flags.Parse(args); err != nil {
		return "", nil, err
	}
	if flags.NArg() == 0 {
		return "", nil, nil
	}
	return flags.Arg(0), flags.Args()[1:], nil
}

// interspersed parses flags before, between and after arguments. A negative number is an argument;
// everything after -- is an argument too.
func interspersed(flags *flag.FlagSet, args []string) (arguments []string, err error) {
	for len(args) > 0 {
		arg := args[0]
		if arg == "--" {
			return append(arguments, args[1:]...), nil
		}
		if !strings.HasPrefix(arg, "-") || arg == "-" || isNumber(arg[1:]) {
			arguments, args = append(arguments, arg), args[1:]
			continue
		}
		n := 1
		if takesValue(flags, arg) && len(args) > 1 {
			n = 2
		}
		if err := flags.Parse(args[:n]); err != nil {
			return nil, err
		}
		args = args[n:]
	}
	return arguments, nil
}

// isNumber reports whether a text begins with a digit. No flag does, so a number that is too large
// is no flag either.
func isNumber(text string) bool { return text[0] >= '0' && text[0] <= '9' }

// takesValue reports whether the argument after a flag is the flag's value.
func takesValue(flags *flag.FlagSet, arg string) bool {
	f := flags.Lookup(strings.TrimLeft(arg, "-"))
	if f == nil {
		return false
	}
	boolean, ok := f.Value.(interface{ IsBoolFlag() bool })
	return !ok || !boolean.IsBoolFlag()
}

// explained turns an error of package flag into a usageError, except for a request for help, which
// it answers.
func explained(err error, out io.Writer, help func(io.Writer)) error {
	if err == flag.ErrHelp {
		help(out)
		return err
	}
	return usagef("%v", err)
}

func names() (names []string) {
	for _, c := range commands() {
		names = append(names, c.name)
	}
	return names
}

func (c command) synopsis() string { return strings.TrimSpace(c.name + " " + c.arguments) }

func counted(c command) string {
	switch {
	case c.most == 0:
		return "no arguments"
	case c.least == c.most && c.most == 1:
		return "one argument"
	case c.least == c.most:
		return fmt.Sprintf("%d arguments", c.most)
	default:
		return fmt.Sprintf("%d to %d arguments", c.least, c.most)
	}
}

func overview(w io.Writer) {
	t := table{}
	for _, c := range commands() {
		t.row("  shop "+c.synopsis(), c.summary)
	}
	t.writeTo(w)
	fmt.Fprint(w, "\nFlags of every command:\n")
	flags := newFlagSet("shop")
	new(options).flags(flags)
	flags.SetOutput(w)
	flags.PrintDefaults()
	fmt.Fprint(w, "\nshop COMMAND -h lists the flags of a command.\n")
}

func (c command) explain(w io.Writer, flags *flag.FlagSet) {
	fmt.Fprintf(w, "shop %s: %s\n\n", c.synopsis(), c.summary)
	flags.SetOutput(w)
	flags.PrintDefaults()
}
