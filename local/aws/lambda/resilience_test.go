package lambda_test

import (
	"cmp"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"restock/local/aws/lambda"
	"restock/test/await"
)

// Whatever a function does, the other functions continue, a new instance replaces it, and the
// closed host leaves nothing of it.
func TestFunctionThatGoesWrongIsReplacedAndTheOthersGoOn(t *testing.T) {
	onLinux := func(t *testing.T) {
		if runtime.GOOS != "linux" {
			t.Skip("the memory of another process is known on Linux alone")
		}
	}
	for _, c := range []struct {
		event     string
		init      string // the fault before the first event
		wantType  string
		condition func(*testing.T)
		timeout   time.Duration // 0 means a minute
	}{
		{event: "hang", wantType: lambda.ErrorTypeTimeout},
		{event: "panic", wantType: "string"},
		{event: "panic in a goroutine", wantType: lambda.ErrorTypeExit},
		{event: "leak", wantType: lambda.ErrorTypeMemory, condition: onLinux},
		{event: "spike", wantType: lambda.ErrorTypeMemory, condition: onLinux},
		{event: "exit", wantType: lambda.ErrorTypeExit},
		{event: "exit 0", wantType: lambda.ErrorTypeExit},
		{init: "exit", wantType: lambda.ErrorTypeExit},
		{init: "exit 0", wantType: lambda.ErrorTypeExit},
		{init: "error", wantType: "Config.Missing"},
		{init: "hang", wantType: lambda.ErrorTypeTimeout, timeout: 250 * time.Millisecond},
		{init: "leak", wantType: lambda.ErrorTypeMemory, condition: onLinux},
	} {
		t.Run(c.event+c.init, func(t *testing.T) {
			if c.condition != nil {
				c.condition(t)
			}
			t.Setenv("TMPDIR", t.TempDir())
			goroutines := runtime.NumGoroutine()
			initTimeout := time.Duration(0) // 0: the default is long enough
			if c.init == "hang" {
				initTimeout = 100 * time.Millisecond
			}
			h := newHost(t, lambda.Config{InitTimeout: initTimeout})
			other := add(t, h, func(f *lambda.Function) { f.Name = "other" })
			wrong := add(t, h, func(f *lambda.Function) {
				f.Name, f.Timeout = "wrong", cmp.Or(c.timeout, f.Timeout)
				if c.init != "" {
					f.Environment = map[string]string{"INIT": c.init}
				}
			})
			pid := mustInvoke(t, other, `{}`).PID
			var pids []int
			for range 2 { // the second one shows that the instance was replaced
				if c.init == "" {
					pids = append(pids, mustInvoke(t, wrong, `{}`).PID)
				}
				var e *lambda.FunctionError
				if c.event == "hang" {
					e = hang(t, wrong, 250*time.Millisecond)
				} else {
					_, err := wrong.Invoke(t.Context(), []byte(`{"do":"`+c.event+`"}`))
					e = functionError(t, err)
				}
				if e.Type != c.wantType {
					t.Errorf("got %v, want %s", e, c.wantType)
				}
				if a := mustInvoke(t, other, `{}`); a.PID != pid {
					t.Errorf("the other function: process %d answered after %d, want the same", a.PID, pid)
				}
			}
			if len(pids) == 2 && pids[0] == pids[1] {
				t.Errorf("process %d goes on though it went wrong", pids[0])
			}
			for _, pid := range pids {
				await.Until(t, "the process that went wrong is gone", func() bool { return gone(pid) })
			}

			if err := h.Close(t.Context()); err != nil {
				t.Error(err)
			}
			if !gone(pid) {
				t.Errorf("process %d is still there", pid)
			}
			await.Until(t, "no goroutine is left", func() bool { return runtime.NumGoroutine() <= goroutines })
			if left, err := os.ReadDir(os.TempDir()); err != nil || len(left) > 0 {
				t.Errorf("of the folders for temporary files are left: %v (%v), want none", left, err)
			}
		})
	}
}

func TestLeakThatOutlivesItsInvocationEndsTheIdleInstance(t *testing.T) {
	if runtime.GOOS != "linux" {
		t.Skip("the memory of another process is known on Linux alone")
	}
	var log recorder
	d := add(t, newHost(t, lambda.Config{Log: slog.New(&log)}), nil)
	a := mustInvoke(t, d, `{"do":"leak in a goroutine"}`)
	await.Until(t, "the instance is gone", func() bool { return gone(a.PID) })
	await.Until(t, "it is said why", func() bool { return log.count("instance ended while it was idle") == 1 })
	if got := log.find("instance ended while it was idle")[0]["error_type"]; got != lambda.ErrorTypeMemory {
		t.Errorf("it is said that it ended by %v, want %v", got, lambda.ErrorTypeMemory)
	}
	if b := mustInvoke(t, d, `{}`); b.PID == a.PID {
		t.Errorf("process %d still answers", a.PID)
	}
}

func TestChildrenOfAnInstanceEndWithIt(t *testing.T) {
	h := newHost(t, lambda.Config{})
	d := add(t, h, nil)
	left := mustInvoke(t, d, `{"do":"spawn"}`).Child
	if gone(left) {
		t.Fatalf("the child %d did not outlive its invocation", left)
	}
	_, err := d.Invoke(t.Context(), []byte(`{"do":"exit"}`))
	functionError(t, err)
	await.Until(t, "the child of the instance that ended is gone", func() bool { return ended(left) })

	left = mustInvoke(t, d, `{"do":"spawn"}`).Child
	if err := h.Close(t.Context()); err != nil {
		t.Error(err)
	}
	await.Until(t, "the child is gone", func() bool { return ended(left) })
}

// ended reports whether an orphaned process has ended. Its new parent may be slow to reap it.
func ended(pid int) bool {
	stat, _ := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid)) // Linux only
	return gone(pid) || strings.Contains(string(stat), ") Z ")
}

func TestInstanceHasAFolderForTemporaryFiles(t *testing.T) {
	h := newHost(t, lambda.Config{})
	d := add(t, h, nil)
	a := mustInvoke(t, d, `{"do":"temporary file"}`)
	b := mustInvoke(t, d, `{"do":"temporary file"}`)
	if b.TempDir != a.TempDir || len(a.Left) != 0 || len(b.Left) != 1 || b.Left[0] != a.RequestID {
		t.Errorf("two invocations of an instance: got %s with %v, then %s with %v, want the same, first empty, then "+
			"with the file %s",
			a.TempDir, a.Left, b.TempDir, b.Left, a.RequestID)
	}
	_, err := d.Invoke(t.Context(), []byte(`{"do":"exit"}`))
	functionError(t, err)
	// Lambda resets the environment and keeps /tmp:
	// https://docs.aws.amazon.com/lambda/latest/dg/lambda-runtime-environment.html#runtimes-lifecycle-invoke-with-errors
	c := mustInvoke(t, d, `{"do":"temporary file"}`)
	if c.PID == a.PID || c.TempDir != a.TempDir || len(c.Left) != 2 {
		t.Errorf("after an exit: got %s with %v in process %d, want %s with two files in a process other than %d",
			c.TempDir, c.Left, c.PID, a.TempDir, a.PID)
	}
	d.Reload() // replaces all instances, and their folders
	if e := mustInvoke(t, d, `{"do":"temporary file"}`); e.TempDir == a.TempDir || len(e.Left) != 0 {
		t.Errorf("another instance: got %s with %v, want another folder than %s, empty", e.TempDir, e.Left, a.TempDir)
	}
	await.Until(t, "the folder of the first is gone",
		func() bool { _, err := os.Stat(a.TempDir); return os.IsNotExist(err) })
	if err := h.Close(t.Context()); err != nil {
		t.Error(err)
	}
	if _, err := os.Stat(filepath.Dir(c.TempDir)); !os.IsNotExist(err) {
		t.Errorf("after Close: got %v, want that %s is gone", err, filepath.Dir(c.TempDir))
	}
}

func TestCredentialsAreAnInstancesOwnAndGivenBackWithIt(t *testing.T) {
	var mu sync.Mutex
	var issued, released []string
	h := newHost(t, lambda.Config{Credentials: func(f lambda.Function) (lambda.Credentials, func()) {
		mu.Lock()
		defer mu.Unlock()
		id := fmt.Sprint(f.Role, len(issued)+1)
		issued = append(issued, id)
		return lambda.Credentials{AccessKeyID: id}, func() {
			mu.Lock()
			defer mu.Unlock()
			released = append(released, id)
		}
	}})
	d := add(t, h, func(f *lambda.Function) { f.Role = "role" })
	has := func(want string) {
		t.Helper()
		if got := mustInvoke(t, d, `{"do":"environment"}`).Environment; !slices.Contains(got,
			"AWS_ACCESS_KEY_ID="+want) {
			t.Errorf("the environment is %v, want the credentials %s in it", got, want)
		}
	}
	wantReleased := func(want ...string) {
		t.Helper()
		await.Until(t, fmt.Sprintf("the credentials %v are given back", want), func() bool {
			mu.Lock()
			defer mu.Unlock()
			return slices.Equal(released, want)
		})
	}
	has("role1")
	has("role1")
	wantReleased()
	_, err := d.Invoke(t.Context(), []byte(`{"do":"exit"}`))
	functionError(t, err)
	wantReleased("role1")
	has("role2")
	if err := h.Close(t.Context()); err != nil {
		t.Error(err)
	}
	wantReleased("role1", "role2")
}
