package conformance

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"regexp"
	"strings"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"restock/infra/graph"
	"restock/local/aws/apigateway"
	"restock/local/aws/awsapi"
	"restock/local/aws/lambda"
	"restock/local/aws/scheduler"
	"restock/test/await"
)

// beFunction is a variable that makes the test's program a function. Its value says what the init
// phase does.
const beFunction = "CONFORMANCE_FUNCTION"

// A task is the event of a function. Without a task, the function answers with its event.
type task struct {
	Do   string          // see function
	With json.RawMessage `json:",omitempty"`
	Size int             `json:",omitempty"`
}

// function is a custom runtime without a library, so that a recording decides what it reports.
// https://docs.aws.amazon.com/lambda/latest/dg/runtimes-custom.html
func function(init string) {
	api := "http://" + os.Getenv("AWS_LAMBDA_RUNTIME_API") + "/2018-06-01/runtime/"
	post := func(path string, body []byte) {
		response, err := http.Post(api+path, "application/json", bytes.NewReader(body))
		if err != nil {
			panic(err)
		}
		response.Body.Close()
	}
	switch init {
	case "exits":
		os.Exit(0)
	case "fails":
		post("init/error", []byte(os.Getenv("INIT_ERROR")))
		os.Exit(1)
	case "crashes":
		_ = syscall.Kill(os.Getpid(), syscall.SIGSEGV)
		select {}
	}
	for count := 0; ; count++ {
		response, err := http.Get(api + "invocation/next")
		if err != nil {
			panic(err)
		}
		event, err := io.ReadAll(response.Body)
		if err != nil {
			panic(err)
		}
		response.Body.Close()
		id := response.Header.Get("Lambda-Runtime-Aws-Request-Id")
		os.Setenv("_X_AMZN_TRACE_ID", response.Header.Get("Lambda-Runtime-Trace-Id"))
		var do task
		_ = json.Unmarshal(event, &do) // an event may be a text
		path, answer := "response", []byte(event)
		file := os.TempDir() + "/file"
		switch do.Do {
		case "answer":
			answer = do.With
		case "answer size":
			answer = []byte(`"` + strings.Repeat("a", do.Size) + `"`)
		case "environment":
			environment := map[string]string{}
			for _, variable := range os.Environ() {
				name, value, _ := strings.Cut(variable, "=")
				environment[name] = value
			}
			answer, _ = json.Marshal(map[string]any{
				"environment": environment,
				"ctx": map[string]any{
					"aws_request_id": id, "deadline": response.Header.Get("Lambda-Runtime-Deadline-Ms"),
					"invoked_function_arn": response.Header.Get("Lambda-Runtime-Invoked-Function-Arn"),
				},
			})
		case "count":
			answer, _ = json.Marshal(map[string]int{"counter": count})
		case "id":
			answer, _ = json.Marshal(id)
		case "write":
			answer = []byte("null")
			if err := os.WriteFile(file, []byte("some-content"), 0o600); err != nil {
				panic(err)
			}
		case "read":
			content, _ := os.ReadFile(file)
			answer, _ = json.Marshal(map[string]string{"content": string(content)})
		case "fail":
			path, answer = "error", do.With
		case "exit":
			os.Exit(0)
		case "hang":
			select {}
		}
		post("invocation/"+id+"/"+path, answer)
	}
}

// function deploys a function on a host of its own. change, if not nil, changes its declaration.
func (r *Recorded) function(change func(*lambda.Function)) *lambda.Deployed {
	r.Helper()
	f, err := r.declare(change)
	if err != nil {
		r.Fatal(err)
	}
	return f
}

func (r *Recorded) declare(change func(*lambda.Function)) (*lambda.Deployed, error) {
	r.Helper()
	r.onlyHere()
	host, err := lambda.NewHost(lambda.Config{
		Region: endpoint.region, AccountID: graph.AccountID, InitTimeout: time.Minute,
	})
	if err != nil {
		r.Fatal(err)
	}
	r.Cleanup(func() { _ = host.Close(r.Context()) }) // the context has ended, so Close waits for nothing
	self, err := os.Executable()
	if err != nil {
		r.Fatal(err)
	}
	f := lambda.Function{
		Name: "function", Executable: self, Timeout: time.Minute, MemoryMB: 1024,
		Environment: map[string]string{beFunction: "starts"},
		Credentials: lambda.Credentials{AccessKeyID: "AKIA", SecretAccessKey: "secret", SessionToken: "token"},
	}
	if change != nil {
		change(&f)
	}
	return host.Add(f)
}

// initialises returns a change of a function's declaration: what its init phase does.
func initialises(how, initError string) func(*lambda.Function) {
	return func(f *lambda.Function) { f.Environment = map[string]string{beFunction: how, "INIT_ERROR": initError} }
}

// invoke invokes a function. event is a task, or any JSON value.
func invoke(r *Recorded, f *lambda.Deployed, event any) ([]byte, error) {
	r.Helper()
	payload, err := json.Marshal(event)
	if err != nil {
		r.Fatal(err)
	}
	return f.Invoke(r.Context(), payload)
}

// answers checks the answer of an invocation: a JSON value.
func (r *Recorded) answers(f *lambda.Deployed, event, want any) {
	r.Helper()
	output, err := invoke(r, f, event)
	var got any
	if err != nil || json.Unmarshal(output, &got) != nil {
		r.fact("lambda", "Invoke", members, "the answer", fmt.Sprintf("%.100s, %v", output, err), want)
		return
	}
	r.fact("lambda", "Invoke", members, "the answer", got, want)
}

// fails checks the payload that the caller of a failed function gets.
func (r *Recorded) fails(f *lambda.Deployed, event any, want input) {
	r.Helper()
	_, err := invoke(r, f, event)
	failure := &lambda.FunctionError{}
	var got map[string]any
	if !errors.As(err, &failure) {
		r.fact("lambda", "Invoke", members, "the error", fmt.Sprint(err), want)
		return
	}
	payload, err := json.Marshal(failure)
	if err == nil {
		err = json.Unmarshal(payload, &got)
	}
	if err != nil {
		r.Fatal(err)
	}
	r.fact("lambda", "Invoke", members, "the error", got, want)
}

// refusedInvocation checks Lambda's refusal of an invocation.
func (r *Recorded) refusedInvocation(err error, status int, code, text string) {
	r.Helper()
	refusal := &awsapi.Error{}
	errors.As(err, &refusal)
	r.fact("lambda", "Invoke", statusAndCode, "status and code",
		fmt.Sprintf("%d %s", refusal.Status, refusal.Code), fmt.Sprintf("%d %s", status, code))
	r.fact("lambda", "Invoke", errorText, "the text", refusal.Message, text)
}

// rateExceeded checks that an invocation is throttled.
func (r *Recorded) rateExceeded(err error) {
	r.Helper()
	r.refusedInvocation(err, 429, "TooManyRequestsException", "Rate Exceeded.")
}

// errorWith returns the error of a process whose message has a request id.
func errorWith(kind, text string) input {
	return input{"errorType": kind, "errorMessage": regexp.MustCompile("RequestId: " + anUUID.String() + " Error: " +
		regexp.QuoteMeta(text))}
}

func TestRecordedLambda(t *testing.T) {
	const (
		unhandled = `{"errorMessage":"Handler fails","errorType":"Exception","requestId":"7f8c5f2e","stackTrace":["a"]}`
		inInit    = `{"errorMessage":"Runtime startup fails","errorType":"Exception","requestId":"","stackTrace":["a"]}`
		exited    = "Runtime exited without providing a reason"
		unparsed  = "Could not parse request body into json: Could not parse payload into json: "
		source    = "\n at [Source: REDACTED (`StreamReadFeature.INCLUDE_SOURCE_IN_LOCATION` disabled); line: 1, "
	)
	const parserText = "the text ends with the message of AWS's JSON parser, which is not Go's"
	recordings := []recording{
		{"TestLambdaBaseFeatures::test_lambda_too_large_response", "2025-11-24", func(r *Recorded) {
			f := r.function(nil)
			for range 2 {
				r.fails(f, task{Do: "answer size", Size: 7 << 20}, input{
					"errorMessage": "Response payload size exceeded maximum allowed payload size (6291556 bytes).",
					"errorType":    "Function.ResponseSizeTooLarge",
				})
			}
		}},
		{"TestLambdaBaseFeatures::test_lambda_large_response", "2025-11-24", func(r *Recorded) {
			r.answers(r.function(nil), task{Do: "answer size", Size: 6 << 20}, strings.Repeat("a", 6<<20))
		}},
		{"TestLambdaBaseFeatures::test_large_payloads", "2025-11-24", func(r *Recorded) {
			large := strings.Repeat("test123456", 500_000)
			r.answers(r.function(nil), map[string]string{"test": large}, input{"test": large})
		}},
		{"TestLambdaBehavior::test_lambda_invoke_no_timeout", "2025-11-24", func(r *Recorded) {
			r.answers(r.function(nil), task{Do: "answer", With: []byte("null")}, nil)
		}},
		{"TestLambdaBehavior::test_lambda_invoke_with_timeout", "2025-11-25", func(r *Recorded) {
			f := r.function(nil)
			r.answers(f, true, true) // the init phase does not count
			f.Timeout = time.Second
			r.fails(f, task{Do: "hang"}, errorWith("Sandbox.Timedout", "Task timed out after 1.00 seconds"))
		}},
		// This recording has an older text of the timeout than the recording above.
		{"TestLambdaBehavior::test_lambda_invoke_timed_out_environment_reuse", "2024-04-08", func(r *Recorded) {
			f := r.function(nil)
			r.answers(f, task{Do: "write"}, nil)
			r.answers(f, task{Do: "read"}, input{"content": "some-content"})
			f.Timeout = time.Second
			_, _ = invoke(r, f, task{Do: "hang"})
			f.Timeout = time.Minute
			r.answers(f, task{Do: "count"}, input{"counter": 0}) // a new process
			r.answers(f, task{Do: "read"}, input{"content": "some-content"})
		}},
		{"TestLambdaErrors::test_lambda_handler_error", "2025-11-24", func(r *Recorded) {
			r.fails(r.function(nil), task{Do: "fail", With: []byte(unhandled)}, input{
				"errorMessage": "Handler fails", "errorType": "Exception", "requestId": "7f8c5f2e",
				"stackTrace": []any{"a"},
			})
		}},
		{"TestLambdaErrors::test_lambda_handler_exit", "2025-11-24", func(r *Recorded) {
			r.fails(r.function(nil), task{Do: "exit"}, errorWith("Runtime.ExitError", exited))
		}},
		{"TestLambdaErrors::test_lambda_runtime_error", "2025-11-24", func(r *Recorded) {
			r.fails(r.function(initialises("fails", inInit)), nil, input{
				"errorMessage": "Runtime startup fails", "errorType": "Exception", "requestId": "",
				"stackTrace": []any{"a"},
			})
		}},
		{"TestLambdaErrors::test_lambda_runtime_exit", "2025-11-24", func(r *Recorded) {
			r.fails(r.function(initialises("exits", "")), nil, errorWith("Runtime.ExitError", exited))
		}},
		{"TestLambdaErrors::test_lambda_runtime_exit_segfault", "2025-11-24", func(r *Recorded) {
			r.differs(members, "AWS waits for the timeout after a signal has ended a process in its init phase; the "+
				"run reports the signal at once")
			f := r.function(initialises("crashes", ""))
			r.fails(f, nil, errorWith("Sandbox.Timedout", "Task timed out after 60.00 seconds"))
		}},
		{`TestLambdaErrors::test_lambda_invoke_payload_encoding_error[body-n\x87r\x9e\xe9\xb5\xd7I\xee\x9bmt]`,
			"2025-11-24", func(r *Recorded) {
				_, err := r.function(nil).Invoke(r.Context(), []byte("\"n\x87r\x9e\xe9\xb5\xd7I\xee\x9bmt\""))
				r.differs(errorText, parserText)
				r.refusedInvocation(err, 400, "InvalidRequestContentException",
					unparsed+"Invalid UTF-8 start byte 0x87"+source+"column: 3]")
			}},
		{`TestLambdaErrors::test_lambda_invoke_payload_encoding_error[message-\x99\xeb,j\x07\xa1zYh]`, "2025-11-24",
			func(r *Recorded) {
				_, err := r.function(nil).Invoke(r.Context(), []byte("\x99\xeb,j\x07\xa1zYh"))
				r.differs(errorText, parserText)
				r.refusedInvocation(err, 400, "InvalidRequestContentException",
					unparsed+"Unexpected character ((CTRL-CHAR, code 153)): expected a valid value (JSON String, "+
						"Number, Array, Object or token 'null', 'true' or 'false')"+source+"column: 1]")
			}},
		{"TestRequestIdHandling::test_request_id_invoke", "2025-11-24", func(r *Recorded) {
			r.answers(r.function(nil), task{Do: "id"}, anUUID)
		}},
		{"TestRequestIdHandling::test_request_id_async_invoke_with_retry", "2025-11-24", func(r *Recorded) {
			r.asynchronous(func(ids []string) {
				r.fact("lambda", "Invoke (asynchronous)", members, "the second attempt has the request id of the first",
					ids[1], ids[0])
			})
		}},
		{"TestLambdaConcurrency::test_reserved_concurrency", "2025-11-25", func(r *Recorded) {
			none := 0
			_, err := invoke(r, r.function(func(f *lambda.Function) { f.ReservedConcurrency = &none }), nil)
			r.rateExceeded(err)
		}},
		{"TestLambdaConcurrency::test_reserved_concurrency_async_queue", "2025-11-24", func(r *Recorded) {
			one := 1
			f := r.function(func(f *lambda.Function) { f.ReservedConcurrency = &one })
			ctx, cancel := context.WithCancel(r.Context())
			r.Cleanup(cancel)
			go func() { _, _ = f.Invoke(ctx, []byte(`{"Do":"hang"}`)) }()
			await.Until(r.T, "the function is busy", func() bool { return f.Instances() == 1 })
			_, err := invoke(r, f, nil)
			r.rateExceeded(err)
		}},
	}
	for _, runtime := range []string{"nodejs", "python"} {
		recordings = append(recordings, recording{
			fmt.Sprintf("TestLambdaBehavior::test_lambda_cache_local[%s]", runtime), "2025-11-24", func(r *Recorded) {
				f := r.function(nil)
				r.answers(f, task{Do: "count"}, input{"counter": 0})
				r.answers(f, task{Do: "count"}, input{"counter": 1})
			},
		}, recording{
			fmt.Sprintf("TestLambdaFeatures::test_invocation_type_no_return_payload[%s-RequestResponse]", runtime),
			"2025-11-24",
			func(r *Recorded) { r.answers(r.function(nil), task{Do: "answer", With: []byte("null")}, nil) },
		})
	}
	for _, runtime := range []string{"nodejs16.x", "python3.10"} {
		recordings = append(recordings, recording{
			fmt.Sprintf("TestLambdaFeatures::test_invocation_type_request_response[%s]", runtime), "2025-11-24",
			func(r *Recorded) { r.answers(r.function(nil), map[string]any{}, input{}) },
		})
	}
	checkRecorded(t, "lambda_/test_lambda", append(recordings, payloadFormat()...),
		leftOut{18, "URLs of functions, apart from the payload format that HTTP APIs share"},
		leftOut{14, "versions and provisioned concurrency, which the program does not declare"},
		leftOut{15, "answers of Lambda's API, which the run does not serve"},
		leftOut{11, "several accounts"},
		leftOut{6, "other runtimes, and the machine of a function"},
		leftOut{4, "calls of AWS by a function: see the called services"},
		leftOut{2, "lines of the log: the run has a log for people, and one of JSON"})
}

// payloadFormat returns the recordings of function URLs whose facts hold for HTTP APIs too: both
// have the payload format 2.0.
// https://docs.aws.amazon.com/lambda/latest/dg/urls-invocation.html#urls-payloads
func payloadFormat() (recordings []recording) {
	type request struct {
		target, contentType, body string
	}
	add := func(test string, send request, answer func(event []byte) []byte, want input) {
		recordings = append(recordings, recording{"TestLambdaURL::" + test, "2025-11-24", func(r *Recorded) {
			r.onlyHere()
			api, err := apigateway.New(apigateway.Config{
				APIID: "a1b2c3d4e5", Stage: apigateway.DefaultStage,
				Region: endpoint.region, AccountID: graph.AccountID,
				Routes: []apigateway.Route{{Key: "$default", Function: answering(answer)}},
			})
			if err != nil {
				r.Fatal(err)
			}
			defer api.Close()
			request := httptest.NewRequestWithContext(r.Context(), http.MethodPost, send.target,
				strings.NewReader(send.body))
			request.Header.Set("Content-Type", send.contentType)
			request.Header.Set("Extra-Headers", "With WeiRd CapS")
			response := httptest.NewRecorder()
			api.ServeHTTP(response, request)
			r.fact("apigatewayv2", "payload format 2.0", members, "the client's answer", map[string]any{
				"status": response.Code, "type": response.Header().Get("Content-Type"), "body": response.Body.String(),
			}, want)
		}})
	}
	for name, c := range map[string]struct{ answer, body string }{
		"dict":       {`{"hello":"world"}`, `{"hello":"world"}`},
		"list-mixed": {`["hello",3,true]`, `["hello",3,true]`},
		"string":     {`"hello"`, "hello"},
		"integer":    {"3", "3"},
		"float":      {"3.1", "3.1"},
		"boolean":    {"true", "true"},
	} {
		add("test_lambda_url_invocation["+name+"]", request{target: "/"},
			func([]byte) []byte { return []byte(c.answer) },
			input{"status": 200, "type": "application/json", "body": c.body})
	}
	// The functions answer with a part of their event.
	add("test_lambda_url_echo_http_fixture_default",
		request{"/path/1?q=query&multiQuery=foo&multiQuery=%2Fbar", "application/json", `{"foo": "bar"}`},
		func(event []byte) []byte {
			var e struct {
				QueryStringParameters, Headers map[string]string
				Body                           string
			}
			_ = json.Unmarshal(event, &e)
			text, _ := json.Marshal(fmt.Sprintf("%v %s %s %s", e.QueryStringParameters, e.Headers["extra-headers"],
				e.Headers["content-length"], e.Body))
			return text
		}, input{
			"status": 200, "type": aText, "body": `map[multiQuery:foo,/bar q:query] With WeiRd CapS 14 {"foo": "bar"}`,
		})
	add("test_lambda_url_form_payload",
		request{"/", "multipart/form-data; boundary=4efd", "--4efd\r\nContent-Disposition: form-data\r\n"},
		func(event []byte) []byte {
			var e struct{ Body string }
			_ = json.Unmarshal(event, &e)
			text, _ := json.Marshal(e.Body)
			return text
		}, input{
			"status": 200, "type": aText, "body": "LS00ZWZkDQpDb250ZW50LURpc3Bvc2l0aW9uOiBmb3JtLWRhdGENCg==",
		})
	return recordings
}

// answering is a function without an error.
type answering func(event []byte) []byte

func (f answering) Invoke(_ context.Context, event []byte) ([]byte, error) { return f(event), nil }

// asynchronous invokes a function that always fails with an event of a schedule, and passes on the
// request ids of the attempts.
func (r *Recorded) asynchronous(check func(ids []string)) {
	r.Helper()
	r.onlyHere()
	synctest.Test(r.T, func(*testing.T) {
		var ids []string
		schedule, err := scheduler.Start(scheduler.Rule{
			ARN: "arn:rule", Expression: "rate(1 day)", Region: endpoint.region, AccountID: graph.AccountID,
			Function: invoked(func(ctx context.Context, _ []byte) error {
				ids = append(ids, lambda.RequestID(ctx))
				return errors.New("intentional failure")
			}),
		}, slog.New(slog.DiscardHandler))
		if err != nil {
			r.Fatal(err)
		}
		time.Sleep(25 * time.Hour)
		schedule.Close()
		check(ids)
	})
}

// invoked is a function that only succeeds or fails.
type invoked func(ctx context.Context, event []byte) error

func (f invoked) Invoke(ctx context.Context, event []byte) ([]byte, error) { return nil, f(ctx, event) }

// The recordings with other runtimes have the same facts, and those of the runtime.
func TestRecordedLambdaRuntimes(t *testing.T) {
	checkRecorded(t, "lambda_/test_lambda_common", []recording{
		{"TestLambdaRuntimesCommon::test_introspection_invoke[provided.al2023]", "2026-01-13", func(r *Recorded) {
			f := r.function(func(f *lambda.Function) { f.Environment["TEST_KEY"] = "TEST_VAL" })
			output, err := invoke(r, f, task{Do: "environment"})
			var got struct {
				Environment, Ctx map[string]any
			}
			if err != nil || json.Unmarshal(output, &got) != nil {
				r.Fatalf("%s, %v", output, err)
			}
			r.fact("lambda", "Invoke", members, "the context", got.Ctx, input{
				"aws_request_id": anUUID, "deadline": aTimestamp,
				"invoked_function_arn": "arn:aws:lambda:" + endpoint.region + ":" + graph.AccountID +
					":function:function",
			})
			r.fact("lambda", "Invoke", members, "the environment", got.Environment, input{
				"AWS_ACCESS_KEY_ID":               "AKIA",
				"AWS_DEFAULT_REGION":              endpoint.region,
				"AWS_EXECUTION_ENV":               missing{},
				"AWS_LAMBDA_FUNCTION_MEMORY_SIZE": "1024",
				"AWS_LAMBDA_FUNCTION_NAME":        "function",
				"AWS_LAMBDA_FUNCTION_VERSION":     "$LATEST",
				"AWS_LAMBDA_INITIALIZATION_TYPE":  "on-demand",
				"AWS_LAMBDA_LOG_FORMAT":           missing{},
				"AWS_LAMBDA_LOG_GROUP_NAME":       "/aws/lambda/function",
				"AWS_LAMBDA_LOG_LEVEL":            missing{},
				"AWS_LAMBDA_LOG_STREAM_NAME":      aText,
				"AWS_REGION":                      endpoint.region,
				"AWS_SECRET_ACCESS_KEY":           "secret",
				"AWS_SESSION_TOKEN":               "token",
				"AWS_XRAY_CONTEXT_MISSING":        "LOG_ERROR",
				"LAMBDA_RUNTIME_DIR":              "/var/runtime",
				"LANG":                            "en_US.UTF-8",
				"LD_LIBRARY_PATH": "/var/lang/lib:/lib64:/usr/lib64:/var/runtime:/var/runtime/lib:/var/task:" +
					"/var/task/lib:/opt/lib",
				"PATH":                  "/var/lang/bin:/usr/local/bin:/usr/bin/:/bin:/opt/bin",
				"TEST_KEY":              "TEST_VAL",
				"TZ":                    ":UTC",
				"_AWS_XRAY_DAEMON_PORT": "2000",
				"_HANDLER":              aText,
				"_X_AMZN_TRACE_ID":      regexp.MustCompile("Root=1-.+"),
			})
			r.differs(members, "no X-Ray daemon runs without active tracing; with it, the daemon listens on loopback")
			r.fact("lambda", "Invoke", members, "the X-Ray daemon", got.Environment, input{
				"AWS_XRAY_DAEMON_ADDRESS":  regexp.MustCompile(`169\.254\.[0-9]+\.[0-9]+:2000`),
				"_AWS_XRAY_DAEMON_ADDRESS": regexp.MustCompile(`169\.254\.[0-9]+\.[0-9]+`),
			})
			r.differs(members, "a function is a process of this machine: its folder is where it was built")
			r.fact("lambda", "Invoke", members, "the folder", got.Environment, input{"LAMBDA_TASK_ROOT": "/var/task"})
			r.differs(members, "one server is the Runtime API of all instances: its address ends with an instance's id")
			r.fact("lambda", "Invoke", members, "the Runtime API", got.Environment, input{
				"AWS_LAMBDA_RUNTIME_API": regexp.MustCompile("[0-9.]+:[0-9]+"),
			})
			r.differs(members, "the instances share this machine's /tmp, so each has a folder of its own")
			r.fact("lambda", "Invoke", members, "the folder for temporary files", got.Environment,
				input{"TMPDIR": missing{}})
		}},
		{"TestLambdaRuntimesCommon::test_echo_invoke[provided.al2023]", "2026-01-12", func(r *Recorded) {
			f := r.function(nil)
			for _, payload := range []any{
				input{"hello": "world"},
				input{"hello": "'\" some other ''\"\" quotes, a emoji 🥳 and some brackets {[}}[([]))}"},
				input{"hello": strings.Repeat("obi wan!", 128*1024*5)},
				true, false, nil, []any{1, 2}, 1,
			} {
				r.answers(f, payload, payload)
			}
			output, err := f.Invoke(r.Context(), nil)
			r.fact("lambda", "Invoke", members, "the answer without an event", fmt.Sprint(string(output), err),
				"{}<nil>")
		}},
		{"TestLambdaRuntimesCommon::test_uncaught_exception_invoke[provided.al2023]", "2026-01-13", func(r *Recorded) {
			const kind = "&alloc::boxed::Box<dyn core::error::Error + core::marker::Send + core::marker::Sync>"
			failure, _ := json.Marshal(map[string]string{"errorType": kind, "errorMessage": `Error: "some_error_msg"`})
			r.fails(r.function(nil), task{Do: "fail", With: failure},
				input{"errorType": kind, "errorMessage": `Error: "some_error_msg"`})
		}},
	}, leftOut{118, "other runtimes"})
}

func TestRecordedLambdaDeclarations(t *testing.T) {
	environment := func(variables map[string]string) func(*lambda.Function) {
		return func(f *lambda.Function) { f.Environment = variables }
	}
	create := func(r *Recorded, change func(*lambda.Function), status int, code, text string) {
		r.Helper()
		_, err := r.declare(change)
		r.refusedConfig("CreateFunction", err, status, code, text)
	}
	tooLarge := func(measured string) string {
		return "Lambda was unable to configure your environment variables because the environment variables you have " +
			"provided exceeded the 4KB limit. String measured: " + measured
	}
	const pattern = `(arn:(aws[a-zA-Z-]*)?:lambda:)?((eusc-)?[a-z]{2}((-gov)|(-iso([a-z]?)))?-[a-z]+-\d{1}:)?` +
		`(\d{12}:)?(function:)?([a-zA-Z0-9-_]+)(:(\$LATEST|[a-zA-Z0-9-_]+))?`
	named := func(test, name, code, constraint string) recording {
		return recording{
			"TestLambdaFunction::test_function_name_and_qualifier_validation[" + test + "-create_function]",
			"2025-11-25", func(r *Recorded) {
				create(r, func(f *lambda.Function) { f.Name = name }, 400, code, "1 validation error detected: Value '"+
					name+"' at 'functionName' failed to satisfy constraint: Member must "+constraint)
			},
		}
	}
	checkRecorded(t, "lambda_/test_lambda_api", []recording{
		{"TestLambdaSizeLimits::test_lambda_envvars_near_limit_succeeds", "2025-11-25", func(r *Recorded) {
			large := strings.Repeat("x", 4096-7-len("LARGE_VAR"))
			_, err := r.declare(environment(map[string]string{"LARGE_VAR": large}))
			r.fact("lambda", "CreateFunction", statusAndCode, "the refusal", err, nil)
		}},
		{"TestLambdaSizeLimits::test_large_environment_variables_fails", "2025-11-25", func(r *Recorded) {
			large := strings.Repeat("x", 4096-6-len("LARGE_VAR"))
			create(r, environment(map[string]string{"LARGE_VAR": large}), 400, "InvalidParameterValueException",
				tooLarge(`{"LARGE_VAR":"`+large+`"}`))
		}},
		{"TestLambdaSizeLimits::test_large_environment_fails_multiple_keys", "2025-11-25", func(r *Recorded) {
			large := strings.Repeat("x", 4064)
			r.differs(errorText, "AWS measures the variables in an order of its own")
			create(r, environment(map[string]string{"SMALL_VAR": "ok", "LARGE_VAR": large}), 400,
				"InvalidParameterValueException", tooLarge(`{"SMALL_VAR":"ok","LARGE_VAR":"`+large+`"}`))
		}},
		{"TestLambdaReservedConcurrency::test_function_concurrency", "2025-11-25", func(r *Recorded) {
			for _, n := range []int{0, 1} {
				_, err := r.declare(func(f *lambda.Function) { f.ReservedConcurrency = &n })
				r.fact("lambda", "PutFunctionConcurrency", statusAndCode, "the refusal", err, nil)
			}
		}},
		{"TestLambdaReservedConcurrency::test_function_concurrency_limits", "2025-11-25", func(r *Recorded) {
			for _, n := range []int{lambda.DefaultConcurrency + 1, lambda.DefaultConcurrency - 99} {
				_, err := r.declare(func(f *lambda.Function) { f.ReservedConcurrency = &n })
				r.refusedConfig("PutFunctionConcurrency", err, 400, "InvalidParameterValueException", "Specified "+
					"ReservedConcurrentExecutions for function decreases account's UnreservedConcurrentExecution "+
					"below its minimum value of [100].")
			}
		}},
		named("function_name_is_single_invalid", "*", "ValidationException",
			"satisfy regular expression pattern: "+pattern),
		named("invalid_characters_in_function_name", "my-function!", "ValidationException",
			"satisfy regular expression pattern: "+pattern),
		named("function_name_too_long", strings.Repeat("a", 65), "InvalidParameterValueException",
			"have length less than or equal to 64"),
	},
		leftOut{78, "names that are ARNs or have a qualifier: a program declares a name"},
		leftOut{70, "parts of functions that the run does not need, such as versions, layers and tags"},
		leftOut{83, "other answers of Lambda's API, which the run does not serve"})
}

func TestRecordedLambdaDestinations(t *testing.T) {
	attempts := func(r *Recorded) {
		r.asynchronous(func(ids []string) {
			r.fact("lambda", "Invoke (asynchronous)", members, "attempts", len(ids), 3)
		})
	}
	checkRecorded(t, "lambda_/test_lambda_destinations", []recording{
		{"TestLambdaDestinationSqs::test_lambda_destination_default_retries", "2025-11-24", attempts},
		{"TestLambdaDestinationSqs::test_retries", "2025-11-25", attempts},
	}, leftOut{5, "destinations and dead-letter queues of functions, which no program declares"})
}
