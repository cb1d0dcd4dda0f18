package shop

import (
	"strings"
	"testing"

	"github.com/google/uuid"
)

// TestTheContentOfAnImportIsTheFieldsThatRowsSet compares it with the hash of these fields, in the
// order of their names. A later version that has more fields must get the same content.
func TestTheContentOfAnImportIsTheFieldsThatRowsSet(t *testing.T) {
	price := int64(1000)
	row := ImportRow{Line: 7, SKU: "A-1", ProductChange: ProductChange{Price: &price},
		Names: map[string]string{"fr": "Beignet", "en": "Doughnut"}}
	want := uuid.NewSHA1(uuid.Nil, []byte(`[{"Names":{"en":"Doughnut","fr":"Beignet"},"Price":1000,"SKU":"A-1"}]`))
	if got, err := (Import{Rows: []ImportRow{row}}).content(); err != nil || got != want {
		t.Errorf("got %s, %v; want %s", got, err, want)
	}
}

func TestWrongLinesAreInTheOrderOfTheFile(t *testing.T) {
	wrong := []LineError{{4, "unreadable"}, {4, "also this"}, {2, "unknown"}, {5, "taken"}}
	const want = "line 2: unknown\nline 4: unreadable\nline 4: also this\nline 5: taken"
	if got := wrongLines(wrong); !strings.HasSuffix(got, "\n"+want) {
		t.Errorf("got %q, want it to end with %q", got, want)
	}
}
