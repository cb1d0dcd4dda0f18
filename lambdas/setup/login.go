package main

import (
	"context"
	"crypto/rand"
	"fmt"
	"strings"

	"restock/internal/mysql"
	"restock/internal/secrets"
	"restock/lambdas"
)

// secondUser is the suffix of the second user's name. The rest is the first user's name.
const secondUser = "_2"

// proxySecrets are the secrets from which RDS Proxy knows the functions' two users. They are nil
// without a proxy.
type proxySecrets struct {
	first, second *secrets.Secret[secrets.Login]
}

func newProxySecrets(client secrets.Client, e lambdas.SetupEnvironment) (p proxySecrets) {
	if e.ProxyFirst != "" && e.ProxySecond != "" {
		p.first = secrets.New[secrets.Login](client, e.ProxyFirst)
		p.second = secrets.New[secrets.Login](client, e.ProxySecond)
	}
	return p
}

// of returns the secret of a user; nil without a proxy.
func (p proxySecrets) of(user string) *secrets.Secret[secrets.Login] {
	if strings.HasSuffix(user, secondUser) {
		return p.second
	}
	return p.first
}

// set stores a login in the secret of its user.
func (p proxySecrets) set(ctx context.Context, login secrets.Login) error {
	secret := p.of(login.Username)
	if secret == nil {
		return nil
	}
	if known, err := secret.Get(ctx, true); err == nil && known == login || err != nil && !secrets.IsEmpty(err) {
		return err
	}
	return secret.Put(ctx, login)
}

// nextLogin returns the login of the other of the functions' two users, with a new password. The
// users take turns: the user of the previous login keeps its password until the next rotation. So a
// login that a function has just read is never refused.
//
//	https://docs.aws.amazon.com/secretsmanager/latest/userguide/rotation-strategy.html#rotating-secrets-two-users
func nextLogin(now secrets.Login) secrets.Login {
	user, isSecond := strings.CutSuffix(now.Username, secondUser)
	if !isSecond {
		user += secondUser
	}
	return secrets.Login{Username: user, Password: rand.Text()}
}

// tryLogin returns a test of a login: it opens the database and reads the products.
func tryLogin(e lambdas.SetupEnvironment) func(context.Context, secrets.Login) error {
	return func(ctx context.Context, login secrets.Login) error {
		db, err := mysql.Open(mysql.Config{
			Host: e.Host, Port: e.Port, Name: e.Name, MaxConnections: 1,
			Credentials: func(context.Context, int) (string, string, error) {
				return login.Username, login.Password, nil
			},
		})
		if err != nil {
			return err
		}
		defer db.Close()
		if _, err := mysql.NewStore(db).Products(ctx); err != nil {
			return fmt.Errorf("as %s: %w", login.Username, err)
		}
		return nil
	}
}
