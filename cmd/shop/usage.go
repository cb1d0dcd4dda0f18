package main

import (
	"context"
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
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

func (o *options) flags(f *pflag.FlagSet) {
	o.target.flags(f)
	f.BoolVar(&o.json, "json", false, "answer in JSON, for programs; errors too")
}

// A command is one command of shop.
type command struct {
	name, arguments, summary string
	more                     string // what the help says after the summary
	examples                 string // one a line, without the word shop
	least, most              int    // how many arguments it takes
	flags                    func(*pflag.FlagSet)
	complete                 func(context.Context, *session) []string // values of the first argument; nil: none
	run                      func(ctx context.Context, s *session, arguments []string) error
}

const about = `shop is the merchant's command line. Every command needs to know which shop: give --local, --ready,
--stage or --url, or put the URL into the variable RESTOCK_URL.

Exit codes: 0 done; 1 refused, the message says why; 2 the command line is wrong; 3 the shop cannot be
reached, and nothing was changed; 4 the shop did not confirm, so the change may have been made.`

const rootExamples = `  shop --local products
  shop --stage prod products --low
  shop --url https://… orders --status failed --json`

// root returns the command line with new flags: they keep the values of one command line.
func (t terminal) root(o *options) *cobra.Command {
	root := &cobra.Command{
		Use: "shop", Short: "the merchant's command line", Long: about, Example: rootExamples,
		SilenceErrors: true, SilenceUsage: true, // run prints the error
		DisableFlagsInUseLine: true, SuggestionsMinimumDistance: 2,
		Args: func(root *cobra.Command, args []string) error {
			if len(args) == 0 {
				return usagef("give a command: %s; %s -h explains them", strings.Join(names(), ", "), t.program)
			}
			mean := ": there are "
			if like := root.SuggestionsFor(args[0]); len(like) > 0 {
				mean = ", did you mean " + strings.Join(like, " or ") + "? There are "
			}
			return usagef("there is no command %q%s%s", args[0], mean, strings.Join(names(), ", "))
		},
		RunE: func(*cobra.Command, []string) error { return nil }, // Args refuses every command line
	}
	cobra.EnableCommandSorting = false // the help lists the commands in their order
	o.flags(root.PersistentFlags())
	root.SetFlagErrorFunc(func(_ *cobra.Command, err error) error { return flagError(err) })
	for _, c := range commands() {
		root.AddCommand(c.cobra(t, o))
	}
	return root
}

func (c command) cobra(t terminal, o *options) *cobra.Command {
	example := "  shop " + strings.ReplaceAll(c.examples, "\n", "\n  shop ")
	made := &cobra.Command{
		Use: c.synopsis(), Short: c.summary,
		Long:    strings.TrimSpace("shop " + c.name + ": " + c.summary + "\n\n" + c.more),
		Example: example, DisableFlagsInUseLine: true,
		Args: func(_ *cobra.Command, args []string) error {
			if len(args) < c.least || len(args) > c.most {
				return usagef("%s takes %s: shop %s; %s %s -h explains it", c.name, counted(c), c.synopsis(), t.program,
					c.name)
			}
			return nil
		},
		RunE: func(chosen *cobra.Command, args []string) error {
			s, err := t.session(chosen, o)
			if err != nil {
				return err
			}
			return c.run(chosen.Context(), s, args)
		},
		ValidArgsFunction: func(chosen *cobra.Command, args []string, _ string) ([]string, cobra.ShellCompDirective) {
			var values []string
			if c.complete != nil && len(args) == 0 {
				if s, err := t.session(chosen, o); err == nil {
					values = c.complete(chosen.Context(), s)
				}
			}
			return values, cobra.ShellCompDirectiveNoFileComp
		},
	}
	if c.flags != nil {
		c.flags(made.Flags())
	}
	return made
}

// flagError says in plain words which flag is wrong.
func flagError(err error) error {
	var unknown *pflag.NotExistError
	var invalid *pflag.InvalidValueError
	var lacking *pflag.ValueRequiredError
	switch {
	case errors.As(err, &unknown) && unknown.GetSpecifiedShortnames() != "":
		return usagef("there is no flag -%s: flags begin with two dashes", unknown.GetSpecifiedShortnames())
	case errors.As(err, &unknown):
		return usagef("there is no flag --%s", unknown.GetSpecifiedName())
	case errors.As(err, &lacking):
		return usagef("--%s lacks its value", lacking.GetSpecifiedName())
	case errors.As(err, &invalid):
		why := invalid.Unwrap().Error()
		var number *strconv.NumError
		switch kind := invalid.GetFlag().Value.Type(); {
		case kind == "duration":
			why = "not a time, like 40s or 2h"
		case kind == "bool":
			why = "neither true nor false"
		case errors.As(err, &number):
			why = "not a number, or too large"
		}
		return usagef("--%s %q: %s", invalid.GetFlag().Name, invalid.GetValue(), why)
	}
	return usagef("%v", err)
}

var negative = regexp.MustCompile(`^-[0-9]`)

// negativesLast moves negative numbers that are arguments behind a --, because pflag reads -3 as a
// flag. The value of a flag stays where it is.
func negativesLast(root *cobra.Command, args []string) []string {
	chosen, _, err := root.Find(args)
	if err != nil {
		chosen = root
	}
	flags, numbers := []string{}, []string{}
	for i, arg := range args {
		if arg == "--" {
			return slices.Concat(flags, []string{"--"}, numbers, args[i+1:])
		}
		isValue := false
		if i > 0 && strings.HasPrefix(args[i-1], "--") {
			f := chosen.Flag(args[i-1][2:])
			isValue = f != nil && f.NoOptDefVal == ""
		}
		if negative.MatchString(arg) && !isValue {
			numbers = append(numbers, arg)
			continue
		}
		flags = append(flags, arg)
	}
	if len(numbers) == 0 {
		return flags
	}
	return slices.Concat(flags, []string{"--"}, numbers)
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
	case c.least == 0 && c.most == 1:
		return "at most one argument"
	default:
		return fmt.Sprintf("%d to %d arguments", c.least, c.most)
	}
}
