package run

import (
	"slices"
	"testing"

	"restock/infra/recorder"
)

func TestTheConsoleHidesConfiguredSecrets(t *testing.T) {
	got := secretValues(recorder.Stage{
		Config:  map[string]string{"shop:login": "correct horse", "shop:debug": "true", "shop:name": "bakery of Busan"},
		Secrets: []string{"shop:login", "shop:debug"},
	})
	if want := []string{"correct horse"}; !slices.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
}
