package panels

import (
	"fmt"
	"strings"
	"time"

	"github.com/google/uuid"

	"restock/internal/message"
)

// expired reports whether a message of the topic stock_empty has expired.
func expired(body string, now time.Time) bool {
	m, err := message.Parse(body)
	return err == nil && m.Expired(now)
}

// consequences says which production orders messages belong to, and what happens to expired ones.
// Messages that are not of the topic stock_empty belong to none.
func consequences(bodies []string, now time.Time) string {
	orders, belong, expired := map[uuid.UUID]bool{}, 0, 0
	for _, body := range bodies {
		m, err := message.Parse(body)
		if err != nil {
			continue
		}
		orders[m.ProductionOrderID] = true
		belong++
		if m.Expired(now) {
			expired++
		}
	}
	of := "1 production order"
	if len(orders) != 1 {
		of = fmt.Sprintf("%d production orders", len(orders))
	}
	var sentences []string
	switch {
	case len(bodies) == 1 || belong == 0:
	case belong == len(bodies):
		sentences = append(sentences, fmt.Sprintf("They belong to %s.", of))
	case belong == 1:
		sentences = append(sentences, fmt.Sprintf("1 of them belongs to %s.", of))
	default:
		sentences = append(sentences, fmt.Sprintf("%d of them belong to %s.", belong, of))
	}
	switch {
	case expired == 1 && len(bodies) == 1:
		sentences = append(sentences, "It expired: stock drops it, and the sweep requests the order again.")
	case expired == 1:
		sentences = append(sentences, "1 expired: stock drops it, and the sweep requests the order again.")
	case expired > 1:
		sentences = append(sentences,
			fmt.Sprintf("%d expired: stock drops them, and the sweep requests the orders again.", expired))
	}
	return strings.Join(sentences, " ")
}
