package mysql

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"

	"github.com/google/uuid"

	"restock/internal/shop"
)

// Sale finds a sale.
func (s *Store) Sale(ctx context.Context, id uuid.UUID) (shop.PastSale, error) {
	sale := shop.PastSale{ID: id}
	var names []byte
	err := s.db.QueryRowContext(ctx, `
		SELECT p.sku, p.name, p.names, -m.quantity, m.unit_price, m.recorded_at
		  FROM movement m JOIN product p ON p.product_id = m.product_id
		 WHERE m.reference = ? AND m.cause = ?`, id[:], shop.CauseSale).
		Scan(&sale.SKU, &sale.Name, &names, &sale.Quantity, &sale.UnitPrice, &sale.At)
	if err == nil && names != nil {
		err = json.Unmarshal(names, &sale.Names)
	}
	switch {
	case errors.Is(err, sql.ErrNoRows):
		return sale, &shop.Error{Code: shop.CodeUnknownSale, Detail: fmt.Sprintf("there is no sale %s", id)}
	case err != nil:
		return sale, failed(fmt.Sprintf("reading sale %s", id), err)
	}
	return sale, nil
}
