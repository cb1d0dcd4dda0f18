package merchant

import (
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"restock/internal/shop"
)

// A column is a column of a file with products.
type column struct {
	name  string
	write func(Product) string
	// read sets a field from a cell that is not empty. It says what the cell must be if it is not.
	read func(row *shop.ImportRow, cell string) (want string)
}

// columns are the columns of a file with products, beside the names in other languages. stock comes
// last, because an export for editing leaves it out: sales change it.
var columns = []column{
	{"sku", func(p Product) string { return p.SKU },
		func(r *shop.ImportRow, cell string) string { r.SKU = cell; return "" }},
	{"name", func(p Product) string { return TextCell(p.Name) },
		func(r *shop.ImportRow, cell string) string { r.Name = new(textOf(cell)); return "" }},
	{"price", func(p Product) string { return strconv.FormatInt(p.Price, 10) },
		func(r *shop.ImportRow, cell string) string { return integer(&r.Price, cell) }},
	{"factory", func(p Product) string { return p.Factory },
		func(r *shop.ImportRow, cell string) string { r.Factory = &cell; return "" }},
	{"order_up_to", func(p Product) string { return strconv.Itoa(p.OrderUpTo) },
		func(r *shop.ImportRow, cell string) string { return integer(&r.OrderUpTo, cell) }},
	{"reorder_point", func(p Product) string { return strconv.Itoa(p.ReorderPoint) },
		func(r *shop.ImportRow, cell string) string { return integer(&r.ReorderPoint, cell) }},
	{"lot_size", func(p Product) string { return strconv.Itoa(p.LotSize) },
		func(r *shop.ImportRow, cell string) string { return integer(&r.LotSize, cell) }},
	{"minimum_order", func(p Product) string { return strconv.Itoa(p.MinimumOrder) },
		func(r *shop.ImportRow, cell string) string { return integer(&r.MinimumOrder, cell) }},
	{"lead_time", func(p Product) string { return (time.Duration(p.LeadTimeSeconds) * time.Second).String() },
		func(r *shop.ImportRow, cell string) string {
			d, err := time.ParseDuration(cell)
			if err != nil || d%time.Second != 0 {
				return "a time in whole seconds, like 40s or 2h"
			}
			r.LeadTime = &d
			return ""
		}},
	{"automatic", func(p Product) string { return strconv.FormatBool(p.Automatic) },
		func(r *shop.ImportRow, cell string) string {
			automatic, err := strconv.ParseBool(strings.ToLower(cell))
			if err != nil {
				return "true or false"
			}
			r.Automatic = &automatic
			return ""
		}},
	{"max_per_sale", func(p Product) string { return strconv.Itoa(p.MaxPerSale) },
		func(r *shop.ImportRow, cell string) string { return integer(&r.MaxPerSale, cell) }},
	{"bins", func(p Product) string { return strconv.Itoa(p.Bins) },
		func(r *shop.ImportRow, cell string) string { return integer(&r.Bins, cell) }},
	{"stock", func(p Product) string { return strconv.Itoa(p.Stock) },
		func(r *shop.ImportRow, cell string) string { return integer(&r.Stock, cell) }},
}

// languageColumn begins the name of a column with the names in a language. The tag follows.
const languageColumn = "name_"

// columnOf returns the column with the names in a language.
func columnOf(tag string) column {
	return column{languageColumn + tag, func(p Product) string { return TextCell(p.Names[tag]) },
		func(r *shop.ImportRow, cell string) string {
			if r.Names == nil {
				r.Names = map[string]string{}
			}
			r.Names[tag] = textOf(cell)
			return ""
		}}
}

// findColumn finds a column by its name in the file's first line.
func findColumn(name string) (column, bool) {
	lower := strings.ToLower(name)
	if at := slices.IndexFunc(columns, func(c column) bool { return c.name == lower }); at >= 0 {
		return columns[at], true
	}
	text, hasPrefix := strings.CutPrefix(lower, languageColumn)
	tag := LanguageTag(text)
	return columnOf(tag), hasPrefix && shop.IsLanguage(tag)
}

// Columns returns the names of the columns of a file with products, without those of other
// languages.
func Columns() (names []string) {
	for _, c := range columns {
		names = append(names, c.name)
	}
	return names
}

func integer[N int | int64](field **N, cell string) (want string) {
	n, err := strconv.ParseInt(cell, 10, strconv.IntSize)
	if err != nil {
		return "a whole number without commas or points"
	}
	*field = new(N(n))
	return ""
}

// ByteOrderMark begins a CSV file in UTF-8. Without it, Excel reads the file in the machine's old
// code page, and breaks Korean names:
// https://itecnote.com/tecnote/r-microsoft-excel-mangles-diacritics-in-csv-files/
const ByteOrderMark = "\ufeff"

// TextCell returns the cell of a CSV file with a text that a person wrote. A spreadsheet takes a
// cell that begins with =, +, - or @ for a formula: it computes +Twist, and the import of the saved
// file would change the name. An apostrophe before it prevents that, as OWASP advises:
// https://owasp.org/www-community/attacks/CSV_Injection
func TextCell(text string) string {
	if isFormula(text) {
		return "'" + text
	}
	return text
}

// textOf returns the text of a TextCell.
func textOf(cell string) string {
	if text, quoted := strings.CutPrefix(cell, "'"); quoted && isFormula(text) {
		return text
	}
	return cell
}

// isFormula reports whether TextCell adds an apostrophe to a text. It does so also if the text has
// apostrophes before its formula, so that textOf takes no apostrophe away that is part of a text.
func isFormula(text string) bool {
	text = strings.TrimLeft(text, "'")
	return text != "" && strings.ContainsRune("=+-@", rune(text[0]))
}

// WriteCSV writes products as a file that ReadCSV reads, with or without their stock. The names in
// other languages have a column for each language, after the column name.
func WriteCSV(w io.Writer, products []Product, withStock bool) error {
	written := columns
	if !withStock {
		written = columns[:len(columns)-1]
	}
	languages := map[string]bool{}
	for _, p := range products {
		for tag := range p.Names {
			languages[tag] = true
		}
	}
	var names []column
	for _, tag := range slices.Sorted(maps.Keys(languages)) {
		names = append(names, columnOf(tag))
	}
	after := 1 + slices.IndexFunc(written, func(c column) bool { return c.name == "name" })
	written = slices.Insert(slices.Clone(written), after, names...)
	if _, err := io.WriteString(w, ByteOrderMark); err != nil {
		return fmt.Errorf("writing the products: %w", err)
	}
	out := csv.NewWriter(w)
	var header []string
	for _, c := range written {
		header = append(header, c.name)
	}
	_ = out.Write(header) // the writer keeps its first error
	for _, p := range products {
		var cells []string
		for _, c := range written {
			cells = append(cells, c.write(p))
		}
		_ = out.Write(cells)
	}
	out.Flush()
	return out.Error()
}

// ReadCSV reads products. The first line names the columns, in any order; only sku is required. A
// column like name_en has the names in a language. An empty cell says nothing about its field.
// Semicolons separate the columns if the first line has one: Excel writes them in countries whose
// decimal point is a comma. Lines that cannot be read are in wrong.
func ReadCSV(text string) (rows []shop.ImportRow, wrong []shop.LineError) {
	in := csv.NewReader(strings.NewReader(strings.TrimPrefix(text, ByteOrderMark)))
	if first, _, _ := strings.Cut(text, "\n"); strings.Contains(first, ";") {
		in.Comma = ';' // no name of a column has one
	}
	fail := func(line int, format string, args ...any) {
		wrong = append(wrong, shop.LineError{Line: line, Detail: fmt.Sprintf(format, args...)})
	}
	// JSON has this character in place of each byte that is not UTF-8.
	if before, _, found := strings.Cut(text, string(utf8.RuneError)); found {
		fail(1+strings.Count(before, "\n"), "it has characters that are not UTF-8: save the file as CSV UTF-8")
		return nil, wrong
	}
	header, err := in.Read()
	if err != nil {
		fail(1, "it must name the columns: %s", strings.Join(Columns(), ","))
		return nil, wrong
	}
	var chosen []column
	for _, name := range header {
		c, known := findColumn(strings.TrimSpace(name))
		switch {
		case !known:
			fail(1, "there is no column %.40q: there are %s, and name_en for names in English, and so on",
				strings.TrimSpace(name), strings.Join(Columns(), ", "))
		case slices.ContainsFunc(chosen, func(other column) bool { return other.name == c.name }):
			fail(1, "the column %s appears twice", c.name)
		default:
			chosen = append(chosen, c)
		}
	}
	if !slices.ContainsFunc(chosen, func(c column) bool { return c.name == "sku" }) {
		fail(1, "the column sku is missing")
	}
	if len(wrong) > 0 {
		return nil, wrong
	}
	for {
		cells, err := in.Read()
		if errors.Is(err, io.EOF) {
			return rows, wrong
		}
		var malformed *csv.ParseError
		if errors.As(err, &malformed) && !errors.Is(err, csv.ErrFieldCount) {
			fail(malformed.Line, "%v", malformed.Err)
			return rows, wrong // what follows cannot be trusted
		}
		line, _ := in.FieldPos(0)
		if err != nil {
			fail(line, "it has %d cells, the first line has %d", len(cells), len(header))
			continue
		}
		row, before := shop.ImportRow{Line: line}, len(wrong)
		for i, cell := range cells {
			if cell = strings.TrimSpace(cell); cell == "" {
				continue
			}
			if want := chosen[i].read(&row, cell); want != "" {
				fail(line, "%s is %.40q, it must be %s", chosen[i].name, cell, want)
			}
		}
		if row.SKU == "" && len(wrong) == before {
			fail(line, "sku is empty")
		}
		if len(wrong) == before {
			rows = append(rows, row)
		}
	}
}
