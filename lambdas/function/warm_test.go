package function

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"restock/internal/mysql/migrate"
	"restock/internal/mysql/mysqltest"
	"restock/lambdas"
	"restock/lambdas/journal"
)

func TestMain(m *testing.M) { mysqltest.Main(m) }

// A mode is how a service behaves.
type mode int32

const (
	works    mode = iota
	refuses       // it closes each connection
	isSilent      // it accepts connections and never answers
)

const password = "the password of the functions' user"

// An outside is the database and the secrets of a function. The test chooses their modes.
type outside struct {
	database, secrets  atomic.Int32 // modes
	connections, reads atomic.Int32 // counters
}

// newOutside sets the environment of stock-increase, which needs the database and two secrets.
func newOutside(t *testing.T) *outside {
	t.Helper()
	o, d := &outside{}, mysqltest.New(t, 1)
	if err := migrate.User(t.Context(), d.Admin, d.User, password); err != nil {
		t.Fatal(err)
	}
	secrets := map[string]any{
		"database-secret": map[string]string{"username": d.User, "password": password},
		"key-secret":      map[string][]byte{"key": bytes.Repeat([]byte("k"), 32)},
	}
	vault := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		o.reads.Add(1)
		body, _ := io.ReadAll(r.Body) // afterwards the server notices that the client has gone
		switch mode(o.secrets.Load()) {
		case refuses:
			panic(http.ErrAbortHandler)
		case isSilent:
			<-r.Context().Done()
			return
		}
		var asked struct{ SecretId string }
		_ = json.Unmarshal(body, &asked)
		value, _ := json.Marshal(secrets[asked.SecretId])
		_ = json.NewEncoder(w).Encode(map[string]string{"SecretString": string(value)})
	}))
	t.Cleanup(vault.Close)
	network, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = network.Close() })
	go o.connect(network, net.JoinHostPort(d.Host, strconv.Itoa(d.Port)))
	for name, value := range map[string]string{
		"AWS_REGION": "ap-northeast-2", "AWS_ACCESS_KEY_ID": "KEY", "AWS_SECRET_ACCESS_KEY": "secret",
		"AWS_ENDPOINT_URL": vault.URL, "METRICS_NAMESPACE": "restock", "STOCK_EMPTY_TOPIC": "topic",
		"DATABASE_HOST": d.Host, "DATABASE_PORT": fmt.Sprint(network.Addr().(*net.TCPAddr).Port),
		"DATABASE_NAME": d.Name, "DATABASE_SECRET": "database-secret", "CALLBACK_KEY_SECRET": "key-secret",
	} {
		t.Setenv(name, value)
	}
	return o
}

// connect connects the clients of a listener with the database, as the mode says.
func (o *outside) connect(network net.Listener, database string) {
	for {
		client, err := network.Accept()
		if err != nil {
			return // the test has ended
		}
		o.connections.Add(1)
		switch mode(o.database.Load()) {
		case refuses:
			client.Close()
			continue
		case isSilent:
			go func() { _, _ = io.Copy(io.Discard, client); client.Close() }()
			continue
		}
		server, err := net.Dial("tcp", database)
		if err != nil {
			client.Close()
			continue
		}
		go func() { _, _ = io.Copy(server, client); server.Close() }()
		go func() { _, _ = io.Copy(client, server); client.Close() }()
	}
}

// start starts a function that needs the database and both secrets in each invocation.
func start(t *testing.T, timeout time.Duration) (invoke func() error, log *bytes.Buffer) {
	t.Helper()
	log = &bytes.Buffer{}
	handler, err := load(slog.New(slog.NewJSONHandler(log, nil)), timeout,
		func(p Process[lambdas.StockIncreaseEnvironment]) (any, error) {
			s, err := p.Shop(p.Environment.Shop)
			keys := p.CallbackKeys(p.Environment.CallbackKey)
			return func(ctx context.Context) error {
				if _, err := keys.Accepted(ctx); err != nil {
					return err
				}
				_, err := s.Products(ctx)
				return err
			}, err
		})
	if err != nil {
		t.Fatalf("the function does not start: %v", err)
	}
	return func() error {
		_, err := handler.Invoke(t.Context(), []byte("{}"))
		return err
	}, log
}

func TestTheFirstInvocationReadsNoSecretAndOpensNoConnection(t *testing.T) {
	o := newOutside(t)
	invoke, log := start(t, time.Minute)
	check := func(when string) {
		t.Helper()
		if c, r := o.connections.Load(), o.reads.Load(); c != 1 || r != 2 {
			t.Errorf("%s: %d connections and %d reads of secrets, want 1 and 2", when, c, r)
		}
	}
	check("before the first invocation")
	if err := invoke(); err != nil {
		t.Fatal(err)
	}
	check("after it")
	if log.Len() > 0 {
		t.Errorf("the log is %s, want nothing", log)
	}
}

func TestAFunctionStartsWithoutItsDatabaseOrItsSecrets(t *testing.T) {
	for _, c := range []struct {
		name              string
		database, secrets mode
		reads             int32         // in the warm-up
		timeout           time.Duration // a minute: nothing may wait for it
		want              []string      // in the error
	}{
		{"the database refuses", refuses, works, 2, time.Minute, []string{"connecting to the database"}},
		{"the database is silent", isSilent, works, 2, 500 * time.Millisecond, []string{"connecting to the database"}},
		{"Secrets Manager refuses", works, refuses, 2, time.Minute, []string{"database-secret", "key-secret"}},
		{"Secrets Manager is silent", works, isSilent, 2, 500 * time.Millisecond,
			[]string{"database-secret", "key-secret"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			o := newOutside(t)
			o.database.Store(int32(c.database))
			o.secrets.Store(int32(c.secrets))
			invoke, log := start(t, c.timeout)
			if r := o.reads.Load(); c.timeout == time.Minute && r != c.reads {
				t.Errorf("secrets were read %d times, want %d: the warm-up does not retry", r, c.reads)
			}
			var line struct{ Level, Event, Error string }
			if err := json.Unmarshal(log.Bytes(), &line); err != nil {
				t.Fatalf("the log is %s, want one line: %v", log, err)
			}
			if line.Level != "WARN" || line.Event != string(journal.WarmUpFailed) {
				t.Errorf("the line is %s, want a warning of the kind %s", log, journal.WarmUpFailed)
			}
			for _, want := range c.want {
				if !strings.Contains(line.Error, want) {
					t.Errorf("the error is %s, want it to name: %s", line.Error, want)
				}
			}
			o.database.Store(int32(works))
			o.secrets.Store(int32(works))
			if err := invoke(); err != nil {
				t.Errorf("the first invocation fails after the services are back: %v", err)
			}
		})
	}
}

// A harmless handler records its events.
type harmless func(context.Context, map[string]string) error

func (harmless) HarmlessEvent() []byte { return []byte(`{"change": "nothing"}`) }

func TestAHandlerHandlesItsHarmlessEventBeforeTheFirstInvocation(t *testing.T) {
	newOutside(t)
	for _, fails := range []error{nil, errors.New("broken")} {
		var log bytes.Buffer
		var handled []string
		_, err := load(slog.New(slog.NewJSONHandler(&log, nil)), time.Minute,
			func(Process[lambdas.StockIncreaseEnvironment]) (any, error) {
				return harmless(func(_ context.Context, event map[string]string) error {
					handled = append(handled, event["change"])
					return fails
				}), nil
			})
		if err != nil || fmt.Sprint(handled) != "[nothing]" {
			t.Errorf("the handler handled %q, %v; want the harmless event once", handled, err)
		}
		if logged := strings.Contains(log.String(), "broken"); logged != (fails != nil) {
			t.Errorf("the handler failed with %v, and the log is %s", fails, &log)
		}
	}
}
