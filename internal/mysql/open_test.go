package mysql

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"database/sql"
	"encoding/pem"
	"errors"
	"fmt"
	"io/fs"
	"math/big"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	gomysql "github.com/go-sql-driver/mysql"

	"restock/local/mariadb"
)

// host is the name in the test server's certificate.
const host = "database.example"

// tlsServer starts a server that accepts encrypted connections only. It returns the server and the
// authority that signed its certificate.
func tlsServer(t *testing.T) (*mariadb.Server, *x509.CertPool) {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour),
		DNSNames: []string{host}, IsCA: true, BasicConstraintsValid: true,
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
	if err != nil {
		t.Fatal(err)
	}
	keyDER, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	write := func(name, kind string, content []byte) string {
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: content}), 0o600); err != nil {
			t.Fatal(err)
		}
		return path
	}
	pool := x509.NewCertPool()
	cert, err := x509.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	pool.AddCert(cert)
	server, err := mariadb.Start(t.Context(), mariadb.Config{
		Args: []string{
			"--ssl-cert=" + write("cert.pem", "CERTIFICATE", der),
			"--ssl-key=" + write("key.pem", "PRIVATE KEY", keyDER), "--require-secure-transport=ON",
		},
		TLS: &tls.Config{RootCAs: pool, ServerName: host},
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := server.Stop(); err != nil {
			t.Error(err)
		}
	})
	return server, pool
}

func TestServerIsVerifiedBeyondLoopback(t *testing.T) {
	server, pool := tlsServer(t)
	admin := server.Admin()
	for _, c := range []struct {
		name, host string
		roots      *x509.CertPool
		want       string // in the error; empty for none
	}{
		{"the right authority", host, pool, ""},
		{"RDS's authorities, which did not sign it", host, nil, "certificate signed by unknown authority"},
		{"another server's name", "other.example", pool, "not other.example"},
	} {
		t.Run(c.name, func(t *testing.T) {
			config, err := driverConfig(Config{Host: c.host, Port: 3306, RootCAs: c.roots})
			if err != nil {
				t.Fatal(err)
			}
			config.DialFunc = func(ctx context.Context, network, _ string) (net.Conn, error) {
				return new(net.Dialer).DialContext(ctx, network, admin.Addr)
			}
			credentials := func(context.Context, int) (string, string, error) { return admin.User, admin.Passwd, nil }
			db := sql.OpenDB(&connector{config: config, credentials: credentials})
			defer db.Close()
			err = db.PingContext(t.Context())
			if c.want == "" && err != nil || c.want != "" && (err == nil || !strings.Contains(err.Error(), c.want)) {
				t.Fatalf("got %v, want an error with %q", err, c.want)
			}
			if c.want != "" {
				return
			}
			var name, cipher string
			err = db.QueryRowContext(t.Context(), `SHOW STATUS LIKE 'Ssl_cipher'`).Scan(&name, &cipher)
			if err != nil || cipher == "" {
				t.Errorf("the cipher is %q, %v; want an encrypted connection", cipher, err)
			}
		})
	}
}

func TestAuthoritiesOfTheDatabaseAndItsProxyAreTrusted(t *testing.T) {
	// The names are the subjects of the certificates. https://www.amazontrust.com/repository/ lists
	// Amazon's own.
	seoul, ohio := "Amazon RDS ap-northeast-2 Root CA RSA2048 G1", "Amazon RDS us-east-2 Root CA RSA2048 G1"
	amazon := []string{"Amazon Root CA 1", "Amazon Root CA 2", "Amazon Root CA 3", "Amazon Root CA 4"}
	for _, c := range []struct {
		host string
		want []string
		not  string
	}{
		{"database.c1.ap-northeast-2.rds.amazonaws.com", append([]string{seoul}, amazon...), ohio},
		{"proxy.proxy-c1.us-east-2.rds.amazonaws.com", append([]string{ohio}, amazon...), seoul},
		// an unknown region
		{"database.c1.moon-1.rds.amazonaws.com", append([]string{seoul, ohio}, amazon...), ""},
		{"database.example", append([]string{seoul, ohio}, amazon...), ""},
	} {
		config, err := driverConfig(Config{Host: c.host, Port: 3306})
		if err != nil {
			t.Fatal(err)
		}
		trusted := map[string]bool{}
		for name, certificate := range embedded(t) {
			_, err := certificate.Verify(x509.VerifyOptions{Roots: config.TLS.RootCAs})
			trusted[name] = err == nil
		}
		for _, name := range c.want {
			if !trusted[name] {
				t.Errorf("%s: %s is not trusted", c.host, name)
			}
		}
		if trusted[c.not] {
			t.Errorf("%s: %s, of another region, is trusted", c.host, c.not)
		}
	}
}

// embedded returns the certificates that the package contains, by the name in their subject.
func embedded(t *testing.T) map[string]*x509.Certificate {
	t.Helper()
	all := map[string]*x509.Certificate{}
	err := fs.WalkDir(authorities, ".", func(path string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() {
			return err
		}
		text, err := authorities.ReadFile(path)
		if err != nil {
			return err
		}
		for block, rest := pem.Decode(text); block != nil; block, rest = pem.Decode(rest) {
			c, err := x509.ParseCertificate(block.Bytes)
			if err != nil {
				return fmt.Errorf("%s: %w", path, err)
			}
			if region := strings.TrimSuffix(filepath.Base(path), ".pem"); region != "amazon" &&
				!strings.Contains(c.Subject.CommonName, " "+region+" ") {
				t.Errorf("%s has the certificate of %s", path, c.Subject.CommonName)
			}
			all[c.Subject.CommonName] = c
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return all
}

func TestRefusedCredentialsAreReplaced(t *testing.T) {
	server, err := mariadb.Start(t.Context(), mariadb.Config{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := server.Stop(); err != nil {
			t.Error(err)
		}
	})
	admin := server.Admin()
	for _, c := range []struct {
		name      string
		passwords [3]string // of each try
		reads     int
		works     bool
	}{
		{"the password is right", [3]string{admin.Passwd}, 1, true},
		{"the password was rotated", [3]string{"old", admin.Passwd}, 2, true},
		{"the proxy knows the previous password only", [3]string{"old", "new", admin.Passwd}, 3, true},
		{"every password is wrong", [3]string{"old", "new", "previous"}, 3, false},
	} {
		t.Run(c.name, func(t *testing.T) {
			config := admin.Clone()
			reads := 0
			credentials := func(_ context.Context, try int) (string, string, error) {
				reads++
				return admin.User, c.passwords[try], nil
			}
			db := sql.OpenDB(&connector{config: config, credentials: credentials})
			defer db.Close()
			err := db.PingContext(t.Context())
			if (err == nil) != c.works || reads != c.reads {
				t.Errorf("got %v after %d reads of the secret; want it to work: %t, after %d reads",
					err, reads, c.works, c.reads)
			}
		})
	}
}

func TestErrorOfTheCredentialsHasItsCause(t *testing.T) {
	cause := errors.New("AccessDeniedException")
	db, err := Open(Config{
		Host: "127.0.0.1", Port: 1, MaxConnections: 1,
		Credentials: func(context.Context, int) (string, string, error) { return "", "", cause },
	})
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	if err := db.PingContext(t.Context()); !errors.Is(err, cause) || !errors.Is(err, ErrCredentials) {
		t.Errorf("got %v, want the cause and ErrCredentials", err)
	}
}

func TestDeadlocksAreRetried(t *testing.T) {
	deadlock := &gomysql.MySQLError{Number: errDeadlock}
	for _, c := range []struct {
		name  string
		fails int
		err   error
		runs  int
		ok    bool
	}{
		{"it works", 0, deadlock, 1, true},
		{"two deadlocks", 2, deadlock, 3, true},
		{"deadlocks only", 100, deadlock, 5, false},
		{"a lock wait timeout", 100, &gomysql.MySQLError{Number: 1205}, 1, false},
	} {
		synctest.Test(t, func(t *testing.T) {
			runs, last := 0, time.Time{}
			err := retryDeadlocks(t.Context(), func() error {
				least, pause := 5*time.Millisecond<<(runs-min(runs, 1)), time.Since(last)
				if runs > 0 && (pause < least || pause >= 2*least) {
					t.Errorf("%s: run %d came after %v, want %v or more, and less than %v",
						c.name, runs+1, pause, least, 2*least)
				}
				last = time.Now()
				if runs++; runs <= c.fails {
					return c.err
				}
				return nil
			})
			if runs != c.runs || (err == nil) != c.ok {
				t.Errorf("%s: %d runs, %v; want %d runs, and success: %t", c.name, runs, err, c.runs, c.ok)
			}
		})
	}
}

// Transactions that pause for the same time would meet again.
func TestPausesAfterDeadlocksDiffer(t *testing.T) {
	totals := map[time.Duration]bool{}
	for range 10 {
		synctest.Test(t, func(t *testing.T) {
			began := time.Now()
			_ = retryDeadlocks(t.Context(), func() error { return &gomysql.MySQLError{Number: errDeadlock} })
			totals[time.Since(began)] = true
		})
	}
	if len(totals) == 1 {
		t.Errorf("ten transactions had the same pauses: %v", totals)
	}
}

func TestPauseAfterADeadlockEndsWithTheContext(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithTimeout(t.Context(), time.Millisecond)
		defer cancel()
		runs := 0
		err := retryDeadlocks(ctx, func() error {
			runs++
			return &gomysql.MySQLError{Number: errDeadlock}
		})
		if runs != 1 || serverError(err) != errDeadlock {
			t.Errorf("got %v after %d runs, want the deadlock after 1", err, runs)
		}
	})
}
