package shop

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"reflect"
	"slices"
	"strings"
	"time"

	"github.com/google/uuid"
)

// MaxImport is the largest number of products in one import. The bins of all products that change
// are locked until the commit, so their buyers wait for the whole import.
const MaxImport = 200

// An Import creates and changes products, all or nothing.
type Import struct {
	Rows   []ImportRow
	Wrong  []LineError // of lines that could not be read
	DryRun bool        // check everything, and change nothing
	// LeadTime is the lead time of new products whose row has none.
	LeadTime time.Duration
	// IdempotencyKey makes a repeated import the same one, for 24 hours.
	IdempotencyKey string
}

// An ImportRow is a new product, or a change of an existing one. Fields that are nil stay as they
// are, or get their defaults. A new product is automatic by default.
type ImportRow struct {
	Line  int // in the merchant's file
	SKU   string
	Stock *int // on hand, of a new product; an existing one must have it already
	ProductChange
	Names map[string]string // in other languages, by the tag of the language; the others stay
}

// A LineError is what is wrong with a line.
type LineError struct {
	Line   int
	Detail string
}

// Imported is the result of an import.
type Imported struct {
	Created, Changed, Unchanged int
	Repeated                    bool // an earlier request with this key made the import
}

// A Batch has the products that an import creates and changes.
type Batch struct {
	Create         []Product
	Change         []BatchChange // sorted by SKU
	IdempotencyKey string
	Content        uuid.UUID // see Import.content
}

// A BatchChange changes a product.
type BatchChange struct {
	Product Product // before the change
	ProductChange
	Names map[string]string // in other languages; the others stay
}

// content returns a name-based UUID of the rows. Two imports have the same one if their rows set
// the same fields, on whatever lines. Fields that are nil do not count: the next version may have
// more of them, and must recognize an import that this version made.
func (i Import) content() (uuid.UUID, error) {
	const doing = "hashing the import"
	text, err := json.Marshal(i.Rows)
	if err != nil {
		return uuid.Nil, fmt.Errorf("%s: %w", doing, err)
	}
	var rows []map[string]json.RawMessage
	if err := json.Unmarshal(text, &rows); err != nil {
		return uuid.Nil, fmt.Errorf("%s: %w", doing, err)
	}
	for _, row := range rows {
		delete(row, "Line")
		maps.DeleteFunc(row, func(_ string, value json.RawMessage) bool { return string(value) == "null" })
	}
	if text, err = json.Marshal(rows); err != nil {
		return uuid.Nil, fmt.Errorf("%s: %w", doing, err)
	}
	return uuid.NewSHA1(uuid.Nil, text), nil
}

// Import creates and changes products in one transaction. It does not order what is short: the next
// sweep does, within a minute.
//
// Errors: CodeInvalidProduct (its detail names all lines that are wrong), CodeProductExists,
// CodeInvalidIdempotencyKey, CodeIdempotencyKeyReused, CodeUnavailable, CodeOutcomeUnknown.
func (s *Shop) Import(ctx context.Context, i Import) (done Imported, err error) {
	if err := validateIdempotencyKey(i.IdempotencyKey); err != nil {
		return done, err
	}
	if n := len(i.Rows) + len(i.Wrong); n < 1 || n > MaxImport {
		return done, refuse(CodeInvalidProduct, fmt.Sprintf("there are %d products, it must be 1 to %d", n, MaxImport))
	}
	content, err := i.content()
	if err != nil {
		return done, err
	}
	done.Repeated, err = s.Store.IsImported(ctx, i.IdempotencyKey, content)
	if err != nil || done.Repeated {
		return done, err
	}
	batch, wrong, err := s.batch(ctx, i)
	if err != nil {
		return done, err
	}
	if len(wrong) > 0 {
		return done, refuse(CodeInvalidProduct, wrongLines(wrong))
	}
	done.Created, done.Changed = len(batch.Create), len(batch.Change)
	done.Unchanged = len(i.Rows) - done.Created - done.Changed
	if i.DryRun || done.Unchanged == len(i.Rows) {
		return done, nil
	}
	batch.IdempotencyKey, batch.Content = i.IdempotencyKey, content
	err = s.Store.Import(ctx, batch, s.now())
	if CodeOf(err) == CodeProductExists { // perhaps the same import has just been made
		repeated, readErr := s.Store.IsImported(ctx, i.IdempotencyKey, content)
		if readErr == nil && repeated {
			return Imported{Repeated: true}, nil
		}
	}
	return done, advised(err, "the products may have been imported", i.IdempotencyKey)
}

// batch compares the rows with the shop.
func (s *Shop) batch(ctx context.Context, i Import) (b Batch, wrong []LineError, err error) {
	products, err := s.Store.Products(ctx)
	if err != nil {
		return b, nil, err
	}
	factories, err := s.Store.Factories(ctx)
	if err != nil {
		return b, nil, err
	}
	known, owners, makes, lines := map[string]Product{}, map[string]string{}, map[string]bool{}, map[string]int{}
	keys, err := s.nameKeys(ctx, products, i.Rows)
	if err != nil {
		return b, nil, err
	}
	for _, p := range products {
		known[p.SKU], owners[keys[p.Name]] = p, p.SKU
	}
	for _, f := range factories {
		makes[f.Identifier] = true
	}
	wrong = i.Wrong
	for _, row := range i.Rows {
		row = row.normal()
		was, exists := known[row.SKU]
		p, problem := row.product(was, exists, i.LeadTime)
		switch owner, taken := owners[keys[p.Name]]; {
		case problem != "":
		case lines[row.SKU] > 0:
			problem = fmt.Sprintf("line %d has %s, too", lines[row.SKU], row.SKU)
		case taken && owner != row.SKU:
			problem = fmt.Sprintf("%s has the name %q, and names must differ", owner, p.Name)
		case !makes[p.Factory]:
			problem = unknown("factory", p.Factory)
		default:
			problem = detailOf(errors.Join(row.validateNames(), p.validate()))
		}
		switch lines[row.SKU], owners[keys[p.Name]] = row.Line, row.SKU; {
		case problem != "":
			wrong = append(wrong, LineError{row.Line, problem})
		case !exists:
			if p.ID, err = s.NewID(); err != nil {
				return b, nil, fmt.Errorf("making a product id: %w", err)
			}
			b.Create = append(b.Create, p)
		case !reflect.DeepEqual(p, was):
			if p.Bins == was.Bins {
				row.Bins = nil // to set the number again forgets when buyers waited
			}
			b.Change = append(b.Change, BatchChange{was, row.ProductChange, row.Names})
		}
	}
	slices.SortFunc(b.Change, func(a, b BatchChange) int { return strings.Compare(a.Product.SKU, b.Product.SKU) })
	return b, wrong, nil
}

// nameKeys returns the keys of all names of the products and the rows. Two names have the same key
// if no two products may have them.
func (s *Shop) nameKeys(ctx context.Context, products []Product, rows []ImportRow) (map[string]string, error) {
	var names []string
	for _, p := range products {
		names = append(names, p.Name)
	}
	for _, r := range rows {
		if r.Name != nil {
			names = append(names, normal(*r.Name))
		}
	}
	return s.Store.NameKeys(ctx, names)
}

// normal returns the row with its names in Unicode's composed form.
func (r ImportRow) normal() ImportRow {
	if r.Name != nil {
		r.Name = new(normal(*r.Name))
	}
	r.Names = maps.Clone(r.Names)
	for tag, name := range r.Names {
		r.Names[tag] = normal(name)
	}
	return r
}

// validateNames checks the names in other languages. Product.validate checks the rest.
func (r ImportRow) validateNames() error {
	for _, tag := range slices.Sorted(maps.Keys(r.Names)) {
		if err := (ProductChange{Language: &tag, Name: new(r.Names[tag])}).validateLanguage(); err != nil {
			return err
		}
	}
	return nil
}

// apply returns the product after the change.
func (r ImportRow) apply(p Product) Product {
	p = r.ProductChange.apply(p)
	if len(r.Names) > 0 {
		names := map[string]string{}
		maps.Copy(names, p.Names)
		maps.Copy(names, r.Names)
		p.Names = names
	}
	return p
}

func unknown(what, name string) string { return fmt.Sprintf("there is no %s %.64q", what, name) }

// product returns the product after the import, or says why the row makes none.
func (r ImportRow) product(was Product, exists bool, leadTime time.Duration) (p Product, problem string) {
	if exists {
		if !was.ArchivedAt.IsZero() {
			return was, fmt.Sprintf("%s is archived: put it on sale again first", r.SKU)
		}
		if r.Stock != nil && *r.Stock != was.Stock {
			return was, fmt.Sprintf("the stock of %s is %d, not %d: leave the cell empty, and correct it with adjust",
				r.SKU, was.Stock, *r.Stock)
		}
		return r.apply(was), ""
	}
	for _, field := range []struct {
		name    string
		missing bool
	}{
		{"name", r.Name == nil}, {"price", r.Price == nil}, {"factory", r.Factory == nil},
		{"order_up_to", r.OrderUpTo == nil},
	} {
		if field.missing {
			return p, fmt.Sprintf("%s is new, and its %s is missing", r.SKU, field.name)
		}
	}
	p = r.apply(Product{SKU: r.SKU, Bins: 1, Policy: Policy{LotSize: 1, LeadTime: leadTime, Automatic: true}})
	set(&p.Stock, r.Stock)
	return p, ""
}

func detailOf(err error) string {
	var e *Error
	if errors.As(err, &e) {
		return e.Detail
	}
	return ""
}

// wrongLines names the lines that are wrong, in the order of the file, one a line, and at most
// twenty.
func wrongLines(wrong []LineError) string {
	const most = 20
	slices.SortStableFunc(wrong, func(a, b LineError) int { return cmp.Compare(a.Line, b.Line) })
	text := strings.Builder{}
	text.WriteString("nothing is imported")
	for n, w := range wrong {
		if n == most {
			fmt.Fprintf(&text, "\n%d more lines are wrong", len(wrong)-most)
			break
		}
		fmt.Fprintf(&text, "\nline %d: %s", w.Line, w.Detail)
	}
	return text.String()
}
