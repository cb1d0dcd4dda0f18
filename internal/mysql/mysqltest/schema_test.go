package mysqltest

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"

	"restock/internal/mysql/migrate"
)

// described are the tables of information_schema that describe a database, and their column with
// its name: https://mariadb.com/docs/server/reference/system-tables/information-schema
var described = map[string]string{
	"TABLES": "TABLE_SCHEMA", "COLUMNS": "TABLE_SCHEMA", "STATISTICS": "TABLE_SCHEMA", "VIEWS": "TABLE_SCHEMA",
	"TABLE_CONSTRAINTS": "CONSTRAINT_SCHEMA", "KEY_COLUMN_USAGE": "CONSTRAINT_SCHEMA",
	"REFERENTIAL_CONSTRAINTS": "CONSTRAINT_SCHEMA", "CHECK_CONSTRAINTS": "CONSTRAINT_SCHEMA",
	"ROUTINES": "ROUTINE_SCHEMA", "PARAMETERS": "SPECIFIC_SCHEMA", "TRIGGERS": "TRIGGER_SCHEMA",
	"EVENTS": "EVENT_SCHEMA",
}

// passing are the columns that differ between two databases that the migrations made: times,
// statistics and free space.
var passing = []string{"CREATE_TIME", "UPDATE_TIME", "CREATED", "LAST_ALTERED", "TABLE_ROWS", "AVG_ROW_LENGTH",
	"DATA_LENGTH", "INDEX_LENGTH", "DATA_FREE", "CARDINALITY", "tstamp"}

// describe returns what a database has: a line for each table, column, key, procedure, row, ….
func describe(t *testing.T, d *Database) (lines []string) {
	t.Helper()
	queries := map[string]string{}
	for table, schema := range described {
		queries[table] = "SELECT * FROM information_schema." + table + " WHERE " + schema + " = DATABASE()"
	}
	tables, err := rows(t.Context(), d.Admin, "SHOW TABLES")
	if err != nil {
		t.Fatal(err)
	}
	for _, table := range tables {
		for _, name := range table {
			queries["rows of "+string(name.([]byte))] = fmt.Sprintf("SELECT * FROM `%s`", name)
		}
	}
	for of, query := range queries {
		all, err := rows(t.Context(), d.Admin, query)
		if err != nil {
			t.Fatal(err)
		}
		for _, row := range all {
			for _, column := range passing {
				delete(row, column)
			}
			line := of + ":"
			for _, column := range slices.Sorted(maps.Keys(row)) {
				if text, ok := row[column].([]byte); ok {
					row[column] = string(text)
				}
				line += fmt.Sprintf(" %s=%v", column, row[column])
			}
			lines = append(lines, strings.ReplaceAll(line, d.Name, "the database"))
		}
	}
	slices.Sort(lines)
	return lines
}

func TestACopiedSchemaIsTheOneThatTheMigrationsMake(t *testing.T) {
	Empty(t).migrateUp(t) // if no other test has run the migrations, this one does
	made, copied := Empty(t), Empty(t)
	if _, err := migrate.Up(t.Context(), made.Admin); err != nil {
		t.Fatal(err)
	}
	copied.migrateUp(t)
	want, got := describe(t, made), describe(t, copied)
	for _, line := range want {
		if !slices.Contains(got, line) {
			t.Errorf("the copy lacks\n%s", line)
		}
	}
	for _, line := range got {
		if !slices.Contains(want, line) {
			t.Errorf("the migrations do not make\n%s", line)
		}
	}
	if len(want) < 200 {
		t.Errorf("the database has %d parts, want hundreds", len(want))
	}
}
