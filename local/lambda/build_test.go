package lambda_test

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"restock/local/lambda"
)

func TestBuildErrorCarriesTheCompilersOutput(t *testing.T) {
	err := lambda.Build(t.Context(), ".", t.TempDir(), "./testdata/broken")
	if err == nil {
		t.Fatal("it built")
	}
	first, rest, _ := strings.Cut(err.Error(), "\n")
	if want := "building restock/local/lambda/testdata/broken: exit status 1"; first != want {
		t.Errorf("first line: got %q, want %q", first, want)
	}
	if want := filepath.FromSlash("testdata/broken/main.go:4:"); !strings.Contains(rest, want) {
		t.Errorf("got %q, want the compiler's message, at %s", rest, want)
	}
}

func TestBuildEndsWithItsContext(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	dir := t.TempDir()
	if err := lambda.Build(ctx, ".", dir, "./testdata/function"); !errors.Is(err, context.Canceled) {
		t.Errorf("got %v, want %v", err, context.Canceled)
	}
	if left, err := os.ReadDir(dir); err != nil || len(left) != 0 {
		t.Errorf("it left %v (%v)", left, err)
	}
}
