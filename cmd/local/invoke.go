package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"net/http"
	"os"
	"syscall"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/lambda"

	"restock/local/run"
)

// invokeCommand invokes a function of a run that is running.
const invokeCommand = "invoke"

// invoke invokes a function of a running run with an event, and writes the function's answer. It
// returns an error with the answer if the function failed.
func invoke(ctx context.Context, args []string, out io.Writer) error {
	flags := flag.NewFlagSet("local "+invokeCommand, flag.ContinueOnError)
	file := flags.String("event", "", "a `file` with the event; -: standard input; empty: {}")
	endpoint := flags.String("aws", run.DefaultConfig(run.Program{}, "").AWS, "`address` of the run's AWS endpoint")
	flags.Usage = func() {
		fmt.Fprintf(flags.Output(), "usage: local %s [flags] FUNCTION\n", invokeCommand)
		flags.PrintDefaults()
	}
	if err := flags.Parse(args); err != nil {
		return usageError{err}
	}
	if flags.NArg() != 1 {
		flags.Usage()
		return usageError{errors.New("want one function")}
	}
	event, err := readEvent(*file)
	if err != nil {
		return err
	}
	name := flags.Arg(0)
	region, err := regionOf(ctx, *endpoint)
	if errors.Is(err, syscall.ECONNREFUSED) {
		return fmt.Errorf("invoking %s: no run answers at %s: start one with make local", name, *endpoint)
	}
	if err != nil {
		return fmt.Errorf("invoking %s: %w", name, err)
	}
	client := lambda.New(lambda.Options{
		BaseEndpoint: aws.String("http://" + *endpoint), Region: region, Retryer: aws.NopRetryer{},
		Credentials: credentials.NewStaticCredentialsProvider("local", "local", ""),
	})
	answer, err := client.Invoke(ctx, &lambda.InvokeInput{FunctionName: &name, Payload: event})
	switch {
	case err != nil:
		return fmt.Errorf("invoking %s: %w", name, err)
	case answer.FunctionError != nil:
		return fmt.Errorf("invoking %s: it failed: %s", name, answer.Payload)
	}
	_, err = fmt.Fprintf(out, "%s\n", answer.Payload)
	return err
}

func readEvent(file string) (event []byte, err error) {
	switch file {
	case "":
		return []byte("{}"), nil
	case "-":
		event, err = io.ReadAll(os.Stdin)
	default:
		event, err = os.ReadFile(file)
	}
	if err != nil {
		return nil, fmt.Errorf("-event: %w", err)
	}
	return event, nil
}

// regionOf returns the region of the run at an AWS endpoint.
func regionOf(ctx context.Context, endpoint string) (string, error) {
	const anyFunction = "/2015-03-31/functions/any/invocations"
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, "http://"+endpoint+anyFunction, http.NoBody)
	if err != nil {
		return "", err
	}
	response, err := http.DefaultClient.Do(request) // without a signature, so it invokes nothing
	if err != nil {
		return "", err
	}
	defer response.Body.Close()
	region := response.Header.Get(run.RegionHeader)
	if region == "" {
		return "", fmt.Errorf("the server at %s is no local run: it does not name its region", endpoint)
	}
	return region, nil
}
