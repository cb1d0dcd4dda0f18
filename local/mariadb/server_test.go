package mariadb

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"database/sql"
	"encoding/pem"
	"errors"
	"log/slog"
	"math/big"
	"net"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/go-sql-driver/mysql"
)

// requireServer skips a test that starts a server if tests run with -short.
func requireServer(t *testing.T) {
	t.Helper()
	if testing.Short() {
		t.Skip("-short: the tests that need MariaDB are skipped")
	}
}

func start(t *testing.T, c Config) *Server {
	t.Helper()
	requireServer(t)
	s, err := Start(t.Context(), c)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Stop(); err != nil {
			t.Error(err)
		}
	})
	return s
}

func open(t *testing.T, c *mysql.Config) *sql.DB {
	t.Helper()
	connector, err := mysql.NewConnector(c)
	if err != nil {
		t.Fatal(err)
	}
	db := sql.OpenDB(connector)
	t.Cleanup(func() { db.Close() })
	return db
}

func query[T any](t *testing.T, db *sql.DB, q string) T {
	t.Helper()
	var v T
	if err := db.QueryRowContext(t.Context(), q).Scan(&v); err != nil {
		t.Fatalf("%s: %v", q, err)
	}
	return v
}

func execute(t *testing.T, db *sql.DB, q string) {
	t.Helper()
	if _, err := db.ExecContext(t.Context(), q); err != nil {
		t.Fatalf("%s: %v", q, err)
	}
}

func TestServerHasTheSettingsThatTheCodeReliesOn(t *testing.T) {
	db := open(t, start(t, Config{Args: []string{"--max-connections=77"}}).Admin())
	for variable, want := range map[string]string{
		"character_set_server":           "utf8mb4",
		"time_zone":                      "+00:00",
		"log_bin":                        "1",
		"binlog_format":                  "MIXED",
		"sync_binlog":                    "1",
		"innodb_flush_log_at_trx_commit": "1",
		"bind_address":                   "127.0.0.1",
		"socket":                         "",
		"skip_name_resolve":              "1",
		"performance_schema":             "0",
		"max_connections":                "77",
		// RDS does not set it, so the schema must work without it.
		"log_bin_trust_function_creators": "0",
	} {
		if got := query[string](t, db, "SELECT @@"+variable); got != want {
			t.Errorf("@@%s: got %q, want %q", variable, got, want)
		}
	}
}

func TestAdministratorIsTheOnlyAccountAndHasAPassword(t *testing.T) {
	s := start(t, Config{})
	db := open(t, s.Admin())

	const accounts = "SELECT GROUP_CONCAT(CONCAT(User, '@', Host)) FROM mysql.global_priv WHERE User <> 'mariadb.sys'"
	if got, want := query[string](t, db, accounts), "root@127.0.0.1"; got != want {
		t.Errorf("accounts: got %s, want %s", got, want)
	}
	for _, password := range []string{"", "root"} {
		c := s.Admin()
		c.Passwd = password
		const accessDenied = 1045
		err := open(t, c).PingContext(t.Context())
		if got := (*mysql.MySQLError)(nil); !errors.As(err, &got) || got.Number != accessDenied {
			t.Errorf("root with password %q: got %v, want error %d", password, err, accessDenied)
		}
	}
	execute(t, db, "CREATE USER app@'%' IDENTIFIED BY 'secret'")
	execute(t, db, "GRANT SELECT ON *.* TO app@'%'") // requires WITH GRANT OPTION
}

func TestStopLeavesNoProcessAndNoDirectory(t *testing.T) {
	tmp := t.TempDir()
	t.Setenv("TMPDIR", tmp)
	s := start(t, Config{})
	pid := s.proc.PID()
	if entries, err := os.ReadDir(tmp); err != nil || len(entries) != 1 {
		t.Fatalf("while it runs: got %v in the temporary directory (%v), want one directory", entries, err)
	}
	for range 2 { // a second Stop is no error
		if err := s.Stop(); err != nil {
			t.Fatal(err)
		}
	}
	if err := syscall.Kill(pid, 0); !errors.Is(err, syscall.ESRCH) {
		t.Errorf("signalling process %d: got %v, want that it is gone", pid, err)
	}
	if entries, err := os.ReadDir(tmp); err != nil || len(entries) != 0 {
		t.Errorf("got %v in the temporary directory (%v), want nothing", entries, err)
	}
}

func TestDoneTellsThatTheServerDied(t *testing.T) {
	s := start(t, Config{})
	if err := syscall.Kill(s.proc.PID(), syscall.SIGKILL); err != nil {
		t.Fatal(err)
	}
	<-s.Done()
}

func TestKeptDirectoryKeepsData(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "data")

	first := start(t, Config{Dir: dir})
	db := open(t, first.Admin())
	execute(t, db, "CREATE DATABASE shop")
	execute(t, db, "CREATE TABLE shop.product (name VARCHAR(20)) CHARACTER SET utf8mb4")
	execute(t, db, "INSERT INTO shop.product VALUES ('부산도너츠')")
	execute(t, db, "CREATE USER app@'%' IDENTIFIED BY 'secret'")

	if _, err := Start(t.Context(), Config{Dir: dir}); !errors.Is(err, ErrInUse) ||
		!strings.Contains(err.Error(), dir) {
		t.Errorf("a second server on the directory: got %v, want an error that says that it is in use", err)
	}
	if err := first.Stop(); err != nil {
		t.Fatal(err)
	}

	second := start(t, Config{Dir: dir})
	db = open(t, second.Admin())
	if got, want := query[string](t, db, "SELECT name FROM shop.product"), "부산도너츠"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
	if got := query[int](t, db, "SELECT COUNT(*) FROM mysql.global_priv WHERE User = 'app'"); got != 1 {
		t.Errorf("users named app: got %d, want 1", got)
	}
}

func TestDirectoryOfSomethingElseIsLeftAlone(t *testing.T) {
	dir := t.TempDir()
	photo := filepath.Join(dir, "photo.jpg")
	if err := os.WriteFile(photo, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	_, err := Start(t.Context(), Config{Dir: dir})
	if err == nil || !strings.Contains(err.Error(), dir+" is neither empty") {
		t.Errorf("got %v, want an error that says %s is neither empty", err, dir)
	}
	if _, err := os.Stat(photo); err != nil {
		t.Error(err)
	}
}

func TestFailedStartsSayWhy(t *testing.T) {
	requireServer(t)
	busy, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer busy.Close()

	for _, c := range []struct {
		name   string
		config Config
		want   []string
	}{
		{"an option that does not exist", Config{Args: []string{"--no-such-option"}},
			[]string{"exit status", "unknown option '--no-such-option'"}},
		{"a busy port", Config{Port: busy.Addr().(*net.TCPAddr).Port},
			[]string{busy.Addr().String() + " is in use", "Address already in use"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			tmp := t.TempDir()
			t.Setenv("TMPDIR", tmp)
			_, err := Start(t.Context(), c.config)
			if err == nil {
				t.Fatal("it started")
			}
			for _, want := range c.want {
				if !strings.Contains(err.Error(), want) {
					t.Errorf("got %v\nwant it to say %q", err, want)
				}
			}
			if left, err := os.ReadDir(tmp); err != nil || len(left) != 0 {
				t.Errorf("it left %v behind (%v)", left, err)
			}
		})
	}
}

func TestFreePortThatIsTakenMeanwhileIsReplaced(t *testing.T) {
	busy, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer busy.Close()

	calls := 0
	s := start(t, Config{freePort: func() (int, error) {
		if calls++; calls == 1 {
			return busy.Addr().(*net.TCPAddr).Port, nil
		}
		return freePort()
	}})
	if s.Admin().Addr == busy.Addr().String() || calls != 2 {
		t.Errorf("it listens on %s after %d attempts, want 2 attempts and another address than %s", s.Admin().Addr,
			calls, busy.Addr())
	}
}

func TestStartEndsWithItsContext(t *testing.T) {
	requireServer(t)
	tmp := t.TempDir()
	t.Setenv("TMPDIR", tmp)
	ctx, cancel := context.WithCancelCause(t.Context())
	why := errors.New("Ctrl-C")
	// The first line of the server's log appears long before it is ready.
	log := slog.New(slog.NewTextHandler(writerFunc(func(p []byte) (int, error) { cancel(why); return len(p), nil }),
		&slog.HandlerOptions{Level: slog.LevelDebug}))

	if _, err := Start(ctx, Config{Log: log}); !errors.Is(err, why) {
		t.Errorf("got %v, want %v", err, why)
	}
	if left, err := os.ReadDir(tmp); err != nil || len(left) != 0 {
		t.Errorf("it left %v behind (%v)", left, err)
	}
}

type writerFunc func([]byte) (int, error)

func (f writerFunc) Write(p []byte) (int, error) { return f(p) }

func TestMissingServerSaysWhatToInstall(t *testing.T) {
	_, err := locate([]string{t.TempDir()})
	if !errors.Is(err, ErrNotInstalled) {
		t.Fatalf("got %v, want ErrNotInstalled", err)
	}
	for _, want := range []string{"mariadbd was not found", "apt-get install mariadb-server-core mariadb-client-core"} {
		if !strings.Contains(err.Error(), want) {
			t.Errorf("got %v\nwant it to say %q", err, want)
		}
	}
}

func TestTemplateIsMadeOnceByManyAndWhole(t *testing.T) {
	requireServer(t)
	t.Setenv("HOME", t.TempDir()) // an empty cache
	t.Setenv("XDG_CACHE_HOME", "")
	bin, err := locate(searchPath())
	if err != nil {
		t.Fatal(err)
	}
	want, err := templateDir(bin)
	if err != nil {
		t.Fatal(err)
	}
	// The remains of a process that was killed during the initialisation.
	if err := os.MkdirAll(filepath.Join(want+".restock-partial", "mysql"), 0o700); err != nil {
		t.Fatal(err)
	}

	var wg sync.WaitGroup
	for range 4 {
		wg.Go(func() {
			dir, err := template(t.Context(), bin)
			if err != nil || dir != want {
				t.Errorf("got %s (%v), want %s", dir, err, want)
			}
			if _, err := os.Stat(filepath.Join(dir, "ibdata1")); err != nil {
				t.Errorf("when template returns, it is not whole: %v", err)
			}
		})
	}
	wg.Wait()

	got, err := filepath.Glob(filepath.Join(filepath.Dir(want), "*"))
	if err != nil {
		t.Fatal(err)
	}
	if want := []string{want, want + ".lock"}; !slices.Equal(got, want) {
		t.Errorf("the cache holds %v, want %v", got, want)
	}
}

func TestAnUpdatedServerHasAnotherTemplate(t *testing.T) {
	t.Setenv("HOME", t.TempDir())
	server := filepath.Join(t.TempDir(), "mariadbd")
	names := map[string]bool{}
	for _, c := range []struct {
		content string
		second  int64
	}{{"1", 1}, {"10", 1}, {"10", 2}} {
		at := time.Unix(c.second, 0)
		if err := errors.Join(os.WriteFile(server, []byte(c.content), 0o600), os.Chtimes(server, at, at)); err != nil {
			t.Fatal(err)
		}
		for range 2 { // the same server has the same one
			name, err := templateDir(binaries{server: server})
			if err != nil {
				t.Fatal(err)
			}
			names[name] = true
		}
	}
	if len(names) != 3 {
		t.Errorf("three servers got the templates %v, want three", names)
	}
}

func TestStartWithoutAUsableCache(t *testing.T) {
	t.Setenv("HOME", "")
	t.Setenv("XDG_CACHE_HOME", "")
	if err := open(t, start(t, Config{}).Admin()).PingContext(t.Context()); err != nil {
		t.Error(err)
	}
}

func TestFoldersMayBeRelativeAndHaveOddNames(t *testing.T) {
	t.Chdir(t.TempDir())
	here, err := os.Getwd()
	if err != nil {
		t.Fatal(err)
	}
	const odd = `a "folder" of 딸기's [%d]`
	if err := os.Mkdir(odd, 0o700); err != nil {
		t.Fatal(err)
	}
	t.Setenv("TMPDIR", odd)
	t.Setenv("XDG_CACHE_HOME", filepath.Join(here, odd, "cache")) // the data directory is initialised there first
	kept := filepath.Join(odd, "kept")
	db := open(t, start(t, Config{Dir: kept}).Admin())
	if got, want := query[string](t, db, "SELECT @@datadir"), filepath.Join(here, kept)+"/"; got != want {
		t.Errorf("@@datadir: got %s, want %s", got, want)
	}
	if got := query[string](t, db, "SELECT @@tmpdir"); !strings.HasPrefix(got, filepath.Join(here, odd)) {
		t.Errorf("@@tmpdir: got %s, want a folder in %s", got, filepath.Join(here, odd))
	}
}

func TestFoldersThatMariaDBCannotUseAreNamed(t *testing.T) {
	long := strings.Repeat("a", 200)
	for _, c := range []struct{ name, tmpdir, dir, want string }{
		{"a list", "a:b", "", "a:b/restock-mariadb-"},
		{"a long temporary folder", long + "/" + long, "", "set TMPDIR to another folder"},
		{"a long data directory", ".", long + "/" + long, "and MariaDB allows 300: name another one"},
		{"no folder", "missing", "", "set TMPDIR to a folder that exists"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Chdir(t.TempDir())
			if c.tmpdir != "missing" {
				if err := os.MkdirAll(c.tmpdir, 0o700); err != nil {
					t.Fatal(err)
				}
			}
			t.Setenv("TMPDIR", c.tmpdir)
			s, err := Start(t.Context(), Config{Dir: c.dir})
			if err == nil {
				t.Fatal(errors.Join(errors.New("it started"), s.Stop()))
			}
			if !strings.Contains(err.Error(), c.want) || strings.Contains(err.Error(), "\n") {
				t.Errorf("got %v, want one line with %q", err, c.want)
			}
		})
	}
}

func TestServerThatRequiresTLS(t *testing.T) {
	cert, key, roots := selfSigned(t)
	s := start(t, Config{
		Args: []string{"--ssl-cert=" + cert, "--ssl-key=" + key, "--require-secure-transport=ON"},
		TLS:  &tls.Config{RootCAs: roots, ServerName: "localhost"},
	})
	var name, cipher string
	if err := open(t, s.Admin()).QueryRowContext(t.Context(), "SHOW STATUS LIKE 'Ssl_cipher'").Scan(&name,
		&cipher); err != nil || cipher == "" {
		t.Errorf("cipher: got %q (%v), want some", cipher, err)
	}
	plain := s.Admin()
	plain.TLS = nil
	if err := open(t, plain).PingContext(t.Context()); err == nil {
		t.Error("it answers without TLS")
	}
}

// selfSigned creates a server certificate and returns its files.
func selfSigned(t *testing.T) (certFile, keyFile string, roots *x509.CertPool) {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	tmpl := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "localhost"}, DNSNames: []string{"localhost"},
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour),
		IsCA: true, BasicConstraintsValid: true,
	}
	der, err := x509.CreateCertificate(rand.Reader, tmpl, tmpl, key.Public(), key)
	if err != nil {
		t.Fatal(err)
	}
	keyDER, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		t.Fatal(err)
	}
	certPEM := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der})
	dir := t.TempDir()
	certFile, keyFile = filepath.Join(dir, "cert.pem"), filepath.Join(dir, "key.pem")
	for file, content := range map[string][]byte{
		certFile: certPEM,
		keyFile:  pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: keyDER}),
	} {
		if err := os.WriteFile(file, content, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	roots = x509.NewCertPool()
	roots.AppendCertsFromPEM(certPEM)
	return certFile, keyFile, roots
}
