package mysql

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"math"
	"strings"
	"time"

	"github.com/google/uuid"

	"restock/internal/shop"
)

// Adjust books an adjustment. The unique key decides which of two requests with the same key comes
// first; the other one finds its movement in the second try.
func (s *Store) Adjust(ctx context.Context, a shop.Adjustment) (adjusted shop.Adjusted, err error) {
	doing := fmt.Sprintf("adjusting %s by %d", a.SKU, a.Quantity)
	product, err := s.productID(ctx, doing, a.SKU)
	if err != nil {
		return adjusted, err
	}
	for range 2 {
		err = s.withStock(ctx, doing, product, func(conn *sql.Conn, stock int) error {
			adjusted, err = adjust(ctx, conn, product, stock, a)
			return err
		})
		if serverError(err) != errDuplicate {
			break
		}
	}
	return adjusted, err
}

// undoKey begins the idempotency key of an undo. The rest is the adjustment that it undoes, so an
// adjustment is undone once. Clients cannot send tabs. ForgetKeys keeps the key.
const undoKey = "undo\t"

// Undo books the opposite of an adjustment.
func (s *Store) Undo(ctx context.Context, a shop.Adjustment, number int64) (undone shop.Adjusted, err error) {
	doing := fmt.Sprintf("undoing entry %d of %s", number, a.SKU)
	product, err := s.productID(ctx, doing, a.SKU)
	if err != nil {
		return undone, err
	}
	err = s.withStock(ctx, doing, product, func(conn *sql.Conn, stock int) error {
		var adjustment uuid.UUID
		err := conn.QueryRowContext(ctx, `
			SELECT reference, -quantity FROM movement WHERE product_id = ? AND bin = 0 AND number = ? AND cause = ?`,
			product[:], number, shop.CauseAdjustment).Scan(&adjustment, &a.Quantity)
		if errors.Is(err, sql.ErrNoRows) {
			return &shop.Error{Code: shop.CodeUnknownAdjustment, Detail: fmt.Sprintf(
				"entry %d in bin 0 of %s is not an adjustment", number, a.SKU),
				Commands: []string{"shop ledger " + a.SKU}}
		}
		if err != nil {
			return err
		}
		a.IdempotencyKey = undoKey + adjustment.String()
		undone, err = adjust(ctx, conn, product, stock, a)
		return err
	})
	return undone, err
}

func adjust(
	ctx context.Context, conn *sql.Conn, product uuid.UUID, stock int, a shop.Adjustment,
) (shop.Adjusted, error) {
	compared, value, what := "quantity", a.Quantity, fmt.Sprintf("by %d", a.Quantity)
	if a.To != nil {
		compared, value, what = "stock_left", *a.To, fmt.Sprintf("to %d", *a.To)
		a.Quantity = *a.To - stock
	}
	var same bool
	booked := shop.Adjusted{Stock: stock, Repeated: true}
	// #nosec G202 -- the column is one of two names above
	err := conn.QueryRowContext(ctx, `
		SELECT cause = ? AND product_id = ? AND `+compared+` = ? AND reason = ?, number, quantity,
		       COALESCE(stock_left, 0)
		  FROM movement WHERE idempotency_key = ?`,
		shop.CauseAdjustment, product[:], value, a.Reason, orNull(a.IdempotencyKey)).
		Scan(&same, &booked.Number, &booked.Quantity, &booked.Left)
	switch {
	case err == nil && same:
		return booked, nil
	case err == nil:
		return shop.Adjusted{}, &shop.Error{Code: shop.CodeIdempotencyKeyReused, Detail: fmt.Sprintf(
			"the idempotency key belongs to another request than the adjustment of %s %s for this reason: "+
				"all requests share one set of keys, send a new UUID for each adjustment", a.SKU, what)}
	case !errors.Is(err, sql.ErrNoRows):
		return shop.Adjusted{}, err
	case stock+a.Quantity < 0:
		return shop.Adjusted{Stock: stock, Refused: true, Quantity: a.Quantity}, nil
	case a.Quantity == 0: // the count agrees with the books
		return shop.Adjusted{Stock: stock, Left: stock}, nil
	}
	// Stock of an archived product puts it on sale again. The shop does not order it: see archive.
	if a.Quantity > 0 {
		_, err := conn.ExecContext(ctx, `UPDATE product SET archived_at = NULL WHERE product_id = ?`, product[:])
		if err != nil {
			return shop.Adjusted{}, err
		}
	}
	err = move(ctx, conn, product, movement{
		quantity: a.Quantity, cause: shop.CauseAdjustment, reference: a.ID, reason: a.Reason, key: a.IdempotencyKey,
		at: a.At,
	})
	if err != nil {
		return shop.Adjusted{}, err
	}
	left := stock + a.Quantity
	adjusted := shop.Adjusted{Stock: left, Quantity: a.Quantity, Left: left}
	// It is the last entry of the bin, or the one before: move may book a spread after it.
	err = conn.QueryRowContext(ctx, `
		SELECT number FROM movement WHERE product_id = ? AND bin = 0 AND reference = ? ORDER BY number DESC LIMIT 1`,
		product[:], a.ID[:]).Scan(&adjusted.Number)
	return adjusted, err
}

// Ledger lists the entries of a product's ledger, newest first. before[i] limits the entries of bin
// i: only older ones are listed. It leaves out movements from bin to bin.
//
// Each bin has its own numbers. The entries of a bin are listed by their numbers, and those of
// several bins by their times. (An entry's time is the time of the request, so it may be a little
// earlier than that of the entry before.)
func (s *Store) Ledger(
	ctx context.Context, product uuid.UUID, before []int64, limit int,
) (entries []shop.LedgerEntry, err error) {
	const ofOneBin = `(
		SELECT bin, number, quantity, cause, COALESCE(reason, ''), reference, recorded_at FROM movement
		 WHERE product_id = ? AND bin = %d AND number < ? AND cause <> 'spread' ORDER BY number DESC LIMIT ?)`
	var selects []string
	var args []any
	for bin := range shop.MaxBins {
		limitOfBin := int64(math.MaxInt64)
		if bin < len(before) {
			limitOfBin = before[bin]
		}
		selects, args = append(selects, fmt.Sprintf(ofOneBin, bin)), append(args, product[:], limitOfBin, limit)
	}
	read, err := list(ctx, s.db, "listing the stock ledger",
		func(scan func(...any) error) (e shop.LedgerEntry, err error) {
			var reference []byte
			if err := scan(&e.Bin, &e.Number, &e.Quantity, &e.Cause, &e.Reason, &reference, &e.At); err != nil {
				return e, err
			}
			copy(e.Reference[:], reference)
			return e, nil
		}, strings.Join(selects, " UNION ALL "), args...)
	if err != nil {
		return nil, err
	}
	ofBin := map[int][]shop.LedgerEntry{}
	for _, e := range read {
		ofBin[e.Bin] = append(ofBin[e.Bin], e)
	}
	for len(entries) < min(limit, len(read)) {
		newest := -1
		for bin := range shop.MaxBins {
			if rest := ofBin[bin]; len(rest) > 0 && (newest < 0 || rest[0].At.After(ofBin[newest][0].At)) {
				newest = bin
			}
		}
		entries, ofBin[newest] = append(entries, ofBin[newest][0]), ofBin[newest][1:]
	}
	return entries, nil
}

// ForgetKeys removes the idempotency keys of the oldest movements that have one, in one bin.
// Receipts keep theirs: an attempt is booked once, however late the factory repeats its callback.
// Undos do, too: an adjustment is undone once.
func (s *Store) ForgetKeys(ctx context.Context, before time.Time, limit int) (forgotten int, more bool, err error) {
	forgotten, more, err = s.forgetKeys(ctx, before, limit)
	if err != nil {
		return forgotten, false, failed("forgetting old idempotency keys", err)
	}
	return forgotten, more, nil
}

func (s *Store) forgetKeys(ctx context.Context, before time.Time, limit int) (forgotten int, more bool, err error) {
	var product uuid.UUID
	var bin int
	var last int64
	err = s.db.QueryRowContext(ctx, `
		SELECT b.product_id, b.bin, COALESCE(c.forgotten, 0)
		  FROM bin b
		  LEFT JOIN bin_checkpoint c ON c.product_id = b.product_id AND c.bin = b.bin
		  JOIN movement m ON m.product_id = b.product_id AND m.bin = b.bin AND m.number = COALESCE(c.forgotten, 0) + 1
		 WHERE m.recorded_at < ?
		 LIMIT 1`, before.UTC()).Scan(&product, &bin, &last)
	if errors.Is(err, sql.ErrNoRows) {
		return 0, false, nil
	}
	if err != nil {
		return 0, false, err
	}
	from := last
	rows, err := s.db.QueryContext(ctx, `
		SELECT number, recorded_at FROM movement
		 WHERE product_id = ? AND bin = ? AND number > ? ORDER BY number LIMIT ?`,
		product[:], bin, from, limit)
	if err != nil {
		return 0, false, err
	}
	defer rows.Close()
	for rows.Next() {
		var number int64
		var at time.Time
		if err := rows.Scan(&number, &at); err != nil {
			return 0, false, err
		}
		if !at.Before(before) {
			break
		}
		last = number
	}
	if err := errors.Join(rows.Err(), rows.Close()); err != nil {
		return 0, false, err
	}
	result, err := s.exec(ctx, `
		UPDATE movement SET idempotency_key = NULL
		 WHERE product_id = ? AND bin = ? AND number > ? AND number <= ?
		   AND idempotency_key IS NOT NULL AND cause <> 'receipt' AND idempotency_key NOT LIKE 'undo\t%'`,
		product[:], bin, from, last)
	if err != nil {
		return 0, false, err
	}
	n, err := result.RowsAffected()
	if err != nil {
		return 0, false, err
	}
	// If two calls run at once, the later of the two places is stored.
	_, err = s.exec(ctx, `
		INSERT INTO bin_checkpoint (product_id, bin, forgotten) VALUES (?, ?, ?)
		ON DUPLICATE KEY UPDATE forgotten = GREATEST(forgotten, VALUES(forgotten))`, product[:], bin, last)
	return int(n), true, err
}
