package panels

import (
	"fmt"
	"strings"
	"time"

	"github.com/google/uuid"

	"restock/internal/message"
)

// consequences says how many production orders messages belong to, and what happens to expired
// ones. Other messages than those of the topic stock_empty mean nothing to it.
func consequences(bodies []string, now time.Time) string {
	orders, expired := map[uuid.UUID]bool{}, 0
	for _, body := range bodies {
		m, err := message.Parse(body)
		if err != nil {
			continue
		}
		orders[m.ProductionOrderID] = true
		if m.Expired(now) {
			expired++
		}
	}
	var sentences []string
	switch {
	case len(bodies) == 1:
	case len(orders) == 1:
		sentences = append(sentences, "They belong to 1 production order.")
	case len(orders) > 1:
		sentences = append(sentences, fmt.Sprintf("They belong to %d production orders.", len(orders)))
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
