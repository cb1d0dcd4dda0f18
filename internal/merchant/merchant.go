// Package merchant is the JSON of the merchant's API, for the function and its clients.
//
// Prices are in the currency's minor unit, times are in UTC. If a list has more entries, its page
// has Next: to get the next page, send it as the parameter before.
package merchant

import (
	"time"

	"github.com/google/uuid"

	"restock/internal/shop"
)

// The lengths of a page: the default, and the largest that a client may ask for with the parameter
// limit.
const (
	DefaultPage = shop.DefaultPage
	MaxPage     = shop.MaxPage
)

// A Product is a product with its stock and its policy.
type Product struct {
	ID   uuid.UUID `json:"product_id"`
	SKU  string    `json:"sku"`
	Name string    `json:"name"`
	// Names are the names in other languages, by the tag of the language.
	Names    map[string]string `json:"names,omitempty"`
	Price    int64             `json:"price"`
	Currency string            `json:"currency"`
	// ArchivedAt is when the product was archived. It is omitted while the product is on sale.
	ArchivedAt time.Time `json:"archived_at,omitzero"`

	Stock      int       `json:"stock"`    // on hand
	OnOrder    int       `json:"on_order"` // still to come
	Position   int       `json:"position"` // stock plus on order
	ExpectedAt time.Time `json:"expected_at,omitzero"`
	Suggestion int       `json:"suggestion"` // how much the policy would order now; 0 while an order is open
	// Waiting is how many buyers wait for the product. It is omitted if nobody does, and in answers
	// to changes.
	Waiting int `json:"waiting,omitempty"`

	Bins int `json:"bins"`
	// WaitedAt is when buyers last waited for each other, since the number of bins was set.
	WaitedAt   time.Time `json:"waited_at,omitzero"`
	MaxPerSale int       `json:"max_per_sale"` // 0: no limit
	Factory    string    `json:"factory"`
	Policy
}

// MoreBins returns how many bins the product should get if its buyers wait for each other.
func (p Product) MoreBins() int { return shop.MoreBins(p.Bins) }

// A Policy says when to order a product and how much.
type Policy struct {
	ReorderPoint    int   `json:"reorder_point"`
	OrderUpTo       int   `json:"order_up_to"`
	LotSize         int   `json:"lot_size"`
	MinimumOrder    int   `json:"minimum_order"` // 0: none
	LeadTimeSeconds int64 `json:"lead_time_seconds"`
	Automatic       bool  `json:"automatic"` // false: the shop only suggests orders
}

// Products are all products, sorted by SKU.
type Products struct {
	Products []Product `json:"products"`
}

// A NewProduct is the body of a request that creates a product.
type NewProduct struct {
	SKU             string `json:"sku" required:"true"`
	Name            string `json:"name" required:"true"`
	Price           int64  `json:"price" required:"true"`
	Factory         string `json:"factory" required:"true"` // the factory's identifier
	Stock           int    `json:"stock"`                   // on hand; the first entry of the ledger
	Bins            int    `json:"bins"`                    // 1 if it is omitted
	MaxPerSale      int    `json:"max_per_sale"`            // 0: no limit
	ReorderPoint    int    `json:"reorder_point"`
	OrderUpTo       int    `json:"order_up_to" required:"true"`
	LotSize         int    `json:"lot_size"`          // 1 if it is omitted
	MinimumOrder    int    `json:"minimum_order"`     // 0: none
	LeadTimeSeconds int32  `json:"lead_time_seconds"` // the stage's setting if it is omitted
	Automatic       bool   `json:"automatic"`         // false: the shop only suggests orders
}

// A ProductChange is the body of a request that changes a product. Fields that it omits stay as
// they are.
type ProductChange struct {
	Name            *string `json:"name"`
	Language        *string `json:"language"` // of the name, like en; an empty name removes it; omitted: none
	Archived        *bool   `json:"archived"` // true: no longer list, sell and order it; false: put it on sale again
	Price           *int64  `json:"price"`
	Factory         *string `json:"factory"` // the factory's identifier
	Bins            *int    `json:"bins"`
	MaxPerSale      *int    `json:"max_per_sale"` // 0: no limit
	ReorderPoint    *int    `json:"reorder_point"`
	OrderUpTo       *int    `json:"order_up_to"`
	LotSize         *int    `json:"lot_size"`
	MinimumOrder    *int    `json:"minimum_order"` // 0: none
	LeadTimeSeconds *int32  `json:"lead_time_seconds"`
	Automatic       *bool   `json:"automatic"` // false: the shop only suggests orders
}

// An Adjustment is the body of a request that corrects the stock after counting it. It has either
// quantity or to.
type Adjustment struct {
	Quantity *int   `json:"quantity"`               // counted minus booked: negative if goods are missing
	To       *int   `json:"to"`                     // the counted stock
	Reason   string `json:"reason" required:"true"` // free text, for example damaged
}

// An Undo is the body of a request that undoes an adjustment. It has no fields.
type Undo struct{}

// Adjusted is a product after an adjustment, and the adjustment.
type Adjusted struct {
	Product
	Adjustment AdjustmentEntry `json:"adjustment"`
	// Opened is the production order that the shop opened because the stock fell to the reorder
	// point or below it. It is omitted if the adjustment opened none.
	Opened OpenedOrder `json:"opened,omitzero"`
}

// An OpenedOrder is a production order that a change of the stock opened.
type OpenedOrder struct {
	ID       uuid.UUID `json:"production_order_id"`
	Quantity int       `json:"quantity"`
}

// An AdjustmentEntry is an adjustment in the ledger.
type AdjustmentEntry struct {
	Number   int64 `json:"number"` // within bin 0, for an undo; 0: the count agreed, and nothing was booked
	Quantity int   `json:"quantity"`
	Before   int   `json:"before"`
	After    int   `json:"after"`
	Repeated bool  `json:"repeated"` // an earlier request made it
}

// An Import is the body of a request that creates and changes products, all or nothing.
type Import struct {
	CSV    string `json:"csv" required:"true"` // see Columns
	DryRun bool   `json:"dry_run"`             // check everything, and change nothing
}

// Imported is the result of an import.
type Imported struct {
	Created   int  `json:"created"`
	Changed   int  `json:"changed"`
	Unchanged int  `json:"unchanged"`
	DryRun    bool `json:"dry_run"`
	Repeated  bool `json:"repeated"` // an earlier request with this key made it
}

// A Factory makes products.
type Factory struct {
	Identifier   string `json:"factory"`
	Name         string `json:"name"`
	ManagerEmail string `json:"manager_email"`
	Products     int    `json:"products"` // how many products it makes
}

// Factories are all factories, sorted by identifier.
type Factories struct {
	Factories []Factory `json:"factories"`
}

// ProductSales are the sales of a product in a range of time.
type ProductSales struct {
	SKU      string `json:"sku"`
	Name     string `json:"name"`
	Sales    int    `json:"sales"`
	Units    int    `json:"units"`
	Revenue  int64  `json:"revenue"`
	Currency string `json:"currency"`
}

// Sales are the sales from a time until before another, of each product that had any.
type Sales struct {
	From     time.Time      `json:"from"`
	To       time.Time      `json:"to"`
	Products []ProductSales `json:"products"`
}

// A Notice is what the shop told people.
type Notice struct {
	Kind     shop.NoticeKind `json:"kind"`
	SKU      string          `json:"sku"`
	Order    uuid.UUID       `json:"production_order_id"`
	RaisedAt time.Time       `json:"raised_at"`
	SentAt   time.Time       `json:"sent_at,omitzero"` // missing: not yet
	Subject  string          `json:"subject"`
	Text     string          `json:"text"`
	Advice   string          `json:"advice"`
}

// Notices is a page of notices, newest first.
type Notices struct {
	Notices []Notice `json:"notices"`
	Next    string   `json:"next,omitempty"`
}

// A NewOrder is the body of a request that opens a production order.
type NewOrder struct {
	SKU      string `json:"sku" required:"true"`
	Quantity *int   `json:"quantity"` // what the policy suggests if it is omitted
}

// A Cancellation is the body of a request that cancels a production order. It has no fields.
type Cancellation struct{}

// A ProductionOrder asks a factory for a quantity of a product.
type ProductionOrder struct {
	ID       uuid.UUID        `json:"production_order_id"`
	SKU      string           `json:"sku"`
	Quantity int              `json:"quantity"`
	Received int              `json:"received"`
	Factory  string           `json:"factory"`
	Status   shop.OrderStatus `json:"status"`
	Asks     int              `json:"asks"` // number of requests to the factory

	OpenedAt    time.Time `json:"opened_at"`
	AskedAt     time.Time `json:"asked_at,omitzero"` // time of the last request
	PublishedAt time.Time `json:"published_at,omitzero"`
	ClosedAt    time.Time `json:"closed_at,omitzero"`
	// Correlation is the id of the request that opened the order. Search the logs for it.
	Correlation string `json:"correlation,omitempty"`
}

// ProductionOrders is a page of production orders, newest first.
type ProductionOrders struct {
	Orders []ProductionOrder `json:"production_orders"`
	Next   string            `json:"next,omitempty"`
}

// A LedgerEntry is one change of a product's stock.
type LedgerEntry struct {
	Bin       int       `json:"bin"`
	Number    int64     `json:"number"`   // within the bin
	Quantity  int       `json:"quantity"` // negative if the stock fell
	Cause     string    `json:"cause"`
	Reason    string    `json:"reason,omitempty"`   // set for an adjustment
	Reference uuid.UUID `json:"reference,omitzero"` // id of the sale, production order, adjustment or import
	At        time.Time `json:"at"`
}

// A Ledger is a page of a product's ledger, newest first.
type Ledger struct {
	SKU     string        `json:"sku"`
	Entries []LedgerEntry `json:"entries"`
	Next    string        `json:"next,omitempty"`
}
