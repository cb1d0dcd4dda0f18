package mysql

import (
	"context"
	"database/sql"
	"encoding/binary"
	"errors"
	"fmt"
	"math"
	"time"

	"github.com/google/uuid"

	"restock/internal/shop"
)

// Ledger lists the entries of a product's ledger that are older than the entry after (0: all),
// newest first.
func (s *Store) Ledger(ctx context.Context, product uuid.UUID, after int64, limit int) ([]shop.LedgerEntry, error) {
	if after == 0 {
		after = math.MaxInt64
	}
	return list(ctx, s.db, "listing the stock ledger", func(scan func(...any) error) (e shop.LedgerEntry, err error) {
		var reference []byte
		if err := scan(&e.ID, &e.Quantity, &e.Cause, &e.Reason, &reference, &e.At); err != nil {
			return e, err
		}
		copy(e.Reference[:], reference)
		return e, nil
	}, `
		SELECT l.entry_id, l.quantity, l.cause, COALESCE(a.reason, ''), l.reference, l.recorded_at
		  FROM stock_ledger l
		  LEFT JOIN adjustment a ON l.cause = 'adjustment' AND a.adjustment_id = l.reference
		 WHERE l.product_id = ? AND l.entry_id < ?
		 ORDER BY l.entry_id DESC
		 LIMIT ?`, product[:], after, limit)
}

// keptIn lists the tables that have idempotency keys, with their primary keys.
var keptIn = []struct{ table, id string }{{"sale", "sale_id"}, {"adjustment", "adjustment_id"}}

// ForgetKeys removes the idempotency keys of the oldest sales and adjustments that have one.
func (s *Store) ForgetKeys(ctx context.Context, before time.Time, limit int) (forgotten int, more bool, err error) {
	for _, kept := range keptIn {
		n, unfinished, err := s.forgetKeys(ctx, kept.table, kept.id, before, limit)
		if err != nil {
			return forgotten, false, failed("forgetting the idempotency keys of table "+kept.table, err)
		}
		forgotten, more = forgotten+n, more || unfinished
	}
	return forgotten, more, nil
}

// forgetKeys continues in a table where the last call stopped. If two calls run at once, the later
// of the two places is stored.
func (s *Store) forgetKeys(
	ctx context.Context, table, id string, before time.Time, limit int,
) (forgotten int, more bool, err error) {
	from, until := uuid.Nil, oldestID(before)
	err = s.db.QueryRowContext(ctx, `SELECT up_to FROM forgotten_keys WHERE kept_in = ?`, table).Scan(&from)
	if err != nil && !errors.Is(err, sql.ErrNoRows) {
		return 0, false, err
	}
	var rows int
	var last uuid.NullUUID
	err = s.db.QueryRowContext(ctx, fmt.Sprintf(`
		SELECT COUNT(*), MAX(batch.id)
		  FROM (SELECT %[2]s AS id FROM %[1]s WHERE %[2]s > ? AND %[2]s < ? ORDER BY %[2]s LIMIT ?) batch`, table, id),
		from[:], until[:], limit).Scan(&rows, &last)
	if err != nil || rows == 0 {
		return 0, false, err
	}
	err = retryDeadlocks(ctx, func() error {
		result, err := s.db.ExecContext(ctx, fmt.Sprintf(`
			UPDATE %[1]s SET idempotency_key = NULL
			 WHERE %[2]s > ? AND %[2]s <= ? AND idempotency_key IS NOT NULL`, table, id), from[:], last.UUID[:])
		if err != nil {
			return err
		}
		n, err := result.RowsAffected()
		forgotten = int(n)
		return err
	})
	if err != nil {
		return 0, false, err
	}
	_, err = s.db.ExecContext(ctx, `
		INSERT INTO forgotten_keys (kept_in, up_to) VALUES (?, ?)
		ON DUPLICATE KEY UPDATE up_to = GREATEST(up_to, VALUES(up_to))`, table, last.UUID[:])
	return forgotten, rows == limit, err
}

// oldestID returns an id that is smaller than every UUIDv7 made at a time or later. A UUIDv7 begins
// with 48 bits of Unix milliseconds.
//
//	https://www.rfc-editor.org/rfc/rfc9562#name-uuid-version-7
func oldestID(t time.Time) (id uuid.UUID) {
	var milliseconds [8]byte
	binary.BigEndian.PutUint64(milliseconds[:], uint64(t.UnixMilli()))
	copy(id[:6], milliseconds[2:])
	return id
}
