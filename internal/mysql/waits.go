package mysql

import (
	"context"
	"time"

	"restock/internal/shop"
)

// RecordWait is called after a buyer waited long for a product. If all bins are busy with other
// buyers and the product could have more, RecordWait stores the time of the wait. It returns the
// number of bins if the last stored wait is older than quiet; so one of many callers reports the
// wait. Otherwise it returns 0.
//
// A bin is busy if a transaction has locked it. RecordWait does not wait for it.
func (s *Store) RecordWait(ctx context.Context, sku string, at time.Time, quiet time.Duration) (bins int, err error) {
	p, err := s.Product(ctx, sku)
	if err != nil || p.Bins >= shop.MaxBins || at.Sub(p.WaitedAt) < quiet {
		return 0, err
	}
	doing := "recording that buyers of " + sku + " waited"
	var free int
	row := s.db.QueryRowContext(ctx,
		`SELECT COUNT(*) FROM bin WHERE product_id = ? AND bin < ? FOR UPDATE SKIP LOCKED`, p.ID[:], p.Bins)
	if err := row.Scan(&free); err != nil {
		return 0, failed(doing, err)
	}
	if free > 0 {
		return 0, nil
	}
	stored, err := s.changes(ctx, doing, `
		UPDATE product SET waited_at = ?
		 WHERE product_id = ? AND bins = ? AND (waited_at IS NULL OR waited_at <= ?)`,
		at.UTC(), p.ID[:], p.Bins, at.Add(-quiet).UTC())
	if err != nil || !stored {
		return 0, err
	}
	return p.Bins, nil
}
