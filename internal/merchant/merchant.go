// Package merchant is what the merchant's API and its clients say to each other, in JSON.
//
// Prices are in the currency's minor unit, times are in UTC. A page of a list ends with Next where more comes after it: the next page is had
// with that as the parameter before.
package merchant

import (
	"time"

	"github.com/google/uuid"

	"restock/internal/shop"
)

// The lengths of a page: the default, and the largest that a client may ask for with the parameter limit.
const (
	DefaultPage = shop.DefaultPage
	MaxPage     = shop.MaxPage
)

// IdempotencyKey is the header that makes a repeated adjustment the same one.
const IdempotencyKey = "Idempotency-Key"

// A Product is one with its stock, its policy, and what the policy makes of the two.
type Product struct {
	ID       uuid.UUID `json:"product_id"`
	SKU      string    `json:"sku"`
	Name     string    `json:"name"`
	Price    int64     `json:"price"`
	Currency string    `json:"currency"`

	Stock      int       `json:"stock"`    // on hand
	OnOrder    int       `json:"on_order"` // what is still to come
	Position   int       `json:"position"` // both together
	ExpectedAt time.Time `json:"expected_at,omitzero"`
	Suggestion int       `json:"suggestion"` // what the policy would order now; 0 while something is on order

	MaxPerSale int    `json:"max_per_sale"` // 0: no limit
	Factory    string `json:"factory"`
	Policy
}

// A Policy says when a product is made, and how much of it.
type Policy struct {
	ReorderPoint    int   `json:"reorder_point"`
	OrderUpTo       int   `json:"order_up_to"`
	LotSize         int   `json:"lot_size"`
	MinimumOrder    int   `json:"minimum_order"` // 0: none
	LeadTimeSeconds int64 `json:"lead_time_seconds"`
	Automatic       bool  `json:"automatic"` // false: only suggest
}

// Products are all of them, by SKU.
type Products struct {
	Products []Product `json:"products"`
}

// A ProductionOrder asks a factory for a quantity of a product.
type ProductionOrder struct {
	ID       uuid.UUID `json:"production_order_id"`
	SKU      string    `json:"sku"`
	Quantity int       `json:"quantity"`
	Received int       `json:"received"`
	Factory  string    `json:"factory"`
	Status   string    `json:"status"`
	Asks     int       `json:"asks"` // how often the factory was asked

	OpenedAt    time.Time `json:"opened_at"`
	AskedAt     time.Time `json:"asked_at,omitzero"` // the last time
	PublishedAt time.Time `json:"published_at,omitzero"`
	ClosedAt    time.Time `json:"closed_at,omitzero"`
	// Correlation finds the way of the request that opened the order in the logs.
	Correlation string `json:"correlation,omitempty"`
}

// ProductionOrders are a page of them, the newest first.
type ProductionOrders struct {
	Orders []ProductionOrder `json:"production_orders"`
	Next   string            `json:"next,omitempty"`
}

// A LedgerEntry is one change of a product's stock.
type LedgerEntry struct {
	ID        int64     `json:"entry_id"`
	Quantity  int       `json:"quantity"` // less than 0: what went
	Cause     string    `json:"cause"`
	Reason    string    `json:"reason,omitempty"`   // of an adjustment
	Reference uuid.UUID `json:"reference,omitzero"` // the sale or the attempt that is the cause
	At        time.Time `json:"at"`
}

// A Ledger is a page of a product's entries, the newest first.
type Ledger struct {
	SKU     string        `json:"sku"`
	Entries []LedgerEntry `json:"entries"`
	Next    string        `json:"next,omitempty"`
}
