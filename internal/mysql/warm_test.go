package mysql

import (
	"context"
	"database/sql"
	"net"
	"sync/atomic"
	"testing"
)

func TestTheFirstStatementUsesTheConnectionThatConnectOpened(t *testing.T) {
	server, pool := tlsServer(t)
	admin := server.Admin()
	config, err := driverConfig(Config{Host: host, Port: 3306, RootCAs: pool})
	if err != nil {
		t.Fatal(err)
	}
	var dialled, logins atomic.Int32
	config.DialFunc = func(ctx context.Context, network, _ string) (net.Conn, error) {
		dialled.Add(1)
		return new(net.Dialer).DialContext(ctx, network, admin.Addr)
	}
	credentials := func(context.Context, int) (string, string, error) {
		logins.Add(1)
		return admin.User, admin.Passwd, nil
	}
	store := NewStore(sql.OpenDB(&connector{config, credentials}))
	t.Cleanup(func() { _ = store.db.Close() })
	for range 2 { // the second call finds an open connection
		if err := store.Connect(t.Context()); err != nil {
			t.Fatal(err)
		}
		if dialled.Load() != 1 || logins.Load() != 1 {
			t.Fatalf("Connect dialled %d times, and read the credentials %d times, want once each",
				dialled.Load(), logins.Load())
		}
	}
	var name, cipher string
	err = store.db.QueryRowContext(t.Context(), `SHOW STATUS LIKE 'Ssl_cipher'`).Scan(&name, &cipher)
	if err != nil || cipher == "" {
		t.Errorf("the cipher is %q, %v; want an encrypted connection", cipher, err)
	}
	if dialled.Load() != 1 || logins.Load() != 1 {
		t.Errorf("the first statement dialled again (%d in all) or read the credentials again (%d)",
			dialled.Load(), logins.Load())
	}
}
