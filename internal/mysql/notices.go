package mysql

import (
	"context"
	"fmt"
	"time"

	"restock/internal/shop"
)

// DueNotices lists the notices that were not sent and are not claimed, oldest first.
func (s *Store) DueNotices(ctx context.Context, now time.Time) ([]shop.Notice, error) {
	return list(ctx, s.db, "listing the notices that are due",
		func(scan func(...any) error) (n shop.Notice, err error) {
			fields := []any{&n.Kind, &n.SubjectID, &n.AttemptID, &n.Quantity, &n.RaisedAt}
			err = scan(append(fields, orderFields(&n.Order)...)...)
			return n, err
		}, `
		SELECT n.kind, n.subject_id, COALESCE(n.attempt_id, n.subject_id), n.quantity, n.raised_at, `+orderColumns+`
		  FROM notice n
		  JOIN `+orderTables+` ON o.production_order_id = n.production_order_id
		 WHERE n.due_at <= ?
		 ORDER BY n.raised_at, n.kind, n.subject_id`, now.UTC())
}

// Notices lists notices, newest first. There are few: each is about something unusual.
func (s *Store) Notices(ctx context.Context, after shop.Notice, limit int) ([]shop.Notice, error) {
	condition, args := "TRUE", []any{}
	if !after.RaisedAt.IsZero() {
		condition = "(n.raised_at, n.kind, n.subject_id) < (?, ?, ?)"
		args = append(args, after.RaisedAt.UTC(), string(after.Kind), after.SubjectID[:])
	}
	return list(ctx, s.db, "listing the notices",
		func(scan func(...any) error) (n shop.Notice, err error) {
			fields := []any{
				&n.Kind, &n.SubjectID, &n.AttemptID, &n.Quantity, &n.RaisedAt, (*timeOrZero)(&n.ToldAt),
			}
			return n, scan(append(fields, orderFields(&n.Order)...)...)
		}, `
		SELECT n.kind, n.subject_id, COALESCE(n.attempt_id, n.subject_id), n.quantity, n.raised_at, n.told_at,
		       `+orderColumns+`
		  FROM notice n
		  JOIN `+orderTables+` ON o.production_order_id = n.production_order_id
		 WHERE `+condition+`
		 ORDER BY n.raised_at DESC, n.kind DESC, n.subject_id DESC
		 LIMIT ?`, append(args, limit)...)
}

// ClaimNotice makes the caller the one that sends a notice. Callers race for due_at.
func (s *Store) ClaimNotice(ctx context.Context, n shop.Notice, from, until time.Time) (bool, error) {
	return s.changes(ctx, fmt.Sprintf("claiming the notice %s of %s", n.Kind, n.SubjectID),
		`UPDATE notice SET due_at = ? WHERE kind = ? AND subject_id = ? AND due_at <= ?`,
		until.UTC(), string(n.Kind), n.SubjectID[:], from.UTC())
}

// MarkNotified records when a notice was sent. The first time stays.
func (s *Store) MarkNotified(ctx context.Context, n shop.Notice, at time.Time) error {
	_, err := s.changes(ctx, fmt.Sprintf("marking the notice %s of %s as sent", n.Kind, n.SubjectID),
		`UPDATE notice SET due_at = NULL, told_at = ? WHERE kind = ? AND subject_id = ? AND due_at IS NOT NULL`,
		at.UTC(), string(n.Kind), n.SubjectID[:])
	return err
}
