package page_test

import (
	"testing"

	"restock/local/view/console/page"
	"restock/local/view/console/page/pagetest"
)

func TestPageHasNothingInlineAndNothingOfForeignOrigins(t *testing.T) {
	pagetest.Inline(t, pagetest.Read(t, "", page.Files))
}

func TestEveryModuleExistsAndIsUsed(t *testing.T) {
	pagetest.Modules(t, pagetest.Read(t, "", page.Files), "console.js")
}
