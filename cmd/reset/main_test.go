package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"restock/local/mariadb"
	"restock/local/mariadb/mariadbtest"
)

func TestResetDeletesTheDatabasesOfRuns(t *testing.T) {
	mariadbtest.Require(t)
	data := t.TempDir()
	dir := filepath.Join(data, "shop-dev")
	s, err := mariadb.Start(t.Context(), mariadb.Config{Dir: dir})
	if err != nil {
		t.Fatal(err)
	}
	var out strings.Builder
	if err := reset(data, &out); err == nil || !strings.Contains(err.Error(), "used by another run") {
		t.Errorf("while a run uses the database: got %v, want an error that says so", err)
	}
	if err := s.Stop(); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"deleted: " + dir + "\n", "there are no databases in " + data + "\n"} {
		out.Reset()
		if err := reset(data, &out); err != nil || out.String() != want {
			t.Errorf("got %q (%v), want %q", out.String(), err, want)
		}
	}
	if _, err := os.Stat(dir); !os.IsNotExist(err) {
		t.Errorf("%s still exists: %v", dir, err)
	}
}

func TestResetOfAMissingDirectoryDoesNothing(t *testing.T) {
	var out strings.Builder
	if err := reset(filepath.Join(t.TempDir(), "nowhere"), &out); err != nil ||
		!strings.HasPrefix(out.String(), "there are no databases") {
		t.Errorf("got %q (%v), want a line that says that there are none", out.String(), err)
	}
}

func TestResetLeavesOtherFiles(t *testing.T) {
	data := t.TempDir()
	photos := filepath.Join(data, "photos")
	if err := os.Mkdir(photos, 0o755); err != nil {
		t.Fatal(err)
	}
	if err := reset(data, &strings.Builder{}); err != nil {
		t.Error(err)
	}
	if _, err := os.Stat(photos); err != nil {
		t.Error(err)
	}
}
