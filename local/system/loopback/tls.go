package loopback

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/json"
	"encoding/pem"
	"fmt"
	"io"
	"math/big"
	"net"
	"time"
)

// certificateLifetime is longer than any run.
const certificateLifetime = 90 * 24 * time.Hour

// Certify makes the listener serve HTTPS with a new certificate for the names of this machine. It
// returns the certificate of the authority that clients must trust, in PEM. The authority signs
// only this certificate: nothing keeps its key. name is the name of the authority, which clients'
// errors show. hint is the answer to a request without TLS, and is logged when a handshake fails,
// for example because the client does not trust the authority. Call Certify before Serve.
func (l *Listener) Certify(name, hint string) (authority []byte, err error) {
	defer func() {
		if err != nil {
			err = fmt.Errorf("making a certificate for %s: %w", l.Addr(), err)
		}
	}()
	now := time.Now()
	ca := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: name},
		NotBefore: now.Add(-time.Hour), NotAfter: now.Add(certificateLifetime),
		KeyUsage: x509.KeyUsageCertSign, BasicConstraintsValid: true, IsCA: true,
	}
	caKey, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return nil, err
	}
	caDER, err := x509.CreateCertificate(rand.Reader, ca, ca, &caKey.PublicKey, caKey)
	if err != nil {
		return nil, err
	}
	if ca, err = x509.ParseCertificate(caDER); err != nil {
		return nil, err
	}
	leaf := &x509.Certificate{
		SerialNumber: big.NewInt(2), Subject: pkix.Name{CommonName: "localhost"},
		NotBefore: ca.NotBefore, NotAfter: ca.NotAfter, BasicConstraintsValid: true,
		KeyUsage: x509.KeyUsageDigitalSignature, ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth},
		DNSNames: []string{"localhost"}, IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1), net.IPv6loopback, l.Addr().IP},
	}
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return nil, err
	}
	der, err := x509.CreateCertificate(rand.Reader, leaf, ca, &key.PublicKey, caKey)
	if err != nil {
		return nil, err
	}
	l.hint = hint
	l.tls = &tls.Config{
		Certificates: []tls.Certificate{{Certificate: [][]byte{der}, PrivateKey: key}}, MinVersion: tls.VersionTLS12,
	}
	return pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: caDER}), nil
}

// An encrypted is a connection below TLS. It replaces net/http's answer to a client that speaks
// plain HTTP.
type encrypted struct {
	net.Conn
	hint string
}

// Write writes TLS records, which never begin with "HTTP/", or the answer.
func (c encrypted) Write(b []byte) (int, error) {
	if !bytes.HasPrefix(b, []byte("HTTP/")) {
		return c.Conn.Write(b)
	}
	body, _ := json.Marshal(map[string]string{"message": c.hint}) // cannot fail
	_, err := fmt.Fprintf(c.Conn, "HTTP/1.1 400 Bad Request\r\nContent-Type: application/json\r\nConnection: close\r\n"+
		"Content-Length: %d\r\n\r\n%s", len(body), body)
	if tcp, ok := c.Conn.(*net.TCPConn); err == nil && ok {
		// A close with unread data would reset the connection before the client reads the answer.
		_ = tcp.CloseWrite()
		_ = tcp.SetReadDeadline(time.Now().Add(time.Second))
		_, _ = io.CopyN(io.Discard, tcp, maxHeader)
	}
	return len(b), err
}
