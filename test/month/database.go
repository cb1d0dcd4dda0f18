package main

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"net"
	"strconv"
	"strings"

	"github.com/aws/aws-lambda-go/events"
	gomysql "github.com/go-sql-driver/mysql"

	"restock/internal/factory"
	"restock/internal/mysql"
	"restock/internal/mysql/migrate"
	"restock/internal/secrets"
	"restock/internal/shop"
)

// openAdmin opens the database as the administrator.
func (w *world) openAdmin(ctx context.Context) error {
	c := w.Admin
	db, err := w.open(2, func(context.Context, int) (string, string, error) { return c.User, c.Passwd, nil })
	if err != nil {
		return err
	}
	w.admin = db
	_, err = migrate.Up(ctx, db)
	db.SetMaxOpenConns(1)
	return err
}

func (w *world) open(
	connections int, credentials func(context.Context, int) (string, string, error),
) (*sql.DB, error) {
	host, port, err := net.SplitHostPort(w.Admin.Addr)
	if err != nil {
		return nil, err
	}
	number, err := strconv.Atoi(port)
	if err != nil {
		return nil, err
	}
	return mysql.Open(mysql.Config{
		Host: host, Port: number, Name: w.Admin.DBName, MaxConnections: connections, Credentials: credentials,
	})
}

// fill stores the products, the functions' database user and the callback key.
func (w *world) fill(ctx context.Context) error {
	catalogue := map[string]any{
		"factories": []any{map[string]string{
			"identifier": factoryID, "name": "factory", "manager_email": "factory@example.com", "api": factory.Path,
		}},
		"products": w.products,
	}
	for _, p := range w.products {
		p.ID, p.Price, p.Factory, p.Automatic = w.newID(), 1000, factoryID, true
		w.bySKU[p.SKU] = p
	}
	text, err := json.Marshal(catalogue)
	if err != nil {
		return err
	}
	// The opening entries get the time of the database.
	if _, err := w.admin.ExecContext(ctx, `SET timestamp = ?`, w.now.Unix()); err != nil {
		return err
	}
	if _, err := migrate.Fill(ctx, w.admin, text); err != nil {
		return err
	}
	first := secrets.Login{Username: w.Admin.DBName, Password: "first"}
	if err := w.setUser(ctx, first); err != nil {
		return err
	}
	w.login = secrets.New[secrets.Login](w.vault, login)
	if err := w.login.Put(ctx, first); err != nil {
		return err
	}
	w.replaceKey()
	if err := w.connect(); err != nil {
		return err
	}
	for _, p := range w.products {
		if _, err := w.shop.ChangeProduct(ctx, p.SKU, shop.ProductChange{Bins: &p.Bins}); err != nil {
			return err
		}
	}
	return nil
}

// The names of the secrets and the topics.
const (
	login       = "login"
	callbackKey = "callback-key"
	stockEmpty  = "arn:stock_empty"
	people      = "arn:people"
)

func (w *world) setUser(ctx context.Context, l secrets.Login) error {
	return migrate.User(ctx, w.admin, l.Username, l.Password)
}

// connect makes all functions connect again. If the database is away, they cannot.
func (w *world) connect() error {
	if w.db != nil {
		if err := w.db.Close(); err != nil {
			return err
		}
	}
	credentials := secrets.Credentials(w.login)
	db, err := w.open(1, func(ctx context.Context, try int) (string, string, error) {
		if w.databaseDown {
			w.endInvocation() // it would ask again until its time is over
			return "", "", errors.New("the database is away")
		}
		return credentials(ctx, try)
	})
	if err != nil {
		return err
	}
	w.db = db
	w.shop.Store = mysql.NewStore(db)
	if w.breakage != nil {
		w.shop.Store = w.breakage(w.shop.Store)
	}
	return nil
}

// close closes the database, and drops its users: other databases on the server have users, too.
func (w *world) close() error {
	user := w.Admin.DBName
	_, err := w.admin.Exec("DROP USER IF EXISTS '" + user + "'@'%', '" + user + secondUser + "'@'%'")
	return errors.Join(err, w.db.Close(), w.admin.Close())
}

// secondUser is the suffix of the second database user. The two take turns, as in the function
// setup.
const secondUser = "_2"

// rotate rotates the login of the functions, and makes them connect again.
func (w *world) rotate(ctx context.Context) error {
	token := "rotation-" + strconv.Itoa(w.rotations)
	w.rotations++
	rotation := secrets.Rotation[secrets.Login]{
		Client: w.vault, ARN: login, Set: w.setUser,
		Next: func(now secrets.Login) secrets.Login {
			user, isSecond := strings.CutSuffix(now.Username, secondUser)
			if !isSecond {
				user += secondUser
			}
			return secrets.Login{Username: user, Password: token}
		},
		Test: func(ctx context.Context, next secrets.Login) error {
			db, err := w.open(1, func(context.Context, int) (string, string, error) {
				return next.Username, next.Password, nil
			})
			if err != nil {
				return err
			}
			defer db.Close()
			return db.PingContext(ctx)
		},
	}
	w.vault.Announce(login, token)
	for _, step := range []string{"createSecret", "setSecret", "testSecret", "finishSecret"} {
		err := rotation.Step(ctx, events.SecretsManagerSecretRotationEvent{
			SecretID: login, ClientRequestToken: token, Step: step,
		})
		if err != nil {
			return err
		}
	}
	return w.connect()
}

// createDatabase creates the database that a configuration names.
func createDatabase(ctx context.Context, c *gomysql.Config) error {
	name := c.DBName
	server := c.Clone()
	server.DBName = ""
	connector, err := gomysql.NewConnector(server)
	if err != nil {
		return err
	}
	db := sql.OpenDB(connector)
	defer db.Close()
	_, err = db.ExecContext(ctx, "CREATE DATABASE "+name+" CHARACTER SET utf8mb4")
	return err
}
