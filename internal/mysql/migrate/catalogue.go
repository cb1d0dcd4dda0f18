package migrate

import (
	"bytes"
	"context"
	"database/sql"
	"encoding/json"
	"fmt"

	"github.com/google/uuid"
)

// A catalogue has the factories and the products that a new database gets.
type catalogue struct {
	Factories []factory `json:"factories"`
	Products  []product `json:"products"`
}

type factory struct {
	Identifier   string `json:"identifier"`
	Name         string `json:"name"`
	ManagerEmail string `json:"manager_email"`
	API          string `json:"api"` // the path of its API, below the setting factoryUrl
}

// A product has the fields of a product of the merchant's API, and the manager of its
// advertisement.
type product struct {
	ID             uuid.UUID         `json:"product_id"` // zero: a new one
	SKU            string            `json:"sku"`
	Name           string            `json:"name"`
	Names          map[string]string `json:"names"` // in other languages
	Price          int64             `json:"price"`
	Stock          int               `json:"stock"`
	MaxPerSale     int               `json:"max_per_sale"`
	Factory        string            `json:"factory"`
	AdManagerEmail string            `json:"ad_manager_email"` // empty: it has no advertisement

	ReorderPoint    int  `json:"reorder_point"`
	OrderUpTo       int  `json:"order_up_to"`
	LotSize         int  `json:"lot_size"`
	MinimumOrder    int  `json:"minimum_order"`
	LeadTimeSeconds int  `json:"lead_time_seconds"`
	Automatic       bool `json:"automatic"`
}

// Fill stores a catalogue, and returns how many products it has added. It adds the factories that
// the database lacks. It adds the products only if the database has none, so no product comes back
// that the merchant has changed or removed.
func Fill(ctx context.Context, db *sql.DB, text []byte) (added int, err error) {
	var c catalogue
	decoder := json.NewDecoder(bytes.NewReader(text))
	decoder.DisallowUnknownFields()
	if err := decoder.Decode(&c); err != nil {
		return 0, fmt.Errorf("reading the catalogue: %w", err)
	}
	tx, err := db.BeginTx(ctx, nil)
	if err != nil {
		return 0, fmt.Errorf("storing the catalogue: %w", err)
	}
	defer tx.Rollback() // does nothing after the commit
	for _, f := range c.Factories {
		if err := f.insert(ctx, tx); err != nil {
			return 0, fmt.Errorf("storing factory %s: %w", f.Identifier, err)
		}
	}
	var known int
	if err := tx.QueryRowContext(ctx, `SELECT COUNT(*) FROM product`).Scan(&known); err != nil {
		return 0, fmt.Errorf("counting the products: %w", err)
	}
	if known == 0 {
		for _, p := range c.Products {
			if err := p.insert(ctx, tx); err != nil {
				return 0, fmt.Errorf("storing product %s: %w", p.SKU, err)
			}
		}
		added = len(c.Products)
	}
	if err := tx.Commit(); err != nil {
		return 0, fmt.Errorf("storing the catalogue: %w", err)
	}
	return added, nil
}

func (f factory) insert(ctx context.Context, tx *sql.Tx) error {
	id, err := uuid.NewV7()
	if err != nil {
		return err
	}
	_, err = tx.ExecContext(ctx, `
		INSERT INTO factory (factory_id, identifier, name, manager_email, api)
		SELECT ?, ?, ?, ?, ? FROM DUAL
		 WHERE NOT EXISTS (SELECT 1 FROM factory WHERE identifier = ?)`,
		id[:], f.Identifier, f.Name, f.ManagerEmail, f.API, f.Identifier)
	return err
}

func (p product) insert(ctx context.Context, tx *sql.Tx) (err error) {
	id := p.ID
	if id == uuid.Nil {
		if id, err = uuid.NewV7(); err != nil {
			return err
		}
	}
	var ad []byte // null: none
	if p.AdManagerEmail != "" {
		adID, err := uuid.NewV7()
		if err != nil {
			return err
		}
		ad = adID[:]
		if _, err := tx.ExecContext(ctx, `INSERT INTO advertisement (ad_id, status, manager_email) VALUES (?, 'on', ?)`,
			ad, p.AdManagerEmail); err != nil {
			return err
		}
	}
	var names []byte // null: none
	if len(p.Names) > 0 {
		if names, err = json.Marshal(p.Names); err != nil {
			return err
		}
	}
	// Without such a factory, factory_id is null, and the database refuses the row.
	if _, err := tx.ExecContext(ctx, `
		INSERT INTO product (product_id, sku, name, names, price, max_per_sale, factory_id, ad_id,
		                     reorder_point, order_up_to, lot_size, minimum_order, lead_time, automatic)
		VALUES (?, ?, ?, ?, ?, ?, (SELECT factory_id FROM factory WHERE identifier = ?), ?, ?, ?, ?, ?, ?, ?)`,
		id[:], p.SKU, p.Name, names, p.Price, p.MaxPerSale, p.Factory, ad,
		p.ReorderPoint, p.OrderUpTo, p.LotSize, p.MinimumOrder, p.LeadTimeSeconds, p.Automatic); err != nil {
		return err
	}
	if _, err := tx.ExecContext(ctx, `INSERT INTO bin (product_id, bin) VALUES (?, 0)`, id[:]); err != nil {
		return err
	}
	_, err = tx.ExecContext(ctx,
		`CALL move(?, 0, ?, 'opening', NULL, NULL, NULL, NULL, UTC_TIMESTAMP(6), '')`, id[:], p.Stock)
	return err
}
