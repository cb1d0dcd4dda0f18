package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"restock/internal/mysql"
	"restock/internal/mysql/mysqltest"
	"restock/internal/secrets"
	"restock/internal/secrets/secretstest"
	"restock/internal/shop"
	"restock/lambdas"
)

func TestMain(m *testing.M) { mysqltest.Main(m) }

func newSetup(d *mysqltest.Database, v *secretstest.Vault) setup {
	return setup{
		db:          d.Admin,
		login:       secrets.New[secrets.Login](v, "database"),
		callbackKey: secrets.New[secrets.CallbackKey](v, "callback-key"),
		user:        d.User,
		catalogue:   lambdas.TestCatalogue,
		log:         slog.New(slog.DiscardHandler),
	}
}

func TestSetupPreparesAnEmptyDatabaseAndKeepsSecrets(t *testing.T) {
	d, v := mysqltest.Empty(t), &secretstest.Vault{}
	t.Cleanup(func() { d.DropUser(t) })
	var first map[string]string
	for i := range 3 { // every deployment may run setup again
		if _, err := newSetup(d, v).run(t.Context()); err != nil {
			t.Fatal(err)
		}
		if i == 0 {
			first = map[string]string{"database": v.Value("database"), "callback-key": v.Value("callback-key")}
		}
	}
	if v.Value("database") != first["database"] || v.Value("callback-key") != first["callback-key"] {
		t.Error("setup changed a secret that had a value")
	}
	login, err := secrets.New[secrets.Login](v, "database").Get(t.Context(), false)
	if err != nil || len(login.Password) < 20 {
		t.Fatalf("the login has the user %q and a password of %d characters, %v; want 20 or more", login.Username,
			len(login.Password), err)
	}
	key, err := secrets.New[secrets.CallbackKey](v, "callback-key").Get(t.Context(), false)
	if err != nil || len(key.Key) != 32 {
		t.Errorf("the callback key has %d bytes, %v; want 32", len(key.Key), err)
	}
	products, err := mysql.NewStore(d.Open(t, login.Username, login.Password, 1)).Products(t.Context())
	if err != nil || len(products) == 0 {
		t.Errorf("as the functions' user: got %+v, %v; want the catalogue's products", products, err)
	}
}

// TestEveryCatalogueFillsANewDatabase also checks the products against the shop's rules.
func TestEveryCatalogueFillsANewDatabase(t *testing.T) {
	for _, name := range lambdas.Catalogues() {
		t.Run(name, func(t *testing.T) {
			d := mysqltest.Empty(t)
			t.Cleanup(func() { d.DropUser(t) })
			s := newSetup(d, &secretstest.Vault{})
			s.catalogue = name
			if _, err := s.run(t.Context()); err != nil {
				t.Fatal(err)
			}
			store := mysql.NewStore(d.Admin)
			products, err := store.Products(t.Context())
			if err != nil || (len(products) == 0) != (name == lambdas.EmptyCatalogue) {
				t.Errorf("got %d products, %v; want products in all catalogues but %s", len(products), err,
					lambdas.EmptyCatalogue)
			}
			if d.Number(t, `SELECT COUNT(*) FROM factory`) == 0 {
				t.Error("the catalogue has no factory, so the merchant can create no product")
			}
			for _, p := range products {
				changed, err := shop.Open(store, nil, shop.Discard).ChangeProduct(t.Context(), p.SKU,
					shop.ProductChange{Name: &p.Name})
				if err != nil || changed.Name != p.Name {
					t.Errorf("product %s %q: got %q, %v; want a product that the shop accepts, with a name in NFC",
						p.SKU, p.Name, changed.Name, err)
				}
			}
			d.CheckBooks(t)
		})
	}
}

func TestSetupRestoresNoProductThatTheMerchantHasChangedOrRemoved(t *testing.T) {
	d := mysqltest.Empty(t)
	t.Cleanup(func() { d.DropUser(t) })
	s := newSetup(d, &secretstest.Vault{})
	const state = `SELECT GROUP_CONCAT(sku, name, price, automatic ORDER BY sku) FROM product`
	var before, after string
	run := func(into *string) {
		if _, err := s.run(t.Context()); err != nil {
			t.Fatal(err)
		}
		if err := d.Admin.QueryRowContext(t.Context(), state).Scan(into); err != nil {
			t.Fatal(err)
		}
	}
	run(&before)
	d.Exec(t, `UPDATE product SET name = 'Old doughnut', price = 1, automatic = FALSE WHERE sku = ?`, mysqltest.Donut)
	for _, table := range []string{"movement", "bin_checkpoint", "bin", "product"} {
		d.Exec(t, `DELETE FROM `+table+` WHERE product_id = (SELECT product_id FROM (SELECT * FROM product) p
			WHERE p.sku = ?)`, mysqltest.Mochi)
	}
	run(&after)
	if want := "CP-502101Old doughnut10,CP-502102꽈배기25001"; after != want {
		t.Errorf("the products were %q, are %q; want %q", before, after, want)
	}
}

func TestAnUnknownCatalogueFailsTheDeployment(t *testing.T) {
	d := mysqltest.Empty(t)
	s := newSetup(d, &secretstest.Vault{})
	s.catalogue = "bread"
	if _, err := s.run(t.Context()); err == nil || !strings.Contains(err.Error(), "catalogue bread") {
		t.Errorf("got %v, want an error that names the catalogue", err)
	}
}

func TestSetupCreatesNoUserIfThePasswordCannotBeStored(t *testing.T) {
	d, v := mysqltest.Empty(t), &secretstest.Vault{Broken: errors.New("AccessDeniedException")}
	_, err := newSetup(d, v).run(t.Context())
	if err == nil || !strings.Contains(err.Error(), "AccessDeniedException") {
		t.Fatalf("got %v, want the error of the secret", err)
	}
	if users := d.Number(t, `SELECT COUNT(*) FROM mysql.user WHERE user = ?`, d.User); users != 0 {
		t.Errorf("%d users were created, want none", users)
	}
}

// A gate stands for RDS Proxy: it lets a login pass if one of its secrets has it. It knows the
// secrets as they were when it last looked.
type gate struct {
	v *secretstest.Vault

	mu    sync.Mutex // guards known
	known []string
}

func (g *gate) look() {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.known = []string{g.v.Value("proxy-first"), g.v.Value("proxy-second")}
}

// credentials returns a wrong password in place of a login that the gate does not know, so the
// server refuses it with the same error.
func (g *gate) credentials(login *secrets.Secret[secrets.Login]) func(context.Context, int) (string, string, error) {
	return func(ctx context.Context, try int) (string, string, error) {
		user, password, err := secrets.Credentials(login)(ctx, try)
		g.mu.Lock()
		defer g.mu.Unlock()
		if !slices.Contains(g.known, fmt.Sprintf(`{"username":%q,"password":%q}`, user, password)) {
			password = "unknown to the proxy"
		}
		return user, password, err
	}
}

func TestSalesSucceedDuringRotations(t *testing.T) {
	t.Run("directly", func(t *testing.T) { sellDuringRotations(t, lambdas.SetupEnvironment{}) })
	// The proxy notices a rotation only after the next sales.
	t.Run("behind a slow proxy", func(t *testing.T) {
		sellDuringRotations(t, lambdas.SetupEnvironment{ProxyFirst: "proxy-first", ProxySecond: "proxy-second"})
	})
}

func sellDuringRotations(t *testing.T, e lambdas.SetupEnvironment) {
	d, v := mysqltest.Empty(t), &secretstest.Vault{}
	t.Cleanup(func() { d.DropUser(t) })
	s, proxy := newSetup(d, v), &gate{v: v}
	s.proxy = newProxySecrets(v, e)
	e.Host, e.Port, e.Name = d.Host, d.Port, d.Name
	rotation := secrets.Rotation[secrets.Login]{
		Client: v, ARN: "database", Next: nextLogin, Set: s.setUser,
		Test: tryLogin(e),
	}
	handle := s.handler(rotation)
	if _, err := handle(t.Context(), event{}); err != nil {
		t.Fatal(err)
	}
	proxy.look()
	d.SetStock(t, 1_000_000)

	// An instance opens a new connection for every sale, with a cached login.
	instance := func() *shop.Shop {
		login := secrets.Credentials(secrets.New[secrets.Login](v, "database"))
		if e.ProxyFirst != "" {
			login = proxy.credentials(secrets.New[secrets.Login](v, "database"))
		}
		db, err := mysql.Open(mysql.Config{
			Host: d.Host, Port: d.Port, Name: d.Name, MaxConnections: 1, Credentials: login,
		})
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { db.Close() })
		db.SetConnMaxLifetime(time.Nanosecond)
		return shop.Open(mysql.NewStore(db), nil, shop.Discard)
	}
	buy := func(s *shop.Shop) {
		if _, err := s.Buy(t.Context(), shop.Purchase{SKU: mysqltest.Donut, Quantity: 1}); err != nil {
			t.Errorf("a sale during a rotation: %v", err)
		}
	}
	buying, stop := context.WithCancel(t.Context())
	var buyers sync.WaitGroup
	for range 4 {
		s := instance()
		buyers.Go(func() {
			for buying.Err() == nil {
				buy(s)
			}
		})
	}
	sold := func() int { return d.Number(t, `SELECT COUNT(*) FROM sale`) }
	users := map[string]bool{}
	for i := range 4 {
		before := v.Value("database")
		token := fmt.Sprint("rotation ", i)
		v.Announce("database", token)
		for _, step := range []string{"createSecret", "setSecret", "testSecret", "finishSecret"} {
			e := event{Step: step, SecretID: "database", ClientRequestToken: token}
			if _, err := handle(t.Context(), e); err != nil {
				t.Fatal(err)
			}
			buy(instance())                   // a new instance reads the secret now
			for at := sold(); sold() == at; { // a sale follows each step
				if t.Context().Err() != nil || t.Failed() {
					t.Fatal("the sales have stopped")
				}
			}
		}
		login, err := secrets.New[secrets.Login](v, "database").Get(t.Context(), false)
		if err != nil || v.Value("database") == before {
			t.Fatalf("the login has not changed, %v", err)
		}
		users[login.Username] = true
		proxy.look()
	}
	stop()
	buyers.Wait()
	if len(users) != 2 {
		t.Errorf("the users of the logins are %v, want two users in turn", users)
	}
	d.CheckBooks(t)
}

// TestProxyOfAStageThatHasRotated: functions may still use the previous login when the proxy comes.
func TestProxyOfAStageThatHasRotated(t *testing.T) {
	d, v := mysqltest.Empty(t), &secretstest.Vault{}
	t.Cleanup(func() { d.DropUser(t) })
	s := newSetup(d, v)
	if _, err := s.run(t.Context()); err != nil {
		t.Fatal(err)
	}
	first := v.Value("database")
	second := fmt.Sprintf(`{"username":%q,"password":"second"}`, d.User+secondUser)
	v.Set("database", second)
	s.proxy = newProxySecrets(v, lambdas.SetupEnvironment{ProxyFirst: "proxy-first", ProxySecond: "proxy-second"})
	for range 2 { // every deployment may run setup again
		if _, err := s.run(t.Context()); err != nil {
			t.Fatal(err)
		}
		if v.Value("proxy-first") != first || v.Value("proxy-second") != second {
			t.Error("the proxy does not know the previous login and the current one")
		}
	}
	for _, secret := range []string{"proxy-first", "proxy-second"} {
		login, err := secrets.New[secrets.Login](v, secret).Get(t.Context(), false)
		if err == nil {
			_, err = mysql.NewStore(d.Open(t, login.Username, login.Password, 1)).Products(t.Context())
		}
		if err != nil {
			t.Errorf("with the login of %s: %v", secret, err)
		}
	}
}

func TestALoginThatTheDatabaseRefusesFailsItsTest(t *testing.T) {
	d, v := mysqltest.Empty(t), &secretstest.Vault{}
	t.Cleanup(func() { d.DropUser(t) })
	s := newSetup(d, v)
	rotation := secrets.Rotation[secrets.Login]{
		Client: v, ARN: "database", Next: nextLogin,
		Test: tryLogin(lambdas.SetupEnvironment{Host: d.Host, Port: d.Port, Name: d.Name}),
		Set:  func(context.Context, secrets.Login) error { return nil }, // does not set the password
	}
	handle := s.handler(rotation)
	if _, err := handle(t.Context(), event{}); err != nil {
		t.Fatal(err)
	}
	v.Announce("database", "rotation")
	for _, step := range []string{"createSecret", "setSecret"} {
		e := event{Step: step, SecretID: "database", ClientRequestToken: "rotation"}
		if _, err := handle(t.Context(), e); err != nil {
			t.Fatal(err)
		}
	}
	_, err := handle(t.Context(), event{Step: "testSecret", SecretID: "database", ClientRequestToken: "rotation"})
	if err == nil || !strings.Contains(err.Error(), "Access denied") {
		t.Errorf("testing a login that was never set: got %v, want the database's refusal", err)
	}
}
