package mysql

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"time"

	"github.com/google/uuid"

	"restock/internal/shop"
)

// archive archives a product, or puts it on sale again. The transaction has locked the product's
// bins. To repeat either changes nothing.
func archive(
	ctx context.Context, conn *sql.Conn, product uuid.UUID, sku string, stock int, archived bool, at time.Time,
) error {
	// Goods may have put the product on sale again: was_automatic then keeps what the undo returns.
	// MariaDB assigns from left to right.
	update, args := `
		UPDATE product SET automatic = automatic OR was_automatic, was_automatic = FALSE, archived_at = NULL
		 WHERE product_id = ? AND (archived_at IS NOT NULL OR was_automatic)`, []any{product[:]}
	if archived {
		var order uuid.UUID
		row := conn.QueryRowContext(ctx,
			`SELECT production_order_id FROM production_order WHERE open_product_id = ?`, product[:])
		err := row.Scan(&order)
		switch {
		case stock > 0:
			return &shop.Error{Code: shop.CodeProductInUse, Detail: fmt.Sprintf(
				"%d of %s are on hand: keep the shop from ordering more, and sell them or book them out", stock, sku),
				Commands: []string{
					"shop set " + sku + " --automatic=false", "shop adjust " + sku + " --to 0 --reason archived",
				}}
		case err == nil:
			return &shop.Error{Code: shop.CodeProductInUse, Detail: fmt.Sprintf(
				"production order %s of %s is open: wait for its goods; or keep the shop from ordering again, and "+
					"cancel it", order, sku),
				Commands: []string{"shop set " + sku + " --automatic=false", "shop cancel " + order.String()}}
		case !errors.Is(err, sql.ErrNoRows):
			return err
		}
		update, args = `
			UPDATE product SET was_automatic = automatic OR was_automatic, automatic = FALSE, archived_at = ?
			 WHERE product_id = ? AND archived_at IS NULL`, []any{at.UTC(), product[:]}
	}
	if _, err := conn.ExecContext(ctx, update, args...); err != nil {
		return err
	}
	return move(ctx, conn, product, movement{at: at}) // the floors depend on automatic
}

// checkNotArchived returns an error if a product is archived. The transaction has locked its bins.
func checkNotArchived(ctx context.Context, conn *sql.Conn, product uuid.UUID, sku string) error {
	var archived bool
	row := conn.QueryRowContext(ctx, `SELECT archived_at IS NOT NULL FROM product WHERE product_id = ?`, product[:])
	if err := row.Scan(&archived); err != nil || !archived {
		return err
	}
	return productArchived(sku)
}

func productArchived(sku string) error {
	return &shop.Error{Code: shop.CodeProductArchived, Detail: sku + " is archived: put it on sale again first",
		Commands: []string{"shop archive --undo " + sku}}
}
