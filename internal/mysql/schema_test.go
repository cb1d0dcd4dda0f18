package mysql_test

import (
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"

	"restock/internal/mysql/invariants"
	"restock/internal/mysql/migrate"
	"restock/internal/mysql/mysqltest"
)

// withoutRule are tables that no rule of the books is about.
var withoutRule = []string{
	"advertisement",    // shown or not: the next run of ads corrects it
	"bin_checkpoint",   // where the sweep goes on: a test of balances compares it with the ledger
	"factory",          // names only
	"goose_db_version", // of the migrations
}

// column returns the values of a query's only column.
func column(t *testing.T, d *mysqltest.Database, query string, args ...any) (values []string) {
	t.Helper()
	rows, err := d.Admin.QueryContext(t.Context(), query, args...)
	if err != nil {
		t.Fatal(err)
	}
	defer rows.Close()
	for rows.Next() {
		var value string
		if err := rows.Scan(&value); err != nil {
			t.Fatal(err)
		}
		values = append(values, value)
	}
	if err := rows.Err(); err != nil {
		t.Fatal(err)
	}
	return values
}

func TestEveryTableHasARuleAndRights(t *testing.T) {
	d := mysqltest.New(t, 1)
	var rules strings.Builder
	for _, r := range slices.Concat(invariants.Always, invariants.AfterSweep, invariants.Eventually) {
		rules.WriteString(r.Query)
	}
	tables := column(t, d, `SELECT table_name FROM information_schema.tables
	                         WHERE table_schema = DATABASE() AND table_type = 'BASE TABLE'`)
	granted := column(t, d, `SELECT table_name FROM information_schema.table_privileges
	                          WHERE table_schema = DATABASE() AND grantee = CONCAT("'", ?, "'@'%'")`, d.User)
	for _, table := range tables {
		known := regexp.MustCompile(`\b` + table + `\b`).MatchString(rules.String())
		if listed := slices.Contains(withoutRule, table); known == listed {
			t.Errorf("table %s: a rule reads it: %v, want %v: add a rule to internal/mysql/invariants that compares "+
				"it with the ledger, or name it in withoutRule in internal/mysql/schema_test.go and say why it needs "+
				"none", table, known, !known)
		}
		if !slices.Contains(granted, table) && table != "goose_db_version" {
			t.Errorf("the functions have no rights on table %s: add them to grants in "+
				"internal/mysql/migrate/migrate.go", table)
		}
	}
}

func TestEveryCauseOfAMovementHasARule(t *testing.T) {
	source, err := os.ReadFile("../shop/ledger.go")
	if err != nil {
		t.Fatal(err)
	}
	causes := regexp.MustCompile(`Cause\w+ += "(\w+)"`).FindAllStringSubmatch(string(source), -1)
	if len(causes) < 4 {
		t.Fatalf("found the causes %v in internal/shop/ledger.go, want four or more", causes)
	}
	for _, cause := range causes {
		if !slices.ContainsFunc(invariants.Always, func(r invariants.Rule) bool {
			return strings.Contains(r.Query, "WHEN '"+cause[1]+"' THEN")
		}) {
			t.Errorf("no rule knows movements of the cause %q: say in internal/mysql/invariants/invariants.go, in the "+
				`rule "a movement is in no bin, or does not say what it is", what such a movement has`, cause[1])
		}
	}
}

// A database that is not new runs all migrations but the postponed ones, also migrations that come
// after a postponed one.
func TestAMigrationRunsInEveryDatabaseOrIsPostponed(t *testing.T) {
	d, _, _ := old(t, 1)
	if _, err := migrate.Up(t.Context(), d.Admin); err != nil {
		t.Fatal(err)
	}
	files, err := os.ReadDir("migrate/migrations")
	if err != nil {
		t.Fatal(err)
	}
	run := column(t, d, `SELECT version_id FROM goose_db_version WHERE is_applied AND version_id > 0`)
	var missing []string
	for _, file := range files {
		number, _, _ := strings.Cut(file.Name(), "_")
		if !slices.Contains(run, strings.TrimLeft(number, "0")) {
			missing = append(missing, file.Name())
		}
	}
	if want := []string{"00011_old_ledger.sql"}; !slices.Equal(missing, want) {
		t.Errorf("a database of the release before has not run %v, want %v: which other migration drops what its "+
			"functions use?", missing, want)
	}
}
