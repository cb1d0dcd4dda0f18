package lambda_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"restock/local/aws/lambda"
	"restock/test/await"
)

func TestInvocationHasItsContext(t *testing.T) {
	d := add(t, newHost(t, lambda.Config{}), nil)
	before := time.Now()
	a := mustInvoke(t, d, `{}`)
	b := mustInvoke(t, d, `{}`)

	if want := "arn:aws:lambda:ap-northeast-2:000000000000:function:function"; a.FunctionARN != want {
		t.Errorf("ARN: got %q, want %q", a.FunctionARN, want)
	}
	if len(a.RequestID) != 36 || a.RequestID == b.RequestID {
		t.Errorf("request ids: got %q and %q, want two UUIDs", a.RequestID, b.RequestID)
	}
	if !strings.HasPrefix(a.TraceID, "Root=1-") || a.TraceID == b.TraceID {
		t.Errorf("trace ids: got %q and %q, want two tracing headers", a.TraceID, b.TraceID)
	}
	if got := time.UnixMilli(a.Deadline); got.Before(before.Add(d.Timeout-time.Second)) ||
		got.After(time.Now().Add(d.Timeout)) {
		t.Errorf("deadline: got %v, want the timeout (%v) after %v", got, d.Timeout, before)
	}
	if want, _ := filepath.EvalSymlinks(filepath.Dir(executable)); a.Dir != want {
		t.Errorf("working directory: got %s, want %s", a.Dir, want)
	}
}

func TestEnvironmentIsWhatIsDeclaredAndWhatLambdaSets(t *testing.T) {
	t.Setenv("AWS_PROFILE", "the-developers-own")
	t.Setenv("AWS_ACCESS_KEY_ID", "the-developers-own")
	t.Setenv("SECRET", "the-developers-own")
	d := add(t, newHost(t, lambda.Config{EndpointURL: "http://127.0.0.1:4566"}), func(f *lambda.Function) {
		f.Name, f.MemoryMB = "sales-api", 256
		f.Environment = map[string]string{"TOPIC_ARN": "arn:x", "EMPTY": ""}
		f.Credentials = lambda.Credentials{AccessKeyID: "AKIA", SecretAccessKey: "secret", SessionToken: "token"}
	})
	var got []string
	for _, v := range mustInvoke(t, d, `{"do":"environment"}`).Environment {
		name, value, _ := strings.Cut(v, "=")
		switch {
		case name == "AWS_LAMBDA_RUNTIME_API" && strings.HasPrefix(value, "127.0.0.1:"),
			name == "TMPDIR" && filepath.IsAbs(value),
			name == "AWS_LAMBDA_LOG_STREAM_NAME" && strings.Contains(value, "/[$LATEST]"):
			v = name + "=…"
		}
		got = append(got, v)
	}
	want := []string{
		"AWS_ACCESS_KEY_ID=AKIA",
		"AWS_DEFAULT_REGION=ap-northeast-2",
		"AWS_ENDPOINT_URL=http://127.0.0.1:4566",
		"AWS_LAMBDA_FUNCTION_MEMORY_SIZE=256",
		"AWS_LAMBDA_FUNCTION_NAME=sales-api",
		"AWS_LAMBDA_FUNCTION_VERSION=$LATEST",
		"AWS_LAMBDA_INITIALIZATION_TYPE=on-demand",
		"AWS_LAMBDA_LOG_GROUP_NAME=/aws/lambda/sales-api",
		"AWS_LAMBDA_LOG_STREAM_NAME=…",
		"AWS_LAMBDA_RUNTIME_API=…",
		"AWS_REGION=ap-northeast-2",
		"AWS_SECRET_ACCESS_KEY=secret",
		"AWS_SESSION_TOKEN=token",
		"AWS_XRAY_CONTEXT_MISSING=LOG_ERROR",
		"AWS_XRAY_DAEMON_ADDRESS=127.0.0.1:2000",
		"EMPTY=",
		"LAMBDA_RUNTIME_DIR=/var/runtime",
		"LAMBDA_TASK_ROOT=" + filepath.Dir(executable),
		"LANG=en_US.UTF-8",
		"LD_LIBRARY_PATH=/var/lang/lib:/lib64:/usr/lib64:/var/runtime:/var/runtime/lib:/var/task:/var/task/lib:" +
			"/opt/lib",
		"PATH=/var/lang/bin:/usr/local/bin:/usr/bin/:/bin:/opt/bin",
		"TMPDIR=…",
		"TOPIC_ARN=arn:x",
		"TZ=:UTC",
		"_AWS_XRAY_DAEMON_ADDRESS=127.0.0.1",
		"_AWS_XRAY_DAEMON_PORT=2000",
		"_HANDLER=bootstrap",
	}
	slices.Sort(got)
	if !slices.Equal(got, want) {
		t.Errorf("got:\n%s\nwant:\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
}

func TestDeclaredLogGroupIsToldToTheFunction(t *testing.T) {
	d := add(t, newHost(t, lambda.Config{}), func(f *lambda.Function) { f.LogGroup = "restock-dev/sales-api" })
	const want = "AWS_LAMBDA_LOG_GROUP_NAME=restock-dev/sales-api"
	if got := mustInvoke(t, d, `{"do":"environment"}`).Environment; !slices.Contains(got, want) {
		t.Errorf("got %q, want %s among it", got, want)
	}
}

// A killed run cannot remove its folder, so the next run removes it.
func TestFoldersOfKilledRunsAreRemoved(t *testing.T) {
	t.Setenv("TMPDIR", t.TempDir())
	newHost(t, lambda.Config{})
	living, err := filepath.Glob(filepath.Join(os.TempDir(), "restock-lambda-*"))
	if err != nil || len(living) != 1 {
		t.Fatalf("got the folders %q, %v; want the host's one", living, err)
	}
	killed := filepath.Join(os.TempDir(), "restock-lambda-killed")
	if err := os.CopyFS(killed, os.DirFS(living[0])); err != nil { // including the lock, which no process holds
		t.Fatal(err)
	}
	newHost(t, lambda.Config{})
	if _, err := os.Stat(killed); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("the folder of the killed run is left: %v", err)
	}
	if _, err := os.Stat(living[0]); err != nil {
		t.Errorf("the folder of a living run is gone: %v", err)
	}
}

func TestLogLevelIsToldToFunctionsThatLogJSON(t *testing.T) {
	h := newHost(t, lambda.Config{})
	for name, c := range map[string]struct{ format, level, want string }{
		"text":      {lambda.LogFormatText, "DEBUG", ""},
		"default":   {lambda.LogFormatJSON, "", "AWS_LAMBDA_LOG_LEVEL=INFO"},
		"json":      {lambda.LogFormatJSON, "DEBUG", "AWS_LAMBDA_LOG_LEVEL=DEBUG"},
		"by-itself": {"", "", ""},
	} {
		d := add(t, h, func(f *lambda.Function) { f.Name, f.LogFormat, f.LogLevel = name, c.format, c.level })
		got := ""
		for _, v := range mustInvoke(t, d, `{"do":"environment"}`).Environment {
			if strings.HasPrefix(v, "AWS_LAMBDA_LOG_LEVEL=") {
				got = v
			}
		}
		if got != c.want {
			t.Errorf("log format %q with level %q: got %q, want %q", c.format, c.level, got, c.want)
		}
	}
}

func TestDeclarationsThatCannotRunAreRefused(t *testing.T) {
	h := newHost(t, lambda.Config{})
	add(t, h, func(f *lambda.Function) { f.Name = "taken" })
	negative, most := -1, 901
	for _, c := range []struct {
		name   string
		change func(*lambda.Function)
		want   string
	}{
		{"no name", func(f *lambda.Function) { f.Name = "" }, "no name"},
		{"a name twice", func(f *lambda.Function) { f.Name = "taken" }, "a function with that name exists"},
		{"no timeout", func(f *lambda.Function) { f.Timeout = 0 }, "timeout is 0s"},
		{"a timeout beyond Lambda's", func(f *lambda.Function) { f.Timeout = 16 * time.Minute }, "timeout is 16m0s"},
		{"negative concurrency", func(f *lambda.Function) { f.ReservedConcurrency = &negative }, "concurrency is -1"},
		{"concurrency that leaves too little", func(f *lambda.Function) { f.ReservedConcurrency = &most },
			"leaves 99 of the account's"},
		{"too little memory", func(f *lambda.Function) { f.MemoryMB = 127 }, "memory size is 127 MB"},
		{"too much memory", func(f *lambda.Function) { f.MemoryMB = 10241 }, "memory size is 10241 MB"},
		{"an unknown log format", func(f *lambda.Function) { f.LogFormat = "json" }, "Text or JSON"},
		{"a variable that begins with a digit",
			func(f *lambda.Function) { f.Environment = map[string]string{"1ST": ""} }, `named "1ST"`},
		{"a variable of one letter", func(f *lambda.Function) { f.Environment = map[string]string{"A": ""} },
			`named "A"`},
		{"an environment that is too large", func(f *lambda.Function) {
			f.Environment = map[string]string{"AB": strings.Repeat("x", lambda.MaxEnvironment-len(`{"AB":""}`)+1)}
		}, "takes 4097 bytes"},
		{"an executable that was not built", func(f *lambda.Function) { f.Executable += "x" }, "was it built?"},
		{"a relative executable", func(f *lambda.Function) { f.Executable = "function" }, "not absolute"},
		{"a reserved variable",
			func(f *lambda.Function) { f.Environment = map[string]string{"AWS_REGION": "eu-west-1"} },
			"AWS_REGION, which is reserved"},
	} {
		t.Run(c.name, func(t *testing.T) {
			f := lambda.Function{Name: "function", Executable: executable, Timeout: time.Second}
			c.change(&f)
			if _, err := h.Add(f); err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("got %v, want an error that says %q", err, c.want)
			}
		})
	}
}

func TestEnvironmentMayTakeFourKilobytes(t *testing.T) {
	add(t, newHost(t, lambda.Config{}), func(f *lambda.Function) {
		f.Environment = map[string]string{"AB": strings.Repeat("x", lambda.MaxEnvironment-len(`{"AB":""}`))}
	})
}

func TestEventsThatLambdaRefusesDoNotReachTheFunction(t *testing.T) {
	d := add(t, newHost(t, lambda.Config{}), nil)
	padded := func(size int) []byte {
		return fmt.Appendf(nil, `{"do":"%s"}`, strings.Repeat("x", size-len(`{"do":""}`)))
	}
	for name, c := range map[string]struct {
		event []byte
		want  error
	}{
		"too large": {padded(lambda.MaxRequest + 1), lambda.ErrRequestTooLarge},
		"not JSON":  {[]byte(`{`), lambda.ErrInvalidRequest},
	} {
		if _, err := d.Invoke(t.Context(), c.event); !errors.Is(err, c.want) {
			t.Errorf("%s: got %v, want %v", name, err, c.want)
		}
	}
	for name, event := range map[string][]byte{"the largest": padded(lambda.MaxRequest), "none": nil} {
		if _, err := d.Invoke(t.Context(), event); err != nil {
			t.Errorf("%s: got %v, want an answer", name, err)
		}
	}
	if a := mustInvoke(t, d, `{}`); a.Invocations != 3 {
		t.Errorf("this is invocation %d, want 3: those refused must not count", a.Invocations)
	}
}

func TestFailuresReachTheCaller(t *testing.T) {
	for _, c := range []struct {
		event       string
		wantType    string
		wantMessage string // part of the message
		wantStack   bool
		wantStderr  string
		sameProcess bool // it also runs the next invocation
	}{
		{event: `{"do":"fail"}`, wantType: "errorString", wantMessage: "no such product", sameProcess: true},
		{event: `{"do":"panic"}`, wantType: "string", wantMessage: "out of doughnuts", wantStack: true},
		{event: `{"do":"exit"}`, wantType: lambda.ErrorTypeExit,
			wantMessage: "Runtime exited with error: exit status 3", wantStderr: "going down"},
		{event: `{"do":"exit 0"}`, wantType: lambda.ErrorTypeExit,
			wantMessage: "Runtime exited without providing a reason"},
		{event: `{"do":"large"}`, wantType: lambda.ErrorTypeResponseSize, wantMessage: "(6291556 bytes)"},
		{event: `{"do":1}`, wantType: "UnmarshalTypeError", wantMessage: "cannot unmarshal number", sameProcess: true},
	} {
		t.Run(c.event, func(t *testing.T) {
			t.Parallel()
			d := add(t, newHost(t, lambda.Config{}), nil)
			before := mustInvoke(t, d, `{}`)
			_, err := d.Invoke(t.Context(), []byte(c.event))
			e := functionError(t, err)
			if e.Type != c.wantType || !strings.Contains(e.Message, c.wantMessage) {
				t.Errorf("got %s: %s, want %s: …%s…", e.Type, e.Message, c.wantType, c.wantMessage)
			}
			if got := len(e.StackTrace) > 0; got != c.wantStack {
				t.Errorf("stack trace: got %s, want one: %t", e.StackTrace, c.wantStack)
			}
			if got := strings.Join(e.Stderr, "\n"); got != c.wantStderr {
				t.Errorf("standard error: got %q, want %q", got, c.wantStderr)
			}
			if e.RequestID == "" {
				t.Error("the error has no request id")
			}
			after := mustInvoke(t, d, `{}`)
			if got := after.PID == before.PID; got != c.sameProcess {
				t.Errorf("the next invocation: process %d after %d, want the same: %t",
					after.PID, before.PID, c.sameProcess)
			}
			if !c.sameProcess {
				await.Until(t, "the process that failed is gone", func() bool { return gone(before.PID) })
			}
		})
	}
}

func TestFunctionErrorIsTheJSONThatLambdaReturns(t *testing.T) {
	e := &lambda.FunctionError{Type: "errorString", Message: "no", RequestID: "x", Stderr: []string{"y"}}
	got, err := json.Marshal(e)
	if want := `{"errorType":"errorString","errorMessage":"no"}`; err != nil || string(got) != want {
		t.Errorf("got %s (%v), want %s", got, err, want)
	}
}

func TestTimeoutKillsTheInstance(t *testing.T) {
	d := add(t, newHost(t, lambda.Config{}), nil)
	before := mustInvoke(t, d, `{}`)
	e := hang(t, d, 250*time.Millisecond)
	if e.Type != lambda.ErrorTypeTimeout || !strings.HasSuffix(e.Message, "Task timed out after 0.25 seconds") {
		t.Errorf("got %v, want a timeout", e)
	}
	if !gone(before.PID) {
		t.Errorf("process %d is still there", before.PID)
	}
	if after := mustInvoke(t, d, `{}`); after.PID == before.PID || after.Invocations != 1 {
		t.Errorf("the next invocation is number %d of process %d, want the first of another than %d", after.Invocations,
			after.PID, before.PID)
	}
}

func TestCrashFailsItsOwnInvocationOnly(t *testing.T) {
	d := add(t, newHost(t, lambda.Config{}), nil)
	g := newGate(t)
	others := g.invoke(t.Context(), d, 2)
	g.await(t, 2)
	if _, err := d.Invoke(t.Context(), []byte(`{"do":"exit"}`)); functionError(t, err).Type != lambda.ErrorTypeExit {
		t.Errorf("got %v, want %s", err, lambda.ErrorTypeExit)
	}
	close(g.open)
	if got := others.pids(); len(got) != 2 || len(others.errs) != 0 {
		t.Errorf("the others: got answers of %v and errors %v, want two answers", got, others.errs)
	}
}

func TestInitFailureFailsTheInvocationAndIsNotRepeated(t *testing.T) {
	for _, c := range []struct {
		init       string
		wantType   string
		want       string
		wantStderr string
	}{
		{"exit 0", lambda.ErrorTypeExit, "Runtime exited without providing a reason", ""},
		{"exit", lambda.ErrorTypeExit, "Runtime exited with error: exit status 1", "DATABASE_SECRET is not set"},
		{"error", "Config.Missing", "no table", ""},
		{"hang", lambda.ErrorTypeTimeout, "Task timed out after 0.25 seconds", ""},
	} {
		t.Run(c.init, func(t *testing.T) {
			t.Parallel()
			var log recorder
			initTimeout := time.Duration(0) // 0: the default is long enough
			if c.init == "hang" {
				initTimeout = 100 * time.Millisecond
			}
			h := newHost(t, lambda.Config{InitTimeout: initTimeout, Log: slog.New(&log)})
			one := 1 // the only instance must become free again
			d := add(t, h, func(f *lambda.Function) {
				f.Environment = map[string]string{"INIT": c.init}
				f.ReservedConcurrency = &one
				if c.init == "hang" {
					f.Timeout = 250 * time.Millisecond
				}
			})
			for range 2 {
				_, err := d.Invoke(t.Context(), []byte(`{}`))
				e := functionError(t, err)
				if e.Type != c.wantType || !strings.Contains(e.Message, c.want) {
					t.Errorf("got %s: %s, want %s: …%s", e.Type, e.Message, c.wantType, c.want)
				}
				if got := strings.Join(e.Stderr, "\n"); got != c.wantStderr ||
					!strings.Contains(err.Error(), c.wantStderr) {
					t.Errorf("standard error: got %q, want %q, also in %v", got, c.wantStderr, err)
				}
			}
			if c.wantStderr != "" {
				if got := log.count(c.wantStderr); got != 2 {
					t.Errorf("two invocations made %d starts, want 2", got)
				}
			}
		})
	}
}

// https://docs.aws.amazon.com/lambda/latest/dg/lambda-runtime-environment.html#runtimes-lifecycle-ib
func TestSlowInitRunsAgainWithinTheFunctionsTimeout(t *testing.T) {
	var log recorder
	h := newHost(t, lambda.Config{InitTimeout: 100 * time.Millisecond, Log: slog.New(&log)})
	d := add(t, h, func(f *lambda.Function) {
		f.Environment = map[string]string{"INIT": "slow", "INIT_TIME": "200ms"}
	})
	a := mustInvoke(t, d, `{}`)
	// The timeout began at least one init before the answer.
	if left := time.Until(time.UnixMilli(a.Deadline)); left > d.Timeout-200*time.Millisecond {
		t.Errorf("the deadline is in %v, want that the timeout of %v counts from the second init, which took 200ms",
			left, d.Timeout)
	}
	if got := log.count("init did not end in time, it runs again within the function's timeout"); got != 1 {
		t.Errorf("it was said %d times that the init runs again, want once", got)
	}
	reports := log.find("invocation ended")
	if len(reports) != 1 || reports[0]["init_duration"] != nil ||
		reports[0]["duration"].(time.Duration) < 200*time.Millisecond {
		t.Errorf("reports: got %v, want one whose duration holds the init", reports)
	}
}

func TestInstancesAreReusedTheMostRecentFirst(t *testing.T) {
	d := add(t, newHost(t, lambda.Config{}), nil)
	for i := 1; i <= 3; i++ {
		if a := mustInvoke(t, d, `{}`); a.Invocations != i {
			t.Fatalf("invocation %d: got number %d of its instance, want the same instance", i, a.Invocations)
		}
	}
	// Two more instances start. All three become idle, this one last.
	first, last := newGate(t), newGate(t)
	others := first.invoke(t.Context(), d, 2)
	first.await(t, 2)
	one := last.invoke(t.Context(), d, 1)
	last.await(t, 1)
	close(first.open)
	others.pids()
	close(last.open)
	want := one.pids()[0]

	for range 3 {
		if got := mustInvoke(t, d, `{}`).PID; got != want {
			t.Errorf("got process %d, want %d, which was used last", got, want)
		}
	}
}

func TestAnInstanceHandlesOneInvocationAtATime(t *testing.T) {
	d := add(t, newHost(t, lambda.Config{}), nil)
	const n = 6
	for range 2 { // cold, then warm
		g := newGate(t)
		all := g.invoke(t.Context(), d, n)
		g.await(t, n)
		close(g.open)
		if got := all.pids(); len(got) != n || len(all.errs) != 0 {
			t.Errorf("%d invocations at once ran in %d processes, errors %v", n, len(got), all.errs)
		}
	}
	if a := mustInvoke(t, d, `{}`); a.Invocations != 3 {
		t.Errorf("the invocation after is number %d of its instance, want 3: all were to be used again", a.Invocations)
	}
}

func wantThrottled(t *testing.T, d *lambda.Deployed, reason string) {
	t.Helper()
	_, err := d.Invoke(t.Context(), []byte(`{}`))
	var throttled *lambda.ThrottledError
	if !errors.Is(err, lambda.ErrThrottled) || !errors.As(err, &throttled) || throttled.Reason != reason {
		t.Errorf("got %v, want that it is throttled: %s", err, reason)
	}
}

func TestReservedConcurrencyThrottles(t *testing.T) {
	two := 2
	d := add(t, newHost(t, lambda.Config{}), func(f *lambda.Function) {
		f.ReservedConcurrency, f.ConcurrencySetting = &two, "setting concurrency.function"
	})
	g := newGate(t)
	all := g.invoke(t.Context(), d, two)
	g.await(t, two)
	wantThrottled(t, d, "all 2 instances of function are busy (setting concurrency.function)")
	close(g.open)
	all.pids()
	for range 3 { // an instance counts only while it runs
		mustInvoke(t, d, `{}`)
	}

	zero := 0
	off := add(t, newHost(t, lambda.Config{}), func(f *lambda.Function) { f.ReservedConcurrency = &zero })
	wantThrottled(t, off, "no instance of function may run: its concurrency is 0")
}

func TestFunctionsWithoutReservedConcurrencyShareTheRest(t *testing.T) {
	h := newHost(t, lambda.Config{Concurrency: 102})
	two := 2
	add(t, h, func(f *lambda.Function) { f.Name, f.ReservedConcurrency = "reserved", &two })
	one := 1
	_, err := h.Add(lambda.Function{
		Name: "greedy", Executable: executable, Timeout: time.Second, ReservedConcurrency: &one,
	})
	if err == nil || !strings.Contains(err.Error(), "100 must remain") {
		t.Errorf("reserving what must remain: got %v, want a refusal", err)
	}

	shared := newHost(t, lambda.Config{Concurrency: 2})
	a := add(t, shared, func(f *lambda.Function) { f.Name = "a" })
	b := add(t, shared, func(f *lambda.Function) { f.Name = "b" })
	g := newGate(t)
	all := g.invoke(t.Context(), a, 2)
	g.await(t, 2)
	wantThrottled(t, b, "all 2 invocations at once that the account allows are in use")
	close(g.open)
	all.pids()
	for range 3 {
		mustInvoke(t, b, `{}`)
	}
}

func TestFunctionsShareTheQuotaOfANewAccount(t *testing.T) {
	h := newHost(t, lambda.Config{Concurrency: lambda.NewAccountConcurrency})
	a := add(t, h, func(f *lambda.Function) { f.Name = "a" })
	b := add(t, h, func(f *lambda.Function) { f.Name = "b" })
	g := newGate(t)
	all := g.invoke(t.Context(), a, lambda.NewAccountConcurrency)
	g.await(t, lambda.NewAccountConcurrency)
	wantThrottled(t, b, "all 10 invocations at once that a new account allows are in use")
	close(g.open)
	all.pids()
}

func TestConcurrencyIsFreeAgainAfterEveryFailure(t *testing.T) {
	one := 1
	d := add(t, newHost(t, lambda.Config{}), func(f *lambda.Function) { f.ReservedConcurrency = &one })
	for _, event := range []string{`{"do":"fail"}`, `{"do":"panic"}`, `{"do":"exit"}`, `{"do":"hang"}`} {
		if event == `{"do":"hang"}` {
			hang(t, d, 250*time.Millisecond)
		} else {
			_, err := d.Invoke(t.Context(), []byte(event))
			functionError(t, err)
		}
		if _, err := d.Invoke(t.Context(), []byte(`{}`)); err != nil {
			t.Errorf("after %s: %v", event, err)
		}
	}
}

func TestCallerThatGoesAwayStopsNothing(t *testing.T) {
	d := add(t, newHost(t, lambda.Config{}), nil)
	g := newGate(t)
	ctx, cancel := context.WithCancel(t.Context())
	all := g.invoke(ctx, d, 1)
	g.await(t, 1)
	cancel()
	all.wg.Wait()
	if len(all.errs) != 1 || !errors.Is(all.errs[0], context.Canceled) {
		t.Errorf("got %v, want %v", all.errs, context.Canceled)
	}
	close(g.open)
	await.Until(t, "its instance is used again", func() bool { return mustInvoke(t, d, `{}`).Invocations > 1 })
}

func TestIdleInstanceIsEnded(t *testing.T) {
	d := add(t, newHost(t, lambda.Config{IdleTimeout: time.Millisecond}), nil)
	a := mustInvoke(t, d, `{}`)
	await.Until(t, "the idle process is gone", func() bool { return gone(a.PID) })
	if b := mustInvoke(t, d, `{}`); b.PID == a.PID {
		t.Errorf("process %d still answers", a.PID)
	}
}

func TestPreparedInstanceHandlesTheFirstInvocation(t *testing.T) {
	d := add(t, newHost(t, lambda.Config{}), nil)
	for range 2 { // the second call finds the instance of the first
		if err := d.Prepare(t.Context()); err != nil {
			t.Fatal(err)
		}
		if n := d.Instances(); n != 1 {
			t.Fatalf("got %d instances, want 1", n)
		}
	}
	if a := mustInvoke(t, d, `{}`); a.Invocations != 1 || d.Instances() != 1 {
		t.Errorf("the event was invocation %d of %d instances, want the first of one", a.Invocations, d.Instances())
	}
}

func TestPreparingFailsAsTheFirstInvocationWould(t *testing.T) {
	one, none := 1, 0
	h := newHost(t, lambda.Config{})
	d := add(t, h, func(f *lambda.Function) {
		f.Environment, f.ReservedConcurrency = map[string]string{"INIT": "exit"}, &one
	})
	for range 2 { // the concurrency is free again
		err := d.Prepare(t.Context())
		if failure, ok := errors.AsType[*lambda.FunctionError](err); !ok || failure.Type != lambda.ErrorTypeExit ||
			!strings.Contains(err.Error(), "DATABASE_SECRET is not set") {
			t.Errorf("got error %v, want one with the end of the function's standard error", err)
		}
	}
	d = add(t, h, func(f *lambda.Function) { f.Name, f.ReservedConcurrency = "never", &none })
	if err := d.Prepare(t.Context()); !errors.Is(err, lambda.ErrThrottled) {
		t.Errorf("got error %v, want %v", err, lambda.ErrThrottled)
	}
}

func TestInstanceThatDiesWhileIdleIsReplaced(t *testing.T) {
	d := add(t, newHost(t, lambda.Config{}), nil)
	a := mustInvoke(t, d, `{}`)
	if err := syscall.Kill(a.PID, syscall.SIGKILL); err != nil {
		t.Fatal(err)
	}
	await.Until(t, "the process is gone", func() bool { return gone(a.PID) })
	if b := mustInvoke(t, d, `{}`); b.PID == a.PID {
		t.Errorf("process %d still answers", a.PID)
	}
}

// The kernel accepts an event for a process that will never read it, for example a stopped one.
// Whenever the process ends, it has not seen the event, so the caller must not get an error.
func TestEventThatADyingInstanceDidNotReadGoesToAnother(t *testing.T) {
	for name, killed := range map[string]func(h *lambda.Host){
		"at any moment": func(*lambda.Host) {},
		"when the event is on its way": func(
			h *lambda.Host) {
			await.Until(t, "the event is given", func() bool { return h.Occupied() == 1 })
		},
	} {
		t.Run(name, func(t *testing.T) {
			var log recorder
			h := newHost(t, lambda.Config{Log: slog.New(&log)})
			d := add(t, h, nil)
			const rounds = 5
			for range rounds {
				pid := mustInvoke(t, d, `{}`).PID
				if err := syscall.Kill(pid, syscall.SIGSTOP); err != nil {
					t.Fatal(err)
				}
				var status syscall.WaitStatus
				if _, err := syscall.Wait4(pid, &status, syscall.WUNTRACED, nil); err != nil || !status.Stopped() {
					t.Fatalf("process %d is not stopped: %v, %v", pid, status, err)
				}
				type result struct {
					answer
					error
				}
				got := make(chan result)
				go func() { a, err := invoke(t.Context(), d, `{}`); got <- result{a, err} }()
				killed(h)
				if err := syscall.Kill(pid, syscall.SIGKILL); err != nil {
					t.Error(err)
				}
				if r := <-got; r.error != nil || r.PID == pid {
					t.Errorf("got an answer of process %d, error %v; want one of another process than %d",
						r.PID, r.error, pid)
				}
			}
			await.Until(t, "all ends are logged", func() bool {
				return log.count("instance ended while it was idle") == rounds
			})
		})
	}
}

// A program that ends before it reads its first event would do the same in every new instance.
func TestEventOfANewInstanceThatDoesNotReadItIsNotGivenToTheNext(t *testing.T) {
	var log recorder
	d := add(t, newHost(t, lambda.Config{Log: slog.New(&log)}), func(f *lambda.Function) {
		f.Environment = map[string]string{"INIT": "vanish"}
	})
	_, err := d.Invoke(t.Context(), []byte(`{}`))
	if e := functionError(t, err); e.Type != lambda.ErrorTypeExit || strings.Join(e.Stderr, "\n") != "vanishing" {
		t.Errorf("got %v with %q on standard error, want %s", e, e.Stderr, lambda.ErrorTypeExit)
	}
	if got := log.count("vanishing"); got != 1 {
		t.Errorf("%d instances were started, want 1", got)
	}
}

func TestCloseLeavesNoProcess(t *testing.T) {
	t.Run("and lets invocations finish", func(t *testing.T) {
		h := newHost(t, lambda.Config{})
		d := add(t, h, nil)
		idle := mustInvoke(t, d, `{}`)
		g := newGate(t)
		all := g.invoke(t.Context(), d, 2)
		g.await(t, 2)

		closed := make(chan error)
		go func() { closed <- h.Close(t.Context()) }()
		await.Until(t, "new invocations are refused", func() bool {
			_, err := h.Add(lambda.Function{Name: "other", Executable: executable, Timeout: time.Second})
			return errors.Is(err, lambda.ErrClosed)
		})
		if _, err := d.Invoke(t.Context(), []byte(`{}`)); !errors.Is(err, lambda.ErrClosed) {
			t.Errorf("a new invocation: got %v, want ErrClosed", err)
		}
		close(g.open)
		if err := <-closed; err != nil {
			t.Error(err)
		}
		pids := all.pids()
		if len(pids) != 2 {
			t.Errorf("running invocations: got answers of %v, errors %v, want two answers", pids, all.errs)
		}
		for _, pid := range append(pids, idle.PID) {
			if !gone(pid) {
				t.Errorf("process %d is still there", pid)
			}
		}
	})
	t.Run("and kills what does not finish", func(t *testing.T) {
		h := newHost(t, lambda.Config{})
		d := add(t, h, nil)
		pid := mustInvoke(t, d, `{}`).PID
		g := newGate(t)
		if n := h.Running(); n != 0 {
			t.Errorf("%d functions run after the invocation, want none", n)
		}
		all := g.invoke(t.Context(), d, 1) // the gate stays closed
		g.await(t, 1)
		if n := h.Running(); n != 1 {
			t.Errorf("%d functions run during the invocation, want 1", n)
		}

		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		closed := make(chan error, 1)
		go func() { closed <- h.Close(ctx) }()
		err := await.Receive(t, "it has ended: it must not wait for the invocation", closed)
		if !errors.Is(err, context.Canceled) {
			t.Errorf("got %v, want that invocations were cancelled: %v", err, context.Canceled)
		}
		all.wg.Wait()
		if len(all.errs) != 1 || !errors.Is(all.errs[0], lambda.ErrClosed) {
			t.Errorf("the running invocation: got %v, want ErrClosed", all.errs)
		}
		if !gone(pid) {
			t.Errorf("process %d is still there", pid)
		}
	})
	t.Run("not even one that starts", func(t *testing.T) {
		h := newHost(t, lambda.Config{})
		d := add(t, h, func(f *lambda.Function) { f.Environment = map[string]string{"INIT": "hang"} })
		failed := make(chan error)
		go func() { _, err := d.Invoke(t.Context(), []byte(`{}`)); failed <- err }()
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		_ = h.Close(ctx)
		if err := <-failed; !errors.Is(err, lambda.ErrClosed) {
			t.Errorf("got %v, want ErrClosed", err)
		}
	})
}
