// Command new-function writes the skeleton of a Lambda function: its declaration, its environment,
// a handler that reads the shop's products, and the handler's test.
//
//	make new-function NAME=refund ROUTE="POST /sales/{sale}/refund"
//	make new-function NAME=newsletter QUEUE=newsletter_queue TOPIC=stock_empty
//	make new-function NAME=report EVERY=1h
//
// docs/extending.md shows how to go on.
package main

import (
	"errors"
	"flag"
	"fmt"
	"os"
	"time"
)

func main() {
	var f function
	flag.StringVar(&f.Name, "name", "", "the function's name, for example refund")
	flag.StringVar(&f.Route, "route", "", `a route of the HTTP API, for example "POST /sales/{sale}/refund"`)
	flag.StringVar(&f.Queue, "queue", "", "the name of a new queue, whose messages the function handles")
	flag.StringVar(&f.Topic, "topic", "", "with -queue: the topic whose messages the queue gets")
	flag.DurationVar(&f.Every, "every", 0, "a schedule, for example 5m")
	project := flag.String("project", ".", "the project's root")
	flag.Parse()
	if err := f.write(*project); err != nil {
		fmt.Fprintln(os.Stderr, "new-function:", err)
		os.Exit(1)
	}
	next, err := f.next(*project)
	if err != nil {
		fmt.Fprintln(os.Stderr, "new-function: the function is written, and what comes next is in "+
			"docs/extending.md:", err)
		os.Exit(1)
	}
	fmt.Print(next)
}

// write checks the function, and writes its skeleton into the project. If it returns an error, it
// has written nothing.
func (f function) write(project string) error {
	p, err := open(project)
	if err != nil {
		return err
	}
	if err := f.check(p); err != nil {
		return err
	}
	if err := errors.Join(p.declare(f), p.addHandler(f)); err != nil {
		return err
	}
	return p.save()
}

// next says what to do with the skeleton.
func (f function) next(project string) (string, error) {
	text := fmt.Sprintf(`The function %[1]s is declared in lambdas/lambdas.go and lambdas/environment.go.
Its handler and the handler's test are in lambdas/%[1]s.

Run the handler's test:
  go test ./lambdas/%[1]s
Run the whole stack with it:
  make local
`, f.Name)
	if f.Route != "" {
		request, err := f.request(project)
		if err != nil {
			return "", err
		}
		text += fmt.Sprintf("Send it a signed request:\n  %s\n", request)
	}
	return text + `See what is left, such as rows of documents and golden files:
  make test
docs/extending.md goes on from here.
`, nil
}

// minutes returns the schedule as Go code.
func minutes(d time.Duration) string {
	if d%time.Hour == 0 {
		return fmt.Sprintf("%d * time.Hour", d/time.Hour)
	}
	return fmt.Sprintf("%d * time.Minute", d/time.Minute)
}
