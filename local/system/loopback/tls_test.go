package loopback

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"io"
	"log/slog"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"restock/test/await"
)

// lockedText is a text that goroutines write.
type lockedText struct {
	mu   sync.Mutex
	text strings.Builder
}

func (l *lockedText) Write(b []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.Write(b)
}

func (l *lockedText) contains(text string) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	return strings.Contains(l.text.String(), text)
}

func TestOnlyClientsThatTrustTheCertificateAreServed(t *testing.T) {
	listener, err := Listen("127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	const hint = "-some-flag is set: trust the certificate"
	certificate, err := listener.Certify("some -some-flag", hint)
	if err != nil {
		t.Fatal(err)
	}
	var log lockedText
	server := &http.Server{ReadHeaderTimeout: time.Minute, Handler: http.HandlerFunc(
		func(w http.ResponseWriter, r *http.Request) { _, _ = io.WriteString(w, "served "+r.URL.Path) })}
	done := make(chan error, 1)
	go func() { done <- listener.Serve(server, nil, slog.New(slog.NewTextHandler(&log, nil))) }()
	t.Cleanup(func() {
		server.Close()
		await.Receive(t, "the server has ended", done)
	})
	trusting := x509.NewCertPool()
	if !trusting.AppendCertsFromPEM(certificate) {
		t.Fatalf("not a certificate: %s", certificate)
	}
	request := func(url, host string, roots *x509.CertPool) (status int, body string, err error) {
		transport := &http.Transport{TLSClientConfig: &tls.Config{RootCAs: roots}}
		defer transport.CloseIdleConnections()
		large := strings.NewReader(strings.Repeat("x", 8<<10)) // the server reads only a part of it
		r, err := http.NewRequestWithContext(t.Context(), http.MethodPost, url, large)
		if err != nil {
			t.Fatal(err)
		}
		if host != "" {
			r.Host = host
		}
		response, err := (&http.Client{Transport: transport}).Do(r)
		if err != nil {
			return 0, "", err
		}
		defer response.Body.Close()
		text, err := io.ReadAll(response.Body)
		return response.StatusCode, string(text), err
	}
	url := listener.URL()
	if !strings.HasPrefix(url, "https://") {
		t.Errorf("the URL is %s, want https", url)
	}
	if status, body, err := request(url+"/a", "", trusting); err != nil || body != "served /a" {
		t.Errorf("with the certificate: got %d %q, %v; want it served", status, body, err)
	}
	if status, body, err := request(url, "evil.example", trusting); err != nil || status != http.StatusForbidden {
		t.Errorf("of another host: got %d %q, %v; want 403", status, body, err)
	}
	_, _, err = request(url, "", x509.NewCertPool())
	if unknown := (x509.UnknownAuthorityError{}); !errors.As(err, &unknown) ||
		unknown.Cert.Issuer.CommonName != "some -some-flag" {
		t.Errorf("without the certificate: got %v, want the unknown authority some -some-flag", err)
	}
	await.Until(t, "the log has the hint", func() bool { return log.contains("hint=\"" + hint + "\"") })
	status, body, err := request(strings.Replace(url, "https", "http", 1), "", nil)
	if err != nil || status != http.StatusBadRequest || body != `{"message":"`+hint+`"}` {
		t.Errorf("without TLS: got %d %q, %v; want 400 with the hint", status, body, err)
	}
}
