package shop

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"
)

func TestEveryNoticeNamesItsOrderAndHasAdvice(t *testing.T) {
	order := ProductionOrder{
		ID: uuid.New(), SKU: "CP-502101", Quantity: 100, Received: 40, Factory: "FF-500293",
		Status: OrderShort, Asks: 4,
		LeadTime: time.Minute, OpenedAt: time.Date(2026, 11, 21, 12, 0, 0, 0, time.UTC),
	}
	attempt := uuid.New()
	ofReceipts := []NoticeKind{NoticeSurplus, NoticeLateReceipt, NoticeReceiptCorrected}
	subjects := map[string]bool{}
	for kind, says := range map[NoticeKind]string{
		NoticeOrderOverdue:     "twice the lead time of 1m0s",
		NoticeOrderFailed:      "asked for 4 times",
		NoticeOrderShort:       "40 of 100",
		NoticeSurplus:          "7 more than was ordered",
		NoticeLateReceipt:      "was short when 7 arrived",
		NoticeReceiptCorrected: "reported 7 more than before",
	} {
		n := Notice{Kind: kind, Order: order, SubjectID: uuid.New(), AttemptID: attempt, Quantity: 7}.written()
		if !strings.Contains(n.Text, says) || !strings.Contains(n.Text, order.ID.String()) ||
			!strings.Contains(n.Text, "FF-500293") {
			t.Errorf("%s: the text is %q, want the order, its factory and %q in it", kind, n.Text, says)
		}
		if slices.Contains(ofReceipts, kind) && !strings.Contains(n.Text, attempt.String()) {
			t.Errorf("%s: the text is %q, want the attempt in it", kind, n.Text)
		}
		if !strings.HasPrefix(n.Subject, "CP-502101: ") || strings.Contains(n.Subject, "\n") || subjects[n.Subject] {
			t.Errorf("%s: the subject is %q, want a unique line that begins with the product", kind, n.Subject)
		}
		if n.Advice == "" {
			t.Errorf("%s: there is no advice", kind)
		}
		subjects[n.Subject] = true
	}
}

func TestANoticeOfAnOverdueOrderSaysWhatTheShopDoesNext(t *testing.T) {
	asked := time.Date(2026, 11, 21, 12, 0, 0, 0, time.FixedZone("KST", 9*60*60))
	for _, c := range []struct {
		order ProductionOrder
		want  string
	}{
		{ProductionOrder{Status: OrderOpen, Asks: 2},
			" If nothing arrives, the shop asks again after 2026-11-21T03:04:00Z."},
		{ProductionOrder{Status: OrderOpen, Asks: 3},
			" If nothing arrives, the shop asks again after 2026-11-21T03:08:00Z."},
		{ProductionOrder{Status: OrderOpen, Asks: 4},
			" If nothing arrives, the shop gives up after 2026-11-21T03:16:00Z."},
		{ProductionOrder{Status: OrderOpen, Asks: 2, Received: 1},
			" If the rest does not arrive, the shop closes the order after 2026-11-21T03:04:00Z."},
		{ProductionOrder{Status: OrderReceived, Asks: 2, Received: 9}, "up to 4 times in all."},
	} {
		c.order.AskedAt, c.order.LeadTime = asked, time.Minute
		if got := (Notice{Kind: NoticeOrderOverdue, Order: c.order}).written().Text; !strings.HasSuffix(got, c.want) {
			t.Errorf("%+v: the text is %q, want it to end with %q", c.order, got, c.want)
		}
	}
}
