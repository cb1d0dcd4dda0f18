package mysql

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/google/uuid"

	"restock/internal/shop"
)

// isWaiting is the condition that an entry waits. Its argument is the time.
const isWaiting = `w.answered_at IS NULL AND w.expires_at > ?`

// selectEntries reads entries. Its argument is the time for which places are counted.
const selectEntries = `
	SELECT e.entry_id, p.sku, COALESCE(e.idempotency_key, ''), e.joined_at, e.expires_at, e.answered_at,
	       (SELECT COUNT(*) FROM waitlist w FORCE INDEX (waitlist_waiting)
	         WHERE w.product_id = e.product_id AND w.number <= e.number AND ` + isWaiting + `)
	  FROM waitlist e
	  JOIN product p ON p.product_id = e.product_id`

func scanEntry(row *sql.Row) (e shop.WaitlistEntry, err error) {
	err = row.Scan(&e.ID, &e.SKU, &e.IdempotencyKey, &e.JoinedAt, &e.ExpiresAt, (*timeOrZero)(&e.AnsweredAt), &e.Place)
	return e, err
}

// JoinWaitlist stores an entry. A request that is refused, or repeats an earlier one, locks
// nothing. The unique key decides which of two requests with the same key comes first; the other
// one finds its entry when it tries again, unless the entry was deleted meanwhile.
func (s *Store) JoinWaitlist(ctx context.Context, e shop.WaitlistEntry) (joined shop.WaitlistEntry, err error) {
	doing := "joining the waitlist of " + e.SKU
	const attempts = 5
	for range attempts {
		joined, err = s.joinWaitlist(ctx, doing, e)
		if serverError(err) != errDuplicate {
			break
		}
	}
	return joined, err
}

func (s *Store) joinWaitlist(
	ctx context.Context, doing string, e shop.WaitlistEntry,
) (joined shop.WaitlistEntry, err error) {
	p, err := s.Product(ctx, e.SKU)
	if err != nil {
		return joined, err
	}
	if e.IdempotencyKey != "" {
		joined, err = scanEntry(s.db.QueryRowContext(ctx, selectEntries+` WHERE e.idempotency_key = ?`,
			e.JoinedAt.UTC(), e.IdempotencyKey))
		switch {
		case err == nil && joined.SKU != p.SKU:
			return joined, &shop.Error{Code: shop.CodeIdempotencyKeyReused, Detail: fmt.Sprintf(
				"the idempotency key belongs to a place on the waitlist of %s: send a new UUID for each place",
				joined.SKU)}
		case err == nil:
			return joined, nil
		case !errors.Is(err, sql.ErrNoRows):
			return joined, failed(doing, err)
		}
	}
	if _, err := mayJoin(ctx, s.db, p.ID, p.Stock, e); err != nil {
		if named := (*shop.Error)(nil); errors.As(err, &named) {
			return joined, err
		}
		return joined, failed(doing, err)
	}
	err = s.withStock(ctx, doing, p.ID, func(conn *sql.Conn, stock int) error {
		waiting, err := mayJoin(ctx, conn, p.ID, stock, e)
		if err != nil {
			return err
		}
		var last int64
		err = conn.QueryRowContext(ctx, `SELECT COALESCE(MAX(number), 0) FROM waitlist WHERE product_id = ?`,
			p.ID[:]).Scan(&last)
		if err != nil {
			return err
		}
		_, err = conn.ExecContext(ctx, `
			INSERT INTO waitlist (entry_id, product_id, number, idempotency_key, joined_at, expires_at)
			VALUES (?, ?, ?, ?, ?, ?)`,
			e.ID[:], p.ID[:], last+1, orNull(e.IdempotencyKey), e.JoinedAt.UTC(), e.ExpiresAt.UTC())
		joined, joined.SKU, joined.Place = e, p.SKU, waiting+1
		return err
	})
	return joined, err
}

// mayJoin counts the buyers that wait for a product, and returns an error if nobody may join them
// now.
func mayJoin(ctx context.Context, db interface {
	QueryRowContext(ctx context.Context, query string, args ...any) *sql.Row
}, product uuid.UUID, stock int, e shop.WaitlistEntry) (waiting int, err error) {
	var archived bool
	err = db.QueryRowContext(ctx, `
		SELECT p.archived_at IS NOT NULL,
		       (SELECT COUNT(*) FROM waitlist w FORCE INDEX (waitlist_waiting)
		         WHERE w.product_id = p.product_id AND `+isWaiting+`)
		  FROM product p WHERE p.product_id = ?`, e.JoinedAt.UTC(), product[:]).Scan(&archived, &waiting)
	switch {
	case err != nil:
		return 0, err
	case archived: // buyers do not see it
		return 0, unknownProduct(e.SKU)
	case stock > 0:
		return 0, &shop.Error{Code: shop.CodeInStock, Detail: fmt.Sprintf("%d of %s are on hand: buy it", stock, e.SKU)}
	case waiting >= shop.MaxWaiting:
		return 0, &shop.Error{Code: shop.CodeWaitlistFull, Detail: fmt.Sprintf(
			"%d buyers wait for %s, no more can: try again when some were served", waiting, e.SKU)}
	}
	return waiting, nil
}

// answerWaitlist answers the first of the buyers that wait, one for each piece that comes: 80
// pieces do not call 5,000 people. The transaction has locked the product's bins.
func answerWaitlist(ctx context.Context, conn *sql.Conn, product uuid.UUID, pieces int, at time.Time) error {
	ids, err := rowsOf(ctx, conn, scanID,
		`SELECT w.entry_id FROM waitlist w WHERE w.product_id = ? AND `+isWaiting+` ORDER BY w.number LIMIT ?`,
		product[:], at.UTC(), pieces)
	if err != nil {
		return err
	}
	return changeEntries(ctx, conn, `UPDATE`, ids, ` SET w.answered_at = ?`, at.UTC())
}

// changeEntries changes entries whose product's bins are locked, a few at a time. It joins a table
// of their ids, so that the server looks up each entry by its primary key and locks it alone. By a
// range of another index, of many keys or of a short table's keys, the server would read other
// products' entries and wait for them: two deliveries, or a delivery and a buyer, could deadlock.
func changeEntries(
	ctx context.Context, conn *sql.Conn, verb string, ids []uuid.UUID, change string, args ...any,
) error {
	const id = `CAST(? AS BINARY(16))` // a parameter of a prepared statement is text without it
	for few := range slices.Chunk(ids, 50) {
		all := make([]any, 0, len(few)+len(args))
		for _, entry := range few {
			all = append(all, entry[:])
		}
		_, err := conn.ExecContext(ctx, verb+`
			(SELECT `+id+` AS entry_id`+strings.Repeat(` UNION ALL SELECT `+id, len(few)-1)+`) chosen
			STRAIGHT_JOIN waitlist w FORCE INDEX (PRIMARY) ON w.entry_id = chosen.entry_id`+change,
			append(all, args...)...)
		if err != nil {
			return err
		}
	}
	return nil
}

func scanID(scan func(...any) error) (id uuid.UUID, err error) {
	return id, scan(&id)
}

// WaitlistEntry finds an entry, and its place at a time.
func (s *Store) WaitlistEntry(ctx context.Context, id uuid.UUID, at time.Time) (shop.WaitlistEntry, error) {
	e, err := scanEntry(s.db.QueryRowContext(ctx, selectEntries+` WHERE e.entry_id = ?`, at.UTC(), id[:]))
	switch {
	case errors.Is(err, sql.ErrNoRows):
		return e, &shop.Error{Code: shop.CodeUnknownWaitlistEntry,
			Detail: fmt.Sprintf("there is no place %s on a waitlist, or it expired more than a day ago", id)}
	case err != nil:
		return e, failed(fmt.Sprintf("reading place %s on a waitlist", id), err)
	}
	return e, nil
}

// Waiting counts the entries that wait at a time, by product.
func (s *Store) Waiting(ctx context.Context, at time.Time) (map[uuid.UUID]int, error) {
	return mapOf[uuid.UUID, int](ctx, s.db, "counting the waitlists",
		`SELECT w.product_id, COUNT(*) FROM waitlist w WHERE `+isWaiting+` GROUP BY w.product_id`, at.UTC())
}

// ForgetWaitlist deletes old entries of one product.
func (s *Store) ForgetWaitlist(ctx context.Context, before time.Time, limit int) (more bool, err error) {
	const doing = "deleting old places on waitlists"
	var product uuid.UUID
	err = s.db.QueryRowContext(ctx, `SELECT product_id FROM waitlist WHERE expires_at < ? LIMIT 1`, before.UTC()).
		Scan(&product)
	switch {
	case errors.Is(err, sql.ErrNoRows):
		return false, nil
	case err != nil:
		return false, failed(doing, err)
	}
	err = s.withStock(ctx, doing, product, func(conn *sql.Conn, _ int) error {
		ids, err := rowsOf(ctx, conn, scanID, `
			SELECT entry_id FROM waitlist WHERE product_id = ? AND expires_at < ? ORDER BY number LIMIT ?`,
			product[:], before.UTC(), limit)
		if err != nil {
			return err
		}
		return changeEntries(ctx, conn, `DELETE w FROM`, ids, "")
	})
	return err == nil, err
}
