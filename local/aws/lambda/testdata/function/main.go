// Command function is the function of the host's tests: its event says what to do.
package main

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
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
	TempDir     string   `json:"tempDir"`
	Left        []string `json:"left"`  // what was in TempDir before
	Child       int      `json:"child"` // process started
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
	case "panic in a goroutine":
		go panic("out of doughnuts")
		time.Sleep(time.Hour)
	case "exit":
		fmt.Fprintln(os.Stderr, "going down")
		os.Exit(3)
	case "exit 0":
		os.Exit(0)
	case "leak":
		leak()
	case "leak in a goroutine":
		go leak()
	case "spike":
		memory := take(300 << 20)
		a.Padding = string(memory[:1])
	case "spawn":
		child := exec.Command(os.Args[0])
		child.Env = []string{"INIT=hang"}
		if err := child.Start(); err != nil {
			return a, err
		}
		a.Child = child.Process.Pid
	case "temporary file":
		a.TempDir = os.TempDir()
		entries, err := os.ReadDir(a.TempDir)
		if err != nil {
			return a, err
		}
		for _, e := range entries {
			a.Left = append(a.Left, e.Name())
		}
		if err := os.WriteFile(filepath.Join(a.TempDir, lc.AwsRequestID), []byte("kept"), 0o600); err != nil {
			return a, err
		}
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

var leaked [][]byte

// leak takes memory until it is killed, or has 2 GiB and the host does not do its work.
func leak() {
	for len(leaked) < 64 {
		leaked = append(leaked, take(32<<20))
		time.Sleep(10 * time.Millisecond)
	}
}

// take takes memory and writes on each page: only what is written to counts.
func take(size int) []byte {
	memory := make([]byte, size)
	for i := 0; i < size; i += os.Getpagesize() {
		memory[i] = 'x'
	}
	return memory
}

func main() {
	switch os.Getenv("INIT") {
	case "exit":
		fmt.Fprintln(os.Stderr, "DATABASE_SECRET is not set")
		os.Exit(1)
	case "exit 0":
		os.Exit(0)
	case "hang":
		time.Sleep(time.Hour)
	case "slow":
		delay, err := time.ParseDuration(os.Getenv("INIT_TIME"))
		if err != nil {
			panic(err)
		}
		time.Sleep(delay)
	case "leak":
		leak()
	case "vanish": // asks for an event, and ends before it can read it
		address, id, _ := strings.Cut(os.Getenv("AWS_LAMBDA_RUNTIME_API"), "/")
		conn, err := net.Dial("tcp", address)
		if err != nil {
			panic(err)
		}
		fmt.Fprintf(conn, "GET /%s/2018-06-01/runtime/invocation/next HTTP/1.1\r\nHost: %s\r\n\r\n", id, address)
		fmt.Fprintln(os.Stderr, "vanishing")
		os.Exit(1)
	case "error":
		api := "http://" + os.Getenv("AWS_LAMBDA_RUNTIME_API") + "/2018-06-01/runtime/init/error"
		failure := `{"errorType":"Config.Missing","errorMessage":"no table"}`
		response, err := http.Post(api, "application/json", strings.NewReader(failure))
		if err != nil || response.StatusCode != http.StatusAccepted {
			panic(fmt.Sprint(err, response))
		}
		os.Exit(1)
	}
	lambda.Start(handle)
}
