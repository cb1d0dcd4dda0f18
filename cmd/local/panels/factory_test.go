package panels

import (
	"testing"

	"restock/cmd/local/factory"
)

func TestALotSaysHowMuchWasDelivered(t *testing.T) {
	t.Parallel()
	s := factoryState(factory.Fault{}, []factory.Request{{
		ID: "lot", Body: []byte(`{"MessageAttributeProductCnt":100}`), Deliveries: []factory.Delivery{{Count: "50"}},
	}})
	lot := s.Requests[0]
	if lot.Quantity != "100" || lot.Deliveries[0].Count != "50" {
		t.Errorf("got %+v, want 50 delivered of 100", lot)
	}
}
