// Command function is the function of the host's tests: its event says what to do.
package main

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"os"
	"strings"
	"time"

	"github.com/aws/aws-lambda-go/lambda"
	"github.com/aws/aws-lambda-go/lambdacontext"
)

type event struct {
	Do  string `json:"do"`
	URL string `json:"url"`
}

type answer struct {
	PID         int      `json:"pid"`
	Invocations int      `json:"invocations"` // of this instance
	RequestID   string   `json:"requestId"`
	FunctionARN string   `json:"functionArn"`
	TraceID     string   `json:"traceId"`
	Deadline    int64    `json:"deadline"` // Unix time in ms
	Dir         string   `json:"dir"`
	Environment []string `json:"environment"`
	Padding     string   `json:"padding,omitempty"`
}

var invocations int

func handle(ctx context.Context, e event) (answer, error) {
	invocations++
	lc, _ := lambdacontext.FromContext(ctx)
	deadline, _ := ctx.Deadline()
	dir, _ := os.Getwd()
	a := answer{
		PID: os.Getpid(), Invocations: invocations,
		RequestID: lc.AwsRequestID, FunctionARN: lc.InvokedFunctionArn, TraceID: os.Getenv("_X_AMZN_TRACE_ID"),
		Deadline: deadline.UnixMilli(), Dir: dir,
	}
	switch e.Do {
	case "environment":
		os.Unsetenv("_X_AMZN_TRACE_ID") // set by the runtime client
		a.Environment = os.Environ()
	case "fail":
		return a, errors.New("no such product")
	case "panic":
		panic("out of doughnuts")
	case "exit":
		fmt.Fprintln(os.Stderr, "going down")
		os.Exit(3)
	case "hang":
		fmt.Println("hanging")
		time.Sleep(time.Hour)
	case "call": // waits for the test
		response, err := http.Get(e.URL)
		if err != nil {
			return a, err
		}
		response.Body.Close()
	case "large":
		a.Padding = strings.Repeat("x", 7<<20)
	case "log":
		fmt.Println("plain text")
		fmt.Fprintln(os.Stderr, `{"level":"ERROR","msg":"structured"}`)
	}
	return a, nil
}

func main() {
	switch os.Getenv("INIT") {
	case "exit":
		fmt.Fprintln(os.Stderr, "DATABASE_SECRET is not set")
		os.Exit(1)
	case "hang":
		time.Sleep(time.Hour)
	case "error":
		api := "http://" + os.Getenv("AWS_LAMBDA_RUNTIME_API") + "/2018-06-01/runtime/init/error"
		response, err := http.Post(api, "application/json", strings.NewReader(`{"errorType":"Config.Missing","errorMessage":"no table"}`))
		if err != nil || response.StatusCode != http.StatusAccepted {
			panic(fmt.Sprint(err, response))
		}
		os.Exit(1)
	}
	lambda.Start(handle)
}
