package merchant_test

import (
	"bytes"
	"maps"
	"strings"
	"testing"

	"restock/internal/merchant"
)

// TestColumnsOfLanguagesIgnoreCase reads the header of a column with names.
func TestColumnsOfLanguagesIgnoreCase(t *testing.T) {
	for header, want := range map[string]string{
		"name_en": "en", "Name_EN": "en", "NAME_zh-hant": "zh-Hant", "name_ZH-HANT": "zh-Hant", "name_pt-br": "pt-BR",
		"name_xx-yy": "xx-yy", // no language of the registry
	} {
		rows, wrong := merchant.ReadCSV("sku," + header + "\nA-1,Twist\n")
		if len(rows) != 1 || len(wrong) > 0 || !maps.Equal(rows[0].Names, map[string]string{want: "Twist"}) {
			t.Errorf("%s: got %+v, %+v; want a name in %s", header, rows, wrong, want)
		}
	}
	if _, wrong := merchant.ReadCSV("sku,name_zh-hant,name_zh-Hant\nA-1,a,b\n"); len(wrong) != 1 ||
		wrong[0].Detail != "the column name_zh-Hant appears twice" {
		t.Errorf("two columns of one language: got %+v", wrong)
	}
}

// TestColumnsMayBeSeparatedBySemicolons reads a file as Excel saves it in countries that write 1,5.
func TestColumnsMayBeSeparatedBySemicolons(t *testing.T) {
	rows, wrong := merchant.ReadCSV(merchant.ByteOrderMark + "sku;name;price\r\nA-1;\"Twist; large, hot\";1990\r\n")
	if len(rows) != 1 || len(wrong) > 0 || *rows[0].Name != "Twist; large, hot" || *rows[0].Price != 1990 {
		t.Errorf("got %+v, %+v; want the product", rows, wrong)
	}
	rows, wrong = merchant.ReadCSV("sku,name\nA-1,Twist; large\n")
	if len(rows) != 1 || len(wrong) > 0 || *rows[0].Name != "Twist; large" {
		t.Errorf("with commas: got %+v, %+v; want the product", rows, wrong)
	}
}

// TestASpreadsheetTakesNoNameForAFormula writes names into a file, and reads them back.
func TestASpreadsheetTakesNoNameForAFormula(t *testing.T) {
	for name, want := range map[string]string{
		"Twist": "Twist", "'Twist'": "'Twist'", "-1": "'-1", "+Twist": "'+Twist", "@home": "'@home",
		`=HYPERLINK("x")`: `"'=HYPERLINK(""x"")"`, "'=1+1": "''=1+1",
	} {
		var file bytes.Buffer
		p := merchant.Product{SKU: "A-1", Name: name, Names: map[string]string{"en": name}}
		p.ReorderPoint = -1
		if err := merchant.WriteCSV(&file, []merchant.Product{p}, false); err != nil {
			t.Fatal(err)
		}
		if !strings.Contains(file.String(), "\nA-1,"+want+","+want+",") || !strings.Contains(file.String(), ",-1,") {
			t.Errorf("%s: got %s, want %s", name, file.String(), want)
		}
		rows, wrong := merchant.ReadCSV(file.String())
		if len(rows) != 1 || len(wrong) > 0 || *rows[0].Name != name || rows[0].Names["en"] != name {
			t.Errorf("%s: got %+v, %+v; want the name", name, rows, wrong)
		}
	}
}
