package shop

import (
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
