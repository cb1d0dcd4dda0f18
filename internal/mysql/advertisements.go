package mysql

import (
	"context"
	"encoding/json"
	"fmt"

	"github.com/google/uuid"

	"restock/internal/ads"
)

// Advertisements lists the advertisements that have products, and whether any of the products is in
// stock.
func (s *Store) Advertisements(ctx context.Context) ([]ads.Advertisement, error) {
	const doing = "listing the advertisements"
	rows, err := s.db.QueryContext(ctx, `
		SELECT a.ad_id, a.status, a.manager_email,
		       MAX((SELECT SUM(b.stock) FROM bin b WHERE b.product_id = p.product_id)) > 0, JSON_ARRAYAGG(p.name)
		  FROM advertisement a
		  JOIN product p ON p.ad_id = a.ad_id
		 GROUP BY a.ad_id, a.status, a.manager_email
		 ORDER BY a.ad_id`)
	if err != nil {
		return nil, failed(doing, err)
	}
	defer rows.Close()
	var all []ads.Advertisement
	for rows.Next() {
		var a ads.Advertisement
		var products []byte
		if err := rows.Scan(&a.ID, &a.Status, &a.Manager, &a.InStock, &products); err != nil {
			return nil, failed(doing, err)
		}
		if err := json.Unmarshal(products, &a.Products); err != nil {
			return nil, fmt.Errorf("%s: %w", doing, err)
		}
		all = append(all, a)
	}
	if err := rows.Err(); err != nil {
		return nil, failed(doing, err)
	}
	return all, nil
}

// SwitchAdvertisement changes the status of an advertisement from one to another, and reports
// whether it did. It changes nothing if the advertisement has another status by now.
func (s *Store) SwitchAdvertisement(ctx context.Context, id uuid.UUID, from, to ads.Status) (bool, error) {
	return s.changes(ctx, fmt.Sprintf("switching advertisement %s %s", id, to),
		`UPDATE advertisement SET status = ? WHERE ad_id = ? AND status = ?`, to, id[:], from)
}
