package stack_test

import (
	"os"
	"reflect"
	"strings"
	"testing"

	"restock/infra/bundle"
	"restock/infra/graph"
	"restock/infra/stack"
)

func TestWrongSettingsAreRefusedByName(t *testing.T) {
	const good = `"zones":["ap-northeast-2a","ap-northeast-2c"],"factoryUrl":"https://factory.example.com"`
	for _, c := range []struct{ settings, want string }{
		{``, "zones and factoryUrl are needed"},
		{`{` + good + `,"zonez":[]}`, `zonez is unknown: want one of alarmEmail, concurrency`},
		{`[]`, "it is []: want an object"},
		{`{` + good + `} {}`, "is not an object"},
		{`{` + good + `,"database":{"instanceKlass":"db.t4g.micro"}}`, "database.instanceKlass is unknown: want one of backupRetentionDays, instanceClass"},
		{`{` + good + `,"database":{"storageGiB":"big"}}`, `database.storageGiB is "big": want a whole number`},
		{`{` + good + `,"database":{"storageGiB":20.5}}`, "database.storageGiB is 20.5: want a whole number"},
		{`{` + good + `,"database":{"maxStorageGiB":20}}`, "database.maxStorageGiB is 20: 0, or 22 to 65536"},
		{`{` + good + `,"database":{"maxConnections":50}}`, "database.maxConnections is 50: 84 to 85"},
		{`{` + good + `,"database":{"maxConnections":86}}`, "database.maxConnections is 86: 84 to 85"},
		{`{` + good + `,"database":{"instanceClass":"db.t2.micro"}}`, `database.instanceClass is "db.t2.micro": one of [db.m6g.2xlarge`},
		{`{` + good + `,"concurrency":{"sales-api":27}}`, `database.instanceClass is "db.t4g.micro": one that holds 96 connections or more, it holds 85: the functions' concurrency takes 43`},
		{`{` + good + `,"protect":"yes"}`, `protect is "yes": want true or false`},
		{`{` + good + `,"factoryLeadTimeSeconds":0}`, "factoryLeadTimeSeconds is 0: 1 to 604800"},
		{`{` + good + `,"endpointZones":["ap-northeast-2b"]}`, "endpointZones is [ap-northeast-2b]: one or more of the zones [ap-northeast-2a ap-northeast-2c]"},
		{`{` + good + `,"corsOrigins":["www.example.com"]}`, `corsOrigins is "www.example.com": a site like`},
		{`{` + good + `,"corsOrigins":[7]}`, `corsOrigins[0] is 7: want a text`},
		{`{` + good + `,"domain":{"name":"shop","certificateArn":"arn:aws:acm:ap-northeast-2:1:certificate/x"}}`, `domain.name is "shop": a name like shop.example.com`},
		{`{` + good + `,"domain":{"name":"shop.example.com","certificateArn":"arn:aws:acm:us-east-1:1:certificate/x"}}`, "domain.certificateArn is"},
		{`{` + good + `,"concurrency":{"sale-api":3}}`, "concurrency.sale-api is 3: the functions are [ads merchant-api sales-api"},
		{`{` + good + `,"concurrency":{"stock":1}}`, "concurrency.stock is 1: 2 to 1000"},
		{`{` + good + `,"logRetentionDays":8}`, "logRetentionDays is 8: one of [1 3 5"},
		{`{` + good + `,"alarmEmail":"nobody"}`, `alarmEmail is "nobody": an email address`},
		{`{` + good + `,"secretRecoveryDays":5}`, "secretRecoveryDays is 5: 0, or 7 to 30"},
		{`{"zones":["ap-northeast-2a"],"factoryUrl":"https://factory.example.com"}`, "zones is [ap-northeast-2a]: two different"},
		{`{` + good + `,"logRetentionDays":8,"secretRecoveryDays":5}`, "one of [1 3 5 7 14 30 60 90 120 150 180 365 400 545 731 1096 1827 2192 2557 2922 3288 3653]; secretRecoveryDays is 5"},
		{`{"zones":["ap-northeast-2a","ap-northeast-2a"],"factoryUrl":"https://factory.example.com"}`, "zones is"},
		{`{"zones":["ap-northeast-2a","us-east-1a"],"factoryUrl":"https://factory.example.com"}`, "zones is [ap-northeast-2a us-east-1a]: two different availability zones of ap-northeast-2"},
		{`{"zones":["ap-northeast-2a","ap-northeast-2c"],"factoryUrl":"https://factory.example.com?x=1"}`, "factoryUrl is"},
		{`{"zones":["ap-northeast-2a","ap-northeast-2c"],"factoryUrl":"https://me:secret@factory.example.com"}`, "factoryUrl is"},
		{`{"zones":["ap-northeast-2a","ap-northeast-2c"],"factoryUrl":"factory"}`, `factoryUrl is "factory"`},
	} {
		o := options(t, "dev")
		o.Config["restock:settings"] = c.settings
		_, err := graph.Record(stack.Program(bundle.WithoutCode), o)
		if err == nil || !strings.Contains(err.Error(), c.want) || !strings.Contains(err.Error(), "Pulumi.dev.yaml: restock:settings") {
			t.Errorf("settings %s: got error %v, want one that names the file and says %q", c.settings, err, c.want)
		}
	}
}

// keys lists the names that the fields of a settings struct have in a stage's file.
func keys(prefix string, settings reflect.Type) (names []string) {
	for i := range settings.NumField() {
		field := settings.Field(i)
		name := prefix + field.Tag.Get("json")
		of := field.Type
		if of.Kind() == reflect.Pointer {
			of = of.Elem()
		}
		switch of.Kind() {
		case reflect.Struct:
			names = append(names, keys(name+".", of)...)
		case reflect.Map:
			names = append(names, name+".<function>")
		default:
			names = append(names, name)
		}
	}
	return names
}

func TestReferenceNamesEverySetting(t *testing.T) {
	reference, err := os.ReadFile(projectDir + "/docs/reference.md")
	if err != nil {
		t.Fatal(err)
	}
	for _, key := range keys("", reflect.TypeFor[stack.Settings]()) {
		if !strings.Contains(string(reference), "`"+key+"`") {
			t.Errorf("docs/reference.md does not name the setting %s", key)
		}
	}
}

func TestSecretsInAWrongSettingAreNotShown(t *testing.T) {
	o := options(t, "dev")
	o.Config["restock:settings"] = `{"zones":["ap-northeast-2a","ap-northeast-2c"],"factoryUrl":"https://me:hunter2@factory.example.com"}`
	if _, err := graph.Record(stack.Program(bundle.WithoutCode), o); err == nil || strings.Contains(err.Error(), "hunter2") {
		t.Errorf("got %v, want an error without the password", err)
	}
}
