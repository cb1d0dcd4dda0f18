package mysql

import (
	"context"
	"time"

	"github.com/google/uuid"

	"restock/internal/shop"
)

// Factories lists all factories, sorted by identifier.
func (s *Store) Factories(ctx context.Context) ([]shop.Factory, error) {
	return list(ctx, s.db, "listing the factories",
		func(scan func(...any) error) (f shop.Factory, err error) {
			return f, scan(&f.Identifier, &f.Name, &f.ManagerEmail, &f.Products)
		}, `
		SELECT f.identifier, f.name, f.manager_email,
		       (SELECT COUNT(*) FROM product p WHERE p.factory_id = f.factory_id)
		  FROM factory f
		 ORDER BY f.identifier`)
}

// late is by how much an entry's time may differ from the order of the entries: the time is that of
// the request, which may wait for the bin as long as a function runs.
const late = time.Minute

// A stretch is a part of a bin's movements.
type stretch struct {
	product     uuid.UUID
	bin         int
	first, next int64 // numbers; next is the one after the last
}

// Sales adds up sales. Movements have no index by time, because each sale would write it. So a
// binary search by number finds where the range begins and ends in each bin: some twenty rows of a
// million. It is one query, and then one for each bin with sales: a join would read all movements.
func (s *Store) Sales(ctx context.Context, from, to time.Time) (sales []shop.ProductSales, err error) {
	const doing = "adding up the sales"
	type productStretch struct {
		stretch
		shop.ProductSales
	}
	found, err := list(ctx, s.db, doing, func(scan func(...any) error) (p productStretch, err error) {
		return p, scan(&p.product, &p.SKU, &p.Name, &p.bin, &p.first, &p.next)
	}, `
		WITH RECURSIVE search (product_id, bin, at, low, high) AS (
		    SELECT b.product_id, b.bin, t.at, CAST(0 AS SIGNED), b.entries + 1
		      FROM bin b
		      JOIN (SELECT CAST(? AS DATETIME(6)) AS at UNION ALL SELECT CAST(? AS DATETIME(6))) t
		     WHERE b.entries > 0
		    UNION ALL
		    SELECT s.product_id, s.bin, s.at, IF(m.recorded_at < s.at, m.number, s.low),
		           IF(m.recorded_at < s.at, s.high, m.number)
		      FROM search s
		      JOIN movement m ON m.product_id = s.product_id AND m.bin = s.bin AND m.number = (s.low + s.high) DIV 2
		     WHERE s.high - s.low > 1
		)
		SELECT p.product_id, p.sku, p.name, s.bin, MIN(s.high), MAX(s.high)
		  FROM search s
		  JOIN product p ON p.product_id = s.product_id
		 WHERE s.high - s.low = 1
		 GROUP BY p.product_id, s.bin
		HAVING MIN(s.high) < MAX(s.high)
		 ORDER BY p.sku, s.bin`, from.Add(-late).UTC(), to.Add(late).UTC())
	if err != nil {
		return nil, err
	}
	for _, p := range found {
		one := p.ProductSales
		// The largest price times the largest quantity does not fit into 64 bits.
		err := s.db.QueryRowContext(ctx, `
			SELECT COUNT(*), COALESCE(SUM(-quantity), 0),
			       LEAST(COALESCE(SUM(-quantity * CAST(unit_price AS DECIMAL(20))), 0), 9223372036854775807)
			  FROM movement
			 WHERE product_id = ? AND bin = ? AND number >= ? AND number < ? AND cause = ?
			   AND recorded_at >= ? AND recorded_at < ?`,
			p.product[:], p.bin, p.first, p.next, shop.CauseSale, from.UTC(), to.UTC()).
			Scan(&one.Sales, (*sum)(&one.Units), &one.Revenue)
		if err != nil {
			return nil, failed(doing, err)
		}
		if last := len(sales) - 1; last >= 0 && sales[last].SKU == one.SKU {
			sales[last].Sales += one.Sales
			sales[last].Units += one.Units
			sales[last].Revenue += one.Revenue
		} else if one.Sales > 0 {
			sales = append(sales, one)
		}
	}
	return sales, nil
}
