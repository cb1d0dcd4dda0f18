// Package message is the stock_empty message, which is published when a product needs to be made.
// It also reads the envelopes of SNS and SQS around the message.
package message

import (
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/google/uuid"

	"restock/internal/shop"
)

// Subject is the subject of every stock_empty message.
const Subject = "도너츠 재고 부족"

// Requester is the name under which we ask the factory.
const Requester = "stock-bot"

// The attributes of the message. All are strings. Other subscribers of the topic read them.
const (
	AttributeProductID  = "MessageAttributeProductId"
	AttributeProductCnt = "MessageAttributeProductCnt"
	AttributeFactoryID  = "MessageAttributeFactoryId"
	AttributeRequester  = "MessageAttributeRequester"
)

// A StockEmpty message asks the factory for a production order.
type StockEmpty struct {
	ProductionOrderID uuid.UUID
	SKU               string
	Quantity          int
	FactoryID         string
	Requester         string
	Correlation       string // the id of the buyer's request that caused the order; may be empty
	// ValidUntil is when the message expires, in UTC. See [shop.ProductionOrder.AskExpires].
	ValidUntil time.Time
}

// New returns the message of a production order.
func New(o shop.ProductionOrder) StockEmpty {
	return StockEmpty{
		ProductionOrderID: o.ID, SKU: o.SKU, Quantity: o.Quantity, FactoryID: o.Factory, Requester: Requester,
		Correlation: o.Correlation, ValidUntil: o.AskExpires().UTC(),
	}
}

// Expired reports whether the factory must not be asked with the message any more: the sweep has
// published a newer message for the same order, or is about to, or has closed the order.
func (m StockEmpty) Expired(now time.Time) bool { return !now.Before(m.ValidUntil) }

// body is the text of the message: the values that are not attributes. Times are in RFC 3339.
type body struct {
	ProductionOrderID uuid.UUID  `json:"production_order_id"`
	Correlation       string     `json:"correlation_id,omitempty"`
	ValidUntil        *time.Time `json:"valid_until"`
}

// Body returns the message's text.
func (m StockEmpty) Body() (string, error) {
	text, err := json.Marshal(body{m.ProductionOrderID, m.Correlation, &m.ValidUntil})
	return string(text), err
}

// Attributes returns the message's attributes.
func (m StockEmpty) Attributes() map[string]string {
	return map[string]string{
		AttributeProductID:  m.SKU,
		AttributeProductCnt: strconv.Itoa(m.Quantity),
		AttributeFactoryID:  m.FactoryID,
		AttributeRequester:  m.Requester,
	}
}

// envelope is the JSON that SNS wraps around a message, if raw delivery is off.
//
//	https://docs.aws.amazon.com/sns/latest/dg/sns-message-and-json-formats.html#http-notification-json
type envelope struct {
	Type              string
	Message           string
	Timestamp         string // of the publication, in RFC 3339
	MessageAttributes map[string]struct{ Type, Value string }
}

// defaultValidity is how long a message without valid_until is valid after its publication. An
// earlier version of the program published such messages, and a dead-letter queue keeps them for
// two weeks. If a message expires too early, the sweep asks for its order again. If it expires too
// late, the factory makes a second lot.
const defaultValidity = time.Minute

// Parse reads a message from the body of an SQS record, which is the JSON of an SNS envelope. Its
// error names what is missing.
func Parse(record string) (StockEmpty, error) {
	var e envelope
	if err := json.Unmarshal([]byte(record), &e); err != nil {
		return StockEmpty{}, fmt.Errorf("reading the SNS envelope: %w", err)
	}
	if e.Type != "Notification" {
		return StockEmpty{}, fmt.Errorf(
			"reading the SNS envelope: its Type is %q, not Notification: is raw message delivery on?", e.Type)
	}
	var missing []string
	attribute := func(name string) string {
		a := e.MessageAttributes[name]
		if a.Type != "String" || a.Value == "" {
			missing = append(missing, name)
		}
		return a.Value
	}
	m := StockEmpty{
		SKU:       attribute(AttributeProductID),
		FactoryID: attribute(AttributeFactoryID),
		Requester: attribute(AttributeRequester),
	}
	count := attribute(AttributeProductCnt)
	if len(missing) > 0 {
		return StockEmpty{}, fmt.Errorf("reading stock_empty: no String attribute %s", strings.Join(missing, ", "))
	}
	var err error
	if m.Quantity, err = strconv.Atoi(count); err != nil || m.Quantity < 1 || m.Quantity > shop.MaxQuantity {
		return StockEmpty{}, fmt.Errorf("reading stock_empty: %s is %q, not an integer from 1 to %d",
			AttributeProductCnt, count, shop.MaxQuantity)
	}
	var b body
	if err := json.Unmarshal([]byte(e.Message), &b); err != nil {
		return StockEmpty{}, fmt.Errorf("reading stock_empty: Message: %w", err)
	}
	if b.ProductionOrderID == uuid.Nil {
		return StockEmpty{}, errors.New("reading stock_empty: Message has no production_order_id")
	}
	m.ProductionOrderID, m.Correlation = b.ProductionOrderID, b.Correlation
	if m.ValidUntil, err = validUntil(b, e); err != nil {
		return StockEmpty{}, fmt.Errorf("reading stock_empty: %w", err)
	}
	return m, nil
}

// validUntil returns when a message expires.
func validUntil(b body, e envelope) (time.Time, error) {
	if b.ValidUntil == nil {
		published, err := time.Parse(time.RFC3339, e.Timestamp)
		if err != nil {
			err = fmt.Errorf("the Message has no valid_until, and the envelope's Timestamp is not a time: %w", err)
			return time.Time{}, err
		}
		return written(published.Add(defaultValidity))
	}
	return written(*b.ValidUntil)
}

// written returns a time in UTC that Body can write: RFC 3339 has years of four digits.
func written(t time.Time) (time.Time, error) {
	t = t.UTC()
	if year := t.Year(); year < 0 || year > 9999 {
		return time.Time{}, fmt.Errorf("valid_until is in the year %d, not from 0 to 9999", year)
	}
	return t, nil
}
