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

// secondUser, behind the name of the functions' first user, names their second.
const secondUser = "_2"

// nextLogin is the other of the functions' two users, with a new password. They take turns: the user of the login before keeps its password
// until the rotation after, so that at no moment a login that was just read is refused.
// https://docs.aws.amazon.com/secretsmanager/latest/userguide/rotation-strategy.html#rotating-secrets-two-users
func nextLogin(now secrets.Login) secrets.Login {
	user, isSecond := strings.CutSuffix(now.Username, secondUser)
	if !isSecond {
		user += secondUser
	}
	return secrets.Login{Username: user, Password: rand.Text()}
}

// tryLogin opens the database with a login, and asks it for what every function reads.
func tryLogin(e lambdas.SetupEnvironment) func(context.Context, secrets.Login) error {
	return func(ctx context.Context, login secrets.Login) error {
		db, err := mysql.Open(mysql.Config{
			Host: e.Host, Port: e.Port, Name: e.Name, MaxConnections: 1,
			Credentials: func(context.Context, bool) (string, string, error) { return login.Username, login.Password, nil },
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
