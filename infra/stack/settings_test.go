package stack_test

import (
	"fmt"
	"os"
	"reflect"
	"slices"
	"strings"
	"testing"

	"restock/infra/bundle"
	"restock/infra/recorder"
	"restock/infra/stack"
	"restock/lambdas"
)

func TestErrorsNameWrongSettings(t *testing.T) {
	const (
		zones   = `"zones":["ap-northeast-2a","ap-northeast-2c"]`
		factory = `"factoryUrl":"https://factory.example.com"`
	)
	const held, free = 85, 10 // connections of db.t4g.micro, and how many of them stay free
	opened, each := 0, 0      // by all functions, and by an instance of each
	var names []string
	for _, f := range lambdas.All() {
		names = append(names, f.Name)
		opened += f.Connections() * f.Instances(f.Concurrency)
		reserved := 1
		if f.Queue != "" {
			reserved = f.Concurrency // the maximum of its event source stays
		}
		each += f.Connections() * f.Instances(reserved)
	}
	slices.Sort(names)
	// lower is the advice to lower the concurrency of sales-api, if the functions open more
	// connections than the class has, or than a setting allows.
	lower := func(now, opened, allowed int) string {
		by := (2*opened + free - allowed + 1) / 2
		return fmt.Sprintf("lower concurrency.sales-api by %d, to %d", by, now-by)
	}
	least := 2*opened + free
	sold := lambdas.SalesAPI.Concurrency
	// with adds settings to the required ones.
	with := func(settings string) string { return "{" + zones + "," + factory + "," + settings + "}" }
	for _, c := range []struct{ settings, want string }{
		{``, "zones are required"},
		{`[]`, "it is []: want an object"},
		{`{` + zones + `} {}`, "is not an object"},
		{with(`"zonez":[]`), `zonez is unknown: want one of alarmEmail, catalogue, cdn`},
		{with(`"database":{"instanceKlass":"db.t4g.micro"}`),
			"database.instanceKlass is unknown: want one of backupRetentionDays, instanceClass"},
		{with(`"database":{"storageGiB":"big"}`), `database.storageGiB is "big": want an integer`},
		{with(`"database":{"storageGiB":20.5}`), "database.storageGiB is 20.5: want an integer"},
		{with(`"database":{"maxStorageGiB":20}`), "database.maxStorageGiB is 20: want 0, or 22 to 65536"},
		{with(`"database":{"maxConnections":50}`),
			fmt.Sprintf("database.maxConnections is 50: want %d to %d", least, held)},
		{with(`"database":{"maxConnections":86}`),
			fmt.Sprintf("database.maxConnections is 86: want %d to %d", least, held)},
		{with(`"database":{"instanceClass":"db.t2.micro"}`),
			`database.instanceClass is "db.t2.micro": want one of [db.m6g.2xlarge`},
		{with(fmt.Sprintf(`"concurrency":{"sales-api":%d}`, sold+30)), fmt.Sprintf(
			`database.instanceClass is "db.t4g.micro": want a class with memory for %d connections or more, this one `+
				`has it for %d: the functions may open %d connections, twice as many while an update rolls out, and `+
				`%d stay free; or %s`, least+2*30, held, opened+30, free, lower(sold+30, opened+30, held))},
		{with(`"database":{"maxConnections":50}`),
			fmt.Sprintf("has memory for %d; or %s", held, lower(sold, opened, 50))},
		{with(fmt.Sprintf(`"concurrency":{"sales-api":%d,"stock-increase":500}`, sold+30)),
			"; or lower concurrency.stock-increase by 498, to 2 and " +
				lower(sold+30, opened+30-lambdas.StockIncrease.Concurrency+2, held)},
		{with(`"concurrency":"none"`), `concurrency is "none": want an object or "unreserved"`},
		{with(`"concurrency":"unreserved","database":{"maxConnections":27}`),
			fmt.Sprintf("database.maxConnections is 27: want %d to %d", 2*each+free, held)},
		{with(`"protect":true,"database":{"keepBackups":true,"backupRetentionDays":0}`),
			"database.backupRetentionDays is 0: want 1 to 35, because protect is true"},
		{with(`"protect":true`), "database.keepBackups is false: want true, because protect is true"},
		{with(`"protect":"yes"`), `protect is "yes": want true or false`},
		{with(`"catalogue":"bread"`),
			fmt.Sprintf(`catalogue is "bread": want one of %v, the files in`, lambdas.Catalogues())},
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
			fmt.Sprintf("concurrency.sale-api is 3: want the name of a function: one of %v", names)},
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
		_, err := recorder.Record(stack.Program(bundle.WithoutCode), o)
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
	if _, err := recorder.Record(stack.Program(bundle.WithoutCode), o); err == nil ||
		strings.Contains(err.Error(), "hunter2") {
		t.Errorf("got %v, want an error without the password", err)
	}
}
