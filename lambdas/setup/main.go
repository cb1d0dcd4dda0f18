// Command setup prepares the database and the secrets in a deployment, and rotates the functions'
// database password.
package main

import (
	"github.com/aws/aws-sdk-go-v2/service/secretsmanager"

	"restock/internal/mysql"
	"restock/internal/secrets"
	"restock/lambdas"
	"restock/lambdas/function"
)

func main() { function.Start(newHandler) }

func newHandler(p function.Process[lambdas.SetupEnvironment]) (any, error) {
	client := secretsmanager.NewFromConfig(p.AWS)
	admin := secrets.New[secrets.Login](client, p.Environment.AdminSecret)
	db, err := mysql.Open(mysql.Config{
		Host: p.Environment.Host, Port: p.Environment.Port, Name: p.Environment.Name,
		Credentials: secrets.Credentials(admin), MaxConnections: lambdas.SetupConnections,
	})
	if err != nil {
		return nil, err
	}
	s := setup{
		db:          db,
		login:       secrets.New[secrets.Login](client, p.Environment.Secret),
		callbackKey: secrets.New[secrets.CallbackKey](client, p.Environment.CallbackKey),
		proxy:       newProxySecrets(client, p.Environment),
		user:        userPrefix + p.Environment.Name,
		catalogue:   p.Environment.Catalogue,
		log:         p.Log,
	}
	return s.handler(secrets.Rotation[secrets.Login]{
		Client: client, ARN: p.Environment.Secret,
		Next: nextLogin, Set: s.setUser, Test: tryLogin(p.Environment),
	}), nil
}
