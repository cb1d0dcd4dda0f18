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

func TestErrorsNameWrongSettings(t *testing.T) {
	const (
		zones   = `"zones":["ap-northeast-2a","ap-northeast-2c"]`
		factory = `"factoryUrl":"https://factory.example.com"`
	)
	// with adds settings to the required ones.
	with := func(settings string) string { return "{" + zones + "," + factory + "," + settings + "}" }
	for _, c := range []struct{ settings, want string }{
		{``, "zones are required"},
		{`[]`, "it is []: want an object"},
		{`{` + zones + `} {}`, "is not an object"},
		{with(`"zonez":[]`), `zonez is unknown: want one of alarmEmail, cdn, concurrency`},
		{with(`"database":{"instanceKlass":"db.t4g.micro"}`),
			"database.instanceKlass is unknown: want one of backupRetentionDays, instanceClass"},
		{with(`"database":{"storageGiB":"big"}`), `database.storageGiB is "big": want an integer`},
		{with(`"database":{"storageGiB":20.5}`), "database.storageGiB is 20.5: want an integer"},
		{with(`"database":{"maxStorageGiB":20}`), "database.maxStorageGiB is 20: want 0, or 22 to 65536"},
		{with(`"database":{"maxConnections":50}`), "database.maxConnections is 50: want 76 to 85"},
		{with(`"database":{"maxConnections":86}`), "database.maxConnections is 86: want 76 to 85"},
		{with(`"database":{"instanceClass":"db.t2.micro"}`),
			`database.instanceClass is "db.t2.micro": want one of [db.m6g.2xlarge`},
		{with(`"concurrency":{"sales-api":27}`),
			`database.instanceClass is "db.t4g.micro": want a class with memory for 96 connections or more, ` +
				`this one has it for 85: the functions may open 43 connections, twice as many while an update rolls ` +
				`out, and 10 stay free; or lower concurrency.sales-api by 6, to 21`},
		{with(`"database":{"maxConnections":50}`), "has memory for 85; or lower concurrency.sales-api by 13, to 4"},
		{with(`"concurrency":{"sales-api":40,"stock-increase":500}`),
			"; or lower concurrency.stock-increase by 498, to 2 and lower concurrency.sales-api by 13, to 27"},
		{with(`"concurrency":"none"`), `concurrency is "none": want an object or "unreserved"`},
		{with(`"concurrency":"unreserved","database":{"maxConnections":27}`),
			"database.maxConnections is 27: want 42 to 85"},
		{with(`"protect":true,"database":{"keepBackups":true,"backupRetentionDays":0}`),
			"database.backupRetentionDays is 0: want 1 to 35, because protect is true"},
		{with(`"protect":true`), "database.keepBackups is false: want true, because protect is true"},
		{with(`"protect":"yes"`), `protect is "yes": want true or false`},
		{with(`"factoryLeadTimeSeconds":0`), "factoryLeadTimeSeconds is 0: want 1 to 604800"},
		{with(`"endpointZones":["ap-northeast-2b"]`),
			"endpointZones is [ap-northeast-2b]: want one or more of the zones [ap-northeast-2a ap-northeast-2c]"},
		{with(`"corsOrigins":["www.example.com"]`), `corsOrigins is "www.example.com": want an origin like`},
		{with(`"corsOrigins":[7]`), `corsOrigins[0] is 7: want a string`},
		{with(`"domain":{"name":"shop","certificateArn":"arn:aws:acm:ap-northeast-2:1:certificate/x"}`),
			`domain.name is "shop": want a name like shop.example.com`},
		{with(`"domain":{"name":"shop.example.com","certificateArn":"arn:aws:acm:us-east-1:1:certificate/x"}`),
			"domain.certificateArn is"},
		{with(`"cdn":true,` +
			`"domain":{"name":"shop.example.com","certificateArn":"arn:aws:acm:ap-northeast-2:1:certificate/x"}`),
			"want the ARN of a certificate in Certificate Manager in us-east-1, the only region"},
		{with(`"cdn":"on"`), `cdn is "on": want true or false`},
		{with(`"concurrency":{"sale-api":3}`),
			"concurrency.sale-api is 3: want the name of a function: one of [ads factory merchant-api sales-api"},
		{with(`"concurrency":{"stock":1}`), "concurrency.stock is 1: want 2 to 1000"},
		{with(`"logRetentionDays":8`), "logRetentionDays is 8: want one of [1 3 5"},
		{with(`"alarmEmail":"nobody"`), `alarmEmail is "nobody": want an email address`},
		{with(`"secretRecoveryDays":5`), "secretRecoveryDays is 5: want 0, or 7 to 30"},
		{with(`"logRetentionDays":8,"secretRecoveryDays":5`), "3288 3653]; secretRecoveryDays is 5"},
		{`{"zones":["ap-northeast-2a"],` + factory + `}`, "zones is [ap-northeast-2a]: want two or more different"},
		{`{"zones":["ap-northeast-2a","ap-northeast-2a"],` + factory + `}`, "zones is"},
		{`{"zones":["ap-northeast-2a","us-east-1a"],` + factory + `}`, "zones is [ap-northeast-2a us-east-1a]: " +
			"want two or more different availability zones of ap-northeast-2"},
		{`{` + zones + `,"factoryUrl":"https://factory.example.com?x=1"}`, "factoryUrl is"},
		{`{` + zones + `,"factoryUrl":"https://me:secret@factory.example.com"}`, "factoryUrl is"},
		{`{` + zones + `,"factoryUrl":"factory"}`,
			`factoryUrl is "factory": want a URL without a path, like https://factory.example.com, or "simulated"`},
		{`{` + zones + `,"protect":true}`,
			`factoryUrl is "simulated": want a URL without a path, like https://factory.example.com: the stage is ` +
				`protected, and simulated goods do not exist`},
	} {
		o := options(t, "dev")
		o.Config["restock:settings"] = c.settings
		_, err := graph.Record(stack.Program(bundle.WithoutCode), o)
		if err == nil || !strings.Contains(err.Error(), c.want) ||
			!strings.Contains(err.Error(), "Pulumi.dev.yaml: restock:settings") {
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

func TestErrorsHideSecretsOfSettings(t *testing.T) {
	o := options(t, "dev")
	o.Config["restock:settings"] =
		`{"zones":["ap-northeast-2a","ap-northeast-2c"],"factoryUrl":"https://me:hunter2@factory.example.com"}`
	if _, err := graph.Record(stack.Program(bundle.WithoutCode), o); err == nil ||
		strings.Contains(err.Error(), "hunter2") {
		t.Errorf("got %v, want an error without the password", err)
	}
}
