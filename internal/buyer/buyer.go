// Package buyer is the JSON of the buyers' API. Prices are in the currency's minor unit, times are
// in UTC.
package buyer

import (
	"time"

	"github.com/google/uuid"

	"restock/internal/shop"
)

// A Product is a product in the form that existing clients read.
type Product struct {
	ID   uuid.UUID `json:"product_id"`
	SKU  string    `json:"sku"`
	Name string    `json:"name"`
	// Names are the names in other languages, by the tag of the language: {"en": "Twist"}.
	Names    map[string]string `json:"names,omitempty"`
	Price    int64             `json:"price"` // in the currency's minor unit
	Currency string            `json:"currency"`
	Stock    int               `json:"stock"` // on hand
	// MaxPerSale is the largest quantity of one sale. It is omitted if there is no limit.
	MaxPerSale int `json:"max_per_sale,omitempty"`
	// ExpectedAt is when the stock on order should arrive. It is omitted if nothing is on order.
	ExpectedAt time.Time `json:"expected_at,omitzero"`
	// Automatic says whether the shop orders more by itself. If it is false and there is no
	// expected_at, no delivery is planned.
	Automatic bool `json:"automatic"`
}

// Products are all products, sorted by SKU.
type Products struct {
	Products []Product `json:"products"`
}

// A Purchase is the body of a checkout. Without a body, the checkout buys one doughnut.
type Purchase struct {
	SKU      string `json:"sku"`
	Quantity int    `json:"quantity" code:"invalid_quantity"` // 1 if it is omitted
}

// A Sale is the answer to a successful checkout.
type Sale struct {
	Message   string    `json:"message"` // in the reader's language
	ID        uuid.UUID `json:"sale_id"`
	SKU       string    `json:"sku"`
	Quantity  int       `json:"quantity"`
	UnitPrice int64     `json:"unit_price"` // in the currency's minor unit
	Currency  string    `json:"currency"`
	Stock     int       `json:"stock"` // left after the sale
}

// A PastSale is a sale as its buyer reads it later.
type PastSale struct {
	ID   uuid.UUID `json:"sale_id"`
	SKU  string    `json:"sku"`
	Name string    `json:"name"` // the product's name today
	// Names are the names in other languages, by the tag of the language: {"en": "Twist"}.
	Names     map[string]string `json:"names,omitempty"`
	Quantity  int               `json:"quantity"`
	UnitPrice int64             `json:"unit_price"` // in the currency's minor unit
	Currency  string            `json:"currency"`
	SoldAt    time.Time         `json:"sold_at"`
}

// A WaitlistEntry is a buyer's place on the waitlist of a product that was sold out.
type WaitlistEntry struct {
	ID    uuid.UUID          `json:"entry_id"`
	SKU   string             `json:"sku"`
	State shop.WaitlistState `json:"state"` // back: stock came for the buyer
	// Place is 1 for the next in line. It is omitted if the buyer no longer waits.
	Place int `json:"place,omitempty"`
	// BackAt is when stock came for the buyer.
	BackAt    time.Time `json:"back_at,omitzero"`
	ExpiresAt time.Time `json:"expires_at"` // then the buyer no longer waits
}
