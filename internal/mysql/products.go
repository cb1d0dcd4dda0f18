package mysql

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"
	"unicode"

	"github.com/google/uuid"

	"restock/internal/shop"
)

const selectProducts = `
	SELECT p.product_id, p.sku, p.name, p.names, p.archived_at, p.price, p.bins, p.waited_at,
	       (SELECT COALESCE(SUM(b.stock), 0) FROM bin b WHERE b.product_id = p.product_id),
	       p.max_per_sale, f.identifier,
	       p.reorder_point, p.order_up_to, p.lot_size, p.minimum_order, p.lead_time, p.automatic,
	       COALESCE(GREATEST(o.quantity - o.received, 0), 0), o.asked_at
	  FROM product p
	  JOIN factory f ON f.factory_id = p.factory_id
	  LEFT JOIN production_order o ON o.open_product_id = p.product_id`

func scanProduct(scan func(...any) error) (p shop.Product, err error) {
	var askedAt time.Time
	var names []byte
	err = scan(&p.ID, &p.SKU, &p.Name, &names, (*timeOrZero)(&p.ArchivedAt), &p.Price, &p.Bins,
		(*timeOrZero)(&p.WaitedAt), (*sum)(&p.Stock), &p.MaxPerSale, &p.Factory,
		&p.Policy.ReorderPoint, &p.Policy.OrderUpTo, &p.Policy.LotSize, &p.Policy.MinimumOrder,
		(*seconds)(&p.Policy.LeadTime), &p.Policy.Automatic, &p.OnOrder, (*timeOrZero)(&askedAt))
	if !askedAt.IsZero() {
		p.ExpectedAt = askedAt.Add(p.Policy.LeadTime)
	}
	if err == nil && names != nil {
		err = json.Unmarshal(names, &p.Names)
	}
	return p, err
}

// Products lists all products, sorted by SKU.
func (s *Store) Products(ctx context.Context) ([]shop.Product, error) {
	return list(ctx, s.db, "listing the products", scanProduct, selectProducts+` ORDER BY p.sku`)
}

// Product finds a product by its SKU.
func (s *Store) Product(ctx context.Context, sku string) (shop.Product, error) {
	if !mayBeSKU(sku) {
		return shop.Product{}, unknownProduct(sku)
	}
	p, err := scanProduct(s.db.QueryRowContext(ctx, selectProducts+` WHERE p.sku = ?`, sku).Scan)
	switch {
	case errors.Is(err, sql.ErrNoRows):
		return p, unknownProduct(sku)
	case err != nil:
		return p, failed("reading product "+sku, err)
	}
	return p, nil
}

// CreateProduct stores a product, its bins, and its stock as the first entry of its ledger.
func (s *Store) CreateProduct(ctx context.Context, p shop.Product, at time.Time) error {
	return s.transaction(ctx, "creating product "+p.SKU, func(conn *sql.Conn) error {
		return createProduct(ctx, conn, p, movement{at: at})
	})
}

// createProduct creates a product. opening is the movement of its stock, whose quantity and cause
// createProduct sets.
func createProduct(ctx context.Context, conn *sql.Conn, p shop.Product, opening movement) error {
	var names any // null: none
	if len(p.Names) > 0 {
		text, err := json.Marshal(p.Names)
		if err != nil {
			return err
		}
		names = string(text)
	}
	created, err := conn.ExecContext(ctx, `
		INSERT INTO product (product_id, sku, name, names, price, bins, max_per_sale, factory_id,
		                     reorder_point, order_up_to, lot_size, minimum_order, lead_time, automatic)
		SELECT ?, ?, ?, ?, ?, ?, ?, f.factory_id, ?, ?, ?, ?, ?, ? FROM factory f WHERE f.identifier = ?`,
		p.ID[:], p.SKU, p.Name, names, p.Price, p.Bins, p.MaxPerSale,
		p.Policy.ReorderPoint, p.Policy.OrderUpTo, p.Policy.LotSize, p.Policy.MinimumOrder,
		wholeSeconds(p.Policy.LeadTime), p.Policy.Automatic,
		searchable(p.Factory))
	if serverError(err) == errDuplicate {
		return &shop.Error{
			Code:   shop.CodeProductExists,
			Detail: fmt.Sprintf("there is a product %s, or one of the name %q", p.SKU, p.Name),
		}
	}
	if err != nil {
		return err
	}
	if n, err := created.RowsAffected(); err != nil {
		return err
	} else if n == 0 {
		return unknownFactory(p.Factory)
	}
	if err := addBins(ctx, conn, p.ID, p.Bins); err != nil {
		return err
	}
	opening.quantity, opening.cause = p.Stock, shop.CauseOpening
	return move(ctx, conn, p.ID, opening)
}

// ChangeProduct changes fields of a product. The bins are locked meanwhile, and spread afterwards:
// their number and their floors may change.
func (s *Store) ChangeProduct(ctx context.Context, sku string, c shop.ProductChange, at time.Time) error {
	product, err := s.productID(ctx, "changing product "+sku, sku)
	if err != nil {
		return err
	}
	if c.Factory != nil {
		var known int
		row := s.db.QueryRowContext(ctx, `SELECT COUNT(*) FROM factory WHERE identifier = ?`, searchable(*c.Factory))
		if err := row.Scan(&known); err != nil {
			return failed("looking for factory "+*c.Factory, err)
		}
		if known == 0 {
			return unknownFactory(*c.Factory)
		}
	}
	return s.withStock(ctx, "changing product "+sku, product, func(conn *sql.Conn, stock int) error {
		if c.Archived != nil {
			return archive(ctx, conn, product, sku, stock, *c.Archived, at)
		}
		return changeProduct(ctx, conn, product, sku, c, nil, at)
	})
}

// changeProduct changes fields of a product, and sets names in other languages, by their tags. The
// transaction has locked the product's bins.
func changeProduct(
	ctx context.Context, conn *sql.Conn, product uuid.UUID, sku string, c shop.ProductChange, names map[string]string,
	at time.Time,
) error {
	if err := checkNotArchived(ctx, conn, product, sku); err != nil {
		return err
	}
	var columns []string
	var args []any
	change := func(column string, value any) {
		columns, args = append(columns, column), append(args, value)
	}
	switch {
	case c.Name == nil:
	case c.Language == nil:
		change("name = ?", *c.Name)
	case *c.Name == "":
		change("names = JSON_REMOVE(names, ?)", languagePath(*c.Language))
	default:
		names = map[string]string{*c.Language: *c.Name}
	}
	if len(names) > 0 {
		columns = append(columns, "names = JSON_SET(COALESCE(names, '{}')"+strings.Repeat(", ?, ?", len(names))+")")
		for _, tag := range slices.Sorted(maps.Keys(names)) {
			args = append(args, languagePath(tag), names[tag])
		}
	}
	if c.Price != nil {
		change("price = ?", *c.Price)
	}
	if c.Bins != nil {
		change("bins = ?, waited_at = NULL", *c.Bins)
	}
	if c.MaxPerSale != nil {
		change("max_per_sale = ?", *c.MaxPerSale)
	}
	if c.Factory != nil {
		change("factory_id = (SELECT f.factory_id FROM factory f WHERE f.identifier = ?)", *c.Factory)
	}
	if c.ReorderPoint != nil {
		change("reorder_point = ?", *c.ReorderPoint)
	}
	if c.OrderUpTo != nil {
		change("order_up_to = ?", *c.OrderUpTo)
	}
	if c.LotSize != nil {
		change("lot_size = ?", *c.LotSize)
	}
	if c.MinimumOrder != nil {
		change("minimum_order = ?", *c.MinimumOrder)
	}
	if c.LeadTime != nil {
		change("lead_time = ?", wholeSeconds(*c.LeadTime))
	}
	if c.Automatic != nil {
		change("automatic = ?, was_automatic = FALSE", *c.Automatic) // an undo of archive keeps the choice
	}
	// #nosec G202 -- the columns are those above, the values are arguments
	update := `UPDATE product SET ` + strings.Join(columns, ", ") + ` WHERE product_id = ?`
	_, err := conn.ExecContext(ctx, update, append(args, product[:])...)
	switch serverError(err) {
	case errDuplicate:
		return &shop.Error{
			Code:   shop.CodeProductExists,
			Detail: fmt.Sprintf("another product has the name %q", *c.Name),
		}
	case errCheckViolatedMySQL, errCheckViolatedMariaDB:
		return &shop.Error{
			Code:   shop.CodeInvalidProduct,
			Detail: "another request changed the policy at the same time, and both changes together are invalid",
			Err:    err,
		}
	}
	if err != nil {
		return err
	}
	if c.Bins != nil {
		if err := addBins(ctx, conn, product, *c.Bins); err != nil {
			return err
		}
	}
	return move(ctx, conn, product, movement{at: at})
}

// languagePath returns the path of the name in a language. The shop has checked the tag.
func languagePath(tag string) string { return `$."` + tag + `"` }

func wholeSeconds(d time.Duration) int64 { return int64(d / time.Second) }

// maxASCII is the width of the columns of SKUs and identifiers, in bytes of ASCII.
const maxASCII = 64

// mayBeSKU reports whether the database can look for a text as a SKU. It cannot compare a text that
// does not fit into the column.
func mayBeSKU(s string) bool {
	// The column's collation ignores spaces at the end, so it would find a SKU without them.
	return len(s) <= maxASCII && !strings.HasSuffix(s, " ") &&
		strings.IndexFunc(s, func(r rune) bool { return r > unicode.MaxASCII }) < 0
}

// searchable returns an identifier that the database can look for. If it cannot look for the given
// one, searchable returns the empty text, which no factory has.
func searchable(identifier string) string {
	if !mayBeSKU(identifier) {
		return ""
	}
	return identifier
}

func unknownProduct(sku string) error {
	return &shop.Error{Code: shop.CodeUnknownProduct, Detail: fmt.Sprintf("there is no product %.64q", sku)}
}

func unknownFactory(identifier string) error {
	return &shop.Error{Code: shop.CodeUnknownFactory, Detail: fmt.Sprintf("there is no factory %.64q", identifier),
		Commands: []string{"shop factories"}}
}
