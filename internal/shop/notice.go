package shop

import (
	"context"
	"fmt"
	"time"

	"github.com/google/uuid"
)

// A NoticeKind is a reason to notify people.
type NoticeKind string

// The kinds of notices.
const (
	NoticeOrderOverdue     NoticeKind = "order_overdue"     // the factory was asked again for the first time
	NoticeOrderFailed      NoticeKind = "order_failed"      // closed; nothing came
	NoticeOrderShort       NoticeKind = "order_short"       // closed; less came than was ordered
	NoticeSurplus          NoticeKind = "surplus"           // more came than was ordered
	NoticeLateReceipt      NoticeKind = "late_receipt"      // goods came after the order was closed
	NoticeReceiptCorrected NoticeKind = "receipt_corrected" // a later callback of an attempt said more
)

// A Notice tells people about something that they may have to act on. It is its own outbox: the
// store keeps it in the same transaction as its cause, and a sweep sends it at least once.
type Notice struct {
	Kind NoticeKind
	// SubjectID is the production order, the attempt whose receipt is unusual, or a correction of
	// such a receipt. Kind and SubjectID together identify the notice.
	SubjectID uuid.UUID
	AttemptID uuid.UUID // set if the notice is about a receipt
	Order     ProductionOrder
	Quantity  int // surplus: how much too much; late receipt, correction: how much came
	RaisedAt  time.Time
	ToldAt    time.Time // when it was sent; zero: not yet. Only Notices sets it

	// The text of the message, in English. The sweep fills it in.
	Subject string // one line
	Text    string // what happened
	Advice  string // what to do about it
}

// A NoticeStore keeps notices.
type NoticeStore interface {
	// DueNotices lists the notices that were not sent and are not claimed beyond a time, oldest
	// first.
	DueNotices(context.Context, time.Time) ([]Notice, error)
	// ClaimNotice makes the caller the one that sends a notice, between two times. Of several
	// callers one gets it.
	ClaimNotice(ctx context.Context, n Notice, from, until time.Time) (bool, error)
	// MarkNotified records when a notice was sent.
	MarkNotified(ctx context.Context, n Notice, at time.Time) error
}

// A Notifier sends notices to people.
type Notifier interface {
	Notify(context.Context, Notice) error
}

// nextStep says what the sweep does next with an order that was asked for again, and when. It is
// empty if the order is closed.
func (o ProductionOrder) nextStep() string {
	at := o.PatienceEnds().UTC().Format(time.RFC3339)
	switch {
	case o.Status != OrderOpen:
		return ""
	case o.Received > 0:
		return fmt.Sprintf(" If the rest does not arrive, the shop closes the order after %s.", at)
	case o.Asks < maxAsks:
		return fmt.Sprintf(" If nothing arrives, the shop asks again after %s.", at)
	}
	return fmt.Sprintf(" If nothing arrives, the shop gives up after %s.", at)
}

// written returns the notice with its text.
func (n Notice) written() Notice {
	o := n.Order
	order := fmt.Sprintf("Production order %s of %d × %s at factory %s, opened at %s,",
		o.ID, o.Quantity, o.SKU, o.Factory, o.OpenedAt.Format(time.RFC3339))
	switch n.Kind {
	case NoticeOrderOverdue:
		n.Subject = fmt.Sprintf("%s: production order overdue", o.SKU)
		n.Text = fmt.Sprintf("%s has not arrived within twice the lead time of %v. The shop asks the factory again, "+
			"up to %d times in all.%s", order, o.LeadTime, maxAsks, o.nextStep())
		n.Advice = "You need not do anything yet. If this happens often, check whether the factory works and whether " +
			"the product's lead time is right."
	case NoticeOrderFailed:
		n.Subject = fmt.Sprintf("%s: production order failed", o.SKU)
		n.Text = fmt.Sprintf("%s was asked for %d times, and nothing arrived. The shop gave up and closed the order.",
			order, o.Asks)
		n.Advice = fmt.Sprintf("Ask the factory about the order, and look at the dead-letter queue of stock_queue. "+
			"If %s is automatic and short, the shop opens a new production order; otherwise open one by hand.", o.SKU)
	case NoticeOrderShort:
		n.Subject = fmt.Sprintf("%s: production order came short", o.SKU)
		n.Text = fmt.Sprintf("%s came short: %d of %d arrived. The shop gave up on the rest and closed the order.",
			order, o.Received, o.Quantity)
		n.Advice = fmt.Sprintf("Ask the factory about the rest, and pay only for the goods that arrived. If %s is "+
			"automatic and short, the shop opens a new production order.", o.SKU)
	case NoticeSurplus:
		n.Subject = fmt.Sprintf("%s: more came than was ordered", o.SKU)
		n.Text = fmt.Sprintf("%s brought %d more than was ordered, in attempt %s. The surplus is booked and on sale.",
			order, n.Quantity, n.AttemptID)
		n.Advice = "Count the stock. If the goods are there, agree with the factory on paying for them or returning " +
			"them; if not, adjust the stock."
	case NoticeLateReceipt:
		n.Subject = fmt.Sprintf("%s: goods came after their order was closed", o.SKU)
		n.Text = fmt.Sprintf("%s was %s when %d arrived, in attempt %s. They are booked and on sale.",
			order, o.Status, n.Quantity, n.AttemptID)
		n.Advice = "Count the stock: another production order may have brought the same goods. If there is too " +
			"much, agree with the factory on returning it, and adjust the stock."
	case NoticeReceiptCorrected:
		n.Subject = fmt.Sprintf("%s: a goods receipt was corrected", o.SKU)
		n.Text = fmt.Sprintf("%s: the callback of attempt %s came again, and reported %d more than before. They are "+
			"booked and on sale.", order, n.AttemptID, n.Quantity)
		n.Advice = "Count the stock, and ask the factory whether it called twice. If it did not, somebody else knows " +
			"the callback URL and called first, with a smaller quantity: replace the callback key."
	}
	return n
}
