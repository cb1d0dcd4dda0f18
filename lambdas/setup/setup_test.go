package main

import (
	"context"
	"errors"
	"log/slog"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/secretsmanager"
	"github.com/aws/aws-sdk-go-v2/service/secretsmanager/types"

	"restock/internal/mysql"
	"restock/internal/mysql/mysqltest"
	"restock/internal/secrets"
)

func TestMain(m *testing.M) { mysqltest.Main(m) }

// A vault is a Secrets Manager in memory.
type vault struct {
	values map[string]string
	broken error // what writing answers
}

func (v *vault) GetSecretValue(_ context.Context, in *secretsmanager.GetSecretValueInput, _ ...func(*secretsmanager.Options)) (*secretsmanager.GetSecretValueOutput, error) {
	value, ok := v.values[*in.SecretId]
	if !ok {
		return nil, &types.ResourceNotFoundException{}
	}
	return &secretsmanager.GetSecretValueOutput{SecretString: aws.String(value)}, nil
}

func (v *vault) PutSecretValue(_ context.Context, in *secretsmanager.PutSecretValueInput, _ ...func(*secretsmanager.Options)) (*secretsmanager.PutSecretValueOutput, error) {
	if v.broken != nil {
		return nil, v.broken
	}
	v.values[*in.SecretId] = *in.SecretString
	return &secretsmanager.PutSecretValueOutput{}, nil
}

func newSetup(d *mysqltest.Database, v *vault) setup {
	return setup{
		db:          d.Admin,
		login:       secrets.New[secrets.Login](v, "database"),
		callbackKey: secrets.New[secrets.CallbackKey](v, "callback-key"),
		user:        d.User,
		log:         slog.New(slog.DiscardHandler),
	}
}

func TestSetupOfAnEmptyDatabaseLetsTheFunctionsIn(t *testing.T) {
	d, v := mysqltest.Empty(t), &vault{values: map[string]string{}}
	t.Cleanup(func() { d.DropUser(t) })
	var first map[string]string
	for i := range 3 { // a deployment may run it again
		if _, err := newSetup(d, v).run(t.Context()); err != nil {
			t.Fatal(err)
		}
		if i == 0 {
			first = map[string]string{"database": v.values["database"], "callback-key": v.values["callback-key"]}
		}
	}
	if v.values["database"] != first["database"] || v.values["callback-key"] != first["callback-key"] {
		t.Error("setup changed a secret that had a value")
	}
	login, err := secrets.New[secrets.Login](v, "database").Get(t.Context(), false)
	if err != nil || len(login.Password) < 20 {
		t.Fatalf("the login is of %q with a password of %d characters, %v", login.Username, len(login.Password), err)
	}
	key, err := secrets.New[secrets.CallbackKey](v, "callback-key").Get(t.Context(), false)
	if err != nil || len(key.Key) != 32 {
		t.Errorf("the callback key has %d bytes, %v; want 32", len(key.Key), err)
	}
	products, err := mysql.NewStore(d.Open(t, login.Username, login.Password, 1)).Products(t.Context())
	if err != nil || len(products) != 1 {
		t.Errorf("as the functions' user: got %+v, %v; want the seed's product", products, err)
	}
}

func TestSetupMakesNoUserWhosePasswordIsLost(t *testing.T) {
	d, v := mysqltest.Empty(t), &vault{values: map[string]string{}, broken: errors.New("AccessDeniedException")}
	_, err := newSetup(d, v).run(t.Context())
	if err == nil || !strings.Contains(err.Error(), "AccessDeniedException") {
		t.Fatalf("got %v, want the error of the secret", err)
	}
	if users := d.Number(t, `SELECT COUNT(*) FROM mysql.user WHERE user = ?`, d.User); users != 0 {
		t.Errorf("%d users were made, want none", users)
	}
}
