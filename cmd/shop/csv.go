package main

import (
	"cmp"
	"context"
	"fmt"
	"io"
	"net/http"
	"os"
	"slices"
	"strings"

	"github.com/google/uuid"
	"github.com/spf13/pflag"

	"restock/internal/merchant"
	"restock/internal/shop"
)

// columns explains the columns of a file with products.
const columns = `    sku            the product's SKU, like CP-502101
    name           its name
    price          in minor units of the shop's currency: 1990 is ₩1,990 or $19.90
    factory        the identifier of its factory: shop factories lists them
    order_up_to    order as much as raises the stock and the quantity on order to this number
    reorder_point  order when the stock and the quantity on order fall to this number
    lot_size       the factory makes whole lots of this number
    minimum_order  order this number at least; 0: no minimum (the flag --min-order of shop create)
    lead_time      the time that the factory takes, in whole seconds, like 40s or 2h
    automatic      true: order by itself; false: only suggest
    max_per_sale   at most this number a sale; 0: no limit
    bins           keep the stock in this number of bins, 1 to 64; more bins sell faster
    stock          how many are on hand, of a new product
`

func importCommand() command {
	var dryRun bool
	var key string
	return command{name: "import", arguments: "FILE",
		summary: "create and change products from a CSV file, all or nothing",
		more: fmt.Sprintf(`FILE is a CSV file, or - for the standard input. shop export writes a file to begin with.
Commas or semicolons separate its columns. Its first line names its columns, in any order:
    %s

%s
sku is required. A new product needs name, price, factory and order_up_to too. The defaults of the
other cells are those of shop create. A product that exists changes; an empty cell leaves its field
as it is. A row whose stock differs from that of an existing product is refused: leave the cell
empty, and correct the stock with shop adjust.
Names in another language are in a column with its tag, like name_en; shop set removes such a name.
A file has %d products at most. If a line is wrong, nothing is imported. Products that are short
are ordered within a minute.`, strings.Join(merchant.Columns(), ","), columns, shop.MaxImport),
		examples: "import --local products.csv --dry-run\nimport --local products.csv", least: 1, most: 1,
		flags: func(f *pflag.FlagSet) {
			f.BoolVar(&dryRun, "dry-run", false, "check every line, and change nothing")
			keyFlag(f, &key)
		},
		run: func(ctx context.Context, s *session, arguments []string) error {
			var text []byte
			var err error
			if arguments[0] == "-" {
				text, err = io.ReadAll(s.in)
			} else {
				text, err = os.ReadFile(arguments[0]) // #nosec G304 -- the user names the file
			}
			if err != nil {
				return fmt.Errorf("reading the products: %w", err)
			}
			var done merchant.Imported
			if err := s.client.do(ctx, call{
				method: http.MethodPost, path: "/merchant/imports", key: cmp.Or(key, uuid.NewString()), into: &done,
				body: merchant.Import{CSV: string(text), DryRun: dryRun}, dry: dryRun,
			}); err != nil {
				return err
			}
			return s.show(done, func() {
				switch {
				case done.Repeated:
					fmt.Fprintln(s.out, "This import was made before.")
				case done.DryRun:
					fmt.Fprintf(s.out, "It would create %s, change %s and leave %s as they are. Nothing is changed.\n",
						products(done.Created), products(done.Changed), amount(done.Unchanged))
				default:
					fmt.Fprintf(s.out, "Created %s, changed %s, left %s as they are.\n",
						products(done.Created), products(done.Changed), amount(done.Unchanged))
				}
			})
		}}
}

func products(n int) string {
	if n == 1 {
		return "1 product"
	}
	return amount(n) + " products"
}

func exportCommand() command {
	var withStock bool
	return command{name: "export", summary: "write all products as CSV, for a spreadsheet or for import",
		more: "Without --stock the file can be edited and imported while the shop sells. A name that begins\n" +
			"with =, +, - or @ has an apostrophe before it, because a spreadsheet would take it for a\n" +
			"formula. import removes the apostrophe.",
		examples: "export --local > products.csv",
		flags: func(f *pflag.FlagSet) {
			f.BoolVar(&withStock, "stock", false, "with a column for the stock")
		},
		run: func(ctx context.Context, s *session, _ []string) error {
			all, err := s.products(ctx)
			switch {
			case err != nil:
				return err
			case s.json:
				return s.encode(s.out, all)
			}
			onSale := slices.DeleteFunc(all.Products, func(p merchant.Product) bool { return !p.ArchivedAt.IsZero() })
			return merchant.WriteCSV(s.out, onSale, withStock)
		}}
}
