package shop

import (
	"time"

	"github.com/google/uuid"
)

// A Policy says when a product is made and how much of it: the (s, S) policy of inventory theory, in lots.
type Policy struct {
	ReorderPoint int // s: at this stock position or below, order
	OrderUpTo    int // S: order what lifts the position to this level
	LotSize      int // the factory makes whole lots
}

// OrderQuantity is what to order at a stock position (on hand + on order): nothing above the reorder point, else what
// lifts the position to the order-up-to level, rounded up to whole lots.
func (p Policy) OrderQuantity(position int) int {
	if position > p.ReorderPoint || position >= p.OrderUpTo {
		return 0
	}
	lot := max(p.LotSize, 1)
	lots := (p.OrderUpTo - position + lot - 1) / lot
	return lots * lot
}

// A ProductionOrder asks a factory for a quantity of a product. At most one a product is open.
// It is its own outbox: stored with the sale that needs it, published after.
type ProductionOrder struct {
	ID       uuid.UUID
	SKU      string
	Quantity int
	Factory  string // the factory's identifier
	OpenedAt time.Time
	// Correlation is the id of the request that opened the order, empty where none is known. See [WithCorrelation].
	Correlation string
}

// A Delivery is what the factory says it made, for one attempt to get a production order made.
type Delivery struct {
	ProductionOrderID uuid.UUID
	AttemptID         uuid.UUID
	SKU               string
	Quantity          int
	At                time.Time
}

// A Receipt is a delivery that was booked.
type Receipt struct {
	Stock    int  // on hand after the delivery
	Surplus  int  // how much more than ordered has come in all
	Repeated bool // the attempt was booked before; nothing was done
}
