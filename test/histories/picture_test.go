package histories

import (
	"bytes"
	"os"
	"strings"
	"testing"

	"restock/internal/mysql/mysqltest"
)

// TestCallsWithoutAnOrderAreDrawn refuses a buyer although enough is on hand. The error must name a
// page that draws the calls.
func TestCallsWithoutAnOrderAreDrawn(t *testing.T) {
	d := &database{name: t.Name() + "/a", pictures: t.TempDir()}
	r := newRecorder(nil)
	r.picture = d.picture()
	r.open(mysqltest.Donut, 3, 1)
	sale := request{kind: sells, sku: mysqltest.Donut, quantity: 2}
	_, _ = record(r, sale, func() (none, error) { return none{}, nil },
		func(none, bool) (outcome, bool) { return outcome{refused: true, exact: true, stock: 3}, true })
	err := r.check()
	if err == nil || !strings.Contains(err.Error(), "a picture of the calls is in "+r.picture) {
		t.Fatalf("got %v, want an error that names %s", err, r.picture)
	}
	page, err := os.ReadFile(r.picture)
	if err != nil || !bytes.Contains(page, []byte("<html")) || !bytes.Contains(page, []byte("sale of 2")) {
		t.Errorf("the page has no picture of the sale: %v\n%.500s", err, page)
	}
}
