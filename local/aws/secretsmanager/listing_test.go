package secretsmanager

import (
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/google/uuid"
)

func TestListSecretsFiltersAndSorts(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, ctx := newService(t), t.Context()
		for _, in := range []createSecretInput{
			{Name: "Shop/key", Description: "Signs callback URLs", Tags: []tag{{"team", "Purchasing"}}},
			{Name: "shop/database", Description: "The login of the shop"},
			{Name: "other", Tags: []tag{{"Team", "shop"}}},
		} {
			time.Sleep(time.Second)
			in.ClientRequestToken = uuid.NewString()
			if _, err := s.createSecret(ctx, in); err != nil {
				t.Fatal(err)
			}
		}
		if err := s.Create(SecretConfig{Name: "rds!db-1", ARN: "arn:master", Value: "v"}); err != nil {
			t.Fatal(err)
		}
		time.Sleep(time.Second)
		if _, err := s.updateSecret(ctx, updateSecretInput{
			SecretID: "name", ClientRequestToken: uuid.NewString(), Description: aws.String("login"),
		}); err != nil {
			t.Fatal(err)
		}
		byKey := func(key string, values ...string) []filter { return []filter{{key, values}} }
		for _, tt := range []struct {
			in   listSecretsInput
			want string
		}{
			{listSecretsInput{}, "name Shop/key shop/database other rds!db-1"},
			{listSecretsInput{SortOrder: "desc"}, "rds!db-1 other shop/database Shop/key name"},
			{listSecretsInput{SortBy: "name"}, "Shop/key name other rds!db-1 shop/database"},
			{listSecretsInput{SortBy: "last-changed-date", SortOrder: "desc"},
				"name rds!db-1 other shop/database Shop/key"},
			{listSecretsInput{Filters: byKey("name", "shop")}, "shop/database"},
			{listSecretsInput{Filters: byKey("name", "shop", "other")}, "shop/database other"},
			{listSecretsInput{Filters: byKey("name", "!shop")}, "name Shop/key other rds!db-1"},
			{listSecretsInput{Filters: byKey("name", "database")}, ""},
			{listSecretsInput{Filters: byKey("description", "signs CALL")}, "Shop/key"},
			{listSecretsInput{Filters: byKey("tag-key", "team")}, "Shop/key"},
			{listSecretsInput{Filters: byKey("tag-value", "shop")}, "other"},
			{listSecretsInput{Filters: byKey("owning-service", "rds")}, "rds!db-1"},
			{listSecretsInput{Filters: byKey("primary-region", "us-")}, ""},
			{listSecretsInput{Filters: byKey("all", "SHOP login")}, "shop/database"},
			{listSecretsInput{Filters: append(byKey("all", "login"), byKey("name", "n")...)}, "name"},
		} {
			out, err := s.listSecrets(ctx, tt.in)
			var names []string
			for _, listed := range out.SecretList {
				names = append(names, listed.Name)
			}
			if got := strings.Join(names, " "); err != nil || got != tt.want {
				t.Errorf("%+v: got %q, %v; want %q", tt.in, got, err, tt.want)
			}
		}
		for _, in := range []listSecretsInput{
			{Filters: byKey("colour", "red")}, {Filters: byKey("name")},
			{Filters: byKey("name", slices.Repeat([]string{"x"}, 11)...)},
			{SortBy: "colour"}, {SortOrder: "up"}, {MaxResults: 101},
		} {
			if _, err := s.listSecrets(ctx, in); code(err) != "InvalidParameterException" {
				t.Errorf("%+v: got %v, want InvalidParameterException", in, err)
			}
		}
	})
}
